"""Labels of the pixels of a scene, strip by strip, and the sums of the points of each."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from segment.meanshift.points import distinct_points
from segment.meanshift.tree import build_tree
from segment.method.color_clusters import ColorModes, nearest_labels
from segment.pixels.colors import to_color_space
from segment.pixels.image import points_in
from segment.regions._regions import add_up
from segment.scenes.census import Census, is_tabled, lookup, shown_rows
from segment.scenes.rows import SceneRows, Values
from segment.scenes.strips import Strips, Work
from segment.settings import ColorSpace, Settings

Labels = NDArray[np.int32]
Labeller = Callable[[Values], Labels]
Sums = NDArray[np.float64]


def strip_labels(rows: SceneRows, top: int, bottom: int, label: Labeller) -> Labels:
    """Return the labels of a strip, (h, W), 0 where no pixel takes part."""
    values, visible = rows.points(top, bottom)
    found = label(shown_rows(values, visible))
    if visible is None:
        return found.reshape(values.shape[:2])
    labels = np.zeros(visible.shape, np.int32)
    labels[visible] = found
    return labels


def labeller(rows: SceneRows, census: Census, modes: ColorModes, settings: Settings) -> Labeller:
    """Return what gives points, (n, C), the labels that the colours of the scene have.

    8-bit colours are looked up. Others are labelled as in memory: by the nearest mode, which is a
    function of a point alone, or where climbs decided by looking for it among all points.
    """
    if settings.assign == "nearest" and not is_tabled(rows):
        return functools.partial(_nearest, modes.places, modes.bandwidth, settings)
    return lookup(rows, census.points, modes.labels)


def _nearest(
    places: NDArray[np.float64], bandwidth: float, settings: Settings, points: Values
) -> Labels:
    if not len(points):
        return np.empty(0, np.int32)
    distinct = distinct_points(points)
    colors = to_color_space(distinct.points, settings.color_space)
    wide = np.repeat(colors, places.shape[1] // colors.shape[1], axis=1)
    tree = build_tree(wide, distinct.weights)
    return distinct.spread(nearest_labels(tree, places, settings, bandwidth))


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
