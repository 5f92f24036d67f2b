# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: embedsignature=True
"""The first entries of a random permutation, and distances in a sample."""
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

import numpy as np

cdef enum:
    WORDS = 624  # state of the generator
    AHEAD = 397
    SPARSE = 16  # buckets for each place that is followed: few others look into a chain

ctypedef struct generator_t:
    uint32_t[WORDS] state
    uint32_t[WORDS] words  # that come of it
    int next

ctypedef struct followed_t:
    int64_t *places     # where each entry stands
    int32_t *following  # the next entry of the same bucket, -1 for none
    int32_t *buckets    # the first one of each
    int64_t mask


cdef void seed_generator(generator_t *generator, uint32_t seed) noexcept nogil:
    """MT19937 (Matsumoto and Nishimura, ACM TOMACS 1998), seeded as by `RandomState(seed)`.

    numpy.random itself takes 10 ms to import, draws through a function pointer, and
    Python's own holds the GIL.
    """
    cdef uint32_t *state = generator.state
    cdef int i
    state[0] = seed
    for i in range(1, WORDS):
        state[i] = <uint32_t> 1812433253 * (state[i - 1] ^ state[i - 1] >> 30) + <uint32_t> i
    generator.next = WORDS


cdef inline uint32_t mixed(uint32_t high, uint32_t low) noexcept nogil:
    cdef uint32_t joined = (high & <uint32_t> 0x80000000) | (low & <uint32_t> 0x7FFFFFFF)
    return joined >> 1 ^ (<uint32_t> 0 - (low & 1) & <uint32_t> 0x9908B0DF)


cdef void twist(generator_t *generator) noexcept nogil:
    """The next 624 words."""
    cdef uint32_t *state = generator.state
    cdef uint32_t word
    cdef int i
    for i in range(WORDS - AHEAD):
        state[i] = state[i + AHEAD] ^ mixed(state[i], state[i + 1])
    for i in range(WORDS - AHEAD, WORDS - 1):
        state[i] = state[i + AHEAD - WORDS] ^ mixed(state[i], state[i + 1])
    state[WORDS - 1] = state[AHEAD - 1] ^ mixed(state[WORDS - 1], state[0])
    for i in range(WORDS):
        word = state[i]
        word ^= word >> 11
        word ^= word << 7 & <uint32_t> 0x9D2C5680
        word ^= word << 15 & <uint32_t> 0xEFC60000
        generator.words[i] = word ^ word >> 18
    generator.next = 0


cdef inline uint64_t next_word(generator_t *generator) noexcept nogil:
    if generator.next == WORDS:
        twist(generator)
    generator.next += 1
    return generator.words[generator.next - 1]


cdef inline uint64_t bits_of(uint64_t value) noexcept nogil:
    """The smallest 2^b - 1 that is not below a value."""
    cdef uint64_t mask = 0
    while mask < value:
        mask = mask << 1 | 1
    return mask


cdef void draw_targets(generator_t *generator, int64_t place, int64_t low,
                       int64_t *targets) noexcept nogil:
    """Draw where NumPy's legacy shuffle swaps the places from `place` down to `low` to.

    Bits are masked to those of the place and drawn again until they are not beyond it: two
    words for a place beyond 32 bits, the upper half first. That of place p is `targets[p - low]`.
    """
    cdef uint64_t mask = bits_of(<uint64_t> place), word
    while place >= low and place >> 32:
        word = next_word(generator) << 32
        word = (word | next_word(generator)) & mask
        targets[place - low] = <int64_t> word
        place -= word <= <uint64_t> place
        if <uint64_t> place <= mask >> 1:
            mask >>= 1
    cdef uint32_t here = <uint32_t> place, last = <uint32_t> low, narrow = <uint32_t> mask, drawn
    cdef int i
    while place >= low:  # or else all of them were beyond 32 bits
        if generator.next == WORDS:
            twist(generator)
        for i in range(generator.next, WORDS):
            drawn = generator.words[i] & narrow
            targets[here - last] = drawn
            here -= drawn <= here
            if here <= narrow >> 1:
                narrow >>= 1
            if here < last:
                generator.next = i + 1
                return
        generator.next = WORDS


