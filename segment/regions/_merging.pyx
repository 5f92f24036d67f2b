# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True, embedsignature=True
"""The loops that merge regions: steps of colour across their borders, and who joins whom.

No checks and no defaults: `connected.py` validates, casts and allocates.
"""
from libc.math cimport cbrt, sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

import numpy as np

from segment.regions._regions cimport (
    number_in,
    root_of,
    sift_down,
    size_in,
    key_of,
    squared_distance,
    unite_sums,
)

ctypedef fused value_t:
    uint8_t
    float
    double

cdef int[4] DX = [1, 0, -1, 1]  # half of the neighbours, those by a side first
cdef int[4] DY = [0, 1, 1, 1]


def count_borders(const int32_t[:, ::1] regions, bint diagonal, int64_t[::1] counts):
    """Add to `counts[r]` the pairs of neighbours of which one pixel is in region r."""
    cdef Py_ssize_t y, x, height = regions.shape[0], width = regions.shape[1]
    cdef int32_t one, other
    cdef int j
    with nogil:
        for y in range(height):
            for x in range(width):
                one = regions[y, x]
                for j in range(4 if diagonal else 2):
                    if y + DY[j] < height and 0 <= x + DX[j] < width:
                        other = regions[y + DY[j], x + DX[j]]
                        if one != other and one and other:
                            counts[one] += 1
                            counts[other] += 1


def list_borders(const int32_t[:, ::1] regions, const value_t[:, ::1] values, Py_ssize_t reach,
                 bint diagonal, int64_t[::1] end, int32_t[::1] places, float[::1] steps):
    """List for each region the pixels beside it, and the step of colour from it to each.

    Those of region r begin where `end[r]` is; at the end, it is behind them. Steps are
    kept as float32, so that their sums in float64 do not depend on the order.
    """
    cdef Py_ssize_t y, x, height = regions.shape[0], width = regions.shape[1]
    cdef Py_ssize_t here, there, side
    cdef int32_t one, other
    cdef float step
    cdef int j
    with nogil:
        for y in range(height):
            for x in range(width):
                one = regions[y, x]
                for j in range(4 if diagonal else 2):
                    if y + DY[j] >= height or not 0 <= x + DX[j] < width:
                        continue
                    other = regions[y + DY[j], x + DX[j]]
                    if one == other or one == 0 or other == 0:
                        continue
                    here = farther(regions, y, x, -reach * DY[j], -reach * DX[j])
                    there = farther(regions, y + DY[j], x + DX[j], reach * DY[j], reach * DX[j])
                    step = <float> sqrt(squared_step(values, here, there))
                    side = y * width + x
                    places[end[other]], steps[end[other]] = <int32_t> side, step
                    end[other] += 1
                    side += DY[j] * width + DX[j]
                    places[end[one]], steps[end[one]] = <int32_t> side, step
                    end[one] += 1


cdef inline Py_ssize_t farther(const int32_t[:, ::1] regions, Py_ssize_t y, Py_ssize_t x,
                               Py_ssize_t dy, Py_ssize_t dx) noexcept nogil:
    """The place of the pixel so far away, or of the near one where that has no region."""
    cdef Py_ssize_t width = regions.shape[1]
    if 0 <= y + dy < regions.shape[0] and 0 <= x + dx < width and regions[y + dy, x + dx]:
        return (y + dy) * width + x + dx
    return y * width + x


cdef inline double squared_step(const value_t[:, ::1] values, Py_ssize_t here,
                                Py_ssize_t there) noexcept nogil:
    cdef Py_ssize_t k
    cdef double difference, sum_ = 0
    for k in range(values.shape[1]):
        difference = <double> values[here, k] - <double> values[there, k]
        sum_ += difference * difference
    return sum_


