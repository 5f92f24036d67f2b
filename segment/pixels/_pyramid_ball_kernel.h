/* One step of mean shift in the joint domain: the pixels in a ball around (x, y, channels); for each
 * instruction set.
 *
 * The ball takes boxes that lie inside it whole, leaves those outside, and opens the others.
 */
#include "../meanshift/_vectors.h"
#include "_pyramid_boxes.h"

#define settle NAME(settle)
#define add_tiles NAME(add_tiles)
#define add_tiles_gaussian NAME(add_tiles_gaussian)
#define open_group NAME(open_group)
#define ball_of NAME(ball_of)
#define ball NAME(ball)

#ifndef SEGMENT_PYRAMID_BALL_H
#define SEGMENT_PYRAMID_BALL_H

/* The coarsest groups worth a look: at most 3 x 3 of them overlap the window. */
INLINE int32_t groups_of_window(const pyramid_t *p, const double *center, double radius,
                                int32_t *list, int *level)
{
    int32_t length = 0;
    int l = 1;
    double side_x = p->cell_width[1] * p->across[1], side_y = p->cell_height[1] * p->down[1];
    while (l < p->levels - 1
           && ((side_x < radius && p->cols[l] > 1) || (side_y < radius && p->rows[l] > 1))) {
        l++;
        side_x = (double)p->cell_width[l] * p->across[l];
        side_y = (double)p->cell_height[l] * p->down[l];
    }
    const double left = floor((center[0] - radius) / side_x);
    const double top = floor((center[1] - radius) / side_y);
    const double right = floor((center[0] + radius) / side_x);
    const double bottom = floor((center[1] + radius) / side_y);
    const int x0 = left > 0 ? (int)fmin(left, p->cols[l]) : 0;
    const int y0 = top > 0 ? (int)fmin(top, p->rows[l]) : 0;
    for (int y = y0; y < p->rows[l] && y <= bottom; y++)
        for (int x = x0; x < p->cols[l] && x <= right; x++) list[length++] = y * p->cols[l] + x;
    *level = l;
    return length;
}
#endif

/* Add up those of the pixels of a tile that float could not decide about: as a rule one or two. */
static __attribute__((noinline)) void settle(const pyramid_t *p, const kernel_t *k,
                                             const double *center, int64_t tile, uint32_t unsure,
                                             int channels, double *total)
{
    for (int j = 0; j < LANES; j++) {
        const float *value = p->value + tile * channels * LANES + j;
        const double x = p->origin[0][2 * tile] + p->lane_x[0][j];
        const double y = p->origin[0][2 * tile + 1] + p->lane_y[0][j];
        if (!(unsure >> j & 1) || !is_within(k, x, y, value, center, 1, channels)) continue;
        total[0] += 1, total[1] += x, total[2] += y;
        for (int c = 0; c < channels; c++) total[3 + c] += value[c * LANES];
    }
}

#undef BATCH
#define BATCH (4 * FLOATS) /* tiles whose sums of numbers below 2^24 stay within 30 bits a lane */

/* Add up the pixels in the ball of up to BATCH tiles. */
INLINE void add_tiles(const pyramid_t *p, const kernel_t *k, const double *center,
                      const float *color, const int32_t *tiles, int32_t count, int channels,
                      double *total)
{
    const float inner = (float)(1 - k->margin), outer = (float)(1 + k->margin);
    const float spatial = (float)k->spatial, range2 = (float)k->range2;
    int64_t number = 0, from_x = 0, from_y = 0;
    ints numbers[LANES / FLOATS], sums[CHANNELS];
    ints in_x = ALL(ints, 0), in_y = ALL(ints, 0);

    for (int part = 0; part < LANES / FLOATS; part++) numbers[part] = ALL(ints, 0);
    for (int c = 0; c < channels; c++) sums[c] = ALL(ints, 0);
    for (int32_t i = 0; i < count; i++) {
        const int64_t tile = tiles[i];
        const int32_t *origin = p->origin[0] + 2 * tile;
        const float x0 = (float)((origin[0] - center[0]) * k->spatial);
        const float y0 = (float)((origin[1] - center[1]) * k->spatial);
        uint32_t inside = 0, reached = 0;
        for (int part = 0; part < LANES / FLOATS; part++) {
            const int lane = part * FLOATS;
            const float *value = p->value + tile * channels * LANES + lane;
            const floats x = floats_at(p->lane_x[0] + lane) * spatial + x0;
            const floats y = floats_at(p->lane_y[0] + lane) * spatial + y0;
            floats distance = ALL(floats, 0.0f);
            for (int c = 0; c < channels; c++) {
                const floats difference = floats_at(value + c * LANES) - color[c];
                distance += difference * difference;
            }
            distance = distance * range2 + (x * x + y * y);
            const ints mask = MASK(distance <= inner);
            inside |= bits_of(mask) << lane;
            reached |= bits_of(MASK(distance <= outer)) << lane;
            numbers[part] -= mask;
            for (int c = 0; c < channels; c++)
                sums[c] += mask & to_ints(floats_at(value + c * LANES));
        }
        const int64_t here = __builtin_popcount(inside);
        number += here, from_x += here * origin[0], from_y += here * origin[1];
        if (reached != inside) settle(p, k, center, tile, reached & ~inside, channels, total);
    }
    for (int part = 0; part < LANES / FLOATS; part++) {
        in_x += numbers[part] * to_ints(floats_at(p->lane_x[0] + part * FLOATS));
        in_y += numbers[part] * to_ints(floats_at(p->lane_y[0] + part * FLOATS));
    }
    total[0] += (double)number;
    total[1] += (double)(from_x + sum_of(in_x));
    total[2] += (double)(from_y + sum_of(in_y));
    for (int c = 0; c < channels; c++) total[3 + c] += (double)sum_of(sums[c]);
}

