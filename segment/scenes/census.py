"""The colours of a scene, counted strip by strip, and a sample of its pixels."""

from __future__ import annotations

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

MERGE_FROM = 1_000_000  # distinct points of strips that are put together at once
GRAYS = 256


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

    Strips that are read once it is known give their pixels away as they pass: the others are read
    once more. Of no use where pixels are hidden.

    Attributes
    ----------
    places : Started
    taken : dict of int to (places in the sample, points)
        By the first row of a strip.
    """

    places: Started[NDArray[Any]]
    taken: dict[int, tuple[NDArray[np.intp], Values]] = field(default_factory=dict)

    def pass_by(self, values: Values, top: int) -> None:
        """Take the pixels of a strip that are drawn, if that is known already."""
        if self.places.done():
            height, width = values.shape[:2]
            row, column = np.divmod(np.asarray(self.places.result(), np.int64), width)
            here = np.flatnonzero((row >= top) & (row < top + height))
            self.taken[top] = here, values[row[here] - top, column[here]]


def take_census(rows: SceneRows, strips: Strips, most: int, draw: Draw | None = None) -> Census:
    """Count the distinct points of a scene.

    Parameters
    ----------
    rows : SceneRows
    strips : Strips
    most : int
        Distinct points that there is memory for.
    draw : Draw, optional
        Takes its pixels.

    Raises
    ------
    InvalidInputError
        If there are more of them, or no pixel takes part.
    """
    counter = _counter(rows, most)
    shown = np.empty(rows.height, np.int64)

    def count(top: int, bottom: int) -> Any:
        values, visible = rows.points(top, bottom)
        shown[top:bottom] = rows.width if visible is None else visible.sum(axis=1)
        if draw is not None and visible is None:
            draw.pass_by(values, top)
        return counter.part(shown_rows(values, visible))

    for _, _, part in strips.in_order("counting", count):
        counter.add(part)
    _check_shown(shown)
    points, weights = counter.distinct()
    return Census(points, weights, shown)


def count_shown(rows: SceneRows, strips: Strips) -> NDArray[np.int64]:
    """Return how many pixels of each row take part, (H,); one at least does."""
    shown = np.empty(rows.height, np.int64)

    def count(top: int, bottom: int) -> None:
        _, visible = rows.stored(top, bottom)
        shown[top:bottom] = rows.width if visible is None else visible.sum(axis=1)

    for _ in strips.in_order("counting", count):
        pass
    _check_shown(shown)
    return shown


def _check_shown(shown: NDArray[np.int64]) -> None:
    if not shown.any():
        raise InvalidInputError(
            "image: expected something visible, but every pixel is transparent, without data or "
            "out of the mask; check its alpha and the mask"
        )


def _counter(rows: SceneRows, most: int) -> Any:
    if not is_tabled(rows):
        return _OfPoints(most)
    return _OfColors() if rows.channels == 3 else _OfGrays()


def is_tabled(rows: SceneRows) -> bool:
    """Whether there are so few possible points that a table holds all: one byte, or three."""
    return rows.in_bytes and rows.channels in (1, 3)


class _OfColors:
    """Three bytes: a table of all colours, which one thread at a time adds to."""

    def __init__(self) -> None:
        self._counts = ColorCounts()

    def part(self, pixels: Values) -> Values:
        return np.ascontiguousarray(pixels)

    def add(self, part: Values) -> None:
        self._counts.add(part)

    def distinct(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        return self._counts.distinct()


class _OfGrays:
    """One byte."""

    def __init__(self) -> None:
        self._counts = np.zeros(GRAYS, np.int64)

    def part(self, pixels: Values) -> NDArray[np.int64]:
        return np.bincount(pixels.reshape(-1), minlength=GRAYS)

    def add(self, part: NDArray[np.int64]) -> None:
        self._counts += part

    def distinct(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        grays = np.flatnonzero(self._counts)
        return grays.astype(np.uint8)[:, None], self._counts[grays].astype(np.float64)


class _OfPoints:
    """Any other points: those of a few strips are put together with all before."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts: list[tuple[NDArray[Any], NDArray[np.float64]]] = []

    def part(self, pixels: Values) -> tuple[NDArray[Any], NDArray[np.float64]] | None:
        if not len(pixels):
            return None
        distinct = distinct_points(pixels)
        return distinct.points, distinct.weights

    def add(self, part: tuple[NDArray[Any], NDArray[np.float64]] | None) -> None:
        if part is not None:
            self._parts.append(part)
        if sum(len(points) for points, _ in self._parts[1:]) > MERGE_FROM:
            self._merge()

    def distinct(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        self._merge()
        return self._parts[0]

    def _merge(self) -> None:
        if not self._parts:
            return
        merged = merged_points([p for p, _ in self._parts], [w for _, w in self._parts])
        self._parts = [merged]
        if len(merged[0]) > self._most:
            raise InvalidInputError(
                f"image: expected at most {self._most:,} distinct colours for the memory there may "
                f"be, got {len(merged[0]):,} and more; raise --memory, take fewer --bands, or "
                "scale it to 8 bits"
            )


def sampled_points(
    rows: SceneRows,
    strips: Strips,
    shown: NDArray[np.int64],
    wanted: NDArray[np.int64],
    taken: Mapping[int, tuple[NDArray[np.intp], Values]] = MappingProxyType({}),
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
    taken : mapping of int to (places in `wanted`, points)
        Of strips that need not be read again.
    """
    ends = np.cumsum(shown)
    of_row = np.searchsorted(ends, wanted, side="right")
    in_row = wanted - (ends - shown)[of_row]

    def read(top: int, bottom: int) -> tuple[NDArray[np.intp], Values] | None:
        if top in taken:
            return taken[top]
        here = np.flatnonzero((of_row >= top) & (of_row < bottom))
        if not len(here):
            return None
        first, last = int(of_row[here].min()), int(of_row[here].max()) + 1
        values, visible = rows.points(first, last)
        columns = in_row[here]
        if visible is not None:
            pairs = zip(of_row[here] - first, columns, strict=True)
            columns = np.array([np.flatnonzero(visible[row])[column] for row, column in pairs])
        in_row[here] = columns
        return here, values[of_row[here] - first, columns]

    kind = np.uint8 if rows.in_bytes else np.float64
    sample: Values = np.empty((len(wanted), rows.channels), kind)
    for _, _, found in strips.in_order("sampling", read):
        if found is not None:
            sample[found[0]] = found[1]
    return sample, in_row, of_row.astype(np.int64)


def first_seen(
    rows: SceneRows, strips: Strips, census: Census
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return distinct points in the order in which pixels first have them, and their weights."""
    number = lookup(rows, census.points, np.arange(1, len(census.points) + 1, dtype=np.int32))

    def read(top: int, bottom: int) -> NDArray[np.int32]:
        numbers = number(shown_rows(*rows.points(top, bottom))) - np.int32(1)
        first = np.sort(np.unique(numbers, return_index=True)[1])
        return np.asarray(numbers[first])

    seen = np.zeros(len(census.points), np.bool_)
    order = []
    for _, _, numbers in strips.in_order("ordering", read):
        order.append(numbers[~seen[numbers]])
        seen[numbers] = True
    places = np.concatenate(order)
    return census.points[places], census.weights[places]


def lookup(
    rows: SceneRows, every: Values, numbers: NDArray[np.int32]
) -> Callable[[Values], NDArray[np.int32]]:
    """Return what gives points, (n, C), the number that each of the distinct points has."""
    if not is_tabled(rows):
        return _searched(every, numbers)
    if rows.channels == 3:
        return ColorTable(every, numbers)
    table = np.zeros(GRAYS, np.int32)
    table[every[:, 0]] = numbers
    return lambda points: table[points[:, 0]]


def _searched(every: Values, numbers: NDArray[np.int32]) -> Callable[[Values], NDArray[np.int32]]:
    keys = _keys_of(every)
    order = np.argsort(keys)
    keys, numbers = keys[order], numbers[order]

    def look_up(points: Values) -> NDArray[np.int32]:
        if not len(points):
            return np.empty(0, np.int32)
        distinct = distinct_points(points)
        return distinct.spread(numbers[np.searchsorted(keys, _keys_of(distinct.points))])

    return look_up


def _keys_of(points: Values) -> NDArray[Any]:
    """Return what orders rows as their bytes; -0.0 is 0.0."""
    rows = np.ascontiguousarray(points + 0.0, np.float64)
    return rows.view(f"V{rows.shape[1] * 8}").reshape(-1)
