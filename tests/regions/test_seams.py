"""Regions of strips put together: the numbers that the whole map has."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segment import InvalidInputError
from segment.regions.absorbing import absorbed, neighbor_pairs, neighbors_of_pairs, unique_pairs
from segment.regions.connected import (
    components,
    connected_regions,
    joined_numbers,
    seam_pairs,
    touching_pairs,
)

MAPS = arrays.arrays(
    np.int32, st.tuples(st.integers(1, 12), st.integers(1, 9)), elements=st.integers(0, 3)
)


def numbered(labels, height, diagonal):
    """The regions of a map, by its strips."""
    strips = [labels[top : top + height] for top in range(0, len(labels), height)]
    parts = [components(np.ascontiguousarray(strip), diagonal=diagonal) for strip in strips]
    seams = [
        seam_pairs((one[-1], first[-1]), (other[0], second[0]), diagonal=diagonal)
        for one, (first, _), other, (second, _) in zip(
            strips, parts, strips[1:], parts[1:], strict=False
        )
    ]
    counts = [len(clusters) - 1 for _, clusters in parts]
    table = joined_numbers(counts, seams)
    starts = np.cumsum([0, *counts])
    return np.concatenate(
        [
            np.append(0, table[start + 1 : start + count + 1])[numbers]
            for (numbers, _), start, count in zip(parts, starts, counts, strict=False)
        ]
    )


@given(MAPS, st.integers(1, 12), st.booleans())
@settings(deadline=None, max_examples=200)
def test_regions_of_strips_are_those_of_the_map(labels, height, diagonal):
    """However rows are cut, regions that are joined at the seams have the numbers of the map's."""
    whole = connected_regions(labels, labels, connectivity=8 if diagonal else 4).map
    assert np.array_equal(numbered(labels, height, diagonal), whole)


@given(MAPS, st.integers(1, 12), st.integers(2, 20), st.booleans())
@settings(deadline=None, max_examples=200)
def test_regions_absorbed_by_strips_are_those_of_the_map(labels, height, min_size, diagonal):
    """Neighbours that are listed strip by strip give the regions that the whole map gives."""
    colors = (labels * 37 % 11).astype(np.float64)
    connectivity = 8 if diagonal else 4
    regions = connected_regions(labels, colors, connectivity=connectivity).map
    sums = np.zeros((int(regions.max()) + 1, 2))
    np.add.at(sums, regions.ravel(), np.stack([colors.ravel(), np.ones(labels.size)], axis=1))

    def neighbors_of(small):
        parts = [regions[top : top + height] for top in range(0, len(regions), height)]
        pairs = [neighbor_pairs(part, small, diagonal=diagonal) for part in parts]
        for above, below in itertools.pairwise(parts):
            across = touching_pairs(above[-1], below[0], diagonal=diagonal)
            pairs += [across[small[across[:, 0]] > 0], across[:, ::-1][small[across[:, 1]] > 0]]
        return neighbors_of_pairs([unique_pairs(np.concatenate(pairs))], len(small))

    numbers = absorbed(neighbors_of, sums, min_size)
    whole = connected_regions(labels, colors, connectivity=connectivity, min_size=min_size)
    assert np.array_equal(numbers[regions], whole.map)


def test_more_regions_than_32_bits_number_are_refused():
    """Regions beyond 2^31 - 1 are an error that says so."""
    with pytest.raises(InvalidInputError, match="expected at most 2147483647 regions"):
        joined_numbers([2**30, 2**30], [])
