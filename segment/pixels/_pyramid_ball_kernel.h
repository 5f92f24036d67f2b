/* One step of mean shift in the joint domain: the pixels in a ball around (x, y, channels); for
 * each instruction set.
 *
 * The ball takes boxes that lie inside it whole, leaves those outside, and opens the others.
 */
#include "../meanshift/_vectors.h"
#include "_pyramid_boxes.h"

#define settle NAME(settle)
#define settle_near NAME(settle_near)
#define collect NAME(collect)
#define add_near NAME(add_near)
#define add_tiles NAME(add_tiles)
#define add_tiles_gaussian NAME(add_tiles_gaussian)
#define open_group NAME(open_group)
#define add_window NAME(add_window)
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
    const double top = floor((center[1] - p->top - radius) / side_y);
    const double right = floor((center[0] + radius) / side_x);
    const double bottom = floor((center[1] - p->top + radius) / side_y);
    const int x0 = left > 0 ? (int)fmin(left, p->cols[l]) : 0;
    const int y0 = top > 0 ? (int)fmin(top, p->rows[l]) : 0;
    for (int y = y0; y < p->rows[l] && y <= bottom; y++)
        for (int x = x0; x < p->cols[l] && x <= right; x++) list[length++] = y * p->cols[l] + x;
    *level = l;
    return length;
}

/* How far two places are from each other, in squared bandwidths. */
INLINE double step2(const kernel_t *k, const double *one, const double *other, int channels)
{
    const double dx = one[0] - other[0], dy = one[1] - other[1];
    double distance = (dx * dx + dy * dy) * k->spatial2;
    for (int c = 2; c < 2 + channels; c++)
        distance += (one[c] - other[c]) * (one[c] - other[c]) * k->range2;
    return distance;
}

/* Whether what was collected is enough for the ball around a place. */
INLINE int is_near(const kernel_t *k, near_t *near, const double *center, int channels)
{
    const double enough = 0.99 * near->slack;
    return near->count >= 0 && step2(k, near->center, center, channels) <= enough * enough;
}

/* Make ready to collect, if the last step was so short that others will follow. */
INLINE int begin_near(const kernel_t *k, near_t *near, const double *center, int channels)
{
    const double moved = sqrt(step2(k, near->last, center, channels));
    memcpy(near->last, center, sizeof(double) * (2 + channels));
    if (!(moved <= SHORT_STEP) || !(k->margin <= 1e-3) || k->spatial < 1e-5) return 0;
    near->slack = fmax(STEPS_LEFT * moved, LEAST_SLACK);
    memcpy(near->center, center, sizeof(double) * (2 + channels));
    memset(near->total, 0, sizeof(double) * (3 + channels));
    near->base_x = (int32_t)rint(center[0]), near->base_y = (int32_t)rint(center[1]);
    near->count = 0;
    return 1;
}

/* Fill the last vector up with what is in no ball; 0 if there was no room for all. */
INLINE int end_near(near_t *near, int channels)
{
    if (near->count < 0) return 0;
    for (int j = 0; j < LANES; j++) {
        float *const feature = near->feature + near->count + j;
        feature[0] = feature[NEAR_STRIDE] = 0;
        for (int c = 0; c < channels; c++) feature[(2 + c) * NEAR_STRIDE] = FAR;
    }
    return 1;
}
#endif

/* Add a pixel that was collected, if it is in the ball. */
APART void settle_near(const kernel_t *k, const near_t *near, const double *center, int32_t i,
                       int channels, double *total)
{
    const double x = near->feature[i] + (double)near->base_x;
    const double y = near->feature[NEAR_STRIDE + i] + (double)near->base_y;
    const float *const value = near->feature + 2 * NEAR_STRIDE + i;
    if (!is_within(k, x, y, value, NEAR_STRIDE, center, 1, channels)) return;
    total[0] += 1, total[1] += x, total[2] += y;
    for (int c = 0; c < channels; c++) total[3 + c] += value[c * NEAR_STRIDE];
}

