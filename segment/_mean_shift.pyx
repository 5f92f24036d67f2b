# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True, embedsignature=True
"""The loops of mean shift: the tree, the climb, the nearest mode.

No checks and no defaults: `modes.py` validates, casts and allocates.
"""
cimport cython
from libc.math cimport INFINITY, sqrt
from libc.stdint cimport int32_t, uint8_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

import numpy as np

cdef extern from "_ball.h" nogil:
    enum: LANES
    ctypedef struct tree_t:
        int dim
        int32_t bottom, root
        const int32_t *child
        const double *point
        const double *weight
        const double *low
        const double *high
        const double *sum
        const double *total
    double ball(const tree_t *tree, const double *center, double radius2,
                int32_t *list, int32_t *next, double *lanes, double *sum)
    void box_distances(const double *low, const double *high, const double *center, int dim,
                       double *nearest, double *farthest)
    void point_distances(const double *point, const double *center, int dim, double *distance)


cdef class Tree:
    """Weighted points in groups of LANES, boxes over those, boxes over these, up to one root.

    Points are taken in the order given. Neighbours in the array should be
    neighbours in space; a ball's weight and the sum of whole numbers are the same
    in any order, only the time differs.
    """
    cdef tree_t c
    cdef readonly Py_ssize_t size
    cdef readonly int dim
    cdef Py_ssize_t groups
    cdef tuple arrays

    @cython.wraparound(True)
    def __cinit__(self, const double[:, ::1] points, const double[::1] weights):
        cdef const double[:, :, ::1] point, low, high, sum_
        cdef const double[:, ::1] weight, total
        cdef const int32_t[::1] child
        self.size, self.dim = points.shape[0], <int> points.shape[1]
        points_in_lanes, weights_in_lanes = in_lanes(points, weights)
        self.groups = len(weights_in_lanes)
        levels = [boxes_over(points_in_lanes, points_in_lanes,
                             points_in_lanes * weights_in_lanes[:, None], weights_in_lanes)]
        children, below = [LANES * np.arange(len(levels[0][0]), dtype=np.int32)], 0
        while len(levels[-1][0]) > 1:
            low, high, sum_, total = levels[-1]
            levels.append(boxes_over(low, high, sum_, total))
            children.append(below + LANES * np.arange(len(levels[-1][0]), dtype=np.int32))
            below += low.shape[0]
        low, high, sum_, total = boxes = [np.concatenate(parts) for parts in zip(*levels)]
        child = firsts = np.concatenate(children)
        point, weight = points_in_lanes, weights_in_lanes
        self.arrays = (points_in_lanes, weights_in_lanes, boxes, firsts)  # keeps them alive
        self.c = tree_t(
            dim=self.dim, bottom=<int32_t> len(levels[0][0]), root=<int32_t> low.shape[0] - 1,
            child=&child[0], point=&point[0, 0, 0], weight=&weight[0, 0], low=&low[0, 0, 0],
            high=&high[0, 0, 0], sum=&sum_[0, 0, 0], total=&total[0, 0])


