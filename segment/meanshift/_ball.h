/* One step of mean shift over the tree: the weight and the sum of the points in a ball.
 *
 * Distances are sums of squares in the order of the dimensions, without fused operations. So a
 * box's nearest and farthest squared distance bound those of its points exactly, rounding
 * included, and whole boxes may be taken or left without changing the answer.
 */
#ifndef SEGMENT_BALL_H
#define SEGMENT_BALL_H

#include <float.h>
#include <math.h>
#include <stdint.h>

#include "_lanes.h"

/* Points in groups of LANES; groups of LANES boxes above them, level by level up to one root.
 * Arrays hold one group after the other, in a group one dimension after the other. The first
 * `bottom` box groups bound point groups, the others box groups; the last one is the root. */
typedef struct {
    int dim;
    int32_t bottom, root;
    const int32_t *child;                      /* of a box group: the group that its lane 0 bounds */
    const double *point, *weight;              /* (groups, dim, LANES), (groups, LANES) */
    const double *low, *high, *sum, *total;    /* the same of boxes; weighted sums, weights */
} tree_t;

/* Squared distances from `center` to the nearest and the farthest place in each box of a group. */
INLINE void box_distances(const double *low, const double *high, const double *center, int dim,
                          double *nearest, double *farthest)
{
    for (int j = 0; j < LANES; j++) nearest[j] = farthest[j] = 0;
    for (int k = 0; k < dim; k++) {
        const double c = center[k];
#pragma omp simd
        for (int j = 0; j < LANES; j++) {
            const double below = low[k * LANES + j] - c, above = c - high[k * LANES + j];
            const double out = below > above ? below : above;
            const double in = below > above ? above : below;
            nearest[j] += out > 0 ? out * out : 0;
            farthest[j] += in * in;
        }
    }
}

/* Squared distances from `center` to the points of a group. */
INLINE void point_distances(const double *point, const double *center, int dim, double *distance)
{
    for (int j = 0; j < LANES; j++) distance[j] = 0;
    for (int k = 0; k < dim; k++) {
        const double c = center[k];
#pragma omp simd
        for (int j = 0; j < LANES; j++) {
            const double difference = point[k * LANES + j] - c;
            distance[j] += difference * difference;
        }
    }
}

INLINE void add_boxes_inside(const tree_t *tree, int32_t group, const double *farthest,
                             double radius2, int dim, double *weight, double *sum)
{
    const double *total = tree->total + (int64_t)group * LANES;
    const double *sums = tree->sum + (int64_t)group * dim * LANES;
#pragma omp simd
    for (int j = 0; j < LANES; j++) weight[j] += farthest[j] <= radius2 ? total[j] : 0;
    for (int k = 0; k < dim; k++)
#pragma omp simd
        for (int j = 0; j < LANES; j++)
            sum[k * LANES + j] += farthest[j] <= radius2 ? sums[k * LANES + j] : 0;
}

INLINE void add_points_inside(const tree_t *tree, int32_t group, const double *center,
                              double bandwidth2, int gaussian, int dim, double *weight,
                              double *sum)
{
    const double *point = tree->point + (int64_t)group * dim * LANES;
    const double *weights = tree->weight + (int64_t)group * LANES;
    double distance[LANES], inside[LANES];
    point_distances(point, center, dim, distance);
    if (gaussian) {
#pragma omp simd
        for (int j = 0; j < LANES; j++) {
            const double within = distance[j] <= CUT2 * bandwidth2 ? distance[j] : 0;
            const double kernel = exp_of_minus(within / bandwidth2 / 2);
            inside[j] = distance[j] <= CUT2 * bandwidth2 ? weights[j] * kernel : 0;
        }
    } else {
#pragma omp simd
        for (int j = 0; j < LANES; j++) inside[j] = distance[j] <= bandwidth2 ? weights[j] : 0;
    }
#pragma omp simd
    for (int j = 0; j < LANES; j++) weight[j] += inside[j];
    for (int k = 0; k < dim; k++)
#pragma omp simd
        for (int j = 0; j < LANES; j++)
            sum[k * LANES + j] += inside[j] * point[k * LANES + j];
}

/* The children of a group that are neither taken whole nor left, without a branch. */
INLINE int32_t append_open(int32_t child, const double *nearest, const double *farthest,
                           double radius2, double whole2, int32_t *list, int32_t length)
{
    int64_t open[LANES];
#pragma omp simd
    for (int j = 0; j < LANES; j++)
        open[j] = (nearest[j] <= radius2) & !(farthest[j] <= whole2);
    for (int j = 0; j < LANES; j++) {
        list[length] = child + j;
        length += (int32_t)open[j];
    }
    return length;
}

/* Level by level rather than depth first: the groups of a level do not wait for each other. */
INLINE double ball_in_dimension(const tree_t *tree, const double *center, double bandwidth2,
                                int gaussian, int dim, int32_t *list, int32_t *next,
                                double *lanes, double *sum)
{
    const double radius2 = gaussian ? fmin(CUT2 * bandwidth2, DBL_MAX) : bandwidth2;
    const double whole2 = gaussian ? -1 : radius2; /* only with equal weights is a sum enough */
    double *lane_sum = lanes + LANES, weight = 0;
    double nearest[LANES], farthest[LANES];
    int32_t length = 1;

    for (int j = 0; j < (dim + 1) * LANES; j++) lanes[j] = 0;
    list[0] = tree->root;
    for (int at_bottom = 0; length && !at_bottom;) {
        int32_t opened = 0;
        at_bottom = list[0] < tree->bottom;
        for (int32_t i = 0; i < length; i++) {
            const int64_t first = (int64_t)list[i] * dim * LANES;
            box_distances(tree->low + first, tree->high + first, center, dim, nearest, farthest);
            if (!gaussian)
                add_boxes_inside(tree, list[i], farthest, radius2, dim, lanes, lane_sum);
            opened = append_open(tree->child[list[i]], nearest, farthest, radius2, whole2, next,
                                 opened);
        }
        int32_t *const swap = list;
        list = next, next = swap, length = opened;
    }
    for (int32_t i = 0; i < length; i++)
        add_points_inside(tree, list[i], center, bandwidth2, gaussian, dim, lanes, lane_sum);

    for (int j = 0; j < LANES; j++) weight += lanes[j];
    for (int k = 0; k < dim; k++) {
        sum[k] = 0;
        for (int j = 0; j < LANES; j++) sum[k] += lane_sum[k * LANES + j];
    }
    return weight;
}

/* Weight of the points in the kernel around `center`; their weighted sum goes to `sum`. The kernel:
 * 1 within the bandwidth, or a Gaussian that is cut off at three bandwidths.
 * `list` and `next` have room for every group of a level plus LANES, `lanes` for (dim + 1) * LANES.
 * The usual dimensions are compiled by themselves, with their loops unrolled. */
FOR_EACH_X86
static double ball(const tree_t *tree, const double *center, double bandwidth2, int gaussian,
                   int32_t *list, int32_t *next, double *lanes, double *sum)
{
    const int dim = tree->dim;
    if (gaussian)
        return ball_in_dimension(tree, center, bandwidth2, 1, dim, list, next, lanes, sum);
    switch (dim) {
    case 1: return ball_in_dimension(tree, center, bandwidth2, 0, 1, list, next, lanes, sum);
    case 3: return ball_in_dimension(tree, center, bandwidth2, 0, 3, list, next, lanes, sum);
    default: return ball_in_dimension(tree, center, bandwidth2, 0, dim, list, next, lanes, sum);
    }
}

#endif
