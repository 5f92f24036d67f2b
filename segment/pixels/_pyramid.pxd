from libc.stdint cimport int64_t

cdef extern from "_pyramid.h" nogil:
    enum: LANES, SIDE, LEVELS, FEATURES
    double FAR
    ctypedef int64_t cell_t
    cell_t cell_at(int64_t x, int64_t y)
    ctypedef struct pyramid_t:
        int channels, levels, height, width
        int rows[LEVELS]
        int cols[LEVELS]
        const float *value
        const double *exact
        const float *low[LEVELS]
        const float *high[LEVELS]
        const double *sum[LEVELS]
    ctypedef struct kernel_t:
        double spatial_unit, bandwidth, spatial2, range2
    kernel_t kernel_of(double spatial_unit, double range_unit, double bandwidth, double reach,
                       double margin)


cdef class Pyramid:
    cdef pyramid_t c
    cdef readonly int channels, height, width
    cdef readonly double largest, spatial_unit, range_unit
    cdef object image, visible, exact
    cdef list levels
