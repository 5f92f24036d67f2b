# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True, embedsignature=True
"""Pixels in a pyramid of boxes, and walks over them: the mean in a ball of the joint domain.

No checks and no defaults: `joint.py` validates, casts and allocates.
"""
from libc.math cimport INFINITY, frexp, ldexp, rint
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free, malloc

from segment.meanshift._climb cimport Walk
from segment.meanshift._instructions cimport chosen_set

import numpy as np

cdef extern from "_pyramid_ball.h" nogil:
    ctypedef struct near_t:
        pass
    near_t *new_near(int channels)
    ctypedef double (*ball_t)(const pyramid_t *p, const kernel_t *k, const double *center,
                              near_t *near, int32_t *list, int32_t *next, double *sum)
    const ball_t *BALLS
    void pack_bits()

cdef ball_t ball = BALLS[chosen_set()]
pack_bits()

ctypedef fused value_t:
    uint8_t
    double


cdef class Pyramid:
    """The pixels of an image in tiles, boxes over those, boxes over these, up to one.

    Values are whole numbers in single precision: those of uint8 themselves; others are counted
    in steps of a 2^24th of the power of two above the largest of them. The image may be a window
    of a taller one, rows from `top` on: balls that reach beyond its edges are not looked into.
    """

    def __init__(self, image, visible, double spatial_unit, double range_unit, double largest,
                 int top, Py_ssize_t image_height):
        cdef int exponent = 24
        self.image, self.visible = image, visible
        self.height, self.width, self.channels = image.shape
        self.largest = largest
        if image.dtype != np.uint8 and self.largest > 0:
            frexp(self.largest, &exponent)
        self.scale = 1.0 if image.dtype == np.uint8 else ldexp(1.0, 24 - exponent)
        self.largest *= self.scale
        self.spatial_unit, self.range_unit = spatial_unit, range_unit * self.scale
        self.top = top
        self.first_row = top if top else -INFINITY
        self.last_row = INFINITY if top + self.height == image_height else top + self.height - 1
        self.c.channels, self.c.top = self.channels, top
        self.c.height, self.c.width = self.height, self.width
        self.c.levels, self.levels = 0, []
        self.c.bytes = image.dtype == np.uint8
        self.add_level(self.height, self.width, 1, 1)
        values = aligned((self.groups(0), self.channels, LANES), np.float32)
        self.c.value = <const float *> address(values)
        self.levels.append((values, values, None))
        self.add_boxes()

    def add_level(self, int rows, int cols, int cell_height, int cell_width):
        """Groups of so many cells: square ones, or as long as the cells are few across."""
        cdef int level = self.c.levels, down = 4, lane
        if rows <= 2 or cols <= 2:
            down = rows if rows <= 2 else LANES // cols
        self.c.down[level], self.c.across[level] = down, LANES // down
        self.c.cell_height[level], self.c.cell_width[level] = cell_height, cell_width
        self.c.rows[level] = (rows + down - 1) // down
        self.c.cols[level] = (cols + self.c.across[level] - 1) // self.c.across[level]
        for lane in range(LANES):
            self.c.lane_x[level][lane] = lane % self.c.across[level] * cell_width
            self.c.lane_y[level][lane] = lane // self.c.across[level] * cell_height
        y, x = np.divmod(np.arange(self.groups(level), dtype=np.int32), self.c.cols[level])
        origins = np.stack([x * (self.c.across[level] * cell_width),
                            y * (down * cell_height) + np.int32(self.top)], axis=1)
        self.c.origin[level] = <const int32_t *> address(origins)
        self.levels.append(origins)
        self.c.levels += 1

    cpdef Py_ssize_t groups(self, int level):
        """How many there are in a level."""
        return <Py_ssize_t> self.c.rows[level] * self.c.cols[level]

    def add_boxes(self):
        """Room for groups over those of the level below, boxes over their pixels."""
        cdef int level = self.c.levels, below = level - 1
        self.add_level(self.c.rows[below], self.c.cols[below],
                       self.c.cell_height[below] * self.c.down[below],
                       self.c.cell_width[below] * self.c.across[below])
        groups = self.groups(level)
        low, high = (aligned((groups, self.channels, LANES), np.float32) for _ in range(2))
        sums = aligned((groups, LANES, sums_of(self.channels)), np.float64)
        children = aligned((groups, LANES), np.int32)
        self.c.low[level] = <const float *> address(low)
        self.c.high[level] = <const float *> address(high)
        self.c.sum[level] = <const double *> address(sums)
        self.c.child[level] = <const int32_t *> address(children)
        self.levels.append((low, high, sums, children))

    def fill(self, Py_ssize_t first, Py_ssize_t last):
        """Tiles and their boxes in some groups of level 1."""
        values, (low, high, sums, children) = self.levels[1][0], self.levels[3]
        if self.image.dtype == np.uint8:
            fill_tiles[uint8_t](self, self.image, self.visible, values, low, high, sums, children,
                                first, last)
        else:
            fill_tiles[double](self, self.image, self.visible, values, low, high, sums, children,
                               first, last)

    def finish(self):
        """The other levels, up to one group; far fewer boxes."""
        self.image = self.visible = None
        while self.groups(self.c.levels - 1) > 1:
            below = self.levels[len(self.levels) - 1]
            self.add_boxes()
            bound(self, self.c.levels - 1, *below[:3], *self.levels[len(self.levels) - 1])

    @property
    def units(self):
        """What 1 in the joint domain is in pixels and in values of the channels."""
        return np.array([self.spatial_unit] * 2 + [self.range_unit] * self.channels)

    def walk(self, double bandwidth, bint gaussian):
        """A walk for one thread."""
        return PyramidWalk(self, bandwidth, gaussian)


