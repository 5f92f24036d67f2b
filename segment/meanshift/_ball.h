/* Points in a tree of boxes, and `BALLS`: one step of mean shift over it, for each instruction set.
 */
#ifndef SEGMENT_BALL_H
#define SEGMENT_BALL_H

#include <float.h>

#include "_lanes.h"

/* Points in groups of LANES; groups of LANES boxes above them, level by level up to one root.
 * Arrays hold one group after the other, in a group one dimension after the other. The first
 * `bottom` box groups bound point groups, the others box groups; the last one is the root. */
typedef struct {
    int dim;
    int32_t bottom, root;
    const int32_t *child;                      /* (groups, LANES): what each box bounds */
    const double *point, *weight;              /* (groups, dim, LANES), (groups, LANES) */
    const double *low, *high;                  /* of boxes, (groups, dim, LANES) */
    const double *sum, *total;                 /* weighted sums, (groups, LANES, dim); weights */
} tree_t;

#define KERNEL "_ball_kernel.h"
#include "_each_set.h"

typedef double (*ball_t)(const tree_t *tree, const double *center, double bandwidth2, int gaussian,
                         int32_t *list, int32_t *next, double *room, double *sum);
static const ball_t BALLS[] = EACH_SET(ball);

/* Squared distances from `center` to the nearest place in each box of a group. */
INLINE void box_distances(const double *low, const double *high, const double *center, int dim,
                          double *nearest)
{
    for (int j = 0; j < LANES; j++) nearest[j] = 0;
    for (int k = 0; k < dim; k++)
        for (int j = 0; j < LANES; j++) {
            const double below = low[k * LANES + j] - center[k];
            const double above = center[k] - high[k * LANES + j];
            const double out = below > above ? below : above;
            nearest[j] += out > 0 ? out * out : 0;
        }
}

/* Squared distances from `center` to the points of a group. */
INLINE void point_distances(const double *point, const double *center, int dim, double *distance)
{
    for (int j = 0; j < LANES; j++) distance[j] = 0;
    for (int k = 0; k < dim; k++)
        for (int j = 0; j < LANES; j++) {
            const double difference = point[k * LANES + j] - center[k];
            distance[j] += difference * difference;
        }
}

#endif
