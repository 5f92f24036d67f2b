# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True, embedsignature=True
"""The nearest mode of each pixel in the joint domain.

No checks and no defaults: `joint.py` validates, casts and allocates.
"""
from libc.math cimport INFINITY, sqrt
from libc.stdint cimport int32_t, int64_t

from segment.meanshift._instructions cimport chosen_set
from segment.pixels._pyramid cimport (
    FAR,
    LANES,
    Pyramid,
    kernel_of,
    kernel_t,
    pyramid_t,
)

import numpy as np

cdef extern from "_pyramid_label.h" nogil:
    ctypedef void (*label_group_t)(const pyramid_t *p, const kernel_t *k, int64_t group,
                                   const double *modes, const int32_t *candidates, int count,
                                   double limit, float *bounds, int32_t *passed,
                                   int32_t *labels)
    const label_group_t *LABEL_GROUPS

cdef label_group_t label_group = LABEL_GROUPS[chosen_set()]


cdef class Buckets:
    """Modes by the square cell of the image plane in which they lie."""
    cdef const double[:, ::1] modes
    cdef int32_t[::1] order, start
    cdef int height, width, rows, cols
    cdef double side

    def __init__(self, const double[:, ::1] modes, int height, int width):
        places = np.asarray(modes)
        self.modes = modes
        self.height, self.width = height, width
        self.side = max(LANES, sqrt(<double> height * width / modes.shape[0]))
        self.rows, self.cols = <int> (height // self.side) + 1, <int> (width // self.side) + 1
        cells = ((places[:, 1] // self.side).astype(np.intp) * self.cols
                 + (places[:, 0] // self.side).astype(np.intp))
        self.order = np.argsort(cells, kind="stable").astype(np.int32)
        counts = np.bincount(cells, minlength=self.rows * self.cols)
        self.start = np.append(0, counts.cumsum()).astype(np.int32)

    def __reduce__(self):
        return Buckets, (np.asarray(self.modes), self.height, self.width)


cdef struct box_t:
    double *low
    double *high


def nearest(Pyramid pyramid, Buckets buckets, double bandwidth, double limit, Py_ssize_t first,
            Py_ssize_t last, int32_t[:, ::1] labels):
    """Label the pixels of some groups of level 1 by mode.

    0 for what is farther than `limit` bandwidths from every mode.
    """
    cdef kernel_t kernel = kernel_of(pyramid.spatial_unit, pyramid.range_unit, bandwidth, 1,
                                     pyramid.largest, pyramid.channels)
    cdef int32_t[::1] candidates = np.empty(buckets.modes.shape[0], np.int32)
    cdef int32_t[::1] passed = np.empty(buckets.modes.shape[0] + 1, np.int32)
    cdef double[::1] distances = np.empty(buckets.modes.shape[0])
    cdef float[::1] bounds = np.empty(
        buckets.modes.shape[0] * LANES + pyramid.channels, np.float32)
    cdef double[:, ::1] corners = np.empty((2, 2 + pyramid.channels))
    cdef box_t box = box_t(low=&corners[0, 0], high=&corners[1, 0])
    cdef Py_ssize_t group
    cdef int count
    with nogil:
        for group in range(first, last):
            count = 0  # none: all pixels get 0
            if box_of(pyramid, group, &box):
                count = near_modes(buckets, &kernel, &box, &candidates[0], &distances[0])
            label_group(&pyramid.c, &kernel, group, &buckets.modes[0, 0], &candidates[0], count,
                        limit, &bounds[0], &passed[0], &labels[0, 0])


cdef bint box_of(Pyramid pyramid, Py_ssize_t group, box_t *box) noexcept nogil:
    """The box around the pixels of a level 1 group; false if there are none."""
    cdef const pyramid_t *p = &pyramid.c
    cdef Py_ssize_t first = group * pyramid.channels * LANES
    cdef double low, high
    cdef int c, j
    for c in range(pyramid.channels):
        box.low[2 + c], box.high[2 + c] = INFINITY, -INFINITY
        for j in range(LANES):
            low, high = p.low[1][first + c * LANES + j], p.high[1][first + c * LANES + j]
            if low < FAR:
                box.low[2 + c] = min(box.low[2 + c], low)
                box.high[2 + c] = max(box.high[2 + c], high)
    box.low[0], box.low[1] = p.origin[1][2 * group], p.origin[1][2 * group + 1]
    box.high[0] = min(box.low[0] + p.cell_width[1] * p.across[1], pyramid.width) - 1
    box.high[1] = min(box.low[1] + p.cell_height[1] * p.down[1], p.top + p.height) - 1
    return box.low[2] < INFINITY


cdef int near_modes(Buckets buckets, const kernel_t *kernel, const box_t *box,
                    int32_t *candidates, double *distances) noexcept nogil:
    """List the modes that can be nearest to a place in the box, looking ring by ring of cells."""
    cdef double side = buckets.side, best = INFINITY, farthest
    cdef int left = <int> (box.low[0] / side), right = <int> (box.high[0] / side)
    cdef int top = <int> (box.low[1] / side), bottom = <int> (box.high[1] / side)
    cdef int ring = 0, x, y, i, step, count = 0, kept = 0
    cdef double reach = kernel.spatial_unit * kernel.bandwidth
    cdef bint on_rim
    while ((ring - 1) * side / reach) * ((ring - 1) * side / reach) <= best or ring == 0:
        if ring > buckets.rows and ring > buckets.cols:
            break
        for y in range(max(top - ring, 0), min(bottom + ring, buckets.rows - 1) + 1):
            on_rim = ring == 0 or y == top - ring or y == bottom + ring
            step = 1 if on_rim else right - left + 2 * ring
            x = left - ring
            while x <= right + ring:
                if 0 <= x < buckets.cols:
                    for i in range(buckets.start[y * buckets.cols + x],
                                   buckets.start[y * buckets.cols + x + 1]):
                        candidates[count] = buckets.order[i]
                        distances[count] = box_bounds(
                            box, kernel, &buckets.modes[buckets.order[i], 0],
                            <int> buckets.modes.shape[1], &farthest)
                        best = min(best, farthest)
                        count += 1
                x += step
        ring += 1
    best = (sqrt(best) + kernel.slack) * (sqrt(best) + kernel.slack)
    for i in range(count):
        candidates[kept] = candidates[i]
        kept += distances[i] <= best
    return kept


cdef double box_bounds(const box_t *box, const kernel_t *kernel, const double *mode, int features,
                       double *farthest) noexcept nogil:
    """Squared distances, in bandwidths, from a mode to the nearest and farthest place in a box."""
    cdef double weight, below, above, outside, near2 = 0
    cdef int f
    farthest[0] = 0
    for f in range(features):
        weight = kernel.spatial2 if f < 2 else kernel.range2
        below, above = box.low[f] - mode[f], mode[f] - box.high[f]
        outside = max(below, above, 0.0)
        near2 += outside * outside * weight
        farthest[0] += min(below, above) * min(below, above) * weight
    return near2