/* Add up those of the pixels of a tile that float could not decide about: as a rule one or two. */
APART void settle(const pyramid_t *p, const kernel_t *k, const double *center, int64_t tile,
                  uint32_t unsure, int channels, double *total)
{
    for (int j = 0; j < LANES; j++) {
        const float *value = p->value + tile * channels * LANES + j;
        const double x = p->origin[0][2 * tile] + p->lane_x[0][j];
        const double y = p->origin[0][2 * tile + 1] + p->lane_y[0][j];
        if (!(unsure >> j & 1) || !is_within(k, x, y, value, LANES, center, 1, channels)) continue;
        total[0] += 1, total[1] += x, total[2] += y;
        for (int c = 0; c < channels; c++) total[3 + c] += value[c * LANES];
    }
}

/* Keep some pixels of a tile, while there is room. */
INLINE void collect(const pyramid_t *p, int64_t tile, uint32_t chosen, int channels, near_t *near)
{
    const float *value = p->value + tile * channels * LANES;
    const float from_x = (float)(p->origin[0][2 * tile] - near->base_x);
    const float from_y = (float)(p->origin[0][2 * tile + 1] - near->base_y);
    if (near->count > NEAR_ROOM - LANES || near->count < 0) {
        near->count = -1;
        return;
    }
    for (int lane = 0; lane < LANES; lane += FLOATS) {
        const uint32_t here = chosen >> lane & (uint32_t)((1 << FLOATS) - 1);
        const places_t places = places_of(here);
        float *const feature = near->feature + near->count;
        put_floats(floats_at(p->lane_x[0] + lane) + from_x, places, feature);
        put_floats(floats_at(p->lane_y[0] + lane) + from_y, places, feature + NEAR_STRIDE);
        for (int c = 0; c < channels; c++)
            put_floats(floats_at(value + c * LANES + lane), places,
                       feature + (2 + c) * NEAR_STRIDE);
        near->count += count_bits(here);
    }
}

/* The weight and the sums of a ball beside the one whose surface was collected. */
INLINE double add_near(const kernel_t *k, const near_t *near, const double *center,
                       const float *color, int channels, int bytes, double *sum)
{
    const float inner = (float)(1 - k->margin), outer = (float)(1 + k->margin);
    const floats scale = ALL(floats, (float)k->spatial);
    const float range2 = (float)k->range2;
    const float x0 = (float)((near->base_x - center[0]) * k->spatial);
    const float y0 = (float)((near->base_y - center[1]) * k->spatial);
    const float *const feature = near->feature;
    sums_t few[FEW], *const sums = channels <= FEW ? few : (sums_t *)near->vectors;
    double few_total[3 + FEW], *const total = channels <= FEW ? few_total : near->sum;
    memcpy(total, near->total, sizeof(double) * (3 + channels));
    for (int32_t first = 0; first < near->count; first += 64 * FLOATS) {
        ints number = ALL(ints, 0), in_x = number, in_y = number;
        for (int c = 0; c < channels; c++) sums[c].i = ALL(ints, 0);
        for (int32_t i = first; i < near->count && i < first + 64 * FLOATS; i += FLOATS) {
            const floats at_x = floats_at(feature + i);
            const floats at_y = floats_at(feature + NEAR_STRIDE + i);
            const floats x = fused(at_x, scale, ALL(floats, x0));
            const floats y = fused(at_y, scale, ALL(floats, y0));
            floats distance = ALL(floats, 0.0f);
            for (int c = 0; c < channels; c++) {
                const floats value = floats_at(feature + (2 + c) * NEAR_STRIDE + i);
                const floats difference = value - color[c];
                distance = fused(difference, difference, distance);
            }
            distance = fused(distance, ALL(floats, range2), fused(x, x, y * y));
            const ints mask = MASK(distance <= inner);
            uint32_t unsure = bits_of(MASK(distance <= outer) & ~mask);
            number -= mask;
            in_x += mask & to_ints(at_x), in_y += mask & to_ints(at_y);
            for (int c = 0; c < channels; c++)
                sums[c] = add_masked(sums[c], mask, floats_at(feature + (2 + c) * NEAR_STRIDE + i),
                                     bytes);
            for (int32_t j = i; unsure; j++, unsure >>= 1)
                if (unsure & 1) settle_near(k, near, center, j, channels, total);
        }
        const double weight = (double)sum_of(number);
        total[0] += weight;
        total[1] += weight * near->base_x + (double)sum_of(in_x);
        total[2] += weight * near->base_y + (double)sum_of(in_y);
        for (int c = 0; c < channels; c++) total[3 + c] += (double)masked_sum(sums[c], bytes);
    }
    for (int f = 0; f < 2 + channels; f++) sum[f] = total[1 + f];
    return total[0];
}