cdef in_lanes(const double[:, ::1] points, const double[::1] weights):
    """Points as (groups, dim, LANES), filled up with the last one at weight 0."""
    cdef Py_ssize_t size = points.shape[0], dim = points.shape[1], i, k
    cdef Py_ssize_t groups = (size + LANES - 1) // LANES
    point_array, weight_array = np.empty((groups, dim, LANES)), np.zeros((groups, LANES))
    cdef double[:, :, ::1] point = point_array
    cdef double[:, ::1] weight = weight_array
    with nogil:
        for i in range(groups * LANES):
            for k in range(dim):
                point[i // LANES, k, i % LANES] = points[min(i, size - 1), k]
            if i < size:
                weight[i // LANES, i % LANES] = weights[i]
    return point_array, weight_array


cdef boxes_over(const double[:, :, ::1] low, const double[:, :, ::1] high,
                const double[:, :, ::1] sum_, const double[:, ::1] total):
    """One box over each group, in groups of LANES, filled up with boxes infinitely far away."""
    cdef Py_ssize_t size = total.shape[0], dim = low.shape[1], i, k, j
    cdef Py_ssize_t groups = (size + LANES - 1) // LANES
    arrays = (np.full((groups, dim, LANES), np.inf), np.full((groups, dim, LANES), np.inf),
              np.zeros((groups, dim, LANES)), np.zeros((groups, LANES)))
    cdef double[:, :, ::1] box_low = arrays[0], box_high = arrays[1], box_sum = arrays[2]
    cdef double[:, ::1] box_total = arrays[3]
    cdef double smallest, largest, all_
    with nogil:
        for i in range(size):
            for k in range(dim):
                smallest, largest, all_ = INFINITY, -INFINITY, 0
                for j in range(LANES):
                    smallest = min(smallest, low[i, k, j])
                    if high[i, k, j] < INFINITY:
                        largest = max(largest, high[i, k, j])
                    all_ += sum_[i, k, j]
                box_low[i // LANES, k, i % LANES] = smallest
                box_high[i // LANES, k, i % LANES] = largest
                box_sum[i // LANES, k, i % LANES] = all_
            for j in range(LANES):
                box_total[i // LANES, i % LANES] += total[i, j]
    return arrays


cdef class Scratch:
    """Room for one thread's walk over a tree."""
    cdef int32_t *list
    cdef int32_t *next
    cdef double *lanes

    def __cinit__(self, Tree tree):
        self.list = <int32_t *> malloc((tree.groups + LANES) * sizeof(int32_t))
        self.next = <int32_t *> malloc((tree.groups + LANES) * sizeof(int32_t))
        self.lanes = <double *> malloc((tree.dim + 1) * LANES * sizeof(double))
        if not (self.list and self.next and self.lanes):
            raise MemoryError

    def __dealloc__(self):
        free(self.list)
        free(self.next)
        free(self.lanes)


cdef class Paths:
    """Every position that a thread has climbed from, and the step that leads on from it.

    A half to two thirds of all steps start where an earlier climb has been, bit for
    bit. Records are (position, mean, weight), found by open addressing.
    """
    cdef int dim, width
    cdef Py_ssize_t count, room, slots
    cdef double *records
    cdef int32_t *table

    def __cinit__(self, Tree tree):
        self.dim, self.width = tree.dim, 2 * tree.dim + 1
        self.room, self.slots = 1024, 2048
        self.records = <double *> malloc(self.room * self.width * sizeof(double))
        self.table = <int32_t *> malloc(self.slots * sizeof(int32_t))
        if not (self.records and self.table):
            raise MemoryError
        memset(self.table, 255, self.slots * sizeof(int32_t))

    def __dealloc__(self):
        free(self.records)
        free(self.table)

    cdef Py_ssize_t slot(self, const double *position) noexcept nogil:
        """The slot that holds this position, or the empty one where it belongs."""
        cdef uint64_t bits, hashed = 0
        cdef Py_ssize_t i
        cdef int k
        for k in range(self.dim):
            memcpy(&bits, position + k, sizeof(bits))
            hashed = (hashed ^ bits) * <uint64_t> 0x9E3779B97F4A7C15
            hashed ^= hashed >> 29
        i = <Py_ssize_t> (hashed & <uint64_t> (self.slots - 1))
        while self.table[i] >= 0 and memcmp(
                self.records + <Py_ssize_t> self.table[i] * self.width, position,
                self.dim * sizeof(double)):
            i = (i + 1) & (self.slots - 1)
        return i

    cdef double *record(self, const double *position, bint *known) except NULL nogil:
        """The record of this position; a new one has only the position in it."""
        cdef double *found
        cdef Py_ssize_t i = self.slot(position)
        known[0] = self.table[i] >= 0
        if not known[0]:
            if self.count == self.room:
                self.grow()
                i = self.slot(position)
            self.table[i] = <int32_t> self.count
            self.count += 1
        found = self.records + <Py_ssize_t> self.table[i] * self.width
        if not known[0]:
            memcpy(found, position, self.dim * sizeof(double))
        return found

    cdef int grow(self) except -1 nogil:
        """Make room for twice as many records; the table stays at most half full."""
        cdef double *records = <double *> realloc(
            self.records, 2 * self.room * self.width * sizeof(double))
        cdef int32_t *table = <int32_t *> malloc(2 * self.slots * sizeof(int32_t))
        cdef Py_ssize_t i
        if records:
            self.records = records
        if not (records and table):
            free(table)
            raise MemoryError
        free(self.table)
        self.table = table
        self.room, self.slots = 2 * self.room, 2 * self.slots
        memset(self.table, 255, self.slots * sizeof(int32_t))
        for i in range(self.count):
            self.table[self.slot(self.records + i * self.width)] = <int32_t> i
        return 0


cdef class Queue:
    """Hands out the seeds to the threads one by one: climbs differ a hundredfold in length."""
    cdef cython.pymutex lock
    cdef Py_ssize_t next, size

    def __cinit__(self, Py_ssize_t size):
        self.next, self.size = 0, size

    cdef Py_ssize_t take(self) noexcept nogil:
        """The next seed, or the number of seeds if there is none left."""
        with self.lock:
            self.next = min(self.next + 1, self.size + 1)
            return self.next - 1


def climb(Tree tree, const double[:, ::1] seeds, double bandwidth, int32_t max_iter, Queue queue,
          double[:, ::1] ends, double[::1] weights, int32_t[::1] n_iter):
    """Climb from the seeds that the queue hands out.

    Writes for each seed its last mean, the weight in the ball that gave it (0: the
    first ball was empty, there is no mean) and the number of moves before the last.
    """
    cdef Scratch scratch = Scratch(tree)
    cdef Paths paths = Paths(tree)
    cdef Py_ssize_t i
    with nogil:
        while True:
            i = queue.take()
            if i == seeds.shape[0]:
                break
            n_iter[i] = climb_from(tree, &seeds[i, 0], bandwidth, max_iter, scratch, paths,
                                   &ends[i, 0], &weights[i])


cdef int32_t climb_from(Tree tree, const double *seed, double bandwidth, int32_t max_iter,
                        Scratch scratch, Paths paths, double *end,
                        double *weight) except -1 nogil:
    cdef double *step
    cdef double moved2
    cdef int32_t moves = 0
    cdef bint known = False
    cdef int k, dim = tree.dim
    memcpy(end, seed, dim * sizeof(double))
    while True:
        step = paths.record(end, &known)
        if not known:
            step[2 * dim] = ball(&tree.c, end, bandwidth * bandwidth, scratch.list, scratch.next,
                                 scratch.lanes, step + dim)
            for k in range(dim):
                step[dim + k] /= step[2 * dim] if step[2 * dim] else 1
            if bandwidth == 0:  # all points in the ball equal its centre, but not w x / w
                memcpy(step + dim, step, dim * sizeof(double))
        weight[0] = step[2 * dim]
        if weight[0] == 0:
            return moves
        moved2 = 0
        for k in range(dim):
            moved2 += (step[dim + k] - step[k]) * (step[dim + k] - step[k])
        memcpy(end, step + dim, dim * sizeof(double))
        if sqrt(moved2) <= 1e-3 * bandwidth or moves == max_iter:
            return moves
        moves += 1


cdef int32_t groups_near(Tree tree, const double *center, double radius2,
                         Scratch scratch) noexcept nogil:
    """List the groups of points whose boxes reach into the ball; return how many."""
    cdef double nearest[LANES]
    cdef double farthest[LANES]
    cdef int32_t length = 1, opened, i
    cdef Py_ssize_t first
    cdef bint at_bottom = False
    cdef int j
    scratch.list[0] = tree.c.root
    while length and not at_bottom:
        at_bottom = scratch.list[0] < tree.c.bottom
        opened = 0
        for i in range(length):
            first = <Py_ssize_t> scratch.list[i] * tree.dim * LANES
            box_distances(tree.c.low + first, tree.c.high + first, center, tree.dim,
                          nearest, farthest)
            for j in range(LANES):
                if nearest[j] <= radius2 and tree.c.low[first + j] < INFINITY:
                    scratch.next[opened] = tree.c.child[scratch.list[i]] + j
                    opened += 1
        scratch.list, scratch.next = scratch.next, scratch.list
        length = opened
    return length


def suppress(Tree tree, const int32_t[::1] rank, const double[:, ::1] modes, double bandwidth,
             uint8_t[::1] kept):
    """Let each mode that is still kept, in order, remove the later ones within the bandwidth.

    The tree holds the modes in an order of its own: its i-th point is mode `rank[i]`.
    """
    cdef Scratch scratch = Scratch(tree)
    cdef double distance[LANES]
    cdef double radius2 = bandwidth * bandwidth
    cdef Py_ssize_t mode, place
    cdef int32_t i
    cdef int j
    with nogil:
        for mode in range(modes.shape[0]):
            if not kept[mode]:
                continue
            for i in range(groups_near(tree, &modes[mode, 0], radius2, scratch)):
                place = <Py_ssize_t> scratch.list[i] * LANES
                point_distances(tree.c.point + place * tree.dim, &modes[mode, 0], tree.dim,
                                distance)
                for j in range(LANES):
                    if place + j < tree.size and distance[j] <= radius2:
                        kept[rank[place + j]] = rank[place + j] == mode


def nearest(Tree tree, const double[:, ::1] modes, int32_t[::1] labels, double[::1] distances2):
    """The nearest mode of each point of the tree, the first at a tie, and its distance, squared.

    Boxes pass down only those modes that can be nearest to a point in them: the
    filtering algorithm of Kanungo et al. (PAMI 2002), there for k-means.
    """
    cdef Py_ssize_t count = modes.shape[0], levels = 2, width = LANES
    cdef int32_t[::1] candidates
    cdef double[::1] bounds = np.empty(count)
    cdef Py_ssize_t i
    while width < tree.size:
        width, levels = width * LANES, levels + 1
    candidates = np.empty(levels * count, dtype=np.int32)
    with nogil:
        for i in range(count):
            candidates[i] = <int32_t> i
        filter_modes(tree, tree.c.root, &modes[0, 0], &candidates[0], count, &bounds[0],
                     &labels[0], &distances2[0])


cdef void filter_modes(Tree tree, int32_t group, const double *modes, int32_t *candidates,
                       Py_ssize_t count, double *bounds, int32_t *labels,
                       double *distances2) noexcept nogil:
    """Pass to each child of a group the candidates that no other candidate rules out for it."""
    cdef int32_t *passed = candidates + count
    cdef int32_t child
    cdef Py_ssize_t first = <Py_ssize_t> group * tree.dim * LANES, i, passing
    cdef double smallest, farthest
    cdef int j
    for j in range(LANES):
        if tree.c.low[first + j] == INFINITY:
            continue
        smallest = INFINITY
        for i in range(count):
            bounds[i] = lane_distance(
                tree, first + j, modes + <Py_ssize_t> candidates[i] * tree.dim, &farthest)
            smallest = min(smallest, farthest)
        passing = 0
        for i in range(count):
            passed[passing] = candidates[i]
            passing += bounds[i] <= smallest
        child = tree.c.child[group] + j
        if group < tree.c.bottom:
            choose_modes(tree, child, modes, passed, passing, labels, distances2)
        else:
            filter_modes(tree, child, modes, passed, passing, bounds, labels, distances2)


cdef double lane_distance(Tree tree, Py_ssize_t lane, const double *mode,
                          double *farthest) noexcept nogil:
    """Squared distances from a mode to the nearest and the farthest place in one box."""
    cdef double below, above, outside, near2 = 0
    cdef int k
    farthest[0] = 0
    for k in range(tree.dim):
        below = tree.c.low[lane + k * LANES] - mode[k]
        above = mode[k] - tree.c.high[lane + k * LANES]
        outside = max(below, above, 0.0)
        near2 += outside * outside
        farthest[0] += min(below, above) * min(below, above)
    return near2


cdef void choose_modes(Tree tree, int32_t group, const double *modes, const int32_t *candidates,
                       Py_ssize_t count, int32_t *labels, double *distances2) noexcept nogil:
    """Compare the candidates, in ascending order, at each point of a group."""
    cdef double distance[LANES]
    cdef double best[LANES]
    cdef int32_t label[LANES]
    cdef Py_ssize_t i, first = <Py_ssize_t> group * LANES
    cdef int j
    for i in range(count):
        point_distances(tree.c.point + first * tree.dim,
                        modes + <Py_ssize_t> candidates[i] * tree.dim, tree.dim, distance)
        for j in range(LANES):
            if i == 0 or distance[j] < best[j]:
                best[j] = distance[j]
                label[j] = candidates[i]
    for j in range(min(LANES, tree.size - first)):
        labels[first + j] = label[j]
        distances2[first + j] = best[j]
