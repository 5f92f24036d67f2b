/* One step of mean shift in the joint domain: the pixels in a ball around (x, y, channels).
 *
 * The ball takes boxes that lie inside it whole, leaves those outside, and opens the others.
 */
#ifndef SEGMENT_PYRAMID_BALL_H
#define SEGMENT_PYRAMID_BALL_H

#include "_pyramid.h"

#define BATCH 16 /* tiles whose sums of whole numbers below 2^16 stay exact in float */
#define SUMS (1 + FEATURES) /* weight, x, y, channels */

/* The coarsest groups worth a look: at most 3 x 3 of them overlap the window. */
INLINE int groups_of_window(const pyramid_t *p, const double *center, double radius,
                            cell_t *list, int *level)
{
    double side = SIDE * SIDE;
    int length = 0, l = 1;
    while (l < p->levels - 1 && side < radius) side *= SIDE, l++;
    const double left = floor((center[0] - radius) / side), top = floor((center[1] - radius) / side);
    const double right = floor((center[0] + radius) / side);
    const double bottom = floor((center[1] + radius) / side);
    const int x0 = left > 0 ? (int)fmin(left, p->cols[l]) : 0;
    const int y0 = top > 0 ? (int)fmin(top, p->rows[l]) : 0;
    for (int y = y0; y < p->rows[l] && y <= bottom; y++)
        for (int x = x0; x < p->cols[l] && x <= right; x++)
            list[length++] = cell_at(x, y);
    *level = l;
    return length;
}

/* Squared distances, in bandwidths, from the center to the pixels of a tile at (x0, y0) from it. */
INLINE void tile_distances(const float *value, float x0, float y0, const float *color,
                           const kernel_t *k, int channels, float *distance)
{
    const float spatial2 = (float)k->spatial2, range2 = (float)k->range2;
    float in_color[LANES];
    for (int j = 0; j < LANES; j++) in_color[j] = 0;
    for (int c = 0; c < channels; c++) {
        const float at = color[c];
#pragma omp simd
        for (int j = 0; j < LANES; j++) {
            const float difference = value[c * LANES + j] - at;
            in_color[j] += difference * difference;
        }
    }
#pragma omp simd
    for (int j = 0; j < LANES; j++) {
        const float x = x0 + LANE_X[j], y = y0 + LANE_Y[j];
        distance[j] = in_color[j] * range2 + (x * x + y * y) * spatial2;
    }
}

/* Add up the pixels in the ball of up to BATCH tiles, unless one is too near to its surface for
 * float: then return 0. `base` is a whole place near the center: coordinates are taken from there. */
INLINE int add_tiles(const pyramid_t *p, const kernel_t *k, const double *center,
                     const double *base, const cell_t *tiles, int count, int channels, int whole,
                     double *total)
{
    const float inner = (float)(1 - k->margin), outer = (float)(1 + k->margin);
    const float from_x = (float)(base[0] - center[0]), from_y = (float)(base[1] - center[1]);
    float color[CHANNELS], distance[LANES], weight[LANES];
    float weights[LANES] = {0}, reached[LANES] = {0}, xs[LANES] = {0}, ys[LANES] = {0};
    float whole_sums[CHANNELS][LANES] = {{0}};
    double sums[CHANNELS][LANES] = {{0}};

    for (int c = 0; c < channels; c++) color[c] = (float)center[2 + c];
    for (int i = 0; i < count; i++) {
        const int64_t first = group_of(p, 0, tiles[i]) * channels * LANES;
        const float *value = p->value + first;
        const float x0 = (float)(x_of(tiles[i]) * SIDE - base[0]);
        const float y0 = (float)(y_of(tiles[i]) * SIDE - base[1]);
        tile_distances(value, x0 + from_x, y0 + from_y, color, k, channels, distance);
#pragma omp simd
        for (int j = 0; j < LANES; j++) {
            weight[j] = distance[j] <= inner ? 1.0f : 0.0f;
            reached[j] += distance[j] <= outer ? 1.0f : 0.0f;
            weights[j] += weight[j];
            xs[j] += weight[j] * x0;
            ys[j] += weight[j] * y0;
        }
        for (int c = 0; c < channels; c++)
#pragma omp simd
            for (int j = 0; j < LANES; j++) {
                if (whole) whole_sums[c][j] += weight[j] * value[c * LANES + j];
                else sums[c][j] += (double)weight[j] * p->exact[first + c * LANES + j];
            }
    }
    int32_t unsure = 0;
#pragma omp simd reduction(| : unsure)
    for (int j = 0; j < LANES; j++) unsure |= reached[j] > weights[j];
    if (unsure) return 0;
#pragma omp simd
    for (int j = 0; j < LANES; j++) {
        total[j] += weights[j];
        total[LANES + j] += xs[j] + weights[j] * (base[0] + LANE_X[j]);
        total[2 * LANES + j] += ys[j] + weights[j] * (base[1] + LANE_Y[j]);
    }
    for (int c = 0; c < channels; c++)
#pragma omp simd
        for (int j = 0; j < LANES; j++)
            total[(3 + c) * LANES + j] += whole ? whole_sums[c][j] : sums[c][j];
    return 1;
}