#undef BATCH
/* Tiles whose sums stay within 30 bits a lane, of numbers below 2^24; within 24, of bytes. */
#define BATCH(bytes) ((bytes) ? 1024 * FLOATS : 4 * FLOATS)

/* Add up the pixels in the ball of up to BATCH tiles: what is within `inner` squared bandwidths.
 * What is beyond that and within `outer` is decided upon, or collected. */
INLINE void add_tiles(const pyramid_t *p, const kernel_t *k, const double *center,
                      const float *color, const int32_t *tiles, int32_t count, int channels,
                      int bytes, float inner, float outer, int collecting, near_t *near,
                      double *total)
{
    const floats scale = ALL(floats, (float)k->spatial);
    const float range2 = (float)k->range2;
    /* a pixel is judged by how far off the middle between the limits it is: one magnitude tells of
     * all parts of a tile whether there is a doubt, as a rule none */
    const float middle = (inner + outer) / 2, half = (outer - inner) / 2;
    int64_t number = 0, from_x = 0, from_y = 0;
    ints numbers[LANES / FLOATS];
    sums_t few[FEW], *const sums = channels <= FEW ? few : (sums_t *)near->vectors;
    ints in_x = ALL(ints, 0), in_y = ALL(ints, 0);

    /* places count from the pixel of the center on: whole numbers, which float holds */
    const int32_t base_x = (int32_t)rint(center[0]), base_y = (int32_t)rint(center[1]);
    const float x0 = (float)((base_x - center[0]) * k->spatial);
    const float y0 = (float)((base_y - center[1]) * k->spatial);
    floats lane_x[LANES / FLOATS], lane_y[LANES / FLOATS];

    for (int part = 0; part < LANES / FLOATS; part++) {
        lane_x[part] = fused(floats_at(p->lane_x[0] + part * FLOATS), scale, ALL(floats, x0));
        lane_y[part] = fused(floats_at(p->lane_y[0] + part * FLOATS), scale, ALL(floats, y0));
        numbers[part] = ALL(ints, 0);
    }
    for (int c = 0; c < channels; c++) sums[c].i = ALL(ints, 0);
    for (int32_t i = 0; i < count; i++) {
        const int64_t tile = tiles[i];
        const int32_t *origin = p->origin[0] + 2 * tile;
        const floats tile_x = to_floats(ALL(ints, origin[0]) - base_x);
        const floats tile_y = to_floats(ALL(ints, origin[1]) - base_y);
        floats off[LANES / FLOATS], nearest = ALL(floats, INFINITY);
        uint32_t inside = 0;
        for (int part = 0; part < LANES / FLOATS; part++) {
            const int lane = part * FLOATS;
            const float *value = p->value + tile * channels * LANES + lane;
            const floats x = fused(tile_x, scale, lane_x[part]);
            const floats y = fused(tile_y, scale, lane_y[part]);
            floats distance = ALL(floats, 0.0f);
            for (int c = 0; c < channels; c++) {
                const floats difference = floats_at(value + c * LANES) - color[c];
                distance = fused(difference, difference, distance);
            }
            off[part] = fused(distance, ALL(floats, range2),
                              fused(x, x, fused(y, y, ALL(floats, -middle))));
            const ints mask = MASK(off[part] < -half);
            inside |= bits_of(mask) << lane;
            nearest = lesser(magnitude(off[part]), nearest); /* in this order, for off may be NaN */
            if (channels > FEW && !bits_of(mask)) continue;
            numbers[part] -= mask;
            for (int c = 0; c < channels; c++)
                sums[c] = add_masked(sums[c], mask, floats_at(value + c * LANES), bytes);
        }
        const int64_t here = count_bits(inside);
        number += here, from_x += here * origin[0], from_y += here * origin[1];
        if (bits_of(MASK(nearest <= half))) {
            uint32_t chosen = 0;
            for (int part = 0; part < LANES / FLOATS; part++)
                chosen |= bits_of(MASK(magnitude(off[part]) <= half)) << part * FLOATS;
            if (collecting) collect(p, tile, chosen, channels, near);
            else settle(p, k, center, tile, chosen, channels, total);
        }
    }
    for (int part = 0; part < LANES / FLOATS; part++) {
        in_x += numbers[part] * to_ints(floats_at(p->lane_x[0] + part * FLOATS));
        in_y += numbers[part] * to_ints(floats_at(p->lane_y[0] + part * FLOATS));
    }
    total[0] += (double)number;
    total[1] += (double)(from_x + sum_of(in_x));
    total[2] += (double)(from_y + sum_of(in_y));
    for (int c = 0; c < channels; c++) total[3 + c] += (double)masked_sum(sums[c], bytes);
}

