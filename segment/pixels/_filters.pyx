# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True, embedsignature=True
"""Separable filters of a plane, rows by rows: the taps are added in their order at every pixel.

So the sums are the same on any processor, however many pixels it takes at once, and on any
number of threads. Beyond the border the nearest pixel counts again.
No checks and no defaults: `gradients.py` validates, casts and allocates.
"""
import numpy as np


def filter_rows(const float[:, ::1] plane, const float[::1] across, const float[::1] downwards,
                float[:, ::1] out, Py_ssize_t start, Py_ssize_t stop):
    """Filter some rows with taps for each direction."""
    cdef Py_ssize_t width = plane.shape[1], reach = across.shape[0] // 2, y
    cdef float[::1] column = np.empty(width + 2 * reach, np.float32)
    with nogil:
        for y in range(start, stop):
            down(plane, downwards, y, &column[reach])
            pad(&column[0], width, reach)
            along(&column[0], across, width, &out[y, 0])


def add_gradient_rows(const float[:, ::1] plane, const float[::1] smooth, const float[::1] slope,
                      float[:, :, ::1] tensor, Py_ssize_t start, Py_ssize_t stop):
    """Add the products of the derivatives (xx, xy, yy) at each pixel of some rows."""
    cdef Py_ssize_t width = plane.shape[1], reach = smooth.shape[0] // 2, y, x
    cdef float[::1] smoothed = np.empty(width + 2 * reach, np.float32)
    cdef float[::1] sloped = np.empty(width + 2 * reach, np.float32)
    cdef float[::1] across = np.empty(width, np.float32), downwards = np.empty(width, np.float32)
    with nogil:
        for y in range(start, stop):
            down(plane, smooth, y, &smoothed[reach])
            down(plane, slope, y, &sloped[reach])
            pad(&smoothed[0], width, reach)
            pad(&sloped[0], width, reach)
            along(&smoothed[0], slope, width, &across[0])
            along(&sloped[0], smooth, width, &downwards[0])
            for x in range(width):
                tensor[0, y, x] += across[x] * across[x]
                tensor[1, y, x] += across[x] * downwards[x]
                tensor[2, y, x] += downwards[x] * downwards[x]


cdef void down(const float[:, ::1] plane, const float[::1] taps, Py_ssize_t y,
               float *out) noexcept nogil:
    cdef Py_ssize_t reach = taps.shape[0] // 2, width = plane.shape[1], k, x, row
    cdef const float *source
    cdef float tap
    for x in range(width):
        out[x] = 0
    for k in range(taps.shape[0]):
        row = min(max(y + k - reach, 0), plane.shape[0] - 1)
        source, tap = &plane[row, 0], taps[k]
        for x in range(width):
            out[x] += tap * source[x]


cdef void pad(float *row, Py_ssize_t width, Py_ssize_t reach) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(reach):
        row[k] = row[reach]
        row[reach + width + k] = row[reach + width - 1]


cdef void along(const float *row, const float[::1] taps, Py_ssize_t width,
                float *out) noexcept nogil:
    cdef Py_ssize_t k, x
    cdef const float *source
    cdef float tap
    for x in range(width):
        out[x] = 0
    for k in range(taps.shape[0]):
        source, tap = row + k, taps[k]
        for x in range(width):
            out[x] += tap * source[x]
