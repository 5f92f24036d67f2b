"""Rows to distinct points with their counts, neighbours in space next to each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.meanshift._points import (
    add_colors,
    colors_of,
    count_by_sorting,
    count_by_table,
    fill_slots,
    find_rows,
    insert_rows,
    keys_of,
    look_up,
    z_keys,
)
from segment.threads import equal_slices, on_threads

TABLE_FROM = 2_000_000  # pixels from which a table of all colours beats sorting them
SLICE = 1_000_000  # pixels that are worth a thread of their own
KEYS = 1 << 24
MANY = 1 << 32  # pixels that are too many for counters of 32 bits
LEAST = 1 << 10  # rows that a table has room for at first
WORD = 8  # bytes
DIGIT = 16  # bits
ONE_EACH = np.empty(0, np.int64)


class DistinctPoints(NamedTuple):
    """Rows that occur, how often, and how to get from them back to all rows.

    Attributes
    ----------
    points : (m, d) array
        In Z-order, so that neighbours in the array are near each other in space.
    weights : (m,) float64 array
        How many rows equal each point; sums to n.
    spread : callable
        Turns one int32 value per point, shape (m,), into one per row, shape (n,).
    """

    points: NDArray[Any]
    weights: NDArray[np.float64]
    spread: Callable[[NDArray[np.int32]], NDArray[np.int32]]


def distinct_points(rows: NDArray[Any]) -> DistinctPoints:
    """Merge equal rows.

    Parameters
    ----------
    rows : (n, d) array
        Finite numbers. (n, 3) uint8 takes a shortcut: 1 ms for 154,000 rows. Others are hashed,
        which takes 0.02 to 0.1 s for a million, and only the distinct ones sorted: 0.5 to 2 s.

    Examples
    --------
    >>> distinct = distinct_points(np.array([[7, 7, 7], [0, 0, 1], [7, 7, 7]], np.uint8))
    >>> distinct.points.tolist(), distinct.weights.tolist()
    ([[0, 0, 1], [7, 7, 7]], [1.0, 2.0])
    >>> distinct.spread(np.array([5, 6], np.int32)).tolist()
    [6, 5, 6]
    """
    if rows.dtype == np.uint8 and rows.shape[1] == 3:
        return _distinct_colors(np.ascontiguousarray(rows))
    short = rows.dtype.kind in "biu" and rows.dtype.itemsize <= 4
    values = rows if short else np.add(rows, 0.0, dtype=np.float64)  # -0.0 is 0.0
    table = RowTable(rows.shape[1], values.dtype)
    came = table.add(values)
    order = _z_order(table.rows.astype(np.float64))
    places = np.empty(len(order), np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    first = np.empty(len(order), np.intp)
    first[came[::-1]] = np.arange(len(rows) - 1, -1, -1)
    weights = table.counts[order].astype(np.float64)
    return DistinctPoints(rows[first[order]], weights, lambda numbers: numbers[places][came])


def _distinct_colors(pixels: NDArray[np.uint8]) -> DistinctPoints:
    if len(pixels) < TABLE_FROM:
        keys, counts, places = count_by_sorting(pixels)
        return DistinctPoints(
            colors_of(keys), counts.astype(np.float64), lambda values: values[places]
        )
    keys, counts = count_by_table(pixels)
    colors = colors_of(keys)
    return DistinctPoints(
        colors, counts.astype(np.float64), lambda values: ColorTable(colors, values)(pixels)
    )


class ColorTable:
    """A value for each of some colours, to be looked up for any number of pixels.

    Parameters
    ----------
    colors : (m, 3) uint8 array
    values : (m,) int32 array
        Other colours have 0.
    """

    def __init__(self, colors: NDArray[np.uint8], values: NDArray[np.int32]) -> None:
        self._given = colors, values
        kind = np.min_scalar_type(int(values.max()))
        self._table = np.zeros(
            KEYS, dtype=np.int32 if values.min() < 0 or kind.itemsize > 2 else kind
        )
        self._table[keys_of(colors)] = values

    def __reduce__(self) -> tuple[Any, ...]:
        """Be sent as what the table is made of, a fraction of it."""
        return ColorTable, self._given

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Return the values of pixels, (n, 3), a part of them on each thread."""
        out = np.empty(len(pixels), dtype=np.int32)
        parts = equal_slices(len(pixels), smallest=SLICE)
        on_threads(lambda part: look_up(pixels[part], self._table, out[part]), parts)
        return out


