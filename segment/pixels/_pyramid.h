/* The pixels of an image in boxes, for the joint domain: points (x, y, channels).
 *
 * Pixels stand in tiles of 4 x 4, LANES to a tile; tiles in groups of 4 x 4 with a box of
 * channel values each, groups of groups likewise, up to one. The image grid alone decides which
 * pixels share a box: against a dense scan of the window that halves the work, against a tree
 * over all dimensions it saves more, for neighbours in the image are neighbours in colour.
 *
 * Boxes and tiles are looked at in float, and trusted as far as its roundings allow; what is
 * nearer to a decision than that is looked at in double.
 */
#ifndef SEGMENT_PYRAMID_H
#define SEGMENT_PYRAMID_H

#include <math.h>
#include <string.h>

#include "../meanshift/_lanes.h"

#define SIDE 4       /* LANES = SIDE * SIDE */
#define LEVELS 16
#define CHANNELS 3
#define FEATURES (2 + CHANNELS)
#define FAR 0x1p126  /* value of a pixel that is not there, the same in float and in double */

/* A place in a grid of groups, in one word: y in the upper half, x in the lower. */
typedef int64_t cell_t;

INLINE cell_t cell_at(int64_t x, int64_t y) { return y << 32 | x; }
INLINE int x_of(cell_t cell) { return (int)(cell & 0xffffffff); }
INLINE int y_of(cell_t cell) { return (int)(cell >> 32); }

/* Level 0 are the tiles; a group of level l covers SIDE x SIDE cells of SIDE^l pixels a side. */
typedef struct {
    int channels, levels;
    int height, width;
    int rows[LEVELS], cols[LEVELS];
    const float *value;                     /* (tiles, channels, LANES) */
    const double *exact;                    /* likewise; NULL where `value` holds whole numbers */
    const float *low[LEVELS], *high[LEVELS]; /* (groups, channels, LANES), from level 1 on */
    const double *sum[LEVELS];              /* (groups, 3 + channels, LANES), likewise */
} pyramid_t;

/* The metric: coordinates count in `spatial_unit` pixels, channels in `range_unit`. */
typedef struct {
    double spatial_unit, range_unit, bandwidth;
    double reach;   /* in bandwidths: 1 for the flat kernel, 3 for the truncated Gaussian */
    double margin;  /* of squared distances over squared bandwidths: what float may be wrong by */
    double spatial, spatial2, range2; /* one over units times bandwidth, and its square */
} kernel_t;

INLINE kernel_t kernel_of(double spatial_unit, double range_unit, double bandwidth, double reach,
                          double margin)
{
    const double spatial = 1 / (spatial_unit * bandwidth), range = 1 / (range_unit * bandwidth);
    return (kernel_t){spatial_unit, range_unit, bandwidth, reach, margin,
                      spatial, spatial * spatial, range * range};
}

static const float LANE_X[LANES] = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
static const float LANE_Y[LANES] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3};

INLINE int64_t group_of(const pyramid_t *p, int level, cell_t cell)
{
    return (int64_t)y_of(cell) * p->cols[level] + x_of(cell);
}

/* The channels of a tile in double. */
INLINE void read_tile(const pyramid_t *p, cell_t tile, int channels, double *value)
{
    const int64_t first = group_of(p, 0, tile) * channels * LANES;
    if (p->exact)
        memcpy(value, p->exact + first, sizeof(double) * channels * LANES);
    else
#pragma omp simd
        for (int j = 0; j < channels * LANES; j++) value[j] = p->value[first + j];
}

/* Squared distances, in bandwidths, from the center to the nearest and the farthest place in each
 * box of a group of a level from 1 on. A cell with no pixels is infinitely far, or NaN where the
 * kernel is so wide that its weight of colour vanishes: in no comparison near enough. */
INLINE void box_distances(const pyramid_t *p, const kernel_t *k, int level, cell_t cell,
                          const double *center, int channels, float *nearest, float *farthest)
{
    const double side = (double)(1LL << (2 * level)), half = (side - 1) / 2;
    const float spatial = (float)k->spatial, range2 = (float)k->range2;
    const float step = (float)side * spatial, reach = (float)half * spatial;
    const float x0 = (float)((double)x_of(cell) * SIDE * side + half - center[0]) * spatial;
    const float y0 = (float)((double)y_of(cell) * SIDE * side + half - center[1]) * spatial;
    const int64_t first = group_of(p, level, cell) * channels * LANES;
    const float *low = p->low[level] + first, *high = p->high[level] + first;
    float near_color[LANES], far_color[LANES];

    for (int j = 0; j < LANES; j++) near_color[j] = far_color[j] = 0;
    for (int c = 0; c < channels; c++) {
        const float at = (float)center[2 + c];
#pragma omp simd
        for (int j = 0; j < LANES; j++) {
            const float below = low[c * LANES + j] - at, above = at - high[c * LANES + j];
            const float out = below > above ? below : above, in = below > above ? above : below;
            near_color[j] += out > 0 ? out * out : 0;
            far_color[j] += in * in;
        }
    }
#pragma omp simd
    for (int j = 0; j < LANES; j++) {
        const float x = x0 + LANE_X[j] * step, y = y0 + LANE_Y[j] * step;
        const float dx = x < 0 ? -x : x, dy = y < 0 ? -y : y;
        const float out_x = dx > reach ? dx - reach : 0, out_y = dy > reach ? dy - reach : 0;
        const float in_x = dx + reach, in_y = dy + reach;
        nearest[j] = near_color[j] * range2 + (out_x * out_x + out_y * out_y);
        farthest[j] = far_color[j] * range2 + (in_x * in_x + in_y * in_y);
    }
}

#endif
