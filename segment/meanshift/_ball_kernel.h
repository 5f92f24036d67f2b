/* One step of mean shift over the tree: the weight and the sum of the points in a ball; for each
 * instruction set.
 *
 * Distances are sums of squares in the order of the dimensions, without fused operations. So a
 * box's nearest and farthest squared distance bound those of its points exactly, rounding
 * included, and whole boxes may be taken or left without changing the answer.
 */
#include "_vectors.h"

#define is_far_by NAME(is_far_by)
#define open_boxes NAME(open_boxes)
#define add_points NAME(add_points)
#define ball_in_dimension NAME(ball_in_dimension)
#define ball NAME(ball)

#ifndef SEGMENT_FEW
#define SEGMENT_FEW
#define FEW 4 /* dimensions up to which the sums of a ball stand in registers */
#endif

/* Whether so many of the dimensions put all lanes out of reach: those left only add to that. Asked
 * after every fourth, where there are many. */
INLINE int is_far_by(int k, int dim, doubles distance, double radius2)
{
    return dim > FEW && k % 4 == 3 && !bits_of_longs(MASK(distance <= radius2));
}

/* Add the boxes of a group that lie inside, list the children of those to open. */
INLINE int32_t open_boxes(const tree_t *tree, int64_t group, const double *center, double radius2,
                          double whole2, int dim, double *weight, double *sum, int32_t *list,
                          int32_t length)
{
    const double *low = tree->low + group * dim * LANES, *high = tree->high + group * dim * LANES;
    uint32_t open = 0, inside = 0;
    for (int lane = 0; lane < LANES; lane += DOUBLES) {
        const doubles zero = ALL(doubles, 0.0);
        doubles nearest = zero, farthest = zero;
        for (int k = 0; k < dim; k++) {
            const doubles below = doubles_at(low + k * LANES + lane) - center[k];
            const doubles above = center[k] - doubles_at(high + k * LANES + lane);
            const doubles out = greater_doubles(greater_doubles(below, above), zero);
            const doubles in = lesser_doubles(below, above);
            nearest += out * out;
            farthest += in * in;
            if (is_far_by(k, dim, nearest, radius2)) break;
        }
        const longs whole = MASK(farthest <= whole2);
        inside |= bits_of_longs(whole) << lane;
        open |= bits_of_longs(MASK(nearest <= radius2) & ~whole) << lane;
    }
    for (int j = 0; inside; j++, inside >>= 1)
        if (inside & 1) {
            *weight += tree->total[group * LANES + j];
            for (int k = 0; k < dim; k++) sum[k] += tree->sum[(group * LANES + j) * dim + k];
        }
    return append_chosen(tree->child + group * LANES, open, list, length);
}

/* Add the points of some groups that are in the kernel, lane by lane. */
INLINE void add_points(const tree_t *tree, const int32_t *groups, int32_t count,
                       const double *center, double bandwidth2, int gaussian, int dim,
                       doubles *sums, double *weight, double *sum, double *lanes)
{
    const double reach2 = gaussian ? CUT2 * bandwidth2 : bandwidth2;
    for (int lane = 0; lane < LANES; lane += DOUBLES) {
        for (int k = 0; k <= dim; k++) sums[k] = ALL(doubles, 0.0);
        for (int32_t i = 0; i < count; i++) {
            const double *point = tree->point + (int64_t)groups[i] * dim * LANES + lane;
            doubles distance = ALL(doubles, 0.0);
            doubles inside = doubles_at(tree->weight + (int64_t)groups[i] * LANES + lane);
            for (int k = 0; k < dim; k++) {
                const doubles difference = doubles_at(point + k * LANES) - center[k];
                distance += difference * difference;
                if (is_far_by(k, dim, distance, reach2)) break;
            }
            if (dim > FEW && !bits_of_longs(MASK(distance <= reach2))) continue; /* adds zeros */
            if (gaussian) {
                const longs within = MASK(distance <= reach2);
                const doubles near = doubles_where(within, distance);
                inside = doubles_where(within, inside * exp_of_minus(near / bandwidth2 / 2));
            } else {
                inside = doubles_where(MASK(distance <= bandwidth2), inside);
            }
            sums[dim] += inside;
            for (int k = 0; k < dim; k++) sums[k] += inside * doubles_at(point + k * LANES);
        }
        for (int k = 0; k <= dim; k++) memcpy(lanes + k * LANES + lane, sums + k, sizeof *sums);
    }
    for (int j = 0; j < LANES; j++) *weight += lanes[dim * LANES + j];
    for (int k = 0; k < dim; k++)
        for (int j = 0; j < LANES; j++) sum[k] += lanes[k * LANES + j];
}

/* Level by level rather than depth first: the groups of a level do not wait for each other. */
INLINE double ball_in_dimension(const tree_t *tree, const double *place, double bandwidth2,
                                int gaussian, int dim, int32_t *list, int32_t *next,
                                doubles *sums, double *lanes, double *center, double *sum)
{
    const double radius2 = gaussian ? fmin(CUT2 * bandwidth2, DBL_MAX) : bandwidth2;
    const double whole2 = gaussian ? -1 : radius2; /* only with equal weights is a sum enough */
    double weight = 0;
    int32_t length = 1;

    for (int k = 0; k < dim; k++) center[k] = place[k], sum[k] = 0;
    list[0] = tree->root;
    for (int at_bottom = 0; length && !at_bottom;) {
        int32_t opened = 0;
        at_bottom = list[0] < tree->bottom;
        for (int32_t i = 0; i < length; i++)
            opened = open_boxes(tree, list[i], center, radius2, whole2, dim, &weight, sum, next,
                                opened);
        int32_t *const swap = list;
        list = next, next = swap, length = opened;
    }
    add_points(tree, list, length, center, bandwidth2, gaussian, dim, sums, &weight, sum, lanes);
    return weight;
}

/* Weight of the points in the kernel around `center`; their weighted sum goes to `sum`. The kernel:
 * 1 within the bandwidth, or a Gaussian that is cut off at three bandwidths.
 * `list` and `next` have room for every group of a level plus LANES, `room` for
 * (2 dim + 4) * LANES. The usual dimensions are compiled by themselves, their loops unrolled. */
static double ball(const tree_t *tree, const double *center, double bandwidth2, int gaussian,
                   int32_t *list, int32_t *next, double *room, double *sum)
{
    double lanes[(1 + FEW) * LANES], here[FEW];
    doubles sums[1 + FEW];
    const int dim = tree->dim;
    if (!gaussian && dim == 1)
        return ball_in_dimension(tree, center, bandwidth2, 0, 1, list, next, sums, lanes, here,
                                 sum);
    if (!gaussian && dim == 3)
        return ball_in_dimension(tree, center, bandwidth2, 0, 3, list, next, sums, lanes, here,
                                 sum);
    if (!gaussian && dim == 4)
        return ball_in_dimension(tree, center, bandwidth2, 0, 4, list, next, sums, lanes, here,
                                 sum);
    if (dim == 3)
        return ball_in_dimension(tree, center, bandwidth2, 1, 3, list, next, sums, lanes, here,
                                 sum);
    doubles *const some = (doubles *)(((uintptr_t)room + sizeof(doubles)) / sizeof(doubles)
                                      * sizeof(doubles));
    double *const others = (double *)(some + dim + 1);
    return ball_in_dimension(tree, center, bandwidth2, gaussian, dim, list, next, some, others,
                             others + (dim + 1) * LANES, sum);
}