class ColorCounts:
    """A counter for each 8-bit colour: 64 MiB, or 128 for 2^32 pixels and more.

    Parameters
    ----------
    pixels : int
        That will come, at most.
    """

    def __init__(self, pixels: int) -> None:
        self._counters: NDArray[np.uint32] | NDArray[np.uint64]
        self._counters = np.zeros(KEYS, np.uint32) if pixels < MANY else np.zeros(KEYS, np.uint64)

    def add(self, pixels: NDArray[np.uint8]) -> None:
        """Count pixels, (n, 3); one call at a time."""
        add_colors(pixels, self._counters)

    def __len__(self) -> int:
        return int(np.count_nonzero(self._counters))

    def distinct(self) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Return colours and weights of those that occur, in the order of `distinct_points`.

        Examples
        --------
        >>> counts = ColorCounts(3)
        >>> counts.add(np.array([[7, 7, 7], [0, 0, 1], [7, 7, 7]], np.uint8))
        >>> colors, weights = counts.distinct()
        >>> colors.tolist(), weights.tolist()
        ([[0, 0, 1], [7, 7, 7]], [1.0, 2.0])
        """
        keys = np.flatnonzero(self._counters).astype(np.uint32)
        return colors_of(keys), self._counters[keys].astype(np.float64)


class RowTable:
    """Distinct rows, in the order in which they came, and how often each did.

    16 bytes of slots, 8 of a counter and the row itself, in whole words of 8 bytes, are taken
    for each distinct row, and up to twice that before it grows.

    Parameters
    ----------
    columns : int
    dtype : dtype
        Of all rows: rows are equal if their bytes are, so 0.0 is not -0.0.

    Examples
    --------
    >>> table = RowTable(2, np.uint16)
    >>> table.add(np.array([[7, 7], [0, 1], [7, 7]], np.uint16)).tolist()
    [0, 1, 0]
    >>> table.rows.tolist(), table.counts.tolist()
    ([[7, 7], [0, 1]], [2, 1])
    >>> table.find(np.array([[0, 1], [1, 0]], np.uint16)).tolist()
    [1, -1]
    """

    def __init__(self, columns: int, dtype: Any) -> None:
        self._columns, self._dtype = columns, np.dtype(dtype)
        width = -(-columns * self._dtype.itemsize // WORD)
        self._kept = np.empty((LEAST, width), np.uint64)
        self._counts = np.zeros(LEAST, np.int64)
        self._slots = np.zeros(2 * LEAST, np.uint64)
        self._found = 0

    def __len__(self) -> int:
        return self._found

    @property
    def rows(self) -> NDArray[Any]:
        """The distinct rows, (m, columns)."""
        kept = self._kept[: self._found].view(self._dtype)
        return np.ascontiguousarray(kept[:, : self._columns])

    @property
    def counts(self) -> NDArray[np.int64]:
        """How often each has come, (m,)."""
        return self._counts[: self._found]

    def add(self, rows: NDArray[Any], counts: NDArray[np.int64] = ONE_EACH) -> NDArray[np.int32]:
        """Count rows, (n, columns); return the place of each among the distinct ones, (n,).

        Parameters
        ----------
        rows : (n, columns) array
        counts : (n,) int64 array, optional
            How often each has come. Default: once.
        """
        words, places = self._words_of(rows), np.empty(len(rows), np.int32)
        done = 0
        while True:
            done, self._found = insert_rows(
                words, done, self._slots, self._kept, self._found, counts, self._counts, places
            )
            if done == len(words):
                return places
            self._grow()

    def find(self, rows: NDArray[Any]) -> NDArray[np.int32]:
        """Return the place of each row among the distinct ones, (n,), -1 for others.

        Any threads may call it.
        """
        places = np.empty(len(rows), np.int32)
        find_rows(self._words_of(rows), self._slots, self._kept, places)
        return places

    def _grow(self) -> None:
        size, width = self._kept.shape
        kept, counts = np.empty((2 * size, width), np.uint64), np.zeros(2 * size, np.int64)
        kept[:size], counts[:size] = self._kept, self._counts
        self._kept, self._counts = kept, counts
        self._slots = np.zeros(4 * size, np.uint64)
        fill_slots(kept, self._found, self._slots)

    def _words_of(self, rows: NDArray[Any]) -> NDArray[np.uint64]:
        """Return rows as words: as they lie in memory, or filled up with zeros."""
        rows = np.ascontiguousarray(rows, self._dtype)
        spare = -rows.shape[1] * rows.itemsize % WORD
        if spare:
            full = np.zeros((len(rows), rows.shape[1] + spare // rows.itemsize), rows.dtype)
            full[:, : rows.shape[1]] = rows
            rows = full
        return rows.view(np.uint64)


def merged_points(
    points: Sequence[NDArray[Any]], weights: Sequence[NDArray[np.float64]]
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Put distinct points of several parts together; return them and their weights.

    Parameters
    ----------
    points : sequence of (m, d) arrays
        Of one width, and one at least.
    weights : sequence of (m,) float64 arrays

    Examples
    --------
    >>> merged_points([np.array([[2.0]]), np.array([[1.0], [2.0]])], [np.ones(1), np.ones(2)])
    (array([[1.],
           [2.]]), array([1., 2.]))
    """
    distinct = distinct_points(np.concatenate(points))
    places = distinct.spread(np.arange(len(distinct.points), dtype=np.int32))
    counts = np.bincount(places, np.concatenate(weights), minlength=len(distinct.points))
    return distinct.points, counts.astype(np.float64)


