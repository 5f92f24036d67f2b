# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: embedsignature=True
"""Counting and looking up 24-bit colours by their place on the Z-order curve.

A colour's key interleaves the bits of red, green and blue: in the order of their
keys, neighbours are near each other in colour space.
"""
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

import numpy as np

cdef enum:
    HALF_BITS = 12
    HALF = 1 << HALF_BITS
    KEYS = 1 << 24
    BLOCK_BITS = 10  # 2^10 counters are one page of memory
    BLOCK = 1 << BLOCK_BITS

ctypedef fused label_t:
    uint8_t
    uint16_t
    int32_t

ctypedef fused value_t:
    uint8_t
    double

cdef uint32_t[256] SPREAD
cdef uint8_t[HALF] GATHERED


cdef void fill_tables() noexcept:
    """SPREAD[v] has bit i of v at bit 3 i; GATHERED[key] is every third bit of half a key."""
    cdef int value, bit
    for value in range(256):
        SPREAD[value] = 0
        for bit in range(8):
            SPREAD[value] |= <uint32_t> ((value >> bit) & 1) << (3 * bit)
    for value in range(HALF):
        GATHERED[value] = 0
        for bit in range(4):
            GATHERED[value] |= <uint8_t> ((value >> (3 * bit + 2) & 1) << bit)


fill_tables()


cdef inline uint32_t key_of(const uint8_t *pixel) noexcept nogil:
    return SPREAD[pixel[0]] << 2 | SPREAD[pixel[1]] << 1 | SPREAD[pixel[2]]


