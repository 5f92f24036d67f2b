# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True, embedsignature=True
"""The climb itself, on anything that tells the mean of the points around a place.

No checks and no defaults: `modes.py` validates, casts and allocates.
"""
cimport cython
from libc.math cimport sqrt
from libc.stdint cimport INT32_MAX, int32_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

import numpy as np

cdef enum:
    REMEMBERED = 7 << 10  # positions, which stay in the cache: paths meet soon or not at all


cdef class Walk:
    """One thread's walk over weighted points; its subclasses know the points and the kernel."""

    def __init__(self, int dim, double bandwidth):
        self.dim, self.bandwidth = dim, bandwidth
        self.unit = <double *> malloc(dim * sizeof(double))
        self.here = <double *> malloc(dim * sizeof(double))
        self.start = <double *> malloc((2 * dim + 3) * sizeof(double))
        if not (self.unit and self.here and self.start):
            raise MemoryError
        for k in range(dim):
            self.unit[k] = 1
        self.paths = Paths(dim)
        self.ends = Table(dim + 1)

    def __dealloc__(self):
        free(self.unit)
        free(self.here)
        free(self.start)

    cdef double step(self, const double *center, double *mean) noexcept nogil:
        """The weight around a place; where it is positive, the weighted mean goes to `mean`.

        Negative where the walk does not know all that is around it.
        """
        return 0


@cython.final
cdef class Paths:
    """Positions that a thread has climbed from of late, and the step that leads on from each.

    A third to two thirds of all steps start where an earlier climb has been, bit for
    bit. Records are (position, mean, weight, number of the end or -1, moves to it), found by
    open addressing. A slot is the number of a record, below bits of its hash, in 4 bytes: most of
    what a search takes is waiting for the slot, and so all of them stay in the cache.
    """

    def __cinit__(self, int dim):
        self.dim, self.width = dim, 2 * dim + 3
        self.room, self.bits = 1024, 11
        self.records = <double *> malloc(self.room * self.width * sizeof(double))
        self.table = <int32_t *> malloc(sizeof(int32_t) << self.bits)
        if not (self.records and self.table):
            raise MemoryError
        self.forget()

    def __dealloc__(self):
        free(self.records)
        free(self.table)

    cdef void forget(self) noexcept nogil:
        self.count = 0
        memset(self.table, 255, sizeof(int32_t) << self.bits)

    cdef uint64_t hashed(self, const double *position) noexcept nogil:
        cdef uint64_t bits, mixed = 0
        cdef int k
        for k in range(self.dim):
            memcpy(&bits, position + k, sizeof(bits))
            mixed = (mixed ^ bits) * <uint64_t> 0x9E3779B97F4A7C15
            mixed ^= mixed >> 29
        return mixed * <uint64_t> 0x9E3779B97F4A7C15

    cdef int32_t *slot(self, uint64_t hashed, const double *position) noexcept nogil:
        """The slot that holds this position, or the empty one, below 0, where it belongs."""
        cdef uint32_t i = <uint32_t> (hashed >> (64 - self.bits))
        cdef uint32_t last = (<uint32_t> 1 << self.bits) - 1
        cdef int32_t numbers = <int32_t> self.room - 1, tag = self.tag(hashed)
        while self.table[i] >= 0 and (self.table[i] & ~numbers != tag or memcmp(
                self.records + <Py_ssize_t> (self.table[i] & numbers) * self.width, position,
                self.dim * sizeof(double))):
            i = (i + 1) & last
        return self.table + i

    cdef inline int32_t tag(self, uint64_t hashed) noexcept nogil:
        """What of a hash stands in a slot."""
        return <int32_t> (hashed >> 8 & INT32_MAX) & ~(<int32_t> self.room - 1)

    cdef double *record(self, const double *position, int32_t moves,
                        bint *known) except NULL nogil:
        """The record of this position; a new one has only that, its moves so far, and no end."""
        cdef uint64_t hashed = self.hashed(position)
        cdef int32_t *slot = self.slot(hashed, position)
        cdef double *found
        known[0] = slot[0] >= 0
        if known[0]:
            return self.records + <Py_ssize_t> (slot[0] & (self.room - 1)) * self.width
        if self.count == self.room:
            self.grow()
            slot = self.slot(hashed, position)
        slot[0] = self.tag(hashed) | <int32_t> self.count
        found = self.records + self.count * self.width
        self.count += 1
        memcpy(found, position, self.dim * sizeof(double))
        found[2 * self.dim + 1], found[2 * self.dim + 2] = -1, moves
        return found

    cdef void lead_to(self, int32_t end, int32_t moves, Py_ssize_t first) noexcept nogil:
        """Note in the records from the first on where they lead, after how many moves in all."""
        cdef double *last
        cdef Py_ssize_t i
        for i in range(first, self.count):
            last = self.records + i * self.width + 2 * self.dim + 1
            last[0], last[1] = end, moves - last[1]

    cdef int grow(self) except -1 nogil:
        """Make room for twice as many records; the table stays at most half full."""
        cdef double *records = <double *> realloc(
            self.records, 2 * self.room * self.width * sizeof(double))
        cdef int32_t *table = <int32_t *> malloc(sizeof(int32_t) << (self.bits + 1))
        cdef const double *position
        cdef uint64_t hashed
        cdef Py_ssize_t i
        if records:
            self.records = records
        if not (records and table):
            free(table)
            raise MemoryError
        free(self.table)
        self.table = table
        self.room, self.bits = 2 * self.room, self.bits + 1
        memset(table, 255, sizeof(int32_t) << self.bits)
        for i in range(self.count):
            position = self.records + i * self.width
            hashed = self.hashed(position)
            self.slot(hashed, position)[0] = self.tag(hashed) | <int32_t> i
        return 0