/* Add the pixels of a tile with their weights to the totals. */
INLINE void add_weighted(cell_t tile, const double *value, const double *weight, int channels,
                         double *total)
{
    const double x0 = (double)x_of(tile) * SIDE, y0 = (double)y_of(tile) * SIDE;
#pragma omp simd
    for (int j = 0; j < LANES; j++) {
        total[j] += weight[j];
        total[LANES + j] += weight[j] * (x0 + LANE_X[j]);
        total[2 * LANES + j] += weight[j] * (y0 + LANE_Y[j]);
    }
    for (int c = 0; c < channels; c++)
#pragma omp simd
        for (int j = 0; j < LANES; j++)
            total[(3 + c) * LANES + j] += weight[j] * value[c * LANES + j];
}

/* Add up the pixels of a tile in double, and with the roundings of points that were divided by
 * their units beforehand: ties on the surface fall as they do for those points. */
FOR_EACH_X86 UNFUSED
static void add_tile_exactly(const pyramid_t *p, const kernel_t *k, const double *center,
                             cell_t tile, int channels, double *total)
{
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif
    const double x0 = (double)x_of(tile) * SIDE, y0 = (double)y_of(tile) * SIDE;
    const double at_x = center[0] / k->spatial_unit, at_y = center[1] / k->spatial_unit;
    const double radius2 = k->bandwidth * k->bandwidth;
    double value[CHANNELS * LANES], distance[LANES], weight[LANES];

    read_tile(p, tile, channels, value);
#pragma omp simd
    for (int j = 0; j < LANES; j++) {
        const double x = (x0 + LANE_X[j]) / k->spatial_unit - at_x;
        const double y = (y0 + LANE_Y[j]) / k->spatial_unit - at_y;
        distance[j] = x * x + y * y;
    }
    for (int c = 0; c < channels; c++) {
        const double at = center[2 + c] / k->range_unit;
#pragma omp simd
        for (int j = 0; j < LANES; j++) {
            const double difference = value[c * LANES + j] / k->range_unit - at;
            distance[j] += difference * difference;
        }
    }
#pragma omp simd
    for (int j = 0; j < LANES; j++) weight[j] = distance[j] <= radius2 ? 1.0 : 0.0;
    add_weighted(tile, value, weight, channels, total);
}

/* Add up the pixels of some tiles with Gaussian weights. */
INLINE void add_tiles_gaussian(const pyramid_t *p, const kernel_t *k, const double *center,
                               const cell_t *tiles, int count, int channels, double *total)
{
    const double cut2 = k->reach * k->reach;
    double value[CHANNELS * LANES], distance[LANES], weight[LANES];
    for (int i = 0; i < count; i++) {
        const double x0 = (double)x_of(tiles[i]) * SIDE - center[0];
        const double y0 = (double)y_of(tiles[i]) * SIDE - center[1];
        read_tile(p, tiles[i], channels, value);
#pragma omp simd
        for (int j = 0; j < LANES; j++) {
            const double x = x0 + LANE_X[j], y = y0 + LANE_Y[j];
            distance[j] = (x * x + y * y) * k->spatial2;
        }
        for (int c = 0; c < channels; c++)
#pragma omp simd
            for (int j = 0; j < LANES; j++) {
                const double difference = value[c * LANES + j] - center[2 + c];
                distance[j] += difference * difference * k->range2;
            }
#pragma omp simd
        for (int j = 0; j < LANES; j++) {
            const double kernel = exp_of_minus((distance[j] <= cut2 ? distance[j] : 0) / 2);
            weight[j] = distance[j] <= cut2 ? kernel : 0;
        }
        add_weighted(tiles[i], value, weight, channels, total);
    }
}

