# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True, embedsignature=True
"""Flooding a landscape from its minima, pixel by pixel, the lowest first, then the first come.

No checks and no defaults: `watershed.py` validates, casts and allocates.
"""
from libc.stdint cimport int32_t, uint16_t

import numpy as np

cdef enum:
    LEVELS = 65536


def number_minima(const uint16_t[:, ::1] heights, int32_t[:, ::1] labels):
    """Number the level areas that have no lower neighbour, in scan order; return how many.

    `labels` is 0 where water may come and below 0 where not.
    """
    cdef Py_ssize_t pixels = heights.shape[0] * heights.shape[1], width = heights.shape[1]
    cdef const uint16_t *height = &heights[0, 0]
    cdef int32_t *label = &labels[0, 0]
    cdef int32_t[::1] stack = np.empty(pixels, np.int32)
    cdef unsigned char[::1] seen = np.zeros(pixels, np.uint8)
    cdef Py_ssize_t start, place, there, waiting, done
    cdef int32_t count = 0
    cdef bint lowest
    cdef int j
    with nogil:
        for start in range(pixels):
            if seen[start] or label[start] < 0:
                continue
            stack[0], seen[start] = <int32_t> start, 1
            waiting, done, lowest = 1, 0, True
            while done < waiting:
                place = stack[done]
                done += 1
                for j in range(4):
                    there = neighbor(place, j, width, pixels)
                    if there < 0 or label[there] < 0:
                        continue
                    if height[there] < height[place]:
                        lowest = False
                    elif height[there] == height[place] and not seen[there]:
                        stack[waiting], seen[there] = <int32_t> there, 1
                        waiting += 1
            if lowest:
                count += 1
                for done in range(waiting):
                    label[stack[done]] = count
    return count


cdef inline Py_ssize_t neighbor(Py_ssize_t place, int side, Py_ssize_t width,
                                Py_ssize_t pixels) noexcept nogil:
    """The place above, to the left, to the right or below; -1 beyond the border."""
    if side == 0:
        return place - width
    if side == 1:
        return place - 1 if place % width else -1
    if side == 2:
        return place + 1 if (place + 1) % width else -1
    return place + width if place + width < pixels else -1


ctypedef struct water_t:
    int32_t *following   # the pixel after each one in the queue of its level
    int32_t *first
    int32_t *last        # of the queue of each level; -1 where it is empty


def flood(const uint16_t[:, ::1] heights, int32_t[:, ::1] labels):
    """Let the numbered pixels spread over those with 0 that they are connected with."""
    cdef Py_ssize_t pixels = heights.shape[0] * heights.shape[1], width = heights.shape[1]
    cdef const uint16_t *height = &heights[0, 0]
    cdef int32_t *label = &labels[0, 0]
    cdef int32_t[::1] following = np.empty(pixels, np.int32)
    cdef int32_t[::1] first = np.full(LEVELS, -1, np.int32), last = np.full(LEVELS, -1, np.int32)
    cdef water_t water = water_t(following=&following[0], first=&first[0], last=&last[0])
    cdef Py_ssize_t place, there
    cdef int32_t level
    cdef int j
    with nogil:
        for place in range(pixels):
            if label[place] > 0:
                put(&water, height[place], <int32_t> place)
        for level in range(LEVELS):
            while first[level] >= 0:
                place = first[level]
                first[level] = following[place]
                for j in range(4):
                    there = neighbor(place, j, width, pixels)
                    if there >= 0 and label[there] == 0:
                        label[there] = label[place]
                        put(&water, max(level, <int32_t> height[there]), <int32_t> there)


cdef inline void put(water_t *water, int32_t level, int32_t place) noexcept nogil:
    water.following[place] = -1
    if water.first[level] < 0:
        water.first[level] = place
    else:
        water.following[water.last[level]] = place
    water.last[level] = place