cdef class Table:
    """Rows of doubles that grow in number."""

    def __cinit__(self, int width):
        self.width, self.count, self.room = width, 0, 256
        self.rows = <double *> malloc(self.room * width * sizeof(double))
        if not self.rows:
            raise MemoryError

    def __dealloc__(self):
        free(self.rows)

    cdef double *append(self) except NULL nogil:
        """Room for one more row."""
        cdef double *rows
        if self.count == self.room:
            rows = <double *> realloc(self.rows, 2 * self.room * self.width * sizeof(double))
            if not rows:
                with gil:
                    raise MemoryError
            self.rows, self.room = rows, 2 * self.room
        self.count += 1
        return self.rows + (self.count - 1) * self.width


cdef class Queue:
    """Deals seeds out to threads: climbs differ a hundredfold in length.

    Each thread begins with a share of neighbours, whose paths meet; one that is done
    takes from the far end of the largest share left.
    """
    cdef cython.pymutex lock
    cdef Py_ssize_t[::1] first, last

    @cython.wraparound(True)
    def __init__(self, Py_ssize_t size, Py_ssize_t threads):
        bounds = np.arange(threads + 1) * size // threads
        self.first, self.last = bounds[:-1].astype(np.intp), bounds[1:].astype(np.intp)

    cdef Py_ssize_t take(self, Py_ssize_t thread) noexcept nogil:
        """The next seed for a thread, or -1 if there is none left."""
        cdef Py_ssize_t i, most = 0
        with self.lock:
            if self.first[thread] < self.last[thread]:
                self.first[thread] += 1
                return self.first[thread] - 1
            for i in range(self.first.shape[0]):
                if self.last[i] - self.first[i] > self.last[most] - self.first[most]:
                    most = i
            if self.first[most] == self.last[most]:
                return -1
            self.last[most] -= 1
            return self.last[most]


def climb(Walk walk, double[:, ::1] places, int32_t max_iter, Queue queue, Py_ssize_t thread,
          int32_t[::1] which, int32_t[::1] moves, int32_t[::1] share):
    """Climb from the places that the queue deals out to this thread, after so many moves.

    Writes for each which of the thread's ends it came to (-1: its first ball was empty), the
    number of moves before the last, and whose it was. Where the walk does not know what is around
    a place on the way, the climb stops there (-2), and that place is written, too.
    """
    cdef Py_ssize_t i
    with nogil:
        while True:
            i = queue.take(thread)
            if i < 0:
                break
            if walk.paths.count > REMEMBERED:
                walk.paths.forget()
            moves[i] = climb_from(walk, &places[i, 0], moves[i], max_iter, &which[i])
            share[i] = <int32_t> thread


def ends_of(Walk walk):
    """What the walk has come to: rows of a place and the weight in the ball that gave it."""
    if not walk.ends.count:
        return np.empty((0, walk.dim + 1))
    return np.asarray(<double[:walk.ends.count, :walk.ends.width]> walk.ends.rows).copy()


cdef int32_t climb_from(Walk walk, double *place, int32_t moves, int32_t max_iter,
                        int32_t *which) except -1 nogil:
    """Climb on; from a place whose end is known, and within `max_iter`, take that."""
    cdef double *step
    cdef double moved2
    cdef Py_ssize_t first = walk.paths.count
    cdef bint known = False, stays
    cdef int k, dim = walk.dim
    memcpy(walk.here, place, dim * sizeof(double))
    while True:
        if moves:
            step = walk.paths.record(walk.here, moves, &known)
        else:  # a seed: others hardly ever pass it
            step = walk.start
            memcpy(step, place, dim * sizeof(double))
        if not known:
            step[2 * dim] = walk.step(step, step + dim)
        elif step[2 * dim + 1] >= 0 and moves + step[2 * dim + 2] <= max_iter:
            moves += <int32_t> step[2 * dim + 2]
            which[0] = <int32_t> step[2 * dim + 1]
            walk.paths.lead_to(which[0], moves, first)
            return moves
        if step[2 * dim] <= 0:
            which[0] = -1 if step[2 * dim] == 0 else -2
            memcpy(place, step, dim * sizeof(double))
            return moves
        moved2 = 0
        for k in range(dim):
            moved2 += ((step[dim + k] - step[k]) / walk.unit[k]
                       * ((step[dim + k] - step[k]) / walk.unit[k]))
        stays = sqrt(moved2) <= 1e-3 * walk.bandwidth
        if stays or moves == max_iter:
            which[0] = <int32_t> walk.ends.count
            memcpy(walk.ends.append(), step + dim, (dim + 1) * sizeof(double))
            if stays:
                walk.paths.lead_to(which[0], moves, first)
            return moves
        memcpy(walk.here, step + dim, dim * sizeof(double))
        moves += 1
