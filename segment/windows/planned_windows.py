"""A scene to windows: rows that climbs are made in, and rows around them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.meanshift.modes import Climbs
from segment.windows.mode_sweep import ROW

AROUND = 2  # radii that a window has above and below its seeds
LED_ON = 3  # radii of rows around climbs that are led on
OWN = 30  # radii that the seeds of a window take, at least, where many work: 20 are near to others
TOGETHER = 1 << 16  # climbs that are led on in one window at most


class Window(NamedTuple):
    """Rows from `top` to above `bottom`, and which climbs are made in them.

    Attributes
    ----------
    top, bottom : int
    first, end : int
        Rows of the bins whose seeds climb; where there are none, the first row that others do.
    waiting : Climbs or None
        Instead of seeds: climbs that were begun in other windows.
    """

    top: int
    bottom: int
    first: int
    end: int
    waiting: Climbs | None = None


def planned_windows(
    starts: NDArray[np.intp], radius: float, rows: int, parts: int = 1
) -> list[Window]:
    """Cut a scene into windows: whole rows of bins, and rows around them for their climbs.

    Parameters
    ----------
    starts : (b + 1,) int array
        First rows of the rows of bins, and the height.
    radius : float
        Of the kernel, in rows.
    rows : int
        Of a window at most.
    parts : int
        How many windows there should be, unless they would be of few radii.

    Raises
    ------
    InvalidInputError
        If a ball does not fit into so few.

    Examples
    --------
    >>> planned_windows(np.array([0, 3, 6, 10]), 2.0, 9)[0]
    Window(top=0, bottom=7, first=0, end=6, waiting=None)
    """
    height, bin_height = int(starts[-1]), int(np.diff(starts).max())
    least = least_rows(radius)
    if parts > 1 and math.isfinite(radius):
        own = max(-(-height // parts), math.ceil(OWN * radius)) + bin_height
        rows = min(rows, max(own + 2 * _around(radius), int(least)))
    if height <= rows:
        return [Window(0, height, 0, height)]
    if not rows >= least:
        raise InvalidInputError(
            f"memory: expected room for {least:g} rows of the image, twice the spatial radius of "
            f"{radius:g} pixels and more, got {rows}; raise --memory or lower the radius"
        )
    around = min(_around(radius), (rows - bin_height) // 4)
    windows, first = [], 0
    while first < len(starts) - 1:
        top = max(int(starts[first]) - around, 0)
        end = max(first + 1, int(np.searchsorted(starts, top + rows - around, side="right")) - 1)
        bottom = min(int(starts[end]) + around, height)
        windows.append(Window(top, bottom, int(starts[first]), int(starts[end])))
        first = end
    return windows


def _around(radius: float) -> int:
    return math.ceil(AROUND * radius) + 1


def windows_around(climbs: Climbs, radius: float, rows: int, height: int) -> Iterator[Window]:
    """Yield windows of so many rows at most that lead climbs on, neighbours in one of them."""
    reach = math.floor(radius)
    around = max(reach + 2, min(LED_ON * reach, (rows - 1) // 3))
    order = np.argsort(climbs.places[:, ROW], kind="stable")
    at = np.floor(climbs.places[order, ROW]).astype(np.intp)
    apart = np.append(np.flatnonzero(np.diff(at) > 2 * around) + 1, len(at))
    begin = 0
    while begin < len(at):
        full = np.searchsorted(at, at[begin] + max(rows - 2 * around, 1))
        stop = min(full, apart[np.searchsorted(apart, begin, side="right")], begin + TOGETHER)
        top, bottom = max(at[begin] - around, 0), min(at[stop - 1] + around + 1, height)
        some = np.sort(order[begin:stop])  # by their seeds again
        first = int(at[begin])
        yield Window(int(top), int(bottom), first, first, climbs.take(some))
        begin = stop


def bytes_of_row(width: int, channels: int, item: int) -> int:
    """Return about what each row of a window takes in memory, with one that is read ahead.

    `item` is what a value of a point takes, in the space of its colours: 1 or 8 bytes.

    Examples
    --------
    >>> bytes_of_row(20_000, 3, 1) * 600 // 2**20
    583
    """
    return width * (24 + 6 * channels + 3 * channels * item)


def least_rows(radius: float) -> float:
    """Return how many rows a window must have: a ball and the pixels around its centre."""
    return 2 * (math.floor(radius) + 2) + 1 if math.isfinite(radius) else math.inf
