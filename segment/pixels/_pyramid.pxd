from libc.stdint cimport int32_t, int64_t

cdef extern from "_pyramid.h" nogil:
    enum: LANES, LEVELS
    float FAR
    ctypedef struct pyramid_t:
        int channels, levels, bytes, top, height, width
        int rows[LEVELS]
        int cols[LEVELS]
        int across[LEVELS]
        int down[LEVELS]
        int cell_width[LEVELS]
        int cell_height[LEVELS]
        float lane_x[LEVELS][LANES]
        float lane_y[LEVELS][LANES]
        const int32_t *origin[LEVELS]
        const float *value
        const float *low[LEVELS]
        const float *high[LEVELS]
        const double *sum[LEVELS]
        const int32_t *child[LEVELS]
    ctypedef struct kernel_t:
        double spatial_unit, bandwidth, reach, spatial2, range2, slack
    kernel_t kernel_of(double spatial_unit, double range_unit, double bandwidth, double reach,
                       double largest, int channels)
    int sums_of(int channels)


cdef class Pyramid:
    cdef pyramid_t c
    cdef readonly int channels, top, height, width
    cdef readonly double first_row, last_row
    cdef readonly double largest, scale, spatial_unit, range_unit
    cdef object image, visible
    cdef list levels

    cpdef Py_ssize_t groups(self, int level)