/* Add up the pixels of some tiles with Gaussian weights, lane by lane. A tile without a pixel in
 * reach adds nothing, so the sums do not depend on which of those are listed. */
INLINE void add_tiles_gaussian(const pyramid_t *p, const kernel_t *k, const double *center,
                               const int32_t *tiles, int32_t count, int channels, near_t *near,
                               double *total)
{
    const double cut2 = k->reach * k->reach;
    doubles few[3 + FEW], *const sums = channels <= FEW ? few : (doubles *)near->vectors;
    double few_lanes[(3 + FEW) * LANES], *const lanes = channels <= FEW ? few_lanes : near->lanes;
    for (int lane = 0; lane < LANES; lane += DOUBLES) {
        const doubles lane_x = widened_at(p->lane_x[0] + lane);
        const doubles lane_y = widened_at(p->lane_y[0] + lane);
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
        for (int s = 0; s < 3 + channels; s++)
            memcpy(lanes + s * LANES + lane, sums + s, sizeof *sums);
    }
    for (int half = LANES / 2; half; half /= 2)
        for (int s = 0; s < 3 + channels; s++)
            for (int j = 0; j < half; j++) lanes[s * LANES + j] += lanes[s * LANES + half + j];
    for (int s = 0; s < 3 + channels; s++) total[s] += lanes[s * LANES];
}

/* Take the boxes of a group that are inside, list those to open; returns how many are listed. */
INLINE int32_t open_group(const pyramid_t *p, const kernel_t *k, int level, int64_t group,
                          const double *center, const float *color, int channels, float inner,
                          float outer, double *total, int32_t *next, int32_t length)
{
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
            const double *sum = p->sum[level] + (group * LANES + j) * sums_of(channels);
            for (int s = 0; s < 3 + channels; s++) total[s] += sum[s];
        }
    return append_chosen(p->child[level] + group * LANES, open, next, length);
}

/* Add up what is within `inner` squared bandwidths, and decide upon or collect what is within
 * `outer`: level by level, for the groups of a level do not wait for each other. */
