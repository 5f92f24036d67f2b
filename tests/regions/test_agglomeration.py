"""Trees of regions: the kernel beside a search of all pairs, each time anew."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segment.regions.agglomeration import (
    agglomerate,
    borders_between,
    heights_between,
)
from segment.regions.tree_cut import cut_tree

FORMS = [
    {"weight": 0.0, "enough": 0.0, "roots": 1},
    {"weight": 0.5, "enough": 0.0, "roots": 3},
    {"weight": 2.0, "enough": 0.03, "roots": 1},
]


def label_maps(draw):
    """Maps of up to 30 regions; whole numbers and quarters, so that every sum is exact."""
    height, width = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    seed = draw(st.integers(0, 10_000))
    random = np.random.default_rng(seed)
    numbers = random.integers(draw(st.sampled_from([0, 1])), 31, (height, width))
    there = np.unique(numbers[numbers > 0])
    regions = np.where(numbers > 0, np.searchsorted(there, numbers) + 1, 0).astype(np.int32)
    return regions, random.integers(0, 5, (height, width)).astype(np.float32)


maps = st.composite(label_maps)()


def slow_borders(regions, plane):
    """Length and strength of each border in dense tables, pixel by pixel."""
    count = int(regions.max())
    length, strength = np.zeros((count, count)), np.zeros((count, count))
    for y, x in np.ndindex(regions.shape):
        for there in ((y, x + 1), (y + 1, x)):
            if there[0] < regions.shape[0] and there[1] < regions.shape[1]:
                one, other = regions[y, x] - 1, regions[there] - 1
                if one != other and min(one, other) >= 0:
                    value = (plane[y, x] + plane[there]) / 2
                    for pair in ((one, other), (other, one)):
                        length[pair] += 1
                        strength[pair] += value
    return length, strength


def slow_merges(length, strength, features, sizes, *, weight, enough, roots):
    """The cheapest of all pairs, by (cost, lower number, higher number), until none touch."""
    length, strength, features, sizes = (a.copy() for a in (length, strength, features, sizes))
    alive, node, merges, top = [*range(len(sizes))], [*range(len(sizes))], [], 0.0
    total = sizes.sum()

    def cost(one, other):
        squares = 0.0
        for k in range(features.shape[1]):
            step = features[one, k] / sizes[one] - features[other, k] / sizes[other]
            squares += step * step
        share = min(sizes[one], sizes[other]) / total
        share = share / (share + enough) if enough else share
        for _ in range(roots):
            share = math.sqrt(share)
        mean = strength[one, other] / length[one, other]
        return (mean + weight * math.sqrt(squares)) * share

    while True:
        pairs = [(cost(a, b), a, b) for a in alive for b in alive if a < b and length[a, b]]
        if not pairs:
            return np.array(merges).reshape(-1, 4)
        height, one, other = min(pairs)
        top = max(top, height)
        for table in (length, strength):
            table[one] += table[other]
            table[:, one] += table[:, other]
            table[one, one] = 0
        features[one] += features[other]
        sizes[one] += sizes[other]
        merges.append((*sorted((node[one], node[other])), top, sizes[one]))
        node[one] = len(node) - 1 + len(merges)
        alive.remove(other)


def tree_of(regions, plane, form):
    count = int(regions.max())
    borders = borders_between(regions, [plane])
    sizes = np.bincount(regions.ravel(), minlength=count + 1)[1:].astype(float)
    features = np.bincount(regions.ravel(), plane.ravel(), count + 1)[1:, None]
    merges = agglomerate(borders, borders.strength[0], features, sizes, **form)
    return merges, features, sizes


@given(maps)
def test_borders_are_those_of_a_walk_over_all_pixels(drawn):
    """Pairs ascend; lengths and strengths are those of the dense tables, and nothing is missing."""
    regions, plane = drawn
    borders = borders_between(regions, [plane, plane * 2])
    length, strength = slow_borders(regions, plane)
    one, other = borders.pairs.T
    assert [*zip(one, other, strict=True)] == [*zip(*np.nonzero(np.triu(length)), strict=True)]
    assert np.array_equal(borders.length, length[one, other])
    assert np.array_equal(borders.strength, [strength[one, other], 2 * strength[one, other]])


@settings(max_examples=150, deadline=None)
@given(maps, st.sampled_from(FORMS))
def test_merges_are_those_of_a_search_of_all_pairs(drawn, form):
    """Nodes, heights and sizes are the oracle's to the bit, ties and all."""
    regions, plane = drawn
    if not regions.any():
        return
    merges, features, sizes = tree_of(regions, plane, form)
    wanted = slow_merges(*slow_borders(regions, plane), features, sizes, **form)
    assert np.array_equal(merges, wanted)


