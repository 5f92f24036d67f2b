# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True, embedsignature=True
"""Points in a tree of boxes: the mean in a ball, the nearest mode.

No checks and no defaults: `tree.py` and `modes.py` validate, cast and allocate.
"""
cimport cython
from libc.math cimport INFINITY
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from segment.meanshift._climb cimport Walk
from segment.meanshift._instructions cimport chosen_set

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
    ctypedef double (*ball_t)(const tree_t *tree, const double *center, double bandwidth2,
                              int gaussian, int32_t *list, int32_t *next, double *room,
                              double *sum)
    const ball_t *BALLS
    void pack_bits()
    void box_distances(const double *low, const double *high, const double *center, int dim,
                       double *nearest)
    void point_distances(const double *point, const double *center, int dim, double *distance)

cdef ball_t ball = BALLS[chosen_set()]
pack_bits()


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
        cdef const int32_t[:, ::1] child
        self.size, self.dim = points.shape[0], <int> points.shape[1]
        points_in_lanes, weights_in_lanes = in_lanes(points, weights)
        self.groups = len(weights_in_lanes)
        weighted = np.ascontiguousarray(
            (points_in_lanes * weights_in_lanes[:, None]).transpose(0, 2, 1))
        levels = [boxes_over(points_in_lanes, points_in_lanes, weighted, weights_in_lanes)]
        children, below = [np.arange(LANES * len(levels[0][0]), dtype=np.int32)], 0
        while len(levels[-1][0]) > 1:
            low, high, sum_, total = levels[-1]
            levels.append(boxes_over(low, high, sum_, total))
            children.append(below + np.arange(LANES * len(levels[-1][0]), dtype=np.int32))
            below += low.shape[0]
        low, high, sum_, total = boxes = [np.concatenate(parts) for parts in zip(*levels)]
        child = numbers = np.concatenate(children).reshape(-1, LANES)
        point, weight = points_in_lanes, weights_in_lanes
        self.arrays = (points_in_lanes, weights_in_lanes, boxes, numbers)  # keeps them alive
        self.c = tree_t(
            dim=self.dim, bottom=<int32_t> len(levels[0][0]), root=<int32_t> low.shape[0] - 1,
            child=&child[0, 0], point=&point[0, 0, 0], weight=&weight[0, 0], low=&low[0, 0, 0],
            high=&high[0, 0, 0], sum=&sum_[0, 0, 0], total=&total[0, 0])

    @property
    def units(self):
        return 1.0

    def walk(self, double bandwidth, bint gaussian):
        """A walk for one thread."""
        return TreeWalk(self, bandwidth, gaussian)


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
              np.zeros((groups, LANES, dim)), np.zeros((groups, LANES)))
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
                    all_ += sum_[i, j, k]
                box_low[i // LANES, k, i % LANES] = smallest
                box_high[i // LANES, k, i % LANES] = largest
                box_sum[i // LANES, i % LANES, k] = all_
            for j in range(LANES):
                box_total[i // LANES, i % LANES] += total[i, j]
    return arrays


cdef class Scratch:
    """Room for one thread's walk over a tree."""
    cdef int32_t *list
    cdef int32_t *next
    cdef double *room

    def __cinit__(self, Tree tree):
        self.list = <int32_t *> malloc((tree.groups + LANES) * sizeof(int32_t))
        self.next = <int32_t *> malloc((tree.groups + LANES) * sizeof(int32_t))
        self.room = <double *> malloc((2 * tree.dim + 4) * LANES * sizeof(double))
        if not (self.list and self.next and self.room):
            raise MemoryError

    def __dealloc__(self):
        free(self.list)
        free(self.next)
        free(self.room)


cdef class TreeWalk(Walk):
    """A walk over the points of a tree."""
    cdef Tree tree
    cdef Scratch scratch
    cdef bint gaussian

    def __init__(self, Tree tree, double bandwidth, bint gaussian):
        Walk.__init__(self, tree.dim, bandwidth)
        self.tree, self.scratch = tree, Scratch(tree)
        self.gaussian = gaussian and bandwidth > 0

    cdef double step(self, const double *center, double *mean) noexcept nogil:
        cdef double weight
        cdef int k
        weight = ball(&self.tree.c, center, self.bandwidth * self.bandwidth, self.gaussian,
                      self.scratch.list, self.scratch.next, self.scratch.room, mean)
        for k in range(self.dim):
            mean[k] /= weight if weight else 1
        if self.bandwidth == 0:  # all points in the ball equal its centre, but not w x / w
            memcpy(mean, center, self.dim * sizeof(double))
        return weight


def add_balls(Tree tree, const double[:, ::1] centers, double bandwidth, double[:, ::1] sums):
    """Add to each row of sums those of the points in the ball around a place, and their weight."""
    cdef Scratch scratch = Scratch(tree)
    cdef double[::1] own = np.empty(tree.dim)
    cdef Py_ssize_t i
    cdef int k
    with nogil:
        for i in range(centers.shape[0]):
            sums[i, tree.dim] += ball(&tree.c, &centers[i, 0], bandwidth * bandwidth, False,
                                      scratch.list, scratch.next, scratch.room, &own[0])
            for k in range(tree.dim):
                sums[i, k] += own[k]


def add_boxes(const double[:, ::1] low, const double[:, ::1] high, const double[:, ::1] box_sums,
              const double[:, ::1] places, double bandwidth, uint8_t[::1] cut,
              double[:, ::1] sums):
    """Mark boxes that the surface of a ball may pass through; add the others that lie inside."""
    cdef double radius2 = bandwidth * bandwidth, farthest
    cdef Py_ssize_t i, place
    cdef int k, width = <int> box_sums.shape[1]
    with nogil:
        for i in range(low.shape[0]):
            cut[i] = False
            for place in range(places.shape[0]):
                if (box_distance(&low[i, 0], &high[i, 0], 1, &places[place, 0], width - 1,
                                 &farthest) <= radius2 < farthest):
                    cut[i] = True
                    break
            if cut[i]:
                continue
            for place in range(places.shape[0]):
                box_distance(&low[i, 0], &high[i, 0], 1, &places[place, 0], width - 1, &farthest)
                if farthest <= radius2:
                    for k in range(width):
                        sums[place, k] += box_sums[i, k]


cdef int32_t groups_near(Tree tree, const double *center, double radius2,
                         Scratch scratch) noexcept nogil:
    """List the groups of points whose boxes reach into the ball; return how many."""
    cdef double nearest[LANES]
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
            box_distances(tree.c.low + first, tree.c.high + first, center, tree.dim, nearest)
            for j in range(LANES):  # without a branch, which would go either way
                scratch.next[opened] = tree.c.child[scratch.list[i] * LANES + j]
                opened += (nearest[j] <= radius2) & (tree.c.low[first + j] < INFINITY)
        scratch.list, scratch.next = scratch.next, scratch.list
        length = opened
    return length


def suppress(Tree tree, const Py_ssize_t[::1] rank, double bandwidth, uint8_t[::1] kept,
             int32_t[::1] owner):
    """Let each place that is still kept, in the order of rank, remove the others within reach.

    Each place gets the number, among the kept, of the nearest of them; the first at a tie. A place
    that is not decided upon (2 in `kept`) removes none, but leaves those within reach undecided.
    """
    cdef Scratch scratch = Scratch(tree)
    cdef double distance[LANES]
    cdef int32_t within[LANES]
    cdef double[::1] best = np.full(tree.size, np.inf), center = np.empty(tree.dim)
    cdef double radius2 = bandwidth * bandwidth
    cdef Py_ssize_t r, place, group
    cdef int32_t i, number = 0
    cdef int j, k, found
    with nogil:
        for r in range(rank.shape[0]):
            if not kept[rank[r]]:
                continue
            for k in range(tree.dim):
                center[k] = tree.c.point[(rank[r] // LANES * tree.dim + k) * LANES
                                         + rank[r] % LANES]
            for i in range(groups_near(tree, &center[0], radius2, scratch)):
                group = scratch.list[i]
                point_distances(tree.c.point + group * LANES * tree.dim, &center[0], tree.dim,
                                distance)
                found = 0
                for j in range(<int> min(LANES, tree.size - group * LANES)):
                    within[found] = j  # without a branch: few are, here and there
                    found += distance[j] <= radius2
                for j in within[:found]:
                    place = group * LANES + j
                    if kept[rank[r]] == 2:
                        if kept[place] == 1:
                            kept[place] = 2
                        continue
                    kept[place] = place == rank[r]
                    if distance[j] < best[place]:
                        best[place], owner[place] = distance[j], number
            number += kept[rank[r]] == 1


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
            bounds[i] = box_distance(
                tree.c.low + first + j, tree.c.high + first + j, LANES,
                modes + <Py_ssize_t> candidates[i] * tree.dim, tree.dim, &farthest)
            smallest = min(smallest, farthest)
        passing = 0
        for i in range(count):
            passed[passing] = candidates[i]
            passing += bounds[i] <= smallest
        child = tree.c.child[group * LANES + j]
        if group < tree.c.bottom:
            choose_modes(tree, child, modes, passed, passing, labels, distances2)
        else:
            filter_modes(tree, child, modes, passed, passing, bounds, labels, distances2)


cdef inline double box_distance(const double *low, const double *high, Py_ssize_t stride,
                                const double *place, int dim, double *farthest) noexcept nogil:
    """Squared distances to the nearest and the farthest place in a box: rounded as those of points
    are, which they bound to the last bit."""
    cdef double below, above, outside, near2 = 0
    cdef int k
    farthest[0] = 0
    for k in range(dim):
        below = low[k * stride] - place[k]
        above = place[k] - high[k * stride]
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