INLINE void add_window(const pyramid_t *p, const kernel_t *k, const double *center,
                       const float *color, int channels, int bytes, int gaussian, double inner,
                       double outer, int collecting, near_t *near, int32_t *list, int32_t *next,
                       double *total)
{
    const double reach = sqrt(outer) * k->spatial_unit * k->bandwidth;
    const float box_inner = (float)(inner - k->box_margin);
    const float box_outer = (float)(outer + k->box_margin);
    int level;
    int32_t length = groups_of_window(p, center, reach, list, &level);
    for (; level > 0; level--) {
        int32_t opened = 0;
        for (int32_t i = 0; i < length; i++)
            opened = open_group(p, k, level, list[i], center, color, channels, box_inner, box_outer,
                                total, next, opened);
        int32_t *const swap = list;
        list = next, next = swap, length = opened;
    }
    if (gaussian) add_tiles_gaussian(p, k, center, list, length, channels, near, total);
    for (int32_t i = 0; i < length && !gaussian; i += BATCH(bytes)) {
        const int32_t count = length - i < BATCH(bytes) ? length - i : BATCH(bytes);
        add_tiles(p, k, center, color, list + i, count, channels, bytes, (float)inner,
                  (float)outer, collecting, near, total);
    }
}

INLINE double ball_of(const pyramid_t *p, const kernel_t *kernel, const double *place,
                      int channels, int bytes, int gaussian, near_t *near, int32_t *list,
                      int32_t *next, double *sum)
{
    const kernel_t scale = *kernel; /* copies, which nothing that is written can alias */
    const kernel_t *const k = &scale;
    double few_center[2 + FEW], few_total[3 + FEW];
    float few_color[FEW];
    double *const center = channels <= FEW ? few_center : near->here;
    double *const total = channels <= FEW ? few_total : near->sum;
    float *const color = channels <= FEW ? few_color : near->color;

    for (int f = 0; f < 2 + channels; f++) center[f] = place[f];
    for (int s = 0; s < 3 + channels; s++) total[s] = 0;
    for (int c = 0; c < channels; c++) color[c] = (float)center[2 + c];
    if (gaussian)
        add_window(p, k, center, color, channels, bytes, 1, -1, CUT2 * (1 + k->margin), 0, near,
                   list, next, total);
    else if (is_near(k, near, center, channels))
        return add_near(k, near, center, color, channels, bytes, sum);
    else {
        if (begin_near(k, near, center, channels)) {
            const double inner = 1 - near->slack, outer = 1 + near->slack;
            add_window(p, k, center, color, channels, bytes, 0, inner * inner - 2 * k->margin,
                       outer * outer + 2 * k->margin, 1, near, list, next, near->total);
            if (end_near(near, channels))
                return add_near(k, near, center, color, channels, bytes, sum);
        }
        add_window(p, k, center, color, channels, bytes, 0, 1 - k->margin, 1 + k->margin, 0, near,
                   list, next, total);
    }
    for (int f = 0; f < 2 + channels; f++) sum[f] = total[1 + f];
    return total[0];
}

/* Weight of the pixels in the kernel around `center`; their weighted sum goes to `sum`. `list` and
 * `next` have room for every tile plus LANES. The usual numbers of channels are compiled by
 * themselves, their loops unrolled. */
static double ball(const pyramid_t *p, const kernel_t *k, const double *center, near_t *near,
                   int32_t *list, int32_t *next, double *sum)
{
    const int gaussian = k->reach > 1;
    switch (p->channels * 4 + gaussian * 2 + p->bytes) {
    case 1 * 4 + 0: return ball_of(p, k, center, 1, 0, 0, near, list, next, sum);
    case 1 * 4 + 1: return ball_of(p, k, center, 1, 1, 0, near, list, next, sum);
    case 3 * 4 + 0: return ball_of(p, k, center, 3, 0, 0, near, list, next, sum);
    case 3 * 4 + 1: return ball_of(p, k, center, 3, 1, 0, near, list, next, sum);
    case 4 * 4 + 0: return ball_of(p, k, center, 4, 0, 0, near, list, next, sum);
    case 4 * 4 + 1: return ball_of(p, k, center, 4, 1, 0, near, list, next, sum);
    }
    if (!gaussian) return ball_of(p, k, center, p->channels, 0, 0, near, list, next, sum);
    if (p->channels == 1) return ball_of(p, k, center, 1, 0, 1, near, list, next, sum);
    if (p->channels == 3) return ball_of(p, k, center, 3, 0, 1, near, list, next, sum);
    return ball_of(p, k, center, p->channels, 0, 1, near, list, next, sum);
}
