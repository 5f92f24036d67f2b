"""The colours of a scene, counted strip by strip, and a sample of its pixels."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.meanshift.points import ColorCounts, DistinctPoints, RowTable, distinct_points
from segment.pixels.bands import check_reach
from segment.strips.remembered import Remembered
from segment.strips.rows import SceneRows, Values, Visible
from segment.strips.strips import Strips
from segment.threads import Started

GRAYS = 256


class TooManyColorsError(InvalidInputError):
    """There are more distinct colours than the memory holds; what to do is left to the caller."""


Sampled = tuple[NDArray[np.intp], Values, NDArray[np.int64]]  # which, their points and columns


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


def per_color(channels: int) -> int:
    """Return bytes that a distinct colour takes while modes are found: hashed, in a tree, labelled.

    >>> per_color(3)
    280
    """
    return 112 + 56 * channels


def give_way(remembered: Remembered, memory: int, colors: int, channels: int) -> None:
    """Let rows be remembered in what so many distinct colours leave of the memory, and no more."""
    remembered.keep_within(memory - colors * per_color(channels))


def take_census(rows: SceneRows, strips: Strips, memory: int, draw: Draw | None = None) -> Census:
    """Count the distinct points of a scene.

    Parameters
    ----------
    rows : SceneRows
        Remember what the points leave room for.
    strips : Strips
    memory : int
        Bytes for the distinct points; those of three bytes are in any case as many as there are.
    draw : Draw, optional
        Takes its pixels, where all pass by here.

    Raises
    ------
    TooManyColorsError
        If there are more of them.
    InvalidInputError
        If no pixel takes part.
    """
    if strips.are_here and rows.is_tabled and rows.channels == 3:
        found = _of_colors(rows, strips, memory, draw)
    else:
        if rows.is_tabled:
            memory = GRAYS**rows.channels * per_color(rows.channels)
        count = functools.partial(_counted, memory=memory)
        merge = functools.partial(_both, memory=memory, remembered=rows.remembered)
        found = _in_order(rows, strips.merged("counting", rows, count, merge))
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


def _of_colors(rows: SceneRows, strips: Strips, memory: int, draw: Draw | None) -> Census:
    """Count three bytes in a table of all colours, which one thread at a time adds to."""
    counts = ColorCounts(rows.height * rows.width)
    shown = []
    for top, bottom, (pixels, seen) in strips.in_order("counting", rows, _pixels):
        counts.add(pixels)
        if draw is not None and len(pixels) == (bottom - top) * rows.width:
            draw.pass_by(pixels.reshape(bottom - top, rows.width, -1), top)
        shown.append(seen)
    give_way(rows.remembered, memory, len(counts), rows.channels)
    return Census(*counts.distinct(), np.concatenate(shown), *_not_stored())


def _not_stored() -> tuple[NDArray[Any], NDArray[np.int32]]:
    return np.empty((0, 1), np.uint8), np.empty(0, np.int32)


def _pixels(rows: SceneRows, top: int, bottom: int) -> tuple[Values, NDArray[np.int64]]:
    """Return the values of a strip that take part, and how many there are in each row."""
    values, visible = rows.told_apart(top, bottom)
    seen = _in_rows(rows, top, bottom, visible)
    return np.ascontiguousarray(shown_rows(values, visible)), seen


class _Counted(NamedTuple):
    """Distinct values of some strips, as `SceneRows.told_apart` has them, and how often each is."""

    values: NDArray[Any]
    counts: NDArray[np.int64]
    shown: NDArray[np.int64]


def _counted(rows: SceneRows, top: int, bottom: int, memory: int) -> _Counted:
    pixels, seen = _pixels(rows, top, bottom)
    if rows.is_tabled and rows.channels == 1:
        counts = np.bincount(pixels[:, 0], minlength=GRAYS)
        grays = np.flatnonzero(counts)
        return _Counted(grays.astype(np.uint8)[:, None], counts[grays], seen)
    table = RowTable(rows.channels, pixels.dtype)
    table.add(pixels)
    return _checked(_Counted(table.rows, table.counts, seen), memory, rows.remembered)


def _both(one: _Counted, other: _Counted, memory: int, remembered: Remembered) -> _Counted:
    """Return what is counted of two neighbours together."""
    table = RowTable(one.values.shape[1], one.values.dtype)
    table.add(one.values, one.counts)
    table.add(other.values, other.counts)
    shown = np.append(one.shown, other.shown)
    return _checked(_Counted(table.rows, table.counts, shown), memory, remembered)


def _checked(found: _Counted, memory: int, remembered: Remembered) -> _Counted:
    """Return what is counted, if there is memory for it, and be it that of remembered rows."""
    channels = found.values.shape[1]
    most = memory // per_color(channels)
    if len(found.values) > most:
        raise TooManyColorsError(
            f"image: expected at most {most:,} distinct colours for the memory there may be, got "
            f"{len(found.values):,} and more"
        )
    give_way(remembered, memory, len(found.values), channels)
    return found


def _in_order(rows: SceneRows, found: _Counted) -> Census:
    """Return distinct values as points in the order of `distinct_points`: several may be one."""
    _check_shown(found.shown)
    points = found.values if rows.is_tabled else rows.points_of(found.values[None])[0]
    check_reach(points)
    distinct = distinct_points(points)
    places = distinct.spread(np.arange(len(distinct.points), dtype=np.int32))
    weights = np.bincount(places, found.counts, minlength=len(distinct.points))
    stored = _not_stored() if rows.is_tabled else (found.values, places)
    return Census(distinct.points, weights.astype(np.float64), found.shown, *stored)


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
