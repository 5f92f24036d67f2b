"""From the pixels of a scene to their distinct points: their labels, and the order they come in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError
from segment.meanshift.points import ColorTable, RowTable
from segment.scenes.census import GRAYS, Census, shown_rows
from segment.scenes.rows import SceneRows, Values
from segment.scenes.strips import Strips

Labels = NDArray[np.int32]
Labeller = Callable[[Values], Labels]
StripLabels = Callable[[int, int], Labels]  # of the rows from one to above another


def strip_labels(rows: SceneRows, label: Labeller, top: int, bottom: int) -> Labels:
    """Return the labels of a strip, (h, W), 0 where no pixel takes part.

    Parameters
    ----------
    rows : SceneRows
    label : callable
        Gives values, (n, C) as `SceneRows.told_apart` has them, their labels.
    top, bottom : int
        First row, and the one behind the last.
    """
    values, visible = rows.told_apart(top, bottom)
    found = label(shown_rows(values, visible))
    if visible is None:
        return found.reshape(values.shape[:2])
    labels = np.zeros(visible.shape, np.int32)
    labels[visible] = found
    return labels


def first_seen(
    rows: SceneRows, strips: Strips, census: Census
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return distinct points in the order in which pixels first have them, and their weights."""
    number = lookup(rows, census, np.arange(1, len(census.points) + 1, dtype=np.int32))

    def read(top: int, bottom: int) -> NDArray[np.int32]:
        numbers = number(shown_rows(*rows.told_apart(top, bottom))) - np.int32(1)
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
    rows: SceneRows, census: Census, numbers: NDArray[np.int32]
) -> Callable[[Values], NDArray[np.int32]]:
    """Return what gives values, (n, C), the number that each of the distinct points has.

    Values are as `SceneRows.told_apart` has them.
    """
    if not rows.is_tabled:
        return _hashed(rows, census, numbers)
    if rows.channels == 3:
        return ColorTable(census.points, numbers)
    table = np.zeros(GRAYS, np.int32)
    table[census.points[:, 0]] = numbers
    return lambda points: table[points[:, 0]]


def _hashed(
    rows: SceneRows, census: Census, numbers: NDArray[np.int32]
) -> Callable[[Values], NDArray[np.int32]]:
    table = RowTable(rows.channels, rows.dtype)
    table.add(census.stored)
    of_stored = numbers[census.places]

    def look_up(values: Values) -> NDArray[np.int32]:
        places = table.find(values)
        if (places < 0).any():
            raise ImageFileError("changed while it was read; start again when it is complete")
        return of_stored[places]

    return look_up
