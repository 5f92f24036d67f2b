"""The colours of a scene, counted strip by strip, and a sample of its pixels."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.meanshift.points import (
    ColorCounts,
    ColorTable,
    DistinctPoints,
    distinct_points,
    merged_points,
)
from segment.scenes.rows import SceneRows, Values, Visible
from segment.scenes.strips import Strips
from segment.threads import Started

GRAYS = 256
Sampled = tuple[NDArray[np.intp], Values, NDArray[np.int64]]  # which, their points and columns
Lookup = Callable[[Values], NDArray[np.int32]]


@dataclass(frozen=True, eq=False)
class Census:
    """What is known of the pixels of a scene that take part.

    Attributes
    ----------
    points : (m, C) array
        Distinct points, in the order of `distinct_points`.
    weights : (m,) float64 array
        How many pixels have each.
    shown : (H,) int64 array
        Pixels of each row that take part.
    """

    points: NDArray[Any]
    weights: NDArray[np.float64]
    shown: NDArray[np.int64]

    @property
    def distinct(self) -> DistinctPoints:
        return DistinctPoints(self.points, self.weights, _nothing_to_spread)


def _nothing_to_spread(values: NDArray[np.int32]) -> NDArray[np.int32]:
    raise NotImplementedError("the pixels of a scene are labelled strip by strip")


def shown_rows(values: Values, visible: Visible) -> Values:
    """Return the points of a strip that take part, (n, C), in scan order."""
    return values.reshape(-1, values.shape[-1]) if visible is None else values[visible]


@dataclass(eq=False)
class Draw:
    """Places of a sample among all pixels of a scene, drawn while others work.

    Strips whose pixels pass by here once it is known give theirs away: the others are read once
    more. Of no use where pixels are hidden.

    Attributes
    ----------
    places : Started
    taken : dict of int to (places in the sample, points, columns)
        By the first row of a strip.
    """

    places: Started[NDArray[Any]]
    taken: dict[int, Sampled] = field(default_factory=dict)

    def pass_by(self, values: Values, top: int) -> None:
        """Take the pixels of a strip that are drawn, if that is known already."""
        if self.places.done():
            height, width = values.shape[:2]
            row, column = np.divmod(np.asarray(self.places.result(), np.int64), width)
            here = np.flatnonzero((row >= top) & (row < top + height))
            self.taken[top] = here, values[row[here] - top, column[here]], column[here]


def take_census(rows: SceneRows, strips: Strips, most: int, draw: Draw | None = None) -> Census:
    """Count the distinct points of a scene.

    Parameters
    ----------
    rows : SceneRows
    strips : Strips
    most : int
        Distinct points that there is memory for.
    draw : Draw, optional
        Takes its pixels, where all pass by here.

    Raises
    ------
    InvalidInputError
        If there are more of them, or no pixel takes part.
    """
    if strips.are_here and is_tabled(rows) and rows.channels == 3:
        found = _of_colors(rows, strips, draw)
    else:
        most = GRAYS**rows.channels if is_tabled(rows) else most
        count, merge = functools.partial(_counted, most=most), functools.partial(_both, most=most)
        found = strips.merged("counting", rows, count, merge)
    _check_shown(found.shown)
    return found


def count_shown(rows: SceneRows, strips: Strips) -> NDArray[np.int64]:
    """Return how many pixels of each row take part, (H,); one at least does."""
    shown = np.concatenate([part for _, _, part in strips.in_order("counting", rows, _shown)])
    _check_shown(shown)
    return shown


def _shown(rows: SceneRows, top: int, bottom: int) -> NDArray[np.int64]:
    _, visible = rows.stored(top, bottom)
    return _in_rows(rows, top, bottom, visible)


def _in_rows(rows: SceneRows, top: int, bottom: int, visible: Visible) -> NDArray[np.int64]:
    if visible is None:
        return np.full(bottom - top, rows.width, np.int64)
    return np.asarray(visible.sum(axis=1), np.int64)


def _check_shown(shown: NDArray[np.int64]) -> None:
    if not shown.any():
        raise InvalidInputError(
            "image: expected something visible, but every pixel is transparent, without data or "
            "out of the mask; check its alpha and the mask"
        )


def is_tabled(rows: SceneRows) -> bool:
    """Whether there are so few possible points that a table holds all: one byte, or three."""
    return rows.in_bytes and rows.channels in (1, 3)


def _of_colors(rows: SceneRows, strips: Strips, draw: Draw | None) -> Census:
    """Count three bytes in a table of all colours, which one thread at a time adds to."""
    counts = ColorCounts()
    shown = []
    for top, bottom, (pixels, seen) in strips.in_order("counting", rows, _pixels):
        counts.add(pixels)
        if draw is not None and len(pixels) == (bottom - top) * rows.width:
            draw.pass_by(pixels.reshape(bottom - top, rows.width, -1), top)
        shown.append(seen)
    return Census(*counts.distinct(), np.concatenate(shown))


def _pixels(rows: SceneRows, top: int, bottom: int) -> tuple[Values, NDArray[np.int64]]:
    """Return the points of a strip that take part, and how many there are in each row."""
    values, visible = rows.points(top, bottom)
    seen = _in_rows(rows, top, bottom, visible)
    return np.ascontiguousarray(shown_rows(values, visible)), seen


def _counted(rows: SceneRows, top: int, bottom: int, most: int) -> Census:
    pixels, seen = _pixels(rows, top, bottom)
    if not len(pixels):
        return Census(pixels, np.empty(0), seen)
    distinct = distinct_points(pixels)
    return _checked(Census(distinct.points, distinct.weights, seen), most)


def _both(one: Census, other: Census, most: int) -> Census:
    """Return the census of two neighbours together."""
    shown = np.append(one.shown, other.shown)
    parts = [part for part in (one, other) if len(part.points)]
    if len(parts) < 2:
        (some,) = parts or [one]
        return Census(some.points, some.weights, shown)
    merged = merged_points([part.points for part in parts], [part.weights for part in parts])
    return _checked(Census(*merged, shown), most)


def _checked(census: Census, most: int) -> Census:
    if len(census.points) > most:
        raise InvalidInputError(
            f"image: expected at most {most:,} distinct colours for the memory there may be, got "
            f"{len(census.points):,} and more; raise --memory, take fewer --bands, or scale it to "
            "8 bits"
        )
    return census


def sampled_points(
    rows: SceneRows,
    strips: Strips,
    shown: NDArray[np.int64],
    wanted: NDArray[np.int64],
    taken: Mapping[int, Sampled] = MappingProxyType({}),
) -> tuple[Values, NDArray[np.int64], NDArray[np.int64]]:
    """Return the points of some of the pixels that take part, (n, C), and their x and y.

    Parameters
    ----------
    rows : SceneRows
    strips : Strips
    shown : (H,) int64 array
        Pixels of each row that take part.
    wanted : (n,) int64 array
        Places among those, in scan order.
    taken : mapping of int to what `Draw` has taken
        Of strips that need not be read again.
    """
    ends = np.cumsum(shown)
    of_row = np.searchsorted(ends, wanted, side="right")
    in_row = wanted - (ends - shown)[of_row]
    read = functools.partial(_sampled, of_row=of_row, in_row=in_row)
    kind = np.uint8 if rows.in_bytes else np.float64
    sample: Values = np.empty((len(wanted), rows.channels), kind)
    for which, points, _ in taken.values():
        sample[which] = points
    columns = in_row.copy()
    for _, _, found in strips.in_order("sampling", rows, read, passed=taken.keys()):
        if found is not None:
            sample[found[0]], columns[found[0]] = found[1:]
    return sample, columns, of_row.astype(np.int64)


def _sampled(
    rows: SceneRows, top: int, bottom: int, of_row: NDArray[np.intp], in_row: NDArray[np.int64]
) -> Sampled | None:
    """Return which of the wanted pixels lie in a strip, their points, and their columns."""
    here = np.flatnonzero((of_row >= top) & (of_row < bottom))
    if not len(here):
        return None
    first, last = int(of_row[here].min()), int(of_row[here].max()) + 1
    values, visible = rows.points(first, last)
    columns = in_row[here]
    if visible is not None:
        pairs = zip(of_row[here] - first, columns, strict=True)
        columns = np.array([np.flatnonzero(visible[row])[column] for row, column in pairs])
    return here, values[of_row[here] - first, columns], columns


def first_seen(
    rows: SceneRows, strips: Strips, census: Census
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return distinct points in the order in which pixels first have them, and their weights."""
    number = lookup(rows, census.points, np.arange(1, len(census.points) + 1, dtype=np.int32))
    seen = np.zeros(len(census.points), np.bool_)
    order = []
    read = functools.partial(_first_in, number=number)
    for _, _, numbers in strips.in_order("ordering", rows, read):
        order.append(numbers[~seen[numbers]])
        seen[numbers] = True
    places = np.concatenate(order)
    return census.points[places], census.weights[places]


