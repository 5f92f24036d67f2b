/* The pixels of an image in boxes, for the joint domain: points (x, y, channels).
 *
 * Pixels stand in tiles, LANES to a tile; tiles in groups of LANES with a box of channel values
 * each, groups of groups likewise, up to one. The image grid alone decides which pixels share a
 * box: against a dense scan of the window that halves the work, against a tree over all dimensions
 * it saves more, for neighbours in the image are neighbours in colour. Tiles and groups are 4 x 4;
 * where the image has fewer rows or columns than that, 8 x 2 or 16 x 1.
 *
 * Values are whole numbers below 2^24, so that float holds them, and sums of them are exact.
 * Distances are looked at in float, and trusted as far as its roundings allow; what is nearer to
 * a decision than that is looked at in double.
 */
#ifndef SEGMENT_PYRAMID_H
#define SEGMENT_PYRAMID_H

#include "../meanshift/_lanes.h"

#define LEVELS 32
#define FEW 4        /* channels up to which the numbers of a ball stand in registers */
#define FAR 0x1p126f /* value of a pixel that is not there */

/* Level 0 are the tiles, of pixels; a group of level l is of cells, which are groups of level
 * l - 1. Groups of a level are numbered row by row. */
typedef struct {
    int channels, levels, bytes; /* bytes: whether values are at most 255 */
    int top, height, width; /* the window: rows of the image from `top` on */
    int rows[LEVELS], cols[LEVELS];
    int across[LEVELS], down[LEVELS];        /* cells in a group */
    int cell_width[LEVELS], cell_height[LEVELS]; /* pixels in a cell */
    float lane_x[LEVELS][LANES], lane_y[LEVELS][LANES]; /* first pixel of each cell in its group */
    const int32_t *origin[LEVELS];           /* (groups, 2): x, y in the image of the first pixel */
    const float *value;                      /* (tiles, channels, LANES) */
    const float *low[LEVELS], *high[LEVELS]; /* (groups, channels, LANES), from level 1 on */
    const double *sum[LEVELS];               /* (groups, LANES, sums_of(channels)), likewise */
    const int32_t *child[LEVELS];            /* (groups, LANES), likewise */
} pyramid_t;

/* Numbers in the sums of a cell: weight, x, y, channels; then zeros, up to a line of the cache. */
INLINE int sums_of(int channels) { return channels < 5 ? 8 : 3 + channels; }

/* The metric: coordinates count in `spatial_unit` pixels, channels in `range_unit`. */
typedef struct {
    double spatial_unit, range_unit, bandwidth;
    double reach;   /* in bandwidths: 1 for the flat kernel, 3 for the truncated Gaussian */
    double margin;  /* of squared distances over squared bandwidths: what float may be wrong by */
    double box_margin; /* the same of the distances to boxes */
    double slack;   /* what distances to boxes may be wrong by, in bandwidths, for their channels */
    double spatial, spatial2, range2; /* one over units times bandwidth, and its square */
} kernel_t;

INLINE kernel_t kernel_of(double spatial_unit, double range_unit, double bandwidth, double reach,
                          double largest, int channels)
{
    const double spatial = 1 / (spatial_unit * bandwidth), range = 1 / (range_unit * bandwidth);
    const double values = largest * range * sqrt(channels); /* a color's length, in bandwidths */
    /* in units of 2^-24: 23 of operations, one more for the sum of each channel; 85 times what a
     * pixel is in bandwidths, of the places of lanes; twice the length of the center's color, for
     * differences within the ball are no longer than 1 and its roundings no longer than that
     * length; and the squares of errors */
    const double margin = 1.8e-6 + 6e-8 * channels + 6e-6 * spatial + 1e-11 * spatial * spatial
        + 2.4e-7 * values + 1.4e-14 * values * values;
    /* boxes: within 17 bandwidths of the origin of their group, or within 256 pixels */
    const double box_margin = margin + 2e-5 + 6e-5 * spatial + 2e-9 * spatial * spatial;
    return (kernel_t){spatial_unit, range_unit, bandwidth, reach, margin, box_margin,
                      2.4e-7 * values, spatial, spatial * spatial, range * range};
}

/* The pixels near the surface of a ball, and the sums of those farther inside: enough for any ball
 * whose center is no farther than `slack` bandwidths away. Half of all steps are shorter than 0.06
 * bandwidths, and what is left of their climb is about as far as three of them. */
#define NEAR_ROOM 2048
#define NEAR_STRIDE (NEAR_ROOM + 2 * LANES)
#define SHORT_STEP 0.06
#define STEPS_LEFT 3
#define LEAST_SLACK 0.03
typedef struct {
    double slack;
    int32_t base_x, base_y, count; /* count is -1 where there are none */
    double *last, *center;         /* of the ball before, and of the one that was collected */
    double *total;
    float *feature;                /* (2 + channels, NEAR_STRIDE): x and y from the base on */
    double *here, *sum, *lanes;    /* of the ball at hand, if channels are not few */
    float *color;
    char *vectors;
} near_t;

/* Room for the balls of one thread, to be freed; NULL if there is none. */
APART near_t *new_near(int channels)
{
    const size_t all = 3 + (size_t)channels, vectors = 64 * all;
    const size_t doubles = sizeof(double) * all, features = sizeof(float) * all * NEAR_STRIDE;
    const size_t lanes = doubles * LANES;
    char *room = malloc(sizeof(near_t) + 64 + vectors + lanes + 6 * doubles + features);
    near_t *near = (near_t *)room;
    if (!near) return NULL;
    room += sizeof(near_t) + 63;
    near->vectors = room -= (uintptr_t)room % 64;
    near->lanes = (double *)(room += vectors);
    near->last = (double *)(room += lanes);
    near->center = (double *)(room += doubles);
    near->total = (double *)(room += doubles);
    near->here = (double *)(room += doubles);
    near->sum = (double *)(room += doubles);
    near->color = (float *)(room += doubles);
    near->feature = (float *)(room += doubles);
    near->count = -1;
    near->last[0] = INFINITY;
    return near;
}

/* Whether a pixel, its channels `stride` apart, is within `limit` bandwidths of a place, with the
 * roundings of points that were divided by their units beforehand: ties on the surface fall as they
 * do for those points. */
INLINE int is_within(const kernel_t *k, double x, double y, const float *value, int stride,
                     const double *place, double limit, int channels)
{
    const double radius = limit * k->bandwidth;
    const double dx = x / k->spatial_unit - place[0] / k->spatial_unit;
    const double dy = y / k->spatial_unit - place[1] / k->spatial_unit;
    double distance = dx * dx + dy * dy;
    for (int c = 0; c < channels; c++) {
        const double difference = value[c * stride] / k->range_unit - place[2 + c] / k->range_unit;
        distance += difference * difference;
    }
    return distance <= radius * radius;
}

#endif
