"""Small regions absorbed by their neighbours, from a graph of regions."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.regions._regions import absorb_small, largest_of, meet_neighbors, number_roots

Numbers = NDArray[np.int32]
Small = NDArray[np.uint8]


class Neighbors(NamedTuple):
    """The neighbours of each small region, some of them more than once.

    Attributes
    ----------
    first, end : (K + 1,) int64 arrays
        Where those of each region begin and end in the list.
    listed : int32 array
    """

    first: NDArray[np.int64]
    end: NDArray[np.int64]
    listed: Numbers


def absorbed(
    neighbors_of: Callable[[Small], Neighbors], sums: NDArray[np.float64], min_size: int
) -> Numbers:
    """Return the number that each region has when none is below a size that has a neighbour.

    Parameters
    ----------
    neighbors_of : callable
        Gives the neighbours of those regions where its argument, (K + 1,) uint8, is 1.
    sums : (K + 1, C + 1) float64 array
        Of the coordinates of each region's pixels, last their number; row 0 is for none. Those of
        regions that are absorbed are added to those that they become one with.
    min_size : int

    Returns
    -------
    numbers : (K + 1,) int32 array
        1..k in the order of the first pixels of what is left; 0 for 0.
    """
    small = (sums[:, -1] < min_size).view(np.uint8)
    small[0] = 0
    if small.any():
        first, end, listed = neighbors_of(small)
        numbers = absorb_small(listed, first, end, sums, min_size)
    else:
        numbers = np.arange(len(sums), dtype=np.int32)
    number_roots(numbers, 1, len(numbers), 0)
    return numbers


def neighbors_in(region_map: Numbers, small: Small, *, diagonal: bool) -> Neighbors:
    """Return the neighbours of small regions in a map.

    Parameters
    ----------
    region_map : (H, W) int32 array
        0 for none.
    small : (K + 1,) uint8 array
    diagonal : bool
        Whether regions are adjacent across a corner, too.
    """
    last = np.zeros(len(small), np.int32)
    end = np.zeros(len(small), np.int64)
    listed = np.empty(0, np.int32)
    meet_neighbors(region_map, 0, diagonal, small, last, end, listed)
    first = np.cumsum(end) - end
    count = int(end.sum())
    end[:], last[:] = first, 0
    if count:
        listed = np.empty(count, np.int32)
        meet_neighbors(region_map, 0, diagonal, small, last, end, listed)
    return Neighbors(first, end, listed)


def neighbor_pairs(region_map: Numbers, small: Small, *, diagonal: bool) -> Numbers:
    """Return small regions of a map, each with each of its neighbours, (m, 2), each pair once.

    Examples
    --------
    >>> small = np.array([0, 0, 1, 1], np.uint8)
    >>> neighbor_pairs(np.array([[1, 2, 1, 3]], np.int32), small, diagonal=False).tolist()
    [[2, 1], [3, 1]]
    """
    first, end, listed = neighbors_in(region_map, small, diagonal=diagonal)
    of = np.repeat(np.arange(len(small), dtype=np.int32), end - first)
    return unique_pairs(np.stack([of, listed], axis=1))


def unique_pairs(pairs: Numbers) -> Numbers:
    """Return each pair of numbers once, (m, 2), in their order."""
    keys = (pairs[:, 0].astype(np.int64) << 32) | pairs[:, 1]
    keys.sort(kind="stable")  # merges what is sorted already; np.unique hashes, in 20 to 70 times
    keys = keys[np.diff(keys, prepend=-1) != 0]
    return np.stack([keys >> 32, keys & 0xFFFFFFFF], axis=1).astype(np.int32)


def neighbors_of_pairs(pairs: Numbers, count: int) -> Neighbors:
    """Return the neighbours that pairs name, (m, 2) in the order of `unique_pairs`.

    Parameters
    ----------
    pairs : (m, 2) int32 array
        A small region and a neighbour.
    count : int
        Regions, and one for none.
    """
    ends = np.searchsorted(pairs[:, 0], np.arange(count + 1), side="left").astype(np.int64)
    return Neighbors(ends[:-1].copy(), ends[1:].copy(), np.ascontiguousarray(pairs[:, 1]))


def largest_parts(numbers: Numbers, sizes: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return for each number the largest of the regions that have it now, the first at a tie.

    Parameters
    ----------
    numbers : (K + 1,) int32 array
        As `absorbed` returns them.
    sizes : (K + 1,) float64 array
        Pixels of each region before.

    Examples
    --------
    >>> largest_parts(np.array([0, 1, 2, 1], np.int32), np.array([0.0, 3.0, 9.0, 4.0])).tolist()
    [0, 3, 2]
    """
    largest = np.full(int(numbers.max(initial=-1)) + 1, -1)
    largest_of(numbers, sizes, largest)
    return largest[largest >= 0]
