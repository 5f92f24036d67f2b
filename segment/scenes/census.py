"""The colours of a scene, counted strip by strip, and a sample of its pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.meanshift.points import ColorCounts, DistinctPoints, RowTable, distinct_points
from segment.scenes.rows import SceneRows, Values, Visible
from segment.scenes.strips import Strips
from segment.threads import Started

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
    stored : (s, C) array
        Distinct values as stored, of which several may be one point; none where points are looked
        up in a table.
    places : (s,) int32 array
        Which point each of those is.
    """

    points: NDArray[Any]
    weights: NDArray[np.float64]
    shown: NDArray[np.int64]
    stored: NDArray[Any]
    places: NDArray[np.int32]

    @property
    def distinct(self) -> DistinctPoints:
        return DistinctPoints(self.points, self.weights, _nothing_to_spread)


def _nothing_to_spread(values: NDArray[np.int32]) -> NDArray[np.int32]:
    raise NotImplementedError("the pixels of a scene are labelled strip by strip")


def shown_rows(values: Values, visible: Visible) -> Values:
    """Return the values of a strip that take part, (n, C), in scan order."""
    return values.reshape(-1, values.shape[-1]) if visible is None else values[visible]


@dataclass(eq=False)
class Draw:
    """Places of a sample among all pixels of a scene, drawn while others work.

    Strips that are read once it is known give their pixels away as they pass: the others are read
    once more. Of no use where pixels are hidden.

    Attributes
    ----------
    places : Started
    taken : dict of int to (places in the sample, values)
        By the first row of a strip, as `SceneRows.told_apart` has them.
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
        values, visible = rows.told_apart(top, bottom)
        shown[top:bottom] = rows.width if visible is None else visible.sum(axis=1)
        if draw is not None and visible is None:
            draw.pass_by(values, top)
        return counter.part(shown_rows(values, visible))

    for _, _, part in strips.in_order("counting", count):
        counter.add(part)
    _check_shown(shown)
    points, weights = counter.distinct()
    return Census(points, weights, shown, *counter.stored())


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
    if not rows.is_tabled:
        return _OfRows(rows, most)
    return _OfColors() if rows.channels == 3 else _OfGrays()


class _OfTable:
    """What has a counter for each possible point, and need not keep what was stored."""

    def stored(self) -> tuple[NDArray[Any], NDArray[np.int32]]:
        return np.empty((0, 1), np.uint8), np.empty(0, np.int32)


class _OfColors(_OfTable):
    """Three bytes: a table of all colours, which one thread at a time adds to."""

    def __init__(self) -> None:
        self._counts = ColorCounts()

    def part(self, pixels: Values) -> Values:
        return np.ascontiguousarray(pixels)

    def add(self, part: Values) -> None:
        self._counts.add(part)

    def distinct(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        return self._counts.distinct()


class _OfGrays(_OfTable):
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


class _OfRows:
    """Any other points: by what is stored, which is scaled and put in order once it is counted."""

    def __init__(self, rows: SceneRows, most: int) -> None:
        self._rows, self._most = rows, most
        self._table = self._empty()
        self._places = np.empty(0, np.int32)

    def _empty(self) -> RowTable:
        return RowTable(self._rows.channels, self._rows.dtype)

    def part(self, pixels: Values) -> RowTable:
        table = self._empty()
        table.add(pixels)
        return table

    def add(self, part: RowTable) -> None:
        self._table.add(part.rows, part.counts)
        if len(self._table) > self._most:
            raise InvalidInputError(
                f"image: expected at most {self._most:,} distinct colours for the memory there may "
                f"be, got {len(self._table):,} and more; raise --memory, take --features joint, "
                "which counts none, fewer --bands, or bands of 8 bits"
            )

    def distinct(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        points = distinct_points(self._rows.points_of(self._table.rows[None])[0])
        self._places = points.spread(np.arange(len(points.points), dtype=np.int32))
        weights = np.bincount(self._places, self._table.counts)
        return points.points, weights.astype(np.float64)

    def stored(self) -> tuple[NDArray[Any], NDArray[np.int32]]:
        return self._table.rows, self._places


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
    taken : mapping of int to (places in `wanted`, values)
        Of strips that need not be read again, as `SceneRows.told_apart` has them.
    """
    ends = np.cumsum(shown)
    of_row = np.searchsorted(ends, wanted, side="right")
    in_row = wanted - (ends - shown)[of_row]

    def read(top: int, bottom: int) -> tuple[NDArray[np.intp], Values] | None:
        if top in taken:
            places, values = taken[top]
            return places, values if rows.is_tabled else rows.points_of(values)
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
