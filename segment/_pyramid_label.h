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

INLINE void label_group_of(const pyramid_t *p, const kernel_t *k, cell_t cell, const double *modes,
                           const int32_t *candidates, int count, double limit2, float *bounds,
                           int32_t *labels, int channels)
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
        const float enough = smallest[tile] * 1.0001f + 1e-4f; /* roundings must lose no mode */
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
            if (x < p->width && y < p->height)
                labels[(int64_t)y * p->width + x] =
                    value[j] < FAR && best[j] <= limit2 ? (int32_t)label[j] : 0;
        }
    }
}

/* Give the pixels of a level 1 group their nearest of `count` modes, the one of the lowest number
 * at a tie; labels are numbers from 1 on, 0 beyond `limit2` or where there is no pixel. `bounds`
 * has room for LANES a candidate. Boxes pass on only what can be nearest to a place in them. */
FOR_EACH_X86
static void label_group(const pyramid_t *p, const kernel_t *k, cell_t cell, const double *modes,
                        const int32_t *candidates, int count, double limit2, float *bounds,
                        int32_t *labels)
{
    if (p->channels == 3)
        label_group_of(p, k, cell, modes, candidates, count, limit2, bounds, labels, 3);
    else
        label_group_of(p, k, cell, modes, candidates, count, limit2, bounds, labels, 1);
}

#endif
