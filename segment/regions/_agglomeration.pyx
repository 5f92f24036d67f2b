# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True, embedsignature=True
"""The loops that merge the cheapest pair of adjacent regions, again and again.

Each region knows its cheapest neighbour, and a heap holds one entry a region, so that memory does
not grow with the merges. No checks and no defaults: `agglomeration.py` validates and allocates.
"""
from libc.math cimport sqrt
from libc.stdint cimport int32_t, uint8_t

import numpy as np

from segment.regions._regions cimport root_of


ctypedef struct graph_t:
    int32_t *parents
    int32_t *target      # of each half of a border, the region on its other side at first
    int32_t *following   # the next half of the same region; -1 at the end
    int32_t *first       # of each region
    int32_t *last
    uint8_t *gone        # borders that became part of another
    double *strength     # of each border, summed up
    double *length
    double *features     # summed up over the pixels of each region
    Py_ssize_t channels
    double *size
    double total
    double weight
    double enough
    int roots


ctypedef struct heap_t:
    int32_t *regions
    int32_t *place       # of each region in the heap
    int32_t *partner     # its cheapest neighbour; -1 if it has none
    double *cost
    Py_ssize_t count


def merge_pairs(const int32_t[:, ::1] borders, double[::1] strength, double[::1] length,
                double[:, ::1] features, double[::1] size, double total, double weight,
                double enough, int roots, Py_ssize_t most, double[:, ::1] merges):
    """Write up to `most` rows (node, node, height, size); return how many there are.

    Everything that comes in as sums is brought up to date in place.
    """
    cdef Py_ssize_t count = size.shape[0], half, row = 0
    cdef int32_t[::1] parents = np.arange(count, dtype=np.int32), node = parents.copy()
    cdef int32_t[::1] target = np.empty(max(1, 2 * borders.shape[0]), np.int32)
    cdef int32_t[::1] following = np.full(max(1, 2 * borders.shape[0]), -1, np.int32)
    cdef int32_t[::1] first = np.full(count, -1, np.int32), last = first.copy()
    cdef uint8_t[::1] gone = np.zeros(max(1, borders.shape[0]), np.uint8)
    cdef int32_t[::1] mark = np.full(count, -1, np.int32)
    cdef int32_t[::1] regions = np.empty(count, np.int32), place = regions.copy()
    cdef int32_t[::1] partner = np.empty(count, np.int32)
    cdef double[::1] cost = np.empty(count)
    if borders.shape[0] == 0 or most == 0:
        return 0
    cdef graph_t graph = graph_t(
        parents=&parents[0], target=&target[0], following=&following[0], first=&first[0],
        last=&last[0], gone=&gone[0], strength=&strength[0], length=&length[0],
        features=&features[0, 0], channels=features.shape[1],
        size=&size[0], total=total, weight=weight, enough=enough,
        roots=roots)
    cdef heap_t heap = heap_t(regions=&regions[0], place=&place[0], partner=&partner[0],
                              cost=&cost[0], count=0)
    cdef int32_t kept, other
    cdef double height = 0
    with nogil:
        for half in range(2 * borders.shape[0]):
            target[half] = borders[half // 2, 1 - half % 2]
            append(&graph, borders[half // 2, half % 2], <int32_t> half)
        for kept in range(<int32_t> count):
            find_partner(&graph, &heap, kept)
            if partner[kept] >= 0:
                push(&heap, kept)
        while row < most and heap.count:
            kept = min(regions[0], partner[regions[0]])
            other = max(regions[0], partner[regions[0]])
            height = max(height, cost[kept])
            unite(&graph, &heap, kept, other)
            merges[row, 0] = min(node[kept], node[other])
            merges[row, 1] = max(node[kept], node[other])
            merges[row, 2], merges[row, 3] = height, size[kept]
            node[kept] = <int32_t> (count + row)
            row += 1
            join_borders(&graph, kept, &mark[0])
            tell_neighbors(&graph, &heap, kept, other)
    return row


cdef inline void append(graph_t *graph, int32_t region, int32_t half) noexcept nogil:
    if graph.first[region] < 0:
        graph.first[region] = half
    else:
        graph.following[graph.last[region]] = half
    graph.last[region] = half


cdef inline double cost_of(const graph_t *graph, int32_t one, int32_t other,
                           int32_t border) noexcept nogil:
    cdef const double *a = graph.features + one * graph.channels
    cdef const double *b = graph.features + other * graph.channels
    cdef double difference, squares = 0, share
    cdef Py_ssize_t k, _
    for k in range(graph.channels):
        difference = a[k] / graph.size[one] - b[k] / graph.size[other]
        squares += difference * difference
    share = min(graph.size[one], graph.size[other]) / graph.total
    if graph.enough > 0:
        share = share / (share + graph.enough)
    for _ in range(graph.roots):
        share = sqrt(share)
    return (graph.strength[border] / graph.length[border] + graph.weight * sqrt(squares)) * share


cdef void find_partner(graph_t *graph, heap_t *heap, int32_t region) noexcept nogil:
    """Look for the cheapest neighbour, at a tie the lowest number; forget borders that are gone."""
    cdef int32_t half = graph.first[region], before = -1, other
    heap.partner[region] = -1
    while half >= 0:
        if graph.gone[half // 2]:
            cut_out(graph, region, before, half)
        else:
            other = root_of(graph.parents, graph.target[half])
            offer(heap, region, other, cost_of(graph, region, other, half // 2))
            before = half
        half = graph.following[half]


cdef inline void cut_out(graph_t *graph, int32_t region, int32_t before,
                         int32_t half) noexcept nogil:
    if before < 0:
        graph.first[region] = graph.following[half]
    else:
        graph.following[before] = graph.following[half]
    if graph.last[region] == half:
        graph.last[region] = before


cdef inline bint offer(heap_t *heap, int32_t region, int32_t other, double cost) noexcept nogil:
    """Take a neighbour as partner if it is cheaper than the one so far; return whether it is."""
    cdef int32_t partner = heap.partner[region]
    if partner >= 0 and (cost > heap.cost[region]
                         or (cost == heap.cost[region] and other >= partner)):
        return False
    heap.partner[region], heap.cost[region] = other, cost
    return True


cdef void unite(graph_t *graph, heap_t *heap, int32_t kept, int32_t other) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(graph.channels):
        graph.features[kept * graph.channels + k] += graph.features[other * graph.channels + k]
    graph.size[kept] += graph.size[other]
    graph.parents[other] = kept
    graph.following[graph.last[kept]] = graph.first[other]
    graph.last[kept] = graph.last[other]
    remove(heap, other)


cdef void join_borders(graph_t *graph, int32_t region, int32_t *mark) noexcept nogil:
    """Make one border of all that a region has with each neighbour, and none with itself."""
    cdef int32_t half = graph.first[region], before = -1, other, border
    while half >= 0:
        border = half // 2
        other = root_of(graph.parents, graph.target[half])
        if graph.gone[border] or other == region or mark[other] >= 0:
            if not graph.gone[border] and other != region:
                graph.strength[mark[other]] += graph.strength[border]
                graph.length[mark[other]] += graph.length[border]
            graph.gone[border] = 1
            cut_out(graph, region, before, half)
        else:
            mark[other] = border
            before = half
        half = graph.following[half]
    half = graph.first[region]
    while half >= 0:
        mark[root_of(graph.parents, graph.target[half])] = -1
        half = graph.following[half]


cdef void tell_neighbors(graph_t *graph, heap_t *heap, int32_t region,
                         int32_t gone) noexcept nogil:
    """Bring the partners of a region that has grown and of its neighbours up to date."""
    cdef int32_t half = graph.first[region], other
    cdef double cost
    remove(heap, region)  # its cost is not known while those of others move
    heap.partner[region] = -1
    while half >= 0:
        other = root_of(graph.parents, graph.target[half])
        cost = cost_of(graph, region, other, half // 2)
        offer(heap, region, other, cost)
        if heap.partner[other] == region or heap.partner[other] == gone:
            find_partner(graph, heap, other)
            settle(heap, other)
        elif offer(heap, other, region, cost):
            settle(heap, other)
        half = graph.following[half]
    if heap.partner[region] >= 0:
        push(heap, region)


cdef inline bint precedes(const heap_t *heap, int32_t one, int32_t other) noexcept nogil:
    return heap.cost[one] < heap.cost[other] or (
        heap.cost[one] == heap.cost[other] and one < other)


cdef void push(heap_t *heap, int32_t region) noexcept nogil:
    heap.regions[heap.count], heap.place[region] = region, <int32_t> heap.count
    heap.count += 1
    settle(heap, region)


cdef void remove(heap_t *heap, int32_t region) noexcept nogil:
    cdef int32_t moved
    heap.count -= 1
    moved = heap.regions[heap.count]
    if moved != region:
        heap.regions[heap.place[region]], heap.place[moved] = moved, heap.place[region]
        settle(heap, moved)


cdef void settle(heap_t *heap, int32_t region) noexcept nogil:
    """Move a region up or down to where its cost belongs."""
    cdef Py_ssize_t place = heap.place[region], child
    while place and precedes(heap, region, heap.regions[(place - 1) // 2]):
        put(heap, place, heap.regions[(place - 1) // 2])
        place = (place - 1) // 2
    while 2 * place + 1 < heap.count:
        child = 2 * place + 1
        if child + 1 < heap.count and precedes(heap, heap.regions[child + 1], heap.regions[child]):
            child += 1
        if not precedes(heap, heap.regions[child], region):
            break
        put(heap, place, heap.regions[child])
        place = child
    put(heap, place, region)


cdef inline void put(heap_t *heap, Py_ssize_t place, int32_t region) noexcept nogil:
    heap.regions[place], heap.place[region] = region, <int32_t> place