cdef void skip_targets(generator_t *generator, int64_t place, int64_t low) noexcept nogil:
    """Do the same and keep none: where no word of a state decides by less than there are words in
    it, which is nearly always, it is enough to count those that are taken."""
    cdef uint64_t mask = bits_of(<uint64_t> place), word
    cdef uint32_t here, last = <uint32_t> low, narrow, drawn, sure, taken, unsure
    cdef int i
    while place >= low and place >> 32:
        word = next_word(generator) << 32
        word = (word | next_word(generator)) & mask
        place -= word <= <uint64_t> place
        if <uint64_t> place <= mask >> 1:
            mask >>= 1
    here, narrow = <uint32_t> place, <uint32_t> mask
    while place >= low:
        if generator.next == WORDS:
            twist(generator)
        if generator.next == 0 and here > last + WORDS and here - WORDS > narrow >> 1:
            sure, taken, unsure = here - WORDS, 0, 0
            for i in range(WORDS):
                drawn = generator.words[i] & narrow
                taken += drawn <= sure
                unsure |= <uint32_t> (drawn > sure) & <uint32_t> (drawn <= here)
            if not unsure:
                here -= taken
                generator.next = WORDS
                continue
        for i in range(generator.next, WORDS):
            here -= (generator.words[i] & narrow) <= here
            if here <= narrow >> 1:
                narrow >>= 1
            if here < last:
                generator.next = i + 1
                return
        generator.next = WORDS


def first_targets(uint32_t seed, int64_t size, int64_t[::1] targets):
    """The first draws of the shuffle of so many, those of the last places; the last one last."""
    cdef generator_t generator
    with nogil:
        seed_generator(&generator, seed)
        draw_targets(&generator, size - 1, size - targets.shape[0], &targets[0])


def head_of_shuffle(uint32_t seed, int64_t size, int64_t block, int64_t[::1] head):
    """What NumPy's legacy shuffle of 0..size-1 puts first; `head` has fewer places than a block.

    The shuffle swaps places from the last down to place 1. The first ones are followed through it
    backwards, a block of places at a time, whose draws are made once more from the state of the
    generator that was kept where it came to the block: 5 KiB for each.
    """
    cdef Py_ssize_t blocks = (size + block - 1) // block, i
    cdef generator_t generator
    cdef generator_t *kept
    cdef int64_t[::1] targets = np.empty(block, np.int64)
    states = np.empty(blocks * sizeof(generator_t), np.uint8)
    cdef unsigned char[::1] room = states
    cdef int64_t low, end
    cdef followed_t followed
    places, following = np.empty(head.shape[0], np.int64), np.empty(head.shape[0], np.int32)
    mask = (1 << int(SPARSE * head.shape[0]).bit_length()) - 1
    buckets = np.full(mask + 1, -1, np.int32)
    cdef int64_t[::1] places_view = places
    cdef int32_t[::1] following_view = following, buckets_view = buckets
    followed.places, followed.following = &places_view[0], &following_view[0]
    followed.buckets, followed.mask = &buckets_view[0], mask
    with nogil:
        kept = <generator_t *> &room[0]
        seed_generator(&generator, seed)
        for i in range(blocks - 1, -1, -1):
            memcpy(&kept[i], &generator, sizeof(generator_t))
            low, end = max(i * block, 1), min((i + 1) * block, size)
            if i:
                skip_targets(&generator, end - 1, low)
        for i in range(blocks):
            memcpy(&generator, &kept[i], sizeof(generator_t))
            low, end = max(i * block, 1), min((i + 1) * block, size)
            draw_targets(&generator, end - 1, low, &targets[0])
            if i == 0:
                begin(&followed, &targets[0], head)
                low, end = head.shape[0], end
                follow(&followed, &targets[head.shape[0] - 1], low, end)
            else:
                follow(&followed, &targets[0], low, end)
        for i in range(head.shape[0]):
            head[i] = followed.places[i]


cdef void begin(followed_t *followed, const int64_t *targets, int64_t[::1] head) noexcept nogil:
    """Go back through the swaps of the first places among themselves; `targets` is from 1 on."""
    cdef Py_ssize_t i
    cdef int64_t entry, target
    for i in range(head.shape[0]):
        head[i] = i
    for i in range(1, head.shape[0]):
        target = targets[i - 1]
        entry = head[i]
        head[i] = head[target]
        head[target] = entry
    for i in range(head.shape[0]):
        enter(followed, <int32_t> head[i], i)


cdef inline void enter(followed_t *followed, int32_t entry, int64_t place) noexcept nogil:
    cdef int32_t *bucket = &followed.buckets[place & followed.mask]
    followed.places[entry] = place
    followed.following[entry] = bucket[0]
    bucket[0] = entry


cdef void follow(followed_t *followed, const int64_t *targets, int64_t low,
                 int64_t end) noexcept nogil:
    """Take entries that stand where a place was swapped to back to that place."""
    cdef int64_t place, target
    cdef int32_t entry
    cdef int32_t *link
    for place in range(low, end):
        target = targets[place - low]
        link = &followed.buckets[target & followed.mask]
        while link[0] >= 0 and followed.places[link[0]] != target:
            link = &followed.following[link[0]]
        entry = link[0]
        if entry >= 0:
            link[0] = followed.following[entry]
            enter(followed, entry, place)


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
