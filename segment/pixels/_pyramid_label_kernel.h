/* The nearest mode of each pixel in the joint domain; for each instruction set. */
#include "../meanshift/_vectors.h"
#include "_pyramid_boxes.h"

#define compare_tile NAME(compare_tile)
#define compare_in_float NAME(compare_in_float)
#define label_group_of NAME(label_group_of)
#define label_group NAME(label_group)

#ifndef SEGMENT_PYRAMID_LABEL_H
#define SEGMENT_PYRAMID_LABEL_H

/* Write the labels of a tile: those of its pixels that are there, and within the limit. */
static void write_tile(const pyramid_t *p, const kernel_t *k, int64_t tile, const double *modes,
                       const int64_t *label, double limit, int channels, int32_t *labels)
{
    for (int j = 0; j < LANES; j++) {
        const int x = p->origin[0][2 * tile] + j % p->across[0];
        const int y = p->origin[0][2 * tile + 1] + j / p->across[0];
        const int row = y - p->top;
        const float *value = p->value + tile * channels * LANES + j;
        if (x >= p->width || row >= p->height) continue;
        int taken = *value < FAR && label[j];
        if (taken && limit < INFINITY)
            taken = is_within(k, x, y, value, LANES, modes + (label[j] - 1) * (2 + channels),
                              limit, channels);
        labels[(int64_t)row * p->width + x] = taken ? (int32_t)label[j] : 0;
    }
}
#endif

/* Of the pixels of a tile the numbers, from 1 on, of the nearest of the modes, the lowest at a
 * tie; 0 without one. */
INLINE void compare_tile(const pyramid_t *p, const kernel_t *k, int64_t tile, const double *modes,
                         const int32_t *candidates, int count, int channels, int64_t *label)
{
    const int32_t *origin = p->origin[0] + 2 * tile;
    for (int lane = 0; lane < LANES; lane += DOUBLES) {
        const float *value = p->value + tile * channels * LANES + lane;
        const doubles x = widened_at(p->lane_x[0] + lane) + (double)origin[0];
        const doubles y = widened_at(p->lane_y[0] + lane) + (double)origin[1];
        doubles best = ALL(doubles, INFINITY);
        longs number = ALL(longs, (int64_t)0);
        for (int i = 0; i < count; i++) {
            const double *mode = modes + (int64_t)candidates[i] * (2 + channels);
            const longs here = ALL(longs, (int64_t)candidates[i] + 1);
            const doubles dx = x - mode[0], dy = y - mode[1];
            doubles distance = (dx * dx + dy * dy) * k->spatial2;
            for (int c = 0; c < channels; c++) {
                const doubles difference = widened_at(value + c * LANES) - mode[2 + c];
                distance += difference * difference * k->range2;
            }
            const longs better =
                MASK(distance < best) | (MASK(distance == best) & MASK(here < number));
            best = either(better, distance, best);
            number = longs_either(better, here, number);
        }
        memcpy(label + lane, &number, sizeof number);
    }
}

/* The same in float; 0 if for some pixel a second mode is too near to the nearest for that. */
INLINE int compare_in_float(const pyramid_t *p, const kernel_t *k, int64_t tile,
                            const double *modes, const int32_t *candidates, int count,
                            int channels, int64_t *label)
{
    const int32_t *origin = p->origin[0] + 2 * tile;
    const floats scale = ALL(floats, (float)k->spatial), none = ALL(floats, INFINITY);
    const float margin = (float)(4 * k->margin), range2 = (float)k->range2;
    for (int lane = 0; lane < LANES; lane += FLOATS) {
        const float *value = p->value + tile * channels * LANES + lane;
        const floats lane_x = floats_at(p->lane_x[0] + lane);
        const floats lane_y = floats_at(p->lane_y[0] + lane);
        floats best = none, second = none;
        ints number = ALL(ints, 0);
        int32_t numbers[FLOATS];
        for (int i = 0; i < count; i++) {
            const double *mode = modes + (int64_t)candidates[i] * (2 + channels);
            const ints here = ALL(ints, candidates[i] + 1);
            const float x0 = (float)((origin[0] - mode[0]) * k->spatial);
            const float y0 = (float)((origin[1] - mode[1]) * k->spatial);
            const floats x = fused(lane_x, scale, ALL(floats, x0));
            const floats y = fused(lane_y, scale, ALL(floats, y0));
            floats distance = ALL(floats, 0.0f);
            for (int c = 0; c < channels; c++) {
                const floats difference = floats_at(value + c * LANES) - (float)mode[2 + c];
                distance = fused(difference, difference, distance);
            }
            distance = fused(distance, ALL(floats, range2), fused(x, x, y * y));
            const ints closer = MASK(distance < best);
            number = (closer & here) | (~closer & number);
            second = lesser(greater(distance, best), second);
            best = lesser(distance, best);
        }
        if (bits_of(MASK(second <= best + margin * (best + 1)) & MASK(best < none))) return 0;
        memcpy(numbers, &number, sizeof number);
        for (int j = 0; j < FLOATS; j++) label[lane + j] = numbers[j];
    }
    return 1;
}

