/* The nearest mode of each pixel in the joint domain. */
#ifndef SEGMENT_PYRAMID_LABEL_H
#define SEGMENT_PYRAMID_LABEL_H

#include "_pyramid.h"

/* Compare the pixels of a tile with a mode: those nearer to it than before, or as near and it has
 * the lower number, get its number. */
INLINE void compare_tile(const kernel_t *k, cell_t tile, const double *value, const double *mode,
                         int32_t number, int channels, double *best, int64_t *label)
{
    const double x0 = x_of(tile) * SIDE - mode[0], y0 = y_of(tile) * SIDE - mode[1];
    double distance[LANES];
#pragma omp simd
    for (int j = 0; j < LANES; j++) {
        const double x = x0 + LANE_X[j], y = y0 + LANE_Y[j];
        distance[j] = (x * x + y * y) * k->spatial2;
    }
    for (int c = 0; c < channels; c++)
#pragma omp simd
        for (int j = 0; j < LANES; j++) {
            const double difference = value[c * LANES + j] - mode[2 + c];
            distance[j] += difference * difference * k->range2;
        }
#pragma omp simd
    for (int j = 0; j < LANES; j++) {
        const int better =
            (distance[j] < best[j]) | ((distance[j] == best[j]) & (number < label[j]));
        best[j] = better ? distance[j] : best[j];
        label[j] = better ? number : label[j];
    }
}

/* Whether a pixel is within `limit` bandwidths of a mode, with the roundings of points that were
 * divided by their units beforehand: on the surface as the climb decides. */
UNFUSED
static int is_within(const kernel_t *k, double x, double y, const double *value, const double *mode,
                     double limit, int channels)
{
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif
    const double radius = limit * k->bandwidth;
    const double dx = x / k->spatial_unit - mode[0] / k->spatial_unit;
    const double dy = y / k->spatial_unit - mode[1] / k->spatial_unit;
    double distance = dx * dx + dy * dy;
    for (int c = 0; c < channels; c++) {
        const double difference = value[c * LANES] / k->range_unit - mode[2 + c] / k->range_unit;
        distance += difference * difference;
    }
    return distance <= radius * radius;
}

INLINE void label_group_of(const pyramid_t *p, const kernel_t *k, cell_t cell, const double *modes,
                           const int32_t *candidates, int count, double limit, double slack,
                           float *bounds, int32_t *labels, int channels)
{
    float farthest[LANES], smallest[LANES];

    for (int j = 0; j < LANES; j++) smallest[j] = INFINITY;
    for (int i = 0; i < count; i++) {
        box_distances(p, k, 1, cell, modes + (int64_t)candidates[i] * (2 + channels), channels,
                      bounds + (int64_t)i * LANES, farthest);
#pragma omp simd
        for (int j = 0; j < LANES; j++)
            smallest[j] = farthest[j] < smallest[j] ? farthest[j] : smallest[j];
    }
    for (int tile = 0; tile < LANES; tile++) {
        const cell_t at = cell * SIDE + cell_at(tile % SIDE, tile / SIDE);
        if (x_of(at) >= p->cols[0] || y_of(at) >= p->rows[0]) continue;
        const float far_enough = sqrtf(smallest[tile]) + (float)slack; /* lest roundings lose one */
        const float enough = far_enough * far_enough * 1.0001f + 1e-4f;
        double value[CHANNELS * LANES], best[LANES];
        int64_t label[LANES];
        for (int j = 0; j < LANES; j++) best[j] = INFINITY, label[j] = 0;
        read_tile(p, at, channels, value);
        for (int i = 0; i < count; i++)
            if (bounds[(int64_t)i * LANES + tile] <= enough)
                compare_tile(k, at, value, modes + (int64_t)candidates[i] * (2 + channels),
                             candidates[i] + 1, channels, best, label);
        for (int j = 0; j < LANES; j++) {
            const int x = x_of(at) * SIDE + j % SIDE, y = y_of(at) * SIDE + j / SIDE;
            if (x >= p->width || y >= p->height) continue;
            int taken = value[j] < FAR && label[j];
            if (taken && limit < INFINITY)
                taken = is_within(k, x, y, value + j, modes + (label[j] - 1) * (2 + channels), limit,
                                  channels);
            labels[(int64_t)y * p->width + x] = taken ? (int32_t)label[j] : 0;
        }
    }
}

/* Give the pixels of a level 1 group their nearest of `count` modes, the one of the lowest number
 * at a tie; labels are numbers from 1 on, 0 beyond `limit` or where there is no pixel. `slack` is
 * what distances to boxes may be wrong by, in bandwidths like `limit`. `bounds` has room for LANES
 * a candidate. Boxes pass on only what can be nearest to a place in them. */
FOR_EACH_X86
static void label_group(const pyramid_t *p, const kernel_t *k, cell_t cell, const double *modes,
                        const int32_t *candidates, int count, double limit, double slack,
                        float *bounds, int32_t *labels)
{
    if (p->channels == 3)
        label_group_of(p, k, cell, modes, candidates, count, limit, slack, bounds, labels, 3);
    else
        label_group_of(p, k, cell, modes, candidates, count, limit, slack, bounds, labels, 1);
}

#endif