def count_by_table(const uint8_t[:, ::1] pixels):
    """Distinct keys, ascending, and their counts, by a counter for every key.

    29 ms for 12 million pixels; but 64 MiB of counters, whose first touch costs a
    small image more than its pixels do. Only touched pages are read back.
    """
    cdef uint32_t[::1] counters = np.zeros(KEYS, np.uint32)
    cdef uint8_t[::1] touched = np.zeros(KEYS // BLOCK, np.uint8)
    cdef Py_ssize_t i, found = 0, block, blocks = 0
    cdef uint32_t key
    with nogil:
        for i in range(pixels.shape[0]):
            key = key_of(&pixels[i, 0])
            counters[key] += 1
            touched[key >> BLOCK_BITS] = 1
        for block in range(touched.shape[0]):
            blocks += touched[block]
    keys = np.empty(blocks * BLOCK, np.uint32)
    counts = np.empty(blocks * BLOCK, np.uint32)
    cdef uint32_t[::1] keys_view = keys, counts_view = counts
    with nogil:
        for block in range(touched.shape[0]):
            if touched[block]:
                for key in range(<uint32_t> block * BLOCK, (<uint32_t> block + 1) * BLOCK):
                    keys_view[found] = key
                    counts_view[found] = counters[key]
                    found += counters[key] != 0
    return keys[:found].copy(), counts[:found].copy()


def add_colors(const uint8_t[:, ::1] pixels, uint64_t[::1] counters):
    """Count pixels in the counter of the key of each."""
    cdef Py_ssize_t i
    with nogil:
        for i in range(pixels.shape[0]):
            counters[key_of(&pixels[i, 0])] += 1


def count_by_sorting(const uint8_t[:, ::1] pixels):
    """The same by a radix sort in two passes of 12 bits, and the place in keys of each pixel.

    1 ms for 154,000 pixels, each sorted with its number in the lower half of a word.
    """
    cdef Py_ssize_t size = pixels.shape[0], i, found = 0
    cdef uint64_t[::1] words = np.empty(size, np.uint64), sorted_ = np.empty(size, np.uint64)
    cdef uint32_t[::1] low = np.zeros(HALF, np.uint32), high = np.zeros(HALF, np.uint32)
    keys, counts = np.empty(size, np.uint32), np.zeros(size, np.uint32)
    places = np.empty(size, np.int32)
    cdef uint32_t[::1] keys_view = keys, counts_view = counts
    cdef int32_t[::1] places_view = places
    cdef uint32_t key
    with nogil:
        for i in range(size):
            key = key_of(&pixels[i, 0])
            words[i] = <uint64_t> key << 32 | <uint64_t> i
            low[key & (HALF - 1)] += 1
            high[key >> HALF_BITS] += 1
        place_after_smaller(low)
        place_after_smaller(high)
        for i in range(size):
            key = <uint32_t> (words[i] >> 32) & (HALF - 1)
            sorted_[low[key]] = words[i]
            low[key] += 1
        for i in range(size):
            key = <uint32_t> (sorted_[i] >> (32 + HALF_BITS))
            words[high[key]] = sorted_[i]
            high[key] += 1
        for i in range(size):
            key = <uint32_t> (words[i] >> 32)
            if found == 0 or key != keys_view[found - 1]:
                keys_view[found] = key
                found += 1
            counts_view[found - 1] += 1
            places_view[<uint32_t> words[i]] = <int32_t> found - 1
    return keys[:found].copy(), counts[:found].copy(), places


cdef void place_after_smaller(uint32_t[::1] counters) noexcept nogil:
    """Turn counts into the place of the first of each."""
    cdef uint32_t before = 0, count
    cdef Py_ssize_t i
    for i in range(counters.shape[0]):
        count = counters[i]
        counters[i] = before
        before += count


def colors_of(const uint32_t[::1] keys):
    """The (n, 3) uint8 colours of keys."""
    colors = np.empty((keys.shape[0], 3), np.uint8)
    cdef uint8_t[:, ::1] view = colors
    cdef Py_ssize_t i
    cdef int k
    with nogil:
        for i in range(keys.shape[0]):
            for k in range(3):
                view[i, k] = <uint8_t> (GATHERED[keys[i] >> HALF_BITS << k & (HALF - 1)] << 4
                                        | GATHERED[keys[i] << k & (HALF - 1)])
    return colors


def keys_of(const uint8_t[:, ::1] colors):
    """The keys of (n, 3) colours."""
    keys = np.empty(colors.shape[0], np.uint32)
    cdef uint32_t[::1] view = keys
    cdef Py_ssize_t i
    with nogil:
        for i in range(colors.shape[0]):
            view[i] = key_of(&colors[i, 0])
    return keys


def look_up(const uint8_t[:, ::1] pixels, const label_t[::1] table, int32_t[::1] labels):
    """Write the table's entry for the colour of each pixel."""
    cdef Py_ssize_t i
    with nogil:
        for i in range(pixels.shape[0]):
            labels[i] = table[key_of(&pixels[i, 0])]


def add_by_label(const value_t[:, ::1] points, const double[:] weights, const int32_t[::1] labels,
                 double[:, ::1] sums):
    """Add to row `labels[i]` the weighted coordinates of point i, and last its weight."""
    cdef Py_ssize_t i, k, dim = points.shape[1]
    with nogil:
        for i in range(points.shape[0]):
            for k in range(dim):
                sums[labels[i], k] += weights[i] * points[i, k]
            sums[labels[i], dim] += weights[i]


def z_keys(const double[:, ::1] points, const double[::1] low, const double[::1] scale, int bits):
    """Place of each point on the Z-order curve of a grid with 2^bits cells a side.

    The cell of coordinate k is floor((x - low[k]) * scale[k]), in [0, 2^bits).
    """
    keys = np.zeros(points.shape[0], np.uint64)
    cdef uint64_t[::1] view = keys
    cdef Py_ssize_t i, k, dims = min(points.shape[1], 64 // bits)
    cdef uint64_t cell
    cdef int bit
    with nogil:
        for i in range(points.shape[0]):
            for k in range(dims):
                cell = <uint64_t> ((points[i, k] - low[k]) * scale[k])
                for bit in range(bits):
                    view[i] |= ((cell >> bit) & 1) << (bit * dims + dims - 1 - k)
    return keys
