"""Basins of a landscape: drawn, and beside a flood with one queue for all."""

import heapq

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from segment.regions.watershed import flooded, levels_of, minima

LANDSCAPES = arrays(
    np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 4)
)


def around(place, shape):
    y, x = place
    for there in ((y - 1, x), (y, x - 1), (y, x + 1), (y + 1, x)):
        if 0 <= there[0] < shape[0] and 0 <= there[1] < shape[1]:
            yield there


def slow_minima(heights, closed):
    """Level areas by depth-first search; those without a lower neighbour are numbered."""
    labels, seen, count = np.where(closed, -1, 0), np.array(closed), 0
    for start in np.ndindex(heights.shape):
        if seen[start]:
            continue
        area, waiting, lowest = [], [start], True
        seen[start] = True
        while waiting:
            place = waiting.pop()
            area.append(place)
            for there in around(place, heights.shape):
                if closed[there]:
                    continue
                lowest &= heights[there] >= heights[place]
                if heights[there] == heights[place] and not seen[there]:
                    seen[there] = True
                    waiting.append(there)
        count += lowest
        for place in area if lowest else ():
            labels[place] = count
    return labels


def slow_flood(heights, labels):
    """Pixels from one queue, by (level of the water, when they came)."""
    labels = labels.copy()
    queue = [(heights[p], i, p) for i, p in enumerate(map(tuple, np.argwhere(labels > 0)))]
    heapq.heapify(queue)
    came = len(queue)
    while queue:
        level, _, place = heapq.heappop(queue)
        for there in around(place, heights.shape):
            if labels[there] == 0:
                labels[there] = labels[place]
                heapq.heappush(queue, (max(level, heights[there]), came, there))
                came += 1
    return np.maximum(labels, 0)


@given(LANDSCAPES, st.randoms(use_true_random=False))
def test_basins_are_those_of_a_slow_flood(heights, random):
    """Minima and basins are the oracle's, label by label, with and without closed pixels."""
    closed = np.array([random.random() < 0.2 for _ in range(heights.size)]).reshape(heights.shape)
    for shut in (np.zeros_like(closed), closed):
        labels = minima(heights, shut)
        assert np.array_equal(labels, slow_minima(heights, shut))
        assert np.array_equal(flooded(heights, labels), slow_flood(heights, labels))


@given(LANDSCAPES)
def test_every_pixel_is_in_a_basin(heights):
    """Where nothing is closed, water reaches every pixel, and basins are as many as minima."""
    labels = minima(heights, None)
    basins = flooded(heights, labels)
    assert basins.min() >= 1
    assert set(np.unique(basins)) == set(np.unique(labels)) - {0}


def test_water_from_two_sides_meets_on_the_ridge():
    """Two valleys with a ridge between them are two basins; the ridge goes to the first."""
    heights = np.uint16([[0, 1, 9, 1, 0]] * 3)
    assert flooded(heights, minima(heights, None)).tolist() == [[1, 1, 1, 2, 2]] * 3


def test_what_no_water_reaches_is_0():
    """Pixels behind closed ones, and those themselves, belong to no basin."""
    labels = np.int32([[1, 0, -1, 0]])
    assert flooded(np.zeros((1, 4), np.uint16), labels).tolist() == [[1, 1, 0, 0]]


@pytest.mark.parametrize("top", [1e-30, 1.0, 1e30])
def test_heights_are_rounded_relative_to_the_highest(top):
    """Whatever the unit, the highest is level 2000; where all is level, all is 0."""
    assert levels_of(np.float32([[0, top / 4, top]])).tolist() == [[0, 500, 2000]]
    assert levels_of(np.zeros((1, 2), np.float32)).tolist() == [[0, 0]]
