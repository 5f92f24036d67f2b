"""From the pixels of a scene to their distinct points: their labels, and the sums of each."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError
from segment.meanshift.points import ColorTable, RowTable
from segment.pixels.image import points_in
from segment.regions._regions import add_up
from segment.scenes.census import GRAYS, Census, shown_rows
from segment.settings import ColorSpace
from segment.strips.rows import SceneRows, Values
from segment.strips.strips import Strips, Work

AT_ONCE = 1 << 20  # pixels whose values are copied, where not all of them take part
Labels = NDArray[np.int32]
Labeller = Callable[[Values], Labels]
Sums = NDArray[np.float64]


def strip_labels(rows: SceneRows, top: int, bottom: int, label: Labeller) -> Labels:
    """Return the labels of a strip, (h, W), 0 where no pixel takes part.

    Parameters
    ----------
    rows : SceneRows
    top, bottom : int
        First row, and the one behind the last.
    label : callable
        Gives values, (n, C) as `SceneRows.told_apart` has them, their labels.
    """
    values, visible = rows.told_apart(top, bottom)
    if visible is None:
        return label(shown_rows(values, visible)).reshape(values.shape[:2])
    labels = np.zeros(visible.shape, np.int32)
    step = max(1, AT_ONCE // rows.width)
    for start in range(0, len(labels), step):
        some = slice(start, start + step)
        labels[some][visible[some]] = label(shown_rows(values[some], visible[some]))
    return labels


def first_seen(
    rows: SceneRows, strips: Strips, census: Census
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return distinct points in the order in which pixels first have them, and their weights."""
    number = lookup(rows, census, np.arange(1, len(census.points) + 1, dtype=np.int32))
    seen = np.zeros(len(census.points), np.bool_)
    order = []
    read = functools.partial(_first_in, number=number)
    for _, _, numbers in strips.in_order("ordering", rows, read):
        order.append(numbers[~seen[numbers]])
        seen[numbers] = True
    places = np.concatenate(order)
    return census.points[places], census.weights[places]


def _first_in(rows: SceneRows, top: int, bottom: int, number: Labeller) -> Labels:
    """Return the numbers of the points of a strip, each once, in the order of the pixels."""
    numbers = number(shown_rows(*rows.told_apart(top, bottom))) - np.int32(1)
    first = np.sort(np.unique(numbers, return_index=True)[1])
    return np.asarray(numbers[first])


def lookup(rows: SceneRows, census: Census, numbers: Labels) -> Labeller:
    """Return what gives values, (n, C), the number that each of the distinct points has.

    Values are as `SceneRows.told_apart` has them.
    """
    if not rows.is_tabled:
        return _Hashed(census.stored, numbers[census.places])
    if rows.channels == 3:
        return ColorTable(census.points, numbers)
    return _GrayTable(census.points, numbers)


class _GrayTable:
    """A number for each grey."""

    def __init__(self, every: Values, numbers: Labels) -> None:
        self._table = np.zeros(GRAYS, np.int32)
        self._table[every[:, 0]] = numbers

    def __call__(self, points: Values) -> Labels:
        return self._table[points[:, 0]]


class _Hashed:
    """A number for each of some values as they are stored; travels as these."""

    def __init__(self, stored: Values, numbers: Labels) -> None:
        self._stored, self._numbers = stored, numbers
        self._table = RowTable(stored.shape[1], stored.dtype)
        self._table.add(stored)

    def __call__(self, values: Values) -> Labels:
        places = self._table.find(values)
        if (places < 0).any():
            raise ImageFileError("changed while it was read; start again when it is complete")
        return self._numbers[places]

    def __reduce__(self) -> tuple[type[_Hashed], tuple[Values, Labels]]:
        return _Hashed, (self._stored, self._numbers)


def sums_of(
    rows: SceneRows, labels: Work[Labels], count: int, strips: Strips, space: ColorSpace = "rgb"
) -> Sums:
    """Return sums of the points of each label in a colour space, last its pixels: (count, C + 1).

    Label 0 has none. Where sums are exact each strip has its own, which are added; elsewhere they
    are made pixel after pixel in scan order, as in memory, one strip after the other.
    """
    channels = points_in(space, np.zeros((1, 1, rows.channels))).shape[2]
    sums = np.zeros((count, channels + 1))
    if is_exact(rows, space):
        add = functools.partial(_sums_of_strip, labels=labels, space=space)
        for _, _, (numbers, own) in strips.in_order("measuring", rows, add):
            sums[numbers] += own
    else:
        read = functools.partial(_labels_and_points, labels=labels, space=space)
        sums = strips.folded("measuring", rows, read, _added_up, sums)
    sums[0] = 0
    return sums


def is_exact(rows: SceneRows, space: ColorSpace) -> bool:
    """Whether sums of points are the same in any order: those of numbers on a grid.

    Only 16-bit values over 257, and floats of photos, are on none.
    """
    on_grid = rows.scale is not None and not rows.scale.is_sixteen_bits
    return space != "rgb" or rows.in_bytes or on_grid


def sums_by_number(numbers: Labels, values: Values) -> tuple[Labels, Sums]:
    """Return the numbers that occur, and the sums of the values of each, last its pixels.

    Parameters
    ----------
    numbers : (h, W) int32 array
    values : (h, W, C) array

    Examples
    --------
    >>> numbers, sums = sums_by_number(np.array([[7, 9]], np.int32), np.array([[[2.0], [3.0]]]))
    >>> numbers.tolist(), sums.tolist()
    ([7, 9], [[2.0, 1.0], [3.0, 1.0]])
    """
    there, places = occurring(numbers)
    channels = values.shape[2]
    sums = np.zeros((len(there), channels + 1))
    add_up(places.reshape(-1), values.reshape(-1, channels), sums)
    return there, sums


def occurring(numbers: Labels) -> tuple[Labels, Labels]:
    """Return which numbers occur in a strip, ascending, and the place of each pixel's there."""
    low, high = int(numbers.min()), int(numbers.max())
    if high - low >= numbers.size:  # a table would be larger than the strip
        there, places = np.unique(numbers, return_inverse=True)
        return there, places.reshape(numbers.shape).astype(np.int32)
    table = np.zeros(high - low + 1, np.int32)
    table[(numbers - low).reshape(-1)] = 1
    there = (np.flatnonzero(table) + low).astype(np.int32)
    return there, (np.cumsum(table, dtype=np.int32) - 1)[numbers - low]


def _sums_of_strip(
    rows: SceneRows, top: int, bottom: int, labels: Work[Labels], space: ColorSpace
) -> tuple[Labels, Sums]:
    values = points_in(space, rows.points(top, bottom)[0])
    return sums_by_number(labels(rows, top, bottom), values)


def _labels_and_points(
    rows: SceneRows, top: int, bottom: int, labels: Work[Labels], space: ColorSpace
) -> tuple[Labels, Values]:
    values = points_in(space, rows.points(top, bottom)[0])
    return labels(rows, top, bottom), values.reshape(-1, values.shape[2])


def _added_up(sums: Sums, strip: tuple[Labels, Values]) -> Sums:
    numbers, values = strip
    add_up(numbers.reshape(-1), values, sums)
    return sums