def aligned(shape, dtype):
    """An array that starts where a line of the cache does."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room = np.empty(size + 64, np.uint8)
    start = -room.ctypes.data % 64
    return room[start:start + size].view(dtype).reshape(shape)


cdef const void *address(array) except NULL:
    cdef const uint8_t[::1] bytes_ = array.reshape(-1).view(np.uint8)
    return &bytes_[0]


cdef inline Py_ssize_t cell_of(const pyramid_t *p, int level, Py_ssize_t group,
                               int lane) noexcept nogil:
    """The group of the level below that is a cell of a group; -1 where there is none."""
    cdef Py_ssize_t y = group // p.cols[level] * p.down[level] + lane // p.across[level]
    cdef Py_ssize_t x = group % p.cols[level] * p.across[level] + lane % p.across[level]
    if y >= p.rows[level - 1] or x >= p.cols[level - 1]:
        return -1
    return y * p.cols[level - 1] + x


cdef int fill_tiles(Pyramid pyramid, const value_t[:, :, ::1] image,
                    const uint8_t[:, ::1] visible, float[:, :, ::1] values,
                    float[:, :, ::1] low, float[:, :, ::1] high, double[:, :, ::1] sums,
                    int32_t[:, ::1] children, Py_ssize_t first, Py_ssize_t last) except -1:
    """The tiles in some groups of level 1, and what the groups say of them."""
    cdef const pyramid_t *p = &pyramid.c
    cdef Py_ssize_t group, tile
    cdef int lane, c
    with nogil:
        for group in range(first, last):
            for lane in range(LANES):
                tile = cell_of(p, 1, group, lane)
                children[group, lane] = <int32_t> max(tile, 0)
                for c in range(sums.shape[2]):
                    sums[group, lane, c] = 0
                for c in range(p.channels):
                    low[group, c, lane], high[group, c, lane] = FAR, -FAR
                if tile >= 0:
                    fill_tile(p, pyramid.scale, image, visible, &values[tile, 0, 0], tile,
                              &low[group, 0, lane], &high[group, 0, lane], &sums[group, lane, 0])
                for c in range(p.channels):
                    high[group, c, lane] = max(high[group, c, lane], low[group, c, lane])
    return 0


cdef void fill_tile(const pyramid_t *p, double scale, const value_t[:, :, ::1] image,
                    const uint8_t[:, ::1] visible, float *value, Py_ssize_t tile, float *low,
                    float *high, double *sums) noexcept nogil:
    """Pixels by channel and lane, FAR where there is none or it is not visible; their box."""
    cdef Py_ssize_t y, x
    cdef float number
    cdef int j, c
    for j in range(LANES):
        x = p.origin[0][2 * tile] + j % p.across[0]
        y = p.origin[0][2 * tile + 1] - p.top + j // p.across[0]
        if x >= p.width or y >= p.height or (visible.shape[0] and not visible[y, x]):
            for c in range(p.channels):
                value[c * LANES + j] = FAR
            continue
        sums[0] += 1
        sums[1] += x
        sums[2] += p.top + y
        for c in range(p.channels):
            number = <float> image[y, x, c] if value_t is uint8_t else (
                <float> rint(image[y, x, c] * scale))
            value[c * LANES + j] = number
            sums[3 + c] += number
            low[c * LANES] = min(low[c * LANES], number)
            high[c * LANES] = max(high[c * LANES], number)


def bound(Pyramid pyramid, int level, const float[:, :, ::1] cell_low,
          const float[:, :, ::1] cell_high, const double[:, :, ::1] cell_sums,
          float[:, :, ::1] low, float[:, :, ::1] high, double[:, :, ::1] sums,
          int32_t[:, ::1] children):
    """Boxes and sums of the groups of a level, from those of the level below."""
    cdef const pyramid_t *p = &pyramid.c
    cdef Py_ssize_t group, cell
    cdef int lane, c, j
    with nogil:
        for group in range(low.shape[0]):
            for lane in range(LANES):
                cell = cell_of(p, level, group, lane)
                children[group, lane] = <int32_t> max(cell, 0)
                for c in range(sums.shape[2]):
                    sums[group, lane, c] = 0
                    for j in range(LANES if cell >= 0 else 0):
                        sums[group, lane, c] += cell_sums[cell, j, c]
                for c in range(p.channels):
                    low[group, c, lane], high[group, c, lane] = FAR, -FAR
                    for j in range(LANES if cell >= 0 else 0):
                        low[group, c, lane] = min(low[group, c, lane], cell_low[cell, c, j])
                        if cell_high[cell, c, j] < FAR:
                            high[group, c, lane] = max(high[group, c, lane], cell_high[cell, c, j])
                    high[group, c, lane] = max(high[group, c, lane], low[group, c, lane])


cdef class PyramidWalk(Walk):
    """A walk over the pixels of a pyramid; places are (x, y, channels) in pixels and values."""
    cdef Pyramid pyramid
    cdef kernel_t kernel
    cdef near_t *near
    cdef int32_t *list
    cdef int32_t *next
    cdef double quantum, highest, lowest

    def __init__(self, Pyramid pyramid, double bandwidth, bint gaussian):
        cdef Py_ssize_t room = pyramid.groups(0) + 2 * LANES
        cdef double radius = pyramid.range_unit * bandwidth
        cdef int exponent = 0
        Walk.__init__(self, 2 + pyramid.channels, bandwidth)
        self.unit[0] = self.unit[1] = pyramid.spatial_unit
        for k in range(pyramid.channels):
            self.unit[2 + k] = pyramid.range_unit
        self.pyramid = pyramid
        self.kernel = kernel_of(pyramid.spatial_unit, pyramid.range_unit, bandwidth,
                                3 if gaussian else 1, pyramid.largest, pyramid.channels)
        # what a ball must have of rows around its center, roundings included
        rows = self.kernel.reach * pyramid.spatial_unit * bandwidth * (1 + 1e-9)
        self.highest, self.lowest = pyramid.first_row + rows, pyramid.last_row - rows
        frexp(min(radius, max(pyramid.largest, 1e-300)), &exponent)
        self.quantum = ldexp(1.0, exponent - 33) if gaussian else 0
        self.near = new_near(pyramid.channels)
        self.list = <int32_t *> malloc(room * sizeof(int32_t))
        self.next = <int32_t *> malloc(room * sizeof(int32_t))
        if not (self.near and self.list and self.next):
            raise MemoryError

    def __dealloc__(self):
        free(self.near)
        free(self.list)
        free(self.next)

    cdef double step(self, const double *center, double *mean) noexcept nogil:
        """Flat sums are exact; Gaussian ones are rounded, so that climbs that meet are equal."""
        cdef double weight
        cdef int k
        if center[1] < self.highest or center[1] > self.lowest:
            return -1
        weight = ball(&self.pyramid.c, &self.kernel, center, self.near, self.list, self.next, mean)
        if weight == 0:
            return 0
        for k in range(self.dim):
            mean[k] /= weight
        if self.quantum:
            for k in range(2, self.dim):
                mean[k] = rint(mean[k] / self.quantum) * self.quantum
        return weight
