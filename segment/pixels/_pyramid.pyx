# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True, embedsignature=True
"""Pixels in a pyramid of boxes, and walks over them: the mean in a ball of the joint domain.

No checks and no defaults: `joint.py` validates, casts and allocates.
"""
from libc.math cimport frexp, ldexp, rint
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, malloc

from segment.meanshift._climb cimport Walk

import numpy as np

cdef extern from "_pyramid_ball.h" nogil:
    double ball(const pyramid_t *p, const kernel_t *k, const double *center, cell_t *list,
                cell_t *next, double *sum)

ctypedef fused value_t:
    uint8_t
    double

ctypedef fused real_t:
    float
    double


cdef class Pyramid:
    """The pixels of an image in tiles, boxes over those, boxes over these, up to one.

    In single precision, and in double as well where the image is not of uint8.
    """

    def __init__(self, image, visible, double spatial_unit, double range_unit):
        self.image, self.visible = image, visible
        self.height, self.width, self.channels = image.shape
        self.spatial_unit, self.range_unit = spatial_unit, range_unit
        self.largest = max(abs(float(image.max())), abs(float(image.min())))
        self.c.channels, self.c.height, self.c.width = self.channels, self.height, self.width
        self.c.rows[0], self.c.cols[0] = groups(self.height), groups(self.width)
        shape = self.c.rows[0], self.c.cols[0], self.channels, LANES
        values, self.exact = np.empty(shape, np.float32), None
        self.c.value, self.c.exact = <const float *> address(values), NULL
        if image.dtype != np.uint8:
            self.exact = np.empty(shape)
            self.c.exact = <const double *> address(self.exact)
        self.c.levels, self.levels = 1, [(values, values, None)]
        self.add_level()

    def add_level(self):
        """Room for boxes over the groups of the level below, and no pixels in them."""
        cdef int level = self.c.levels
        cdef int rows = groups(self.c.rows[level - 1]), cols = groups(self.c.cols[level - 1])
        low, high = np.empty((2, rows, cols, self.channels, LANES), np.float32)
        sums = np.empty((rows, cols, 3 + self.channels, LANES))
        self.c.low[level] = <const float *> address(low)
        self.c.high[level] = <const float *> address(high)
        self.c.sum[level] = <const double *> address(sums)
        self.c.rows[level], self.c.cols[level] = rows, cols
        self.c.levels += 1
        self.levels.append((low, high, sums))

    def fill(self, Py_ssize_t first, Py_ssize_t last):
        """Tiles and their boxes in some rows of level 1 groups, 16 pixels high."""
        values, _, _ = self.levels[0]
        _, _, sums = self.levels[1]
        if self.exact is None:
            fill_tiles[uint8_t, float](self.image, self.visible, values, first, last)
            add_pixels[float](values, sums, first, last)
        else:
            fill_tiles[double, float](self.image, self.visible, values, first, last)
            fill_tiles[double, double](self.image, self.visible, self.exact, first, last)
            add_pixels[double](self.exact, sums, first, last)
        self.bound(1, first, last)

    def finish(self):
        """The other levels, up to one group; far fewer boxes."""
        self.image = self.visible = None
        cdef int level = 1
        while max(self.c.rows[level], self.c.cols[level]) > 1:
            self.add_level()
            level += 1
            self.bound(level, 0, self.c.rows[level])
            add_sums(self.levels[level - 1][2], self.levels[level][2])

    def bound(self, int level, Py_ssize_t first, Py_ssize_t last):
        low, high, _ = self.levels[level - 1]
        box_low, box_high, _ = self.levels[level]
        bound(low, high, box_low, box_high, first, last)

    @property
    def units(self):
        """What 1 in the joint domain is in pixels and in values of the channels."""
        return np.array([self.spatial_unit] * 2 + [self.range_unit] * self.channels)

    def walk(self, double bandwidth, bint gaussian):
        """A walk for one thread."""
        return PyramidWalk(self, bandwidth, gaussian)


cdef inline int groups(int cells) noexcept:
    return (cells + SIDE - 1) // SIDE


cdef const void *address(array) except NULL:
    cdef const uint8_t[::1] bytes_ = array.reshape(-1).view(np.uint8)
    return &bytes_[0]


cdef int fill_tiles(const value_t[:, :, ::1] image, const uint8_t[:, ::1] visible,
                    real_t[:, :, :, ::1] values, Py_ssize_t first, Py_ssize_t last) except -1:
    """Pixels by tile, channel and lane; FAR where there is none or it is not visible."""
    cdef Py_ssize_t row, col, y, x, c
    cdef int j
    with nogil:
        for row in range(first * SIDE, min(last * SIDE, values.shape[0])):
            for col in range(values.shape[1]):
                for j in range(LANES):
                    y, x = row * SIDE + j // SIDE, col * SIDE + j % SIDE
                    if y < image.shape[0] and x < image.shape[1] and (
                            visible.shape[0] == 0 or visible[y, x]):
                        for c in range(image.shape[2]):
                            values[row, col, c, j] = <real_t> image[y, x, c]
                    else:
                        for c in range(image.shape[2]):
                            values[row, col, c, j] = <real_t> FAR
    return 0


