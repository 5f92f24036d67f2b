# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: embedsignature=True
"""The first entries of a random permutation, and distances in a sample."""
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from segment.meanshift._instructions cimport chosen_set

import numpy as np

cdef extern from "_shuffle.h" nogil:
    enum: WORDS
    const uint32_t UNSURE
    ctypedef struct generator_t:
        uint32_t state[WORDS]
        uint32_t words[WORDS]
        int next
    ctypedef void (*twist_t)(generator_t *generator) noexcept nogil
    ctypedef uint32_t (*count_t)(const uint32_t *words, uint32_t mask,
                                 uint32_t sure) noexcept nogil
    const twist_t *TWISTS
    const count_t *COUNTS
    int sieve(const uint32_t *words, uint32_t mask, uint32_t low, uint32_t span,
              const uint8_t *filter, uint32_t filter_mask, int32_t *passed)

cdef twist_t twist = TWISTS[chosen_set()]
cdef count_t count_taken = COUNTS[chosen_set()]

cdef enum:
    SPARSE = 16  # buckets for each place that is followed: few others look into a chain
    FILTER = 1 << 17  # bytes of a filter of places, at least: few others pass it
    LARGEST_FILTER = 1 << 22

ctypedef struct followed_t:
    int64_t *places     # where each entry stands
    int32_t *following  # the next entry of the same bucket, -1 for none
    int32_t *buckets    # the first one of each
    int64_t mask
    int32_t count
    uint8_t *filter     # 1 for the lower bits of the places of entries
    uint32_t filter_mask


cdef void seed_generator(generator_t *generator, uint32_t seed) noexcept nogil:
    """MT19937, seeded as by `RandomState(seed)`.

    numpy.random itself takes 10 ms to import, draws through a function pointer, and
    Python's own holds the GIL.
    """
    cdef uint32_t *state = generator.state
    cdef int i
    state[0] = seed
    for i in range(1, WORDS):
        state[i] = <uint32_t> 1812433253 * (state[i - 1] ^ state[i - 1] >> 30) + <uint32_t> i
    generator.next = WORDS


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
    cdef uint32_t here, last = <uint32_t> low, narrow, taken
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
        if is_plain(generator, here, last, narrow):
            taken = count_taken(generator.words, narrow, here - WORDS)
            if not taken & UNSURE:
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


cdef inline bint is_plain(const generator_t *generator, uint32_t here, uint32_t last,
                          uint32_t narrow) noexcept nogil:
    """Whether all words of a state are drawn for places that are masked alike."""
    return generator.next == 0 and here > last + WORDS and here - WORDS > narrow >> 1


cdef Py_ssize_t draw_followed(generator_t *generator, uint32_t here, uint32_t low,
                              const followed_t *followed, int64_t *places,
                              int64_t *targets) noexcept nogil:
    """Draw likewise for places below 2^32; keep those that matter, and return how many there are.

    Their targets are where an entry stands now, or may be put on the way: from `low` on.
    """
    cdef uint32_t narrow = <uint32_t> bits_of(here), taken, drawn
    cdef Py_ssize_t found = 0
    cdef int i
    while True:
        if generator.next == WORDS:
            twist(generator)
        if is_plain(generator, here, low, narrow):
            taken = count_taken(generator.words, narrow, here - WORDS)
            if not taken & UNSURE:
                found += pick(generator.words, narrow, here, low, followed, &places[found],
                              &targets[found])
                here -= taken
                generator.next = WORDS
                continue
        for i in range(generator.next, WORDS):
            drawn = generator.words[i] & narrow
            if drawn > here:
                continue
            if drawn >= low or link_to(followed, drawn)[0] >= 0:
                places[found], targets[found] = here, drawn
                found += 1
            here -= 1
            if here <= narrow >> 1:
                narrow >>= 1
            if here < low:
                generator.next = i + 1
                return found
        generator.next = WORDS


cdef Py_ssize_t pick(const uint32_t *words, uint32_t narrow, uint32_t here, uint32_t low,
                     const followed_t *followed, int64_t *places, int64_t *targets) noexcept nogil:
    """Do this for all words of a state, of which no one decides by less than there are of them."""
    cdef int32_t[WORDS + 1] passed
    cdef uint32_t sure = here - WORDS, drawn
    cdef int listed = sieve(words, narrow, low, sure - low, followed.filter, followed.filter_mask,
                            passed)
    cdef int i, counted = 0
    cdef Py_ssize_t found = 0
    for i in range(listed):
        drawn = words[passed[i]] & narrow
        if drawn > sure or (drawn < low and link_to(followed, drawn)[0] < 0):
            continue
        while counted < passed[i]:
            here -= (words[counted] & narrow) <= sure
            counted += 1
        places[found], targets[found] = here, drawn
        found += 1
    return found


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
    cdef int64_t[::1] targets = np.empty(block, np.int64), sources = np.empty(block, np.int64)
    states = np.empty(blocks * sizeof(generator_t), np.uint8)
    cdef unsigned char[::1] room = states
    cdef int64_t low, end, place
    cdef Py_ssize_t found
    cdef followed_t followed
    followed.count = head.shape[0]
    places, following = np.empty(head.shape[0], np.int64), np.empty(head.shape[0], np.int32)
    mask = (1 << int(SPARSE * head.shape[0]).bit_length()) - 1
    buckets = np.full(mask + 1, -1, np.int32)
    cdef int64_t[::1] places_view = places
    cdef int32_t[::1] following_view = following, buckets_view = buckets
    followed.places, followed.following = &places_view[0], &following_view[0]
    followed.buckets, followed.mask = &buckets_view[0], mask
    size_of_filter = min(LARGEST_FILTER, max(FILTER, SPARSE * (mask + 1)))
    cdef uint8_t[::1] filter_view = np.zeros(size_of_filter, np.uint8)
    followed.filter, followed.filter_mask = &filter_view[0], size_of_filter - 1
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
            if i and not (end - 1) >> 32:
                mark(&followed, 1)
                found = draw_followed(&generator, <uint32_t> (end - 1), <uint32_t> low, &followed,
                                      &sources[0], &targets[0])
                mark(&followed, 0)
                while found:
                    found -= 1
                    take_back(&followed, targets[found], sources[found])
                continue
            draw_targets(&generator, end - 1, low, &targets[0])
            if i == 0:
                begin(&followed, &targets[0], head)
                low = head.shape[0]
            for place in range(low, end):
                take_back(&followed, targets[place - max(i * block, 1)], place)
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


cdef inline int32_t *link_to(const followed_t *followed, int64_t place) noexcept nogil:
    """What leads to the entry that stands at a place, -1 if there is none."""
    cdef int32_t *link = &followed.buckets[place & followed.mask]
    while link[0] >= 0 and followed.places[link[0]] != place:
        link = &followed.following[link[0]]
    return link


cdef inline void take_back(followed_t *followed, int64_t target, int64_t place) noexcept nogil:
    """Put the entry that stands where a place was swapped to, if there is one, to that place."""
    cdef int32_t *link = link_to(followed, target)
    cdef int32_t entry = link[0]
    if entry >= 0:
        link[0] = followed.following[entry]
        enter(followed, entry, place)


cdef void mark(followed_t *followed, uint8_t value) noexcept nogil:
    """Write to the filter where entries stand."""
    cdef int32_t entry
    for entry in range(followed.count):
        followed.filter[followed.places[entry] & followed.filter_mask] = value


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