ctypedef struct map_t:
    const int32_t *regions
    int channels
    int32_t *parents
    int32_t *partner    # circular list of the regions that are one by now
    double *sums
    int32_t *places     # pixels beside a region, region by region
    float *steps
    int64_t *first      # where those of a region begin
    int64_t *end
    int64_t *length     # of the border with each region, 0 but while one is looked at
    double *rise        # sum of the steps across it
    int32_t *met        # the regions it has a border with


def merge_cheapest(const int32_t[:, ::1] regions, double[:, ::1] sums, uint64_t[::1] heap,
                   int32_t[::1] places, float[::1] steps, int64_t[::1] first, int64_t[::1] end,
                   double limit):
    """Unite regions with their cheapest neighbours, smallest first; return parents.

    `heap` holds size and number of each region, ascending. A key is stale once its region
    has grown. A region that joins one at least as large at least doubles, so that each
    entry of `places` is looked at no more than log2(pixels) times.
    """
    cdef Py_ssize_t rows = sums.shape[0], waiting = heap.shape[0]
    parents = np.arange(rows, dtype=np.int32)
    cdef int32_t[::1] parent = parents, partner = parents.copy(), met = parents.copy()
    cdef int64_t[::1] length = np.zeros(rows, np.int64)
    cdef double[::1] rise = np.zeros(rows)
    cdef double pixels = np.sum(sums[1:, sums.shape[1] - 1])
    cdef map_t m = map_t(
        regions=&regions[0, 0], channels=<int> sums.shape[1] - 1, parents=&parent[0],
        partner=&partner[0], sums=&sums[0, 0], places=&places[0], steps=&steps[0],
        first=&first[0], end=&end[0], length=&length[0], rise=&rise[0], met=&met[0])
    cdef int32_t number, other
    with nogil:
        while waiting:
            number, other = number_in(heap[0]), 0
            if size_of(&m, number) == size_in(heap[0]):
                other = cheapest_neighbor(&m, number, limit, pixels)
            if other:
                number = unite_sums(m.sums, m.channels, m.parents, m.partner, number, other)
                sift_down(&heap[0], waiting, key_of(size_of(&m, number), number))
            else:
                waiting -= 1
                sift_down(&heap[0], waiting, heap[waiting])
    return parents


cdef inline double size_of(const map_t *m, int32_t number) noexcept nogil:
    return m.sums[<Py_ssize_t> number * (m.channels + 1) + m.channels]


cdef int32_t cheapest_neighbor(map_t *m, int32_t number, double limit,
                               double pixels) noexcept nogil:
    """The adjacent region, no smaller, that costs least; 0 if none is below the limit."""
    cdef int32_t found = meet_neighbors(m, number), cheapest = 0, other, i
    cdef double size = size_of(m, number), least = 0, cost
    for i in range(found):
        other = m.met[i]
        if size_of(m, other) >= size:
            cost = sqrt(squared_distance(m.sums, m.channels, number, other))
            cost += 2 * m.rise[other] / m.length[other]
            cost *= cbrt(size * size_of(m, other) / (size + size_of(m, other)) / pixels)
            if cheapest == 0 or cost < least or (cost == least and other < cheapest):
                cheapest, least = other, cost
        m.length[other], m.rise[other] = 0, 0
    return cheapest if least < limit else 0


cdef int32_t meet_neighbors(map_t *m, int32_t number) noexcept nogil:
    """Add up the border with each adjacent region; return how many there are.

    Forgets the pixels that have become part of the region.
    """
    cdef int32_t part = number, found = 0, other
    cdef int64_t i, kept
    while True:
        kept = m.first[part]
        for i in range(m.first[part], m.end[part]):
            other = root_of(m.parents, m.regions[m.places[i]])
            if other == number:
                continue
            m.places[kept], m.steps[kept] = m.places[i], m.steps[i]
            kept += 1
            if m.length[other] == 0:
                m.met[found] = other
                found += 1
            m.length[other] += 1
            m.rise[other] += m.steps[i]
        m.end[part] = kept
        part = m.partner[part]
        if part == number:
            return found
