# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: embedsignature=True
"""Counting and looking up 24-bit colours by their place on the Z-order curve, others by hashing.

A colour's key interleaves the bits of red, green and blue: in the order of their
keys, neighbours are near each other in colour space.

Other rows are words of 64 bits. A slot has the upper half of a row's hash above the row's place
plus 1; 0 is an empty slot. Slots are tried one after the other (linear probing); their number is
a power of two.
"""
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

import numpy as np

cdef enum:
    HALF_BITS = 12
    HALF = 1 << HALF_BITS
    KEYS = 1 << 24
    BLOCK_BITS = 10  # 2^10 counters are one page of memory
    BLOCK = 1 << BLOCK_BITS
    UPPER = 32  # bits above which a slot has those of a hash

cdef uint64_t ODD = <uint64_t> 0x9E3779B97F4A7C15  # 2^64 / golden ratio: Fibonacci hashing

ctypedef fused label_t:
    uint8_t
    uint16_t
    int32_t

ctypedef fused counter_t:
    uint32_t
    uint64_t

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


def add_colors(const uint8_t[:, ::1] pixels, counter_t[::1] counters):
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


cdef inline uint64_t hash_of(const uint64_t *row, Py_ssize_t width) noexcept nogil:
    """Words are mixed in one by one; what is in the upper half only gets to the lower, too."""
    cdef uint64_t mixed = 0
    cdef Py_ssize_t k
    for k in range(width):
        mixed = (mixed ^ row[k]) * ODD
        mixed ^= mixed >> UPPER
    mixed *= ODD
    return mixed ^ (mixed >> UPPER)


cdef inline Py_ssize_t slot_of(const uint64_t *row, Py_ssize_t width, uint64_t mixed,
                               const uint64_t *slots, uint64_t last,
                               const uint64_t *kept) noexcept nogil:
    """Slot of a row, or the empty one where it belongs."""
    cdef uint64_t slot = mixed & last, found
    while True:
        found = slots[slot]
        if found == 0:
            return slot
        if found >> UPPER == mixed >> UPPER and memcmp(
                &kept[((found & <uint32_t> -1) - 1) * width], row, width * 8) == 0:
            return slot
        slot = (slot + 1) & last


def insert_rows(const uint64_t[:, ::1] rows, Py_ssize_t start, uint64_t[::1] slots,
                uint64_t[:, ::1] kept, Py_ssize_t found, const int64_t[::1] adds,
                int64_t[::1] counts, int32_t[::1] places):
    """Add rows from `start` on; return where it stopped and how many distinct ones there are.

    It stops before a new row for which `kept` has no room. `adds` are what rows count, or empty: 1
    each. `places` gets the place in `kept` of each row. Half of the slots must stay empty.
    """
    cdef Py_ssize_t size = rows.shape[0], width = rows.shape[1], i = start, slot, place = -1
    cdef uint64_t last = slots.shape[0] - 1, mixed
    cdef bint by_ones = adds.shape[0] == 0
    with nogil:
        while i < size:
            # neighbours in an image are often equal
            if place < 0 or memcmp(&rows[i, 0], &kept[place, 0], width * 8) != 0:
                mixed = hash_of(&rows[i, 0], width)
                slot = slot_of(&rows[i, 0], width, mixed, &slots[0], last, &kept[0, 0])
                if slots[slot] == 0:
                    if found == kept.shape[0]:
                        break
                    memcpy(&kept[found, 0], &rows[i, 0], width * 8)
                    found += 1
                    slots[slot] = mixed >> UPPER << UPPER | <uint64_t> found
                place = (slots[slot] & <uint32_t> -1) - 1
            counts[place] += 1 if by_ones else adds[i]
            places[i] = <int32_t> place
            i += 1
    return i, found


def fill_slots(const uint64_t[:, ::1] kept, Py_ssize_t found, uint64_t[::1] slots):
    """Give each of the distinct rows a slot among empty ones."""
    cdef Py_ssize_t width = kept.shape[1], i
    cdef uint64_t last = slots.shape[0] - 1, mixed, slot
    with nogil:
        for i in range(found):
            mixed = hash_of(&kept[i, 0], width)
            slot = mixed & last
            while slots[slot] != 0:
                slot = (slot + 1) & last
            slots[slot] = mixed >> UPPER << UPPER | <uint64_t> (i + 1)


def find_rows(const uint64_t[:, ::1] rows, const uint64_t[::1] slots,
              const uint64_t[:, ::1] kept, int32_t[::1] places):
    """Write the place in `kept` of each row; -1 for those that are not there."""
    cdef Py_ssize_t width = rows.shape[1], i, place = -1, slot
    cdef uint64_t last = slots.shape[0] - 1
    with nogil:
        for i in range(rows.shape[0]):
            if place < 0 or memcmp(&rows[i, 0], &kept[place, 0], width * 8) != 0:
                slot = slot_of(&rows[i, 0], width, hash_of(&rows[i, 0], width), &slots[0], last,
                               &kept[0, 0])
                place = <Py_ssize_t> (slots[slot] & <uint32_t> -1) - 1
            places[i] = <int32_t> place
