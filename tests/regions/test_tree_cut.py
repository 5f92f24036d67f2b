"""Trees of regions cut at a level, and with regions at one of their own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segment import InvalidInputError
from segment.regions.tree_cut import cut_tree


@st.composite
def trees(draw):
    """A random forest: number of base regions, and merges of any two that are still apart."""
    leaves = draw(st.integers(1, 12))
    apart, merges = [*range(leaves)], []
    for _ in range(draw(st.integers(0, leaves - 1))):
        pair = [apart.pop(draw(st.integers(0, len(apart) - 1))) for _ in range(2)]
        apart.append(leaves + len(merges))
        merges.append(pair)
    return leaves, merges


def members(leaves, merges, node):
    """The base regions of a region."""
    if node < leaves:
        return {node}
    one, other = merges[node - leaves]
    return members(leaves, merges, one) | members(leaves, merges, other)


def partition(segments):
    """The sets of base regions that are one segment."""
    return {frozenset(np.flatnonzero(segments == s)) for s in set(segments.tolist())}


def slow_cut(leaves, merges, merged, keep):
    """Kept regions are segments; the rest are the largest of the level that hold none."""
    sets = [members(leaves, merges, node) for node in range(leaves + len(merges))]
    kept = [sets[node] for node in keep]
    able = [s for node, s in enumerate(sets) if node < leaves + merged]
    able = [s for s in able if not any(s & k for k in kept)]
    return {frozenset(s) for s in kept + able if not any(s < other for other in able)}


@given(trees(), st.data())
def test_kept_regions_are_segments_and_the_level_makes_the_rest(tree, data):
    """Each kept region is one segment; the others are the largest of the level that hold none."""
    leaves, merges = tree
    merged = data.draw(st.integers(0, len(merges)))
    keep = []
    for node in data.draw(st.lists(st.integers(0, leaves + len(merges) - 1), max_size=4)):
        own = members(leaves, merges, node)
        if not any(own & members(leaves, merges, other) for other in keep):
            keep.append(node)
    segments = cut_tree(merges, leaves, merged, keep)
    assert partition(segments) == slow_cut(leaves, merges, merged, keep)


@given(trees(), st.data())
def test_without_kept_regions_the_first_merges_are_done(tree, data):
    """The number of segments is that of the base regions less the merges, in scan order."""
    leaves, merges = tree
    merged = data.draw(st.integers(0, len(merges)))
    segments = cut_tree(merges, leaves, merged)
    _, first = np.unique(segments, return_index=True)
    assert segments.max() == leaves - merged
    assert segments.dtype == np.int32
    assert (np.diff(first) > 0).all()


def test_columns_of_heights_are_passed_over():
    """Merges of four columns, as SciPy's linkage has them, are cut like those of two."""
    merges = np.array([[1, 2, 0.5, 2], [0, 3, 0.75, 3]])
    assert cut_tree(merges, 3, 1).tolist() == [1, 2, 2]
    assert cut_tree(np.empty((0, 4)), 2, 0).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("merged", "keep", "words"),
    [
        (3, [], "merged: expected 0..2 merges, got 3"),
        (-1, [], "merged: expected 0..2 merges, got -1"),
        (0, [5], r"keep: expected numbers of regions in 0..4, got 5; is it the tree of another"),
        (0, [-1], r"in 0..4, got -1"),
        (0, [0, 3], "regions apart from each other, got 0, which lies within 3"),
        (0, [4, 3], "regions apart from each other, got 3, which lies within 4"),
    ],
)
def test_what_cannot_be_cut(merged, keep, words):
    """Numbers beyond the tree, and kept regions within each other, are errors that say which."""
    with pytest.raises(InvalidInputError, match=words):
        cut_tree([[0, 1], [3, 2]], 3, merged, keep)


def test_a_chain_of_many_merges():
    """A tree as deep as it has regions is cut, also with one of its last kept."""
    n = 3000
    merges = [[0, 1], *([n + j, j + 2] for j in range(n - 2))]
    assert cut_tree(merges, n, n - 1).max() == 1
    assert cut_tree(merges, n, n - 1, [2 * n - 3]).tolist() == [1] * (n - 1) + [2]
