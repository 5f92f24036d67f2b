"""Small regions absorbed by their neighbours, from a graph of regions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.regions._regions import absorb_small, meet_neighbors, number_roots
from segment.threads import equal_slices, on_threads

SLICE = 2**16  # pixels that are worth a thread of their own
Numbers = NDArray[np.int32]
Small = NDArray[np.uint8]
HALF, LAST = np.uint64(32), (1 << 32) - 1


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
    bands = equal_slices(len(region_map), smallest=-(-SLICE // region_map.shape[1]))
    ends = {band.start: np.zeros(len(small), np.int64) for band in bands}
    listed = np.empty(0, np.int32)

    def meet(band: slice) -> None:
        last = np.zeros(len(small), np.int32)
        rows = region_map[: band.stop]
        meet_neighbors(rows, band.start, diagonal, small, last, ends[band.start], listed)

    on_threads(meet, bands)
    counts = np.sum(list(ends.values()), axis=0)
    first = end = np.cumsum(counts) - counts
    for band in bands:  # where those that it meets begin
        end, ends[band.start] = end + ends[band.start], end.copy()
    if counts.any():
        listed = np.empty(int(counts.sum()), np.int32)
        on_threads(meet, bands)
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


def neighbors_of_pairs(parts: Iterable[Numbers], count: int) -> Neighbors:
    """Return the neighbours that pairs name.

    Parameters
    ----------
    parts : iterable of (m, 2) int32 arrays
        Small regions and their neighbours, as `unique_pairs` has them; each part has regions above
        all those of the one before.
    count : int
        Regions, and one for none.
    """
    degrees, listed = np.zeros(count, np.int64), [np.empty(0, np.int32)]
    for pairs in parts:
        if len(pairs):
            first = int(pairs[0, 0])
            here = np.bincount(pairs[:, 0] - first)
            degrees[first : first + len(here)] += here
            listed.append(pairs[:, 1].copy())
    end = np.cumsum(degrees)
    return Neighbors(end - degrees, end, np.concatenate(listed))


def part_keys(sizes: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return a key for each region: greater for a larger one, at a tie for an earlier one.

    Sizes of 2**32 and more are taken as equal: of parts that become one no two are so large.
    """
    numbers = np.arange(len(sizes), dtype=np.uint64)
    return (np.minimum(sizes, LAST).astype(np.uint64) << HALF) | (np.uint64(LAST) - numbers)


def largest_parts(numbers: Numbers, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return for each number the key of the largest of the regions that have it now.

    Parameters
    ----------
    numbers : (K + 1,) int32 array
        As `absorbed` returns them.
    keys : (K + 1,) uint64 array
        As `part_keys` or this returns them.

    Examples
    --------
    >>> keys = part_keys(np.array([0.0, 3.0, 9.0, 4.0]))
    >>> regions_of(largest_parts(np.array([0, 1, 2, 1], np.int32), keys)).tolist()
    [0, 3, 2]
    """
    largest = np.zeros(int(numbers.max(initial=-1)) + 1, np.uint64)
    np.maximum.at(largest, numbers, keys)
    return largest


def regions_of(keys: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Return the regions that keys were made for."""
    return (np.uint64(LAST) - (keys & np.uint64(LAST))).astype(np.intp)