cdef int bound(const float[:, :, :, ::1] low, const float[:, :, :, ::1] high,
               float[:, :, :, ::1] box_low, float[:, :, :, ::1] box_high, Py_ssize_t first,
               Py_ssize_t last) except -1:
    """The range of each cell in each channel, from its lanes that are not FAR."""
    cdef Py_ssize_t row, col, c, y, x
    cdef float smallest, largest
    cdef int j, lane
    with nogil:
        for row in range(first, last):
            for col in range(box_low.shape[1]):
                for lane in range(LANES):
                    y, x = row * SIDE + lane // SIDE, col * SIDE + lane % SIDE
                    for c in range(low.shape[2]):
                        smallest, largest = FAR, -FAR
                        if y < low.shape[0] and x < low.shape[1]:
                            for j in range(LANES):
                                smallest = min(smallest, low[y, x, c, j])
                                if high[y, x, c, j] < FAR:
                                    largest = max(largest, high[y, x, c, j])
                        box_low[row, col, c, lane] = smallest
                        box_high[row, col, c, lane] = max(largest, smallest)
    return 0


cdef int add_pixels(const real_t[:, :, :, ::1] values, double[:, :, :, ::1] sums,
                    Py_ssize_t first, Py_ssize_t last) except -1:
    """Number, coordinates and channels of the pixels in each tile, summed."""
    cdef Py_ssize_t row, col, c, y, x
    cdef double total[6]
    cdef int j, lane
    with nogil:
        for row in range(first, last):
            for col in range(sums.shape[1]):
                for lane in range(LANES):
                    y, x = row * SIDE + lane // SIDE, col * SIDE + lane % SIDE
                    for c in range(sums.shape[2]):
                        total[c] = 0
                    for j in range(LANES):
                        if y >= values.shape[0] or x >= values.shape[1] or (
                                values[y, x, 0, j] == <real_t> FAR):
                            continue
                        total[0] += 1
                        total[1] += x * SIDE + j % SIDE
                        total[2] += y * SIDE + j // SIDE
                        for c in range(values.shape[2]):
                            total[3 + c] += values[y, x, c, j]
                    for c in range(sums.shape[2]):
                        sums[row, col, c, lane] = total[c]
    return 0


cdef int add_sums(const double[:, :, :, ::1] below, double[:, :, :, ::1] sums) except -1:
    cdef Py_ssize_t row, col, s, y, x
    cdef double total
    cdef int j, lane
    with nogil:
        for row in range(sums.shape[0]):
            for col in range(sums.shape[1]):
                for s in range(sums.shape[2]):
                    for lane in range(LANES):
                        y, x, total = row * SIDE + lane // SIDE, col * SIDE + lane % SIDE, 0
                        if y < below.shape[0] and x < below.shape[1]:
                            for j in range(LANES):
                                total += below[y, x, s, j]
                        sums[row, col, s, lane] = total
    return 0


cdef class PyramidWalk(Walk):
    """A walk over the pixels of a pyramid; places are (x, y, channels) in pixels and values."""
    cdef Pyramid pyramid
    cdef kernel_t kernel
    cdef cell_t *list
    cdef cell_t *next
    cdef double quantum

    def __init__(self, Pyramid pyramid, double bandwidth, bint gaussian):
        cdef Py_ssize_t room = <Py_ssize_t> pyramid.c.rows[0] * pyramid.c.cols[0] + LANES
        cdef double radius = pyramid.range_unit * bandwidth
        cdef int exponent = 0
        Walk.__init__(self, 2 + pyramid.channels, bandwidth)
        self.unit[0] = self.unit[1] = pyramid.spatial_unit
        for k in range(pyramid.channels):
            self.unit[2 + k] = pyramid.range_unit
        self.pyramid = pyramid
        # roundings of the distance, of the centre's channels, and of the pixels' if not whole
        margin = 2e-6 + (1e-6 if pyramid.c.exact else 5e-7) * pyramid.largest / radius
        margin += (2e-7 * pyramid.largest / radius) ** 2
        self.kernel = kernel_of(pyramid.spatial_unit, pyramid.range_unit, bandwidth,
                                3 if gaussian else 1, margin)
        frexp(min(radius, max(pyramid.largest, 1e-300)), &exponent)
        self.quantum = ldexp(1.0, exponent - 33) if gaussian or pyramid.c.exact else 0
        self.list = <cell_t *> malloc(room * sizeof(cell_t))
        self.next = <cell_t *> malloc(room * sizeof(cell_t))
        if not (self.list and self.next):
            raise MemoryError

    def __dealloc__(self):
        free(self.list)
        free(self.next)

    cdef double step(self, const double *center, double *mean) noexcept nogil:
        """Sums of whole numbers are exact; other channels are rounded, so that equal sets meet."""
        cdef double weight = ball(&self.pyramid.c, &self.kernel, center, self.list, self.next, mean)
        cdef int k
        if weight == 0:
            return 0
        for k in range(self.dim):
            mean[k] /= weight
        if self.quantum:
            for k in range(2, self.dim):
                mean[k] = rint(mean[k] / self.quantum) * self.quantum
        return weight
