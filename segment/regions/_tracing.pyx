# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True, embedsignature=True
"""The corners of the parts of a label map, row after row, linked to rings as these close.

No checks and no defaults: `tracing.py` validates and casts. Between two rows lies a line of
points. Around each point are four pixels, a b above and c d below. Pixels of one label next to each
other make up a group; a group of one or of three has a corner there, which is a node. Nodes are
linked in the direction in which a ring is walked, with the part on the right on screen.
"""
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

import numpy as np

cdef enum:
    NONE = -1
    CLOSED = -1   # as the other end of a node: its ring has closed
    WRITTEN = -2  # and has been given out
    TOO_MANY_CORNERS = 1
    TOO_MANY_PARTS = 2
    NO_MEMORY = 3

ctypedef struct node_t:
    int32_t x, y
    int32_t next     # where the walk goes on; among free nodes the next free one
    int32_t other    # of an end of a chain: its other end
    int32_t partner  # the node at the same point across a corner of one label; or NONE

ctypedef struct ring_t:
    int64_t start    # place of its first corner, in scan order of the points
    int64_t count    # corners, the first one twice
    int32_t label
    int32_t part     # in the order in which parts began; several of these may be one

ctypedef struct pool_t:
    char *items
    Py_ssize_t used, capacity


cdef int room(pool_t *pool, Py_ssize_t more, Py_ssize_t size) noexcept nogil:
    """Make room for so many more items of a size; return an error or 0."""
    cdef Py_ssize_t capacity = pool.capacity
    cdef char *items
    if pool.used + more <= capacity:
        return 0
    capacity = max(pool.used + more, capacity + capacity // 2, 1024)
    items = <char *> realloc(pool.items, capacity * size)
    if items == NULL:
        return NO_MEMORY
    pool.items, pool.capacity = items, capacity
    return 0


cdef class Tracer:
    """Takes rows from the first on; gives rings in the order in which they close."""

    cdef Py_ssize_t width
    cdef Py_ssize_t most           # corners that are open, and parts
    cdef bint junctions            # put a node where a straight side passes corners of others
    cdef int32_t y                 # rows so far: where the next line of points lies
    cdef object lines              # holds the memory of the next six
    cdef int32_t *above            # labels above and below the line, a 0 before and behind
    cdef int32_t *below
    cdef int32_t *parts_above      # and their parts
    cdef int32_t *parts_below
    cdef int32_t *down             # tail of the open chain left of each point, head of that right
    cdef int32_t *up
    cdef pool_t nodes, parents, corners, rings, walked
    cdef int32_t spare             # first free node
    cdef int error

    def __cinit__(self, Py_ssize_t width, int32_t most, bint junctions):
        cdef int32_t[:, ::1] lines = np.zeros((6, width + 2), np.int32)
        self.width, self.most, self.junctions = width, most, junctions
        self.spare, self.lines = NONE, lines
        self.above, self.below = &lines[0, 0], &lines[1, 0]
        self.parts_above, self.parts_below = &lines[2, 0], &lines[3, 0]
        self.down, self.up = &lines[4, 0], &lines[5, 0]

    def __dealloc__(self):
        free(self.nodes.items)
        free(self.parents.items)
        free(self.corners.items)
        free(self.rings.items)
        free(self.walked.items)

    def add(self, const int32_t[:, ::1] rows):
        """Trace the line above each row."""
        cdef Py_ssize_t i
        with nogil:
            for i in range(rows.shape[0]):
                memcpy(&self.below[1], &rows[i, 0], self.width * sizeof(int32_t))
                self.add_row()
                if self.error:
                    break
        self.check()

    def finish(self):
        """Trace the line below the last row: all rings that are open close."""
        with nogil:
            memset(&self.below[1], 0, self.width * sizeof(int32_t))
            self.add_row()
        self.check()

    def take(self):
        """Return what has closed since: corners (n, 2), and bytes of rings as `ring_t` has them."""
        corners = np.empty((self.corners.used // 2, 2), np.int32)
        rings = np.empty(self.rings.used * sizeof(ring_t), np.uint8)
        cdef int32_t[:, ::1] corners_out = corners
        cdef unsigned char[::1] rings_out = rings
        if self.rings.used:
            memcpy(&corners_out[0, 0], self.corners.items, self.corners.used * sizeof(int32_t))
            memcpy(&rings_out[0], self.rings.items, self.rings.used * sizeof(ring_t))
        self.corners.used = self.rings.used = 0
        return corners, rings

    def parts(self):
        """Return for each part the first one that it is the same as."""
        roots = np.empty(self.parents.used, np.int32)
        cdef int32_t[::1] out = roots
        cdef Py_ssize_t i
        for i in range(self.parents.used):
            out[i] = self.root(<int32_t> i)
        return roots

    cdef check(self):
        if self.error == NO_MEMORY:
            raise MemoryError
        if self.error:
            raise OverflowError("corners" if self.error == TOO_MANY_CORNERS else "parts")

    cdef void add_row(self) noexcept nogil:
        self.number_parts()
        if not self.error:
            self.trace_line()
        self.above, self.below = self.below, self.above
        self.parts_above, self.parts_below = self.parts_below, self.parts_above
        self.y += 1

    cdef void number_parts(self) noexcept nogil:
        """Give each pixel below the part of those of its label above its run, else a new one."""
        cdef Py_ssize_t x = 1, start, i
        cdef int32_t label, part, other
        while x <= self.width:
            start, label, part = x, self.below[x], NONE
            while x <= self.width and self.below[x] == label:
                if label and self.above[x] == label and (
                        x == start or self.above[x - 1] != label):
                    other = self.root(self.parts_above[x])
                    part = other if part == NONE else self.unite(part, other)
                x += 1
            if label and part == NONE:
                part = self.new_part()
            for i in range(start, x):
                self.parts_below[i] = part

    cdef int32_t new_part(self) noexcept nogil:
        cdef int32_t part = <int32_t> self.parents.used
        if self.parents.used == self.most:
            self.error = TOO_MANY_PARTS
            return 0
        self.error |= room(&self.parents, 1, sizeof(int32_t))
        if self.error:
            return 0
        (<int32_t *> self.parents.items)[part] = part
        self.parents.used += 1
        return part

    cdef int32_t root(self, int32_t part) noexcept nogil:
        cdef int32_t *parents = <int32_t *> self.parents.items
        while parents[part] != part:
            parents[part] = parents[parents[part]]
            part = parents[part]
        return part

    cdef int32_t unite(self, int32_t one, int32_t other) noexcept nogil:
        """Make one of two roots that of both: the earlier."""
        (<int32_t *> self.parents.items)[max(one, other)] = min(one, other)
        return min(one, other)

    cdef void trace_line(self) noexcept nogil:
        """Go along the points between two rows; most have no corner."""
        cdef Py_ssize_t x
        cdef const int32_t *above = self.above
        cdef const int32_t *below = self.below
        cdef int32_t west = NONE, east = NONE  # what waits at the line: a head above, a tail below
        for x in range(self.width + 1):
            if above[x] == above[x + 1]:
                if below[x] == below[x + 1]:
                    continue
            elif above[x] == below[x] and above[x + 1] == below[x + 1]:
                continue
            self.error = room(&self.nodes, 4, sizeof(node_t))
            if self.nodes.used > self.most - 4:
                self.error = TOO_MANY_CORNERS
            if self.error:
                return
            self.turn(<int32_t> x, &west, &east)
            if self.error:
                return

    cdef void turn(self, int32_t x, int32_t *west, int32_t *east) noexcept nogil:
        """Put the corners of the groups around a point to their chains.

        Only a group that is an upper left pixel, or all but that, may close a ring.
        """
        cdef int32_t a = self.above[x], b = self.above[x + 1]
        cdef int32_t c = self.below[x], d = self.below[x + 1]
        cdef int32_t head = west[0], tail = east[0], down = self.down[x], up = self.up[x]
        cdef int32_t at_a = NONE, at_b = NONE, at_c = NONE, at_d = NONE
        cdef bint ab = a == b, ac = a == c, bd = b == d, cd = c == d
        if a and ab and ac:
            west[0] = self.down[x] = self.new_node(x)
        elif a and ab and bd:
            self.up[x] = self.put_before(head, self.new_node(x))
        elif a and ac and cd:
            east[0] = self.put_behind(down, self.new_node(x))
        elif b and bd and cd:
            self.join(self.put_behind(tail, self.new_node(x)), up, d, self.parts_below[x + 1])
        if a and not ab and not ac:
            at_a = self.put_behind(down, self.new_node(x))
        if b and not ab and not bd:
            at_b = west[0] = self.put_before(up, self.new_node(x))
        if c and not ac and not cd:
            at_c = self.down[x] = self.put_behind(tail, self.new_node(x))
        if d and not bd and not cd:
            at_d = east[0] = self.up[x] = self.new_node(x)
        if self.junctions:
            self.pass_straight(x, west, east)
        if at_b != NONE and b == c:
            self.pair(at_b, at_c)
        if at_a != NONE and a == d:
            self.pair(at_a, at_d)
        if at_a != NONE:
            self.join(at_a, head, a, self.parts_above[x])

    cdef void pass_straight(self, int32_t x, int32_t *west, int32_t *east) noexcept nogil:
        """Put a node on a side that is straight where the two pixels beyond it differ."""
        cdef int32_t a = self.above[x], b = self.above[x + 1]
        cdef int32_t c = self.below[x], d = self.below[x + 1]
        if a and a == b and c != d and a != c and a != d:
            west[0] = self.put_before(west[0], self.new_node(x))
        if c and c == d and a != b and c != a and c != b:
            east[0] = self.put_behind(east[0], self.new_node(x))
        if a and a == c and b != d and a != b and a != d:
            self.down[x] = self.put_behind(self.down[x], self.new_node(x))
        if b and b == d and a != c and b != a and b != c:
            self.up[x] = self.put_before(self.up[x], self.new_node(x))

    cdef int32_t new_node(self, int32_t x) noexcept nogil:
        """Return a chain of one corner at the line."""
        cdef node_t *nodes = <node_t *> self.nodes.items
        cdef int32_t node = self.spare
        if node != NONE:
            self.spare = nodes[node].next
        else:
            node = <int32_t> self.nodes.used
            self.nodes.used += 1
        nodes[node] = node_t(x=x, y=self.y, next=NONE, other=node, partner=NONE)
        return node

    cdef int32_t put_behind(self, int32_t tail, int32_t node) noexcept nogil:
        cdef node_t *nodes = <node_t *> self.nodes.items
        nodes[tail].next, nodes[node].other = node, nodes[tail].other
        nodes[nodes[node].other].other = node
        return node

    cdef int32_t put_before(self, int32_t head, int32_t node) noexcept nogil:
        cdef node_t *nodes = <node_t *> self.nodes.items
        nodes[node].next, nodes[node].other = head, nodes[head].other
        nodes[nodes[node].other].other = node
        return node

    cdef void pair(self, int32_t one, int32_t other) noexcept nogil:
        cdef node_t *nodes = <node_t *> self.nodes.items
        nodes[one].partner, nodes[other].partner = other, one

    cdef void join(self, int32_t tail, int32_t head, int32_t label, int32_t part) noexcept nogil:
        """Make one chain of two, or a ring of one."""
        cdef node_t *nodes = <node_t *> self.nodes.items
        cdef int32_t first = nodes[tail].other, last = nodes[head].other
        nodes[tail].next = head
        if first == head:
            self.close(head, label, part)
        else:
            nodes[first].other, nodes[last].other = last, first

    cdef void close(self, int32_t first, int32_t label, int32_t part) noexcept nogil:
        """Give out a ring, or the rings that it falls into where it passes a point twice."""
        cdef node_t *nodes = <node_t *> self.nodes.items
        cdef int32_t node = first, last = first
        cdef Py_ssize_t count = 0
        cdef bint paired = False
        while nodes[node].other != CLOSED:
            nodes[node].other = CLOSED
            paired |= nodes[node].partner != NONE
            count, last, node = count + 1, node, nodes[node].next
        if paired:
            self.close_paired(first, count, label, part)
            return
        self.give(first, label, part)
        nodes[last].next, self.spare = self.spare, first

    cdef void close_paired(self, int32_t first, Py_ssize_t count, int32_t label,
                           int32_t part) noexcept nogil:
        """Turn left instead of right where the ring touches itself, and give out what comes of it.

        A 4-connected part that touches itself at a corner encloses one side of it. Both of its
        nodes there are of one ring, for around a 4-connected part runs one ring for each
        8-connected part of all the rest.
        """
        cdef node_t *nodes = <node_t *> self.nodes.items
        cdef int32_t node = first, partner, following
        cdef int32_t *walked
        cdef Py_ssize_t i
        self.walked.used = 0
        self.error = room(&self.walked, count, sizeof(int32_t))
        if self.error:
            return
        walked = <int32_t *> self.walked.items
        for i in range(count):
            walked[i], node = node, nodes[node].next
        for i in range(count):
            node, partner = walked[i], nodes[walked[i]].partner
            if partner == NONE:
                continue
            if nodes[partner].other == CLOSED:
                following = nodes[node].next
                nodes[node].next, nodes[partner].next = nodes[partner].next, following
            nodes[node].partner = nodes[partner].partner = NONE
        for i in range(count):
            if nodes[walked[i]].other == CLOSED and not self.error:
                self.give(walked[i], label, part)
        for i in range(count):
            nodes[walked[i]].next, self.spare = self.spare, walked[i]

    cdef void give(self, int32_t node, int32_t label, int32_t part) noexcept nogil:
        """Write a ring from its start on: the first of its corners from which it runs right."""
        cdef node_t *nodes = <node_t *> self.nodes.items
        cdef int32_t start = NONE, following, first = node
        cdef int32_t *corner
        cdef Py_ssize_t count = 1
        while True:
            following = nodes[node].next
            nodes[node].other = WRITTEN
            if nodes[following].x > nodes[node].x and (
                    start == NONE or self.place(node) < self.place(start)):
                start = node
            count, node = count + 1, following
            if node == first:
                break
        self.error |= room(&self.corners, 2 * count, sizeof(int32_t))
        self.error |= room(&self.rings, 1, sizeof(ring_t))
        if self.error:
            return
        (<ring_t *> self.rings.items)[self.rings.used] = ring_t(
            start=self.place(start), count=count, label=label, part=part)
        self.rings.used += 1
        corner = <int32_t *> self.corners.items + self.corners.used
        self.corners.used += 2 * count
        node = start
        while count:
            corner[0], corner[1] = nodes[node].x, nodes[node].y
            corner, count, node = corner + 2, count - 1, nodes[node].next

    cdef inline int64_t place(self, int32_t node) noexcept nogil:
        cdef const node_t *it = <const node_t *> self.nodes.items + node
        return it.y * <int64_t> (self.width + 1) + it.x
