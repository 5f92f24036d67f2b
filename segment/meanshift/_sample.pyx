# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: embedsignature=True
"""The first entries of a random permutation, and distances in a sample."""
from libc.stdint cimport int32_t, uint8_t, uint32_t

import numpy as np


cdef enum:
    WORDS = 624  # state of the generator
    AHEAD = 397


def shuffle_targets(uint32_t seed, int32_t[::1] targets):
    """Draw where NumPy's legacy shuffle swaps each place to, from the last down to place 1.

    Bits are masked to those of the place and drawn again until they are not beyond
    it. The generator is MT19937 (Matsumoto and Nishimura, ACM TOMACS 1998), seeded as
    by `RandomState(seed)`; numpy.random itself takes 10 ms to import, draws through a
    function pointer, and Python's own holds the GIL.
    """
    cdef uint32_t[WORDS] state
    cdef Py_ssize_t place = targets.shape[0] - 1
    cdef uint32_t mask = bits_of(<uint32_t> max(place, 0)), word
    cdef int i
    with nogil:
        state[0] = seed
        for i in range(1, WORDS):
            state[i] = <uint32_t> 1812433253 * (state[i - 1] ^ state[i - 1] >> 30) + <uint32_t> i
        while place >= 1:
            twist(state)
            for i in range(WORDS):
                if place < 1:
                    break
                word = temper(state[i]) & mask
                targets[place] = <int32_t> word
                place -= word <= <uint32_t> place
                if <uint32_t> place <= mask >> 1:
                    mask >>= 1


cdef inline uint32_t mixed(uint32_t high, uint32_t low) noexcept nogil:
    cdef uint32_t joined = (high & <uint32_t> 0x80000000) | (low & <uint32_t> 0x7FFFFFFF)
    return joined >> 1 ^ (<uint32_t> 0 - (low & 1) & <uint32_t> 0x9908B0DF)


cdef void twist(uint32_t *state) noexcept nogil:
    """The next 624 words."""
    cdef int i
    for i in range(WORDS - AHEAD):
        state[i] = state[i + AHEAD] ^ mixed(state[i], state[i + 1])
    for i in range(WORDS - AHEAD, WORDS - 1):
        state[i] = state[i + AHEAD - WORDS] ^ mixed(state[i], state[i + 1])
    state[WORDS - 1] = state[AHEAD - 1] ^ mixed(state[WORDS - 1], state[0])


cdef inline uint32_t temper(uint32_t word) noexcept nogil:
    word ^= word >> 11
    word ^= word << 7 & <uint32_t> 0x9D2C5680
    word ^= word << 15 & <uint32_t> 0xEFC60000
    return word ^ word >> 18


cdef uint32_t bits_of(uint32_t value) noexcept nogil:
    """The smallest 2^b - 1 that is not below a value."""
    cdef uint32_t mask = 0
    while mask < value:
        mask = mask << 1 | 1
    return mask


def head_of_shuffle(int32_t[::1] targets, int32_t[::1] head):
    """What the shuffle of 0..n-1 that swaps place i with targets[i], i = n-1..1, puts first.

    Follows the first places backwards through the swaps. A place that is behind
    takes no more part, so its target makes room for the entry of `head` that is
    there now; a bit in the cache tells whether there is one.
    """
    cdef Py_ssize_t size = head.shape[0], i, target
    cdef uint8_t[::1] followed = np.zeros((targets.shape[0] + 7) // 8, np.uint8)
    cdef int32_t entry
    with nogil:
        for i in range(size):
            head[i] = <int32_t> i
        for i in range(size):
            target = targets[i] if i else 0
            entry = head[i]
            head[i] = head[target]
            head[target] = entry
        for i in range(size):
            targets[i] = head[i]
            followed[i >> 3] |= <uint8_t> (1 << (i & 7))
        for i in range(size, targets.shape[0]):
            target = targets[i]
            if followed[target >> 3] >> (target & 7) & 1 and target != i:
                followed[target >> 3] &= <uint8_t> ~(1 << (target & 7))
                followed[i >> 3] |= <uint8_t> (1 << (i & 7))
                targets[i] = targets[target]
        for i in range(targets.shape[0]):
            if followed[i >> 3] >> (i & 7) & 1:
                head[targets[i]] = <int32_t> i


def squared_distances(const double[:, ::1] queries, const double[:, ::1] planes,
                      double[:, ::1] distances):
    """Squared distance from each query to each point; `planes` is (dimensions, points)."""
    cdef Py_ssize_t i, j, k
    cdef double difference, place
    with nogil:
        for i in range(queries.shape[0]):
            distances[i] = 0
            for k in range(planes.shape[0]):
                place = queries[i, k]
                for j in range(planes.shape[1]):
                    difference = planes[k, j] - place
                    distances[i, j] += difference * difference
