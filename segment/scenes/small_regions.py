"""Small regions of a scene absorbed by their neighbours, in the memory there may be."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from segment.regions._regions import absorb_of_size, number_roots
from segment.regions.absorbing import (
    Neighbors,
    Small,
    absorbed,
    largest_parts,
    neighbor_pairs,
    neighbors_of_pairs,
    part_keys,
    regions_of,
    unique_pairs,
)
from segment.regions.connected import Numbers, replace_all
from segment.scenes.region_map import RegionMap
from segment.strips.rows import SceneRows
from segment.strips.strips import Strips

Sums = NDArray[np.float64]
ROWS = 1 << 16  # that are moved at once
NEIGHBORS = 8  # on average at most, even across corners: such a graph has 4 K - 8 edges at most


def most_regions(memory: int, channels: int) -> int:
    """Return how many regions there is memory for before any are absorbed.

    Each has its sums, its cluster, its numbers in the strip, the scene and after a pass, and its
    place among the largest parts.

    >>> most_regions(1 << 30, 3)
    14128181
    """
    return memory // (8 * (channels + 1) + 44)


def _bytes_of_graph(sums: Sums) -> int:
    """Return what `absorbed` takes: sums, means, sets, keys, and neighbours, which are joined."""
    count, columns = sums.shape
    return int(count * (16 * columns + 37 + 8 * NEIGHBORS))


class SmallRegions:
    """The regions of a scene while small ones are absorbed.

    The smallest go first. So those of one pixel, then those of two, and so on, are absorbed in a
    pass over the strips each, which needs their neighbours in a few strips only; what grows is at
    least twice as large, so that no pass has to come back. When a graph of those that are left
    fits the memory, it does the rest.

    Parameters
    ----------
    rows : SceneRows
    strips : Strips
    region_map : RegionMap
        Its table is brought up to date.
    touching : sequence of (m, 2) int32 arrays
        For each seam, what touches across it, as numbers of the strips.
    sums : (K + 1, C + 1) float64 array
        As `absorbed` takes them.
    diagonal : bool
        Whether regions are adjacent across a corner, too.
    """

    def __init__(
        self,
        rows: SceneRows,
        strips: Strips,
        region_map: RegionMap,
        touching: Sequence[Numbers],
        sums: Sums,
        diagonal: bool,
    ) -> None:
        self._rows, self._strips, self._map = rows, strips, region_map
        self._touching, self._diagonal = touching, diagonal
        self._sums, self._parts = sums, part_keys(sums[:, -1])

    def absorb(self, min_size: int, memory: int) -> tuple[Sums, NDArray[np.intp]]:
        """Let none be below a size that has a neighbour.

        Parameters
        ----------
        min_size : int
        memory : int
            Bytes that the graph of regions may take.

        Returns
        -------
        sums : (k + 1, C + 1) float64 array
            Of what is left.
        parts : (k + 1,) int array
            The region that was the largest part of each.
        """
        size = 1
        while size < min_size and _bytes_of_graph(self._sums) > memory:
            self._absorb_of(size)
            size += 1
        if size < min_size:
            listed = functools.partial(self._listed, largest=min_size - 1)
            self._become(absorbed(listed, self._sums, min_size))
        return self._sums, regions_of(self._parts)

    def _absorb_of(self, size: int) -> None:
        """Absorb the regions of the smallest size there is."""
        numbers = np.arange(len(self._sums), dtype=np.int32)
        for pairs in self._pairs((self._sums[:, -1] == size).view(np.uint8), size):
            absorb_of_size(pairs, numbers, self._sums, size)
        number_roots(numbers, 1, len(numbers), 0)
        self._become(numbers)

    def _become(self, numbers: Numbers) -> None:
        """Give regions that are one by now the number that they have together."""
        highest = np.maximum.accumulate(numbers)  # goes up with the one that has the sums of all
        count = int(highest[-1]) + 1
        _move_up(self._sums, np.searchsorted(highest, np.arange(count, dtype=np.int32)))
        self._parts = largest_parts(numbers, self._parts)
        replace_all(self._map.table, numbers)

    def _listed(self, small: Small, largest: int) -> Neighbors:
        """Return the neighbours of small regions."""
        return neighbors_of_pairs(self._pairs(small, largest), len(small))

    def _pairs(self, small: Small, largest: int) -> Iterator[Numbers]:
        """Yield small regions, ascending, each with each of its neighbours, as `unique_pairs`.

        Those come together that begin so far above the strips that have passed that none of their
        pixels, `largest` at most, lies below.
        """
        meet = functools.partial(
            _meeting, region_map=self._map, small=small, diagonal=self._diagonal
        )
        begun, reach = self._map.begun(), -(-largest // self._strips.rows)
        waiting = np.empty((0, 2), np.int32)
        for top, _, pairs in self._strips.in_order("joining", self._rows, meet):
            strip = self._map.strip_of(top)
            waiting = np.concatenate([waiting, self._across(strip, small), pairs])
            complete = waiting[:, 0] <= begun[max(strip + 1 - reach, 0)]
            yield unique_pairs(waiting[complete])
            waiting = waiting[~complete]
        yield unique_pairs(waiting)

    def _across(self, strip: int, small: Small) -> Numbers:
        """Return small regions with their neighbours across the upper seam of a strip."""
        if strip == 0:
            return np.empty((0, 2), np.int32)
        across = self._map.table[self._touching[strip - 1]]
        return _between(np.concatenate([across, across[:, ::-1]]), small)


def _move_up(sums: Sums, kept: NDArray[np.intp]) -> None:
    """Leave those rows alone that are kept, in the same memory: a copy may not fit beside it."""
    for first in range(0, len(kept), ROWS):
        part = kept[first : first + ROWS]
        sums[first : first + len(part)] = sums[part]
    sums.resize((len(kept), sums.shape[1]), refcheck=False)  # nobody has a view of them


def _meeting(
    rows: SceneRows, top: int, bottom: int, region_map: RegionMap, small: Small, diagonal: bool
) -> Numbers:
    """Return the small regions of a strip, each with each of its neighbours there."""
    numbers, table = region_map.own(rows, region_map.strip_of(top))
    return _between(table[neighbor_pairs(numbers, small[table], diagonal=diagonal)], small)


def _between(pairs: Numbers, small: Small) -> Numbers:
    """Return those pairs that are a small region and another one: some are one by now."""
    different = (small[pairs[:, 0]] > 0) & (pairs[:, 0] != pairs[:, 1])
    return np.asarray(pairs[different])