/* Add up the pixels of some tiles with Gaussian weights, lane by lane. A tile without a pixel in
 * reach adds nothing, so the sums do not depend on which of those are listed. */
INLINE void add_tiles_gaussian(const pyramid_t *p, const kernel_t *k, const double *center,
                               const int32_t *tiles, int32_t count, int channels, double *total)
{
    const double cut2 = k->reach * k->reach;
    double lanes[3 + CHANNELS][LANES];
    for (int lane = 0; lane < LANES; lane += DOUBLES) {
        const doubles lane_x = widened_at(p->lane_x[0] + lane);
        const doubles lane_y = widened_at(p->lane_y[0] + lane);
        doubles sums[3 + CHANNELS];
        for (int s = 0; s < 3 + channels; s++) sums[s] = ALL(doubles, 0.0);
        for (int32_t i = 0; i < count; i++) {
            const int64_t tile = tiles[i];
            const float *value = p->value + tile * channels * LANES + lane;
            const doubles x = lane_x + (double)p->origin[0][2 * tile];
            const doubles y = lane_y + (double)p->origin[0][2 * tile + 1];
            const doubles dx = x - center[0], dy = y - center[1];
            doubles distance = (dx * dx + dy * dy) * k->spatial2;
            for (int c = 0; c < channels; c++) {
                const doubles difference = widened_at(value + c * LANES) - center[2 + c];
                distance += difference * difference * k->range2;
            }
            const longs near = MASK(distance <= cut2);
            if (!bits_of_longs(near)) continue;
            const doubles weight =
                doubles_where(near, exp_of_minus(doubles_where(near, distance) * 0.5));
            sums[0] += weight, sums[1] += weight * x, sums[2] += weight * y;
            for (int c = 0; c < channels; c++)
                sums[3 + c] += weight * widened_at(value + c * LANES);
        }
        for (int s = 0; s < 3 + channels; s++) memcpy(lanes[s] + lane, sums + s, sizeof *sums);
    }
    for (int half = LANES / 2; half; half /= 2)
        for (int s = 0; s < 3 + channels; s++)
            for (int j = 0; j < half; j++) lanes[s][j] += lanes[s][half + j];
    for (int s = 0; s < 3 + channels; s++) total[s] += lanes[s][0];
}

/* Take the boxes of a group that are inside, list those to open; returns how many are listed. */
INLINE int32_t open_group(const pyramid_t *p, const kernel_t *k, int level, int64_t group,
                          const double *center, const float *color, int channels, int gaussian,
                          double *total, int32_t *next, int32_t length)
{
    const float inner = (float)(gaussian ? -1 : 1 - k->margin - BOX_MARGIN);
    const float outer = (float)(k->reach * k->reach * (1 + k->margin + BOX_MARGIN));
    uint32_t open = 0, inside = 0;
    for (int lane = 0; lane < LANES; lane += FLOATS) {
        floats nearest, farthest;
        box_distances(p, k, level, group, center, color, channels, lane, &nearest, &farthest);
        const ints whole = MASK(farthest <= inner);
        inside |= bits_of(whole) << lane;
        open |= bits_of(MASK(nearest <= outer) & ~whole) << lane;
    }
    for (int j = 0; inside; j++, inside >>= 1)
        if (inside & 1) {
            const double *sum = p->sum[level] + (group * LANES + j) * SUMS;
            for (int s = 0; s < 3 + channels; s++) total[s] += sum[s];
        }
    return append_chosen(p->child[level] + group * LANES, open, next, length);
}

INLINE double ball_of(const pyramid_t *pyramid, const kernel_t *kernel, const double *place,
                      int channels, int gaussian, int32_t *list, int32_t *next, double *sum)
{
    const pyramid_t *const p = pyramid;
    const kernel_t scale = *kernel; /* a copy, which nothing that is written can alias */
    const kernel_t *const k = &scale;
    double center[FEATURES], total[SUMS] = {0};
    float color[CHANNELS];
    int level;
    int32_t length;

    for (int f = 0; f < 2 + channels; f++) center[f] = place[f];
    for (int c = 0; c < channels; c++) color[c] = (float)center[2 + c];
    length = groups_of_window(p, center, k->reach * k->spatial_unit * k->bandwidth, list, &level);
    for (; level > 0; level--) {
        int32_t opened = 0;
        for (int32_t i = 0; i < length; i++)
            opened = open_group(p, k, level, list[i], center, color, channels, gaussian, total,
                                next, opened);
        int32_t *const swap = list;
        list = next, next = swap, length = opened;
    }
    if (gaussian) add_tiles_gaussian(p, k, center, list, length, channels, total);
    for (int32_t i = 0; i < length && !gaussian; i += BATCH)
        add_tiles(p, k, center, color, list + i, length - i < BATCH ? length - i : BATCH, channels,
                  total);
    for (int f = 0; f < 2 + channels; f++) sum[f] = total[1 + f];
    return total[0];
}

/* Weight of the pixels in the kernel around `center`; their weighted sum goes to `sum`. `list` and
 * `next` have room for every tile plus LANES. */
static double ball(const pyramid_t *p, const kernel_t *k, const double *center, int32_t *list,
                   int32_t *next, double *sum)
{
    if (k->reach > 1)
        return p->channels == 3 ? ball_of(p, k, center, 3, 1, list, next, sum)
                                : ball_of(p, k, center, 1, 1, list, next, sum);
    return p->channels == 3 ? ball_of(p, k, center, 3, 0, list, next, sum)
                            : ball_of(p, k, center, 1, 0, list, next, sum);
}
