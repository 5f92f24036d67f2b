/* Distances to the boxes of a group; for each instruction set. */
#define box_distances NAME(box_distances)

/* Squared distances, in bandwidths, from the center to the nearest and the farthest place in the
 * boxes of a group of a level from 1 on, from a lane on. A cell with no pixels is infinitely far,
 * or NaN where the kernel is so wide that its weight of colour vanishes: in no comparison near. */
INLINE void box_distances(const pyramid_t *p, const kernel_t *k, int level, int64_t group,
                          const double *center, const float *color, int channels, int lane,
                          floats *nearest, floats *farthest)
{
    const float *low = p->low[level] + group * channels * LANES + lane;
    const float *high = p->high[level] + group * channels * LANES + lane;
    const int32_t *origin = p->origin[level] + 2 * group;
    const double half_x = (p->cell_width[level] - 1) / 2.0;
    const double half_y = (p->cell_height[level] - 1) / 2.0;
    const float spatial = (float)k->spatial, range2 = (float)k->range2;
    const float reach_x = (float)(half_x * k->spatial), reach_y = (float)(half_y * k->spatial);
    const float x0 = (float)((origin[0] + half_x - center[0]) * k->spatial);
    const float y0 = (float)((origin[1] + half_y - center[1]) * k->spatial);
    const floats dx = magnitude(fused(floats_at(p->lane_x[level] + lane), ALL(floats, spatial),
                                      ALL(floats, x0)));
    const floats dy = magnitude(fused(floats_at(p->lane_y[level] + lane), ALL(floats, spatial),
                                      ALL(floats, y0)));
    const floats zero = ALL(floats, 0.0f);
    const floats out_x = greater(dx - reach_x, zero), out_y = greater(dy - reach_y, zero);
    const floats in_x = dx + reach_x, in_y = dy + reach_y;
    floats near_color = zero, far_color = zero;

    for (int c = 0; c < channels; c++) {
        const floats below = floats_at(low + c * LANES) - color[c];
        const floats above = color[c] - floats_at(high + c * LANES);
        const floats out = greater(greater(below, above), zero), in = lesser(below, above);
        near_color = fused(out, out, near_color);
        far_color = fused(in, in, far_color);
    }
    *nearest = fused(near_color, ALL(floats, range2), fused(out_x, out_x, out_y * out_y));
    *farthest = fused(far_color, ALL(floats, range2), fused(in_x, in_x, in_y * in_y));
}
