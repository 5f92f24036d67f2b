"""Small regions absorbed by their neighbours: on a graph of regions that is made by strips."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from segment.regions._regions import absorb_small, meet_neighbors, number_roots

# Rows of a region map, and which of them is the first that was not there before: 0 where the
# map begins, else 1, below the last row of the strip before.
Strips = Callable[[], Iterable[tuple[NDArray[np.int32], int]]]


def absorbed(
    strips: Strips,
    sums: NDArray[np.float64],
    min_size: int,
    *,
    diagonal: bool,
    most: int | None = None,
) -> NDArray[np.int32]:
    """Return the number that each region has when none is below a size that has a neighbour.

    Parameters
    ----------
    strips : callable
        Gives the rows of the region map from the first on, whenever it is called: once to count
        the neighbours of small regions, and once to list them.
    sums : (K + 1, C + 1) float64 array
        Of the coordinates of each region's pixels, last their number; row 0 is for none. Those of
        regions that are absorbed are added to those that they become one with.
    min_size : int
    diagonal : bool
        Whether regions are adjacent across a corner, too.
    most : int, optional
        Neighbours that there is room for.

    Returns
    -------
    numbers : (K + 1,) int32 array
        1..k in the order of the first pixels of what is left; 0 for 0.

    Raises
    ------
    MemoryError
        If there is room for fewer neighbours than there are.
    """
    small = (sums[:, -1] < min_size).view(np.uint8)
    small[0] = 0
    if small.any():
        first, end, neighbors = _neighbors(strips, small, diagonal, most)
        numbers = absorb_small(neighbors, first, end, sums, min_size)
    else:
        numbers = np.arange(len(sums), dtype=np.int32)
    number_roots(numbers, 1, len(numbers), 0)
    return numbers


def _neighbors(
    strips: Strips, small: NDArray[np.uint8], diagonal: bool, most: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Return where in a list those of each small region begin and end, and the list."""
    last = np.zeros(len(small), np.int32)
    end = np.zeros(len(small), np.int64)
    neighbors = np.empty(0, np.int32)
    for rows, top in strips():
        meet_neighbors(rows, top, diagonal, small, last, end, neighbors)
    count = int(end.sum())
    if most is not None and count > most:
        raise MemoryError(f"{count} neighbours of small regions")
    first = np.cumsum(end) - end
    end[:], last[:] = first, 0
    if count:
        neighbors = np.empty(count, np.int32)
        for rows, top in strips():
            meet_neighbors(rows, top, diagonal, small, last, end, neighbors)
    return first, end, neighbors


def largest_parts(numbers: NDArray[np.int32], sizes: NDArray[np.float64]) -> NDArray[np.intp]:
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
    order = np.lexsort((-sizes, numbers))
    first = np.append(True, np.diff(numbers[order]) > 0)
    return np.asarray(order[first])