/* Take the boxes of a group that are inside, list those to open; returns how many are listed. */
INLINE int open_group(const pyramid_t *p, const kernel_t *k, int level, cell_t cell,
                      const double *center, int channels, int gaussian, double *total,
                      cell_t *next, int length)
{
    const float inner = (float)(gaussian ? -1 : 1 - k->margin);
    const float outer = (float)(k->reach * k->reach * (1 + k->margin));
    float nearest[LANES], farthest[LANES], inside[LANES];
    int32_t open[LANES], any = 0;

    box_distances(p, k, level, cell, center, channels, nearest, farthest);
#pragma omp simd
    for (int j = 0; j < LANES; j++) inside[j] = farthest[j] <= inner ? 1.0f : 0.0f;
#pragma omp simd reduction(| : any)
    for (int j = 0; j < LANES; j++) any |= farthest[j] <= inner;
    if (any) {
        const double *sum = p->sum[level] + group_of(p, level, cell) * (3 + channels) * LANES;
        for (int s = 0; s < 3 + channels; s++)
#pragma omp simd
            for (int j = 0; j < LANES; j++) total[s * LANES + j] += inside[j] * sum[s * LANES + j];
    }
#pragma omp simd
    for (int j = 0; j < LANES; j++)
        open[j] = (nearest[j] <= outer) & !(farthest[j] <= inner);
    for (int j = 0; j < LANES; j++) {
        next[length] = cell * SIDE + cell_at(j % SIDE, j / SIDE);
        length += open[j];
    }
    return length;
}

INLINE double ball_of(const pyramid_t *pyramid, const kernel_t *kernel, const double *place,
                      int channels, int whole, int gaussian, cell_t *list, cell_t *next,
                      double *sum)
{
    const pyramid_t here = *pyramid; /* copies, which nothing that is written can alias */
    const kernel_t scale = *kernel;
    const pyramid_t *const p = &here;
    const kernel_t *const k = &scale;
    double center[FEATURES];

    for (int f = 0; f < 2 + channels; f++) center[f] = place[f];
    const double base[2] = {rint(center[0]), rint(center[1])};
    double total[SUMS * LANES];
    int level, length;

    for (int j = 0; j < (3 + channels) * LANES; j++) total[j] = 0;
    length = groups_of_window(p, center, k->reach * k->spatial_unit * k->bandwidth, list, &level);
    for (; level > 0; level--) {
        int opened = 0;
        for (int i = 0; i < length; i++)
            opened = open_group(p, k, level, list[i], center, channels, gaussian, total, next,
                                opened);
        cell_t *const swap = list;
        list = next, next = swap, length = opened;
    }
    if (gaussian) add_tiles_gaussian(p, k, center, list, length, channels, total);
    for (int i = 0, singly = 0, count = 0; i < length && !gaussian; i += count) {
        count = singly > 0 ? 1 : length - i < BATCH ? length - i : BATCH;
        if (add_tiles(p, k, center, base, list + i, count, channels, whole, total))
            singly -= count;
        else if (count > 1) /* as a rule it is one tile of them */
            singly = count, count = 0;
        else
            add_tile_exactly(p, k, center, list[i], channels, total), singly--;
    }
    for (int half = LANES / 2; half; half /= 2)
        for (int f = 0; f < 3 + channels; f++)
#pragma omp simd
            for (int j = 0; j < half; j++) total[f * LANES + j] += total[f * LANES + half + j];
    for (int f = 0; f < 2 + channels; f++) sum[f] = total[(1 + f) * LANES];
    return total[0];
}

/* Weight of the pixels in the kernel around `center`; their weighted sum goes to `sum`. `list` and
 * `next` have room for every tile plus LANES. */
FOR_EACH_X86
static double ball(const pyramid_t *p, const kernel_t *k, const double *center, cell_t *list,
                   cell_t *next, double *sum)
{
    if (k->reach > 1)
        return p->channels == 3 ? ball_of(p, k, center, 3, 0, 1, list, next, sum)
                                : ball_of(p, k, center, 1, 0, 1, list, next, sum);
    if (p->exact)
        return p->channels == 3 ? ball_of(p, k, center, 3, 0, 0, list, next, sum)
                                : ball_of(p, k, center, 1, 0, 0, list, next, sum);
    return p->channels == 3 ? ball_of(p, k, center, 3, 1, 0, list, next, sum)
                            : ball_of(p, k, center, 1, 1, 0, list, next, sum);
}

#endif