def _first_in(rows: SceneRows, top: int, bottom: int, number: Lookup) -> NDArray[np.int32]:
    """Return the numbers of the points of a strip, each once, in the order of the pixels."""
    numbers = number(shown_rows(*rows.points(top, bottom))) - np.int32(1)
    first = np.sort(np.unique(numbers, return_index=True)[1])
    return np.asarray(numbers[first])


def lookup(rows: SceneRows, every: Values, numbers: NDArray[np.int32]) -> Lookup:
    """Return what gives points, (n, C), the number that each of the distinct points has."""
    if not is_tabled(rows):
        return _Sorted(every, numbers)
    return ColorTable(every, numbers) if rows.channels == 3 else _GrayTable(every, numbers)


class _GrayTable:
    """A number for each grey."""

    def __init__(self, every: Values, numbers: NDArray[np.int32]) -> None:
        self._table = np.zeros(GRAYS, np.int32)
        self._table[every[:, 0]] = numbers

    def __call__(self, points: Values) -> NDArray[np.int32]:
        return self._table[points[:, 0]]


class _Sorted:
    """A number for each of some points, which are looked for."""

    def __init__(self, every: Values, numbers: NDArray[np.int32]) -> None:
        keys = _keys_of(every)
        order = np.argsort(keys)
        self._keys, self._numbers = keys[order], numbers[order]

    def __call__(self, points: Values) -> NDArray[np.int32]:
        if not len(points):
            return np.empty(0, np.int32)
        distinct = distinct_points(points)
        places = np.searchsorted(self._keys, _keys_of(distinct.points))
        return distinct.spread(self._numbers[places])


def _keys_of(points: Values) -> NDArray[Any]:
    """Return what orders rows as their bytes; -0.0 is 0.0."""
    rows = np.ascontiguousarray(points + 0.0, np.float64)
    return rows.view(f"V{rows.shape[1] * 8}").reshape(-1)