@given(maps, st.sampled_from(FORMS))
def test_a_tree_is_one(drawn, form):
    """Heights never fall, every node is merged once at most, sizes add up."""
    regions, plane = drawn
    if not regions.any():
        return
    merges, _, sizes = tree_of(regions, plane, form)
    assert (np.diff(merges[:, 2], prepend=0) >= 0).all()
    nodes = merges[:, :2].astype(int)
    assert len(np.unique(nodes)) == nodes.size
    everything = np.append(sizes, merges[:, 3])
    assert np.array_equal(everything[nodes].sum(axis=1), merges[:, 3])


@pytest.mark.parametrize("fewest", [1, 2, 3, 9])
def test_merging_stops_where_it_is_told(fewest):
    """The first merges of a tree that stops early are those of the whole tree."""
    regions = np.arange(1, 7, dtype=np.int32)[None]
    plane = np.float32([[0, 3, 1, 4, 1, 5]])
    borders = borders_between(regions, [plane])
    form = {**FORMS[0], "fewest": fewest}
    merges = agglomerate(borders, borders.strength[0], np.zeros((6, 1)), np.ones(6), **form)
    assert len(merges) == max(6 - fewest, 0)
    assert np.array_equal(merges, tree_of(regions, plane, FORMS[0])[0][: len(merges)])


def test_what_comes_in_stays_as_it_is():
    """The sums that a caller passes are not changed."""
    regions = np.int32([[1, 2, 3]])
    borders = borders_between(regions, [np.float32([[0, 1, 2]])])
    features, sizes = np.float64([[1], [2], [9]]), np.ones(3)
    before = [a.copy() for a in (*borders, features, sizes)]
    agglomerate(borders, borders.strength[0], features, sizes, **FORMS[1])
    for now, then in zip((*borders, features, sizes), before, strict=True):
        assert np.array_equal(now, then)


@given(maps, st.sampled_from(FORMS))
def test_borders_last_until_their_regions_are_one(drawn, form):
    """A pixel is above a level where the cut there parts it from the one to its right or below."""
    regions, plane = drawn
    if not regions.any():
        return
    merges, _, sizes = tree_of(regions, plane, form)
    heights = heights_between(regions, merges, len(sizes))
    levels = np.append(0.0, np.unique(merges[:, 2]))
    told = np.append(np.diff(levels.astype(np.float32)) > 0, True)  # apart in single precision
    for level in levels[told]:
        rows = np.searchsorted(merges[:, 2], level, side="right")
        cut = np.append(0, cut_tree(merges, len(sizes), int(rows)))[regions]
        parted = np.zeros(cut.shape, bool)
        parted[:, :-1] |= (cut[:, :-1] != cut[:, 1:]) & (cut[:, :-1] > 0) & (cut[:, 1:] > 0)
        parted[:-1] |= (cut[:-1] != cut[1:]) & (cut[:-1] > 0) & (cut[1:] > 0)
        assert np.array_equal(heights > np.float32(level), parted)


def test_the_higher_of_two_borders_is_told():
    """Where a pixel parts from both its neighbours, the one that lasts longer counts."""
    merges = np.array([[0.0, 1.0, 0.5, 3.0], [2.0, 3.0, 0.75, 4.0]])
    heights = heights_between(np.int32([[1, 2], [1, 3]]), merges, 3)
    assert heights.tolist() == [[0.5, 0.75], [0.75, 0.0]]