INLINE void label_group_of(const pyramid_t *p, const kernel_t *k, int64_t group,
                           const double *modes, const int32_t *candidates, int count,
                           double limit, float *bounds, int32_t *passed, int32_t *labels,
                           int channels)
{
    float smallest[LANES], few[FEW];
    float *const color = channels <= FEW ? few : bounds + (int64_t)count * LANES;
    const float rounding = 1.0001f + 1e-7f * (float)channels; /* of sums over the channels */
    for (int lane = 0; lane < LANES; lane += FLOATS) {
        floats least = ALL(floats, INFINITY), nearest, farthest;
        for (int i = 0; i < count; i++) {
            const double *mode = modes + (int64_t)candidates[i] * (2 + channels);
            for (int c = 0; c < channels; c++) color[c] = (float)mode[2 + c];
            box_distances(p, k, 1, group, mode, color, channels, lane, &nearest, &farthest);
            least = lesser(farthest, least);
            memcpy(bounds + (int64_t)i * LANES + lane, &nearest, sizeof nearest);
        }
        memcpy(smallest + lane, &least, sizeof least);
    }
    for (int cell = 0; cell < LANES; cell++) {
        const int64_t tile = p->child[1][group * LANES + cell];
        const float far_enough = sqrtf(smallest[cell]) + (float)k->slack; /* lest roundings lose one */
        const float enough = far_enough * far_enough * rounding + 1e-4f;
        int64_t label[LANES];
        int passing = 0;
        if (cell && !tile) continue;
        for (int i = 0; i < count; i++) {
            passed[passing] = candidates[i];
            passing += bounds[(int64_t)i * LANES + cell] <= enough;
        }
        if (!(k->margin < 0.1)
            || !compare_in_float(p, k, tile, modes, passed, passing, channels, label))
            compare_tile(p, k, tile, modes, passed, passing, channels, label);
        write_tile(p, k, tile, modes, label, limit, channels, labels);
    }
}

/* Give the pixels of a level 1 group their nearest of `count` modes, the one of the lowest number
 * at a tie; labels are numbers from 1 on, 0 beyond `limit` bandwidths or where there is no pixel.
 * `bounds` has room for LANES a candidate and for the channels of one. Boxes pass on only what can
 * be nearest to a place in them. */
static void label_group(const pyramid_t *p, const kernel_t *k, int64_t group, const double *modes,
                        const int32_t *candidates, int count, double limit, float *bounds,
                        int32_t *passed, int32_t *labels)
{
    if (p->channels == 1)
        label_group_of(p, k, group, modes, candidates, count, limit, bounds, passed, labels, 1);
    else if (p->channels == 3)
        label_group_of(p, k, group, modes, candidates, count, limit, bounds, passed, labels, 3);
    else if (p->channels == 4)
        label_group_of(p, k, group, modes, candidates, count, limit, bounds, passed, labels, 4);
    else
        label_group_of(p, k, group, modes, candidates, count, limit, bounds, passed, labels,
                       p->channels);
}