def rough_order(points: NDArray[np.float64], digits: int = 1) -> NDArray[np.intp]:
    """Return an order of points, (n, d), that keeps neighbours in space more or less together.

    On a Z-order curve of 2^16 cells, or as many to the power of `digits`, sorted by counting: for
    trees that are soon gone.

    Examples
    --------
    >>> rough_order(np.array([[0.0, 0.0], [9.0, 9.0], [0.0, 1.0]])).tolist()
    [0, 2, 1]
    """
    some = np.ascontiguousarray(points[:, : digits * DIGIT])
    bits = max(1, digits * DIGIT // some.shape[1])
    keys = z_keys(some, *_cells(some, bits), bits)
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    for digit in range(1, digits):
        higher = (keys >> np.uint64(digit * DIGIT)).astype(np.uint16)
        order = order[np.argsort(higher[order], kind="stable")]
    return order


def _cells(
    values: NDArray[np.float64], bits: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where a grid of 2^bits cells a side begins, and cells to the unit."""
    low, high = values.min(axis=0), values.max(axis=0)
    with np.errstate(divide="ignore", over="ignore"):
        scale = (2.0**bits - 1) / (high - low)
    scale[~np.isfinite(scale)] = 0  # a constant coordinate, or one beyond the range of doubles
    return low, scale


def _z_order(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return an order that keeps neighbours in space together, and equal rows side by side."""
    bits = min(16, max(1, 64 // values.shape[1]))
    keys = z_keys(values, *_cells(values, bits), bits)
    order = np.argsort(keys, kind="stable")
    starts = np.append(True, np.diff(keys[order]) != 0)
    cell = starts.cumsum() - 1
    beside = np.flatnonzero(~starts)
    differ = (values[order[beside]] != values[order[beside - 1]]).any(axis=1)
    mixed = np.zeros(cell[-1] + 1, dtype=bool)
    mixed[cell[beside[differ]]] = True
    places = np.flatnonzero(mixed[cell])  # none where keys tell all whole numbers apart
    return _sort_within(values, order, places, cell[places])


def _sort_within(
    values: NDArray[np.float64],
    order: NDArray[np.intp],
    places: NDArray[np.intp],
    cell: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Sort the rows of each cell by their coordinates; the first few tell nearly all apart."""
    for column in values.T:
        if not len(places):
            break
        rows = order[places]
        order[places] = rows = rows[np.lexsort((column[rows], cell))]
        numbers = column[rows]
        starts = np.append(True, (cell[1:] != cell[:-1]) | (numbers[1:] != numbers[:-1]))
        several = ~starts | ~np.append(starts[1:], True)
        places, cell = places[several], starts.cumsum()[several]
    return order
