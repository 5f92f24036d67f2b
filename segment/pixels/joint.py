"""The joint domain: pixels as points (x, y, channels), their seeds, and their nearest modes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.pixels._joint import Buckets as Buckets  # a step's result, for annotations downstream
from segment.pixels._joint import nearest
from segment.pixels._pyramid import (
    Pyramid as Pyramid,  # a step's result, for annotations downstream
)
from segment.threads import equal_slices, on_threads

Floats = NDArray[np.float64]
SQUARE = 16  # side of the squares of pixels whose climbs are neighbours
SEVERAL = 64  # groups of 256 pixels that are worth a thread of their own
AT_ONCE = 2**16  # pixels that are looked at together while they are in the cache


def build_pyramid(
    image: NDArray[Any],
    visible: NDArray[np.bool_] | None,
    units: tuple[float, float],
    *,
    largest: float | None = None,
    top: int = 0,
    image_height: int | None = None,
) -> Pyramid:
    """Index the pixels of an image, or of a window of it, for climbs and `label_pixels`.

    Parameters
    ----------
    image : (H, W, C) uint8 or float64 array
        Coordinates in a colour space, or any number of bands. uint8 takes half the memory
        and time.
    visible : (H, W) bool array, optional
        Pixels that take part. Default: all.
    units : (spatial_unit, range_unit), both > 0
        The point of a pixel is (x / spatial_unit, y / spatial_unit, channels / range_unit).
    largest : float, optional
        Largest absolute value of the whole image, of visible pixels. Default: of this one's.
    top, image_height : int, optional
        Where `image` is a window, some rows of an image: its first row there, and how many that
        image has. A ball within the window has the same pixels and sums as in the whole image, to
        the bit; one that reaches beyond is not looked into.

    Returns
    -------
    pyramid : Pyramid
        Tiles of 4 x 4 pixels, boxes over them, boxes over 4 x 4 boxes and so on.
    """
    if largest is None:
        largest = largest_value(image, visible)
    height = len(image) if image_height is None else image_height
    seen = np.empty((0, 0), np.uint8) if visible is None else visible.view(np.uint8)
    pyramid = Pyramid(np.ascontiguousarray(image), seen, *units, largest, top, height)
    groups = equal_slices(pyramid.groups(1), smallest=SEVERAL)
    on_threads(lambda part: pyramid.fill(part.start, part.stop), groups)
    pyramid.finish()
    return pyramid


def largest_value(image: NDArray[Any], visible: NDArray[np.bool_] | None) -> float:
    """Return the largest absolute value of the pixels that take part; 0 if there are none.

    Examples
    --------
    >>> largest_value(np.array([[[-7.5], [9.0]]]), np.array([[True, False]]))
    7.5
    """
    largest = 0.0
    step = max(1, AT_ONCE // image.shape[1])  # rows of which a copy may be made
    for first in range(0, len(image), step):
        shown = image[first : first + step]
        if visible is not None:
            shown = shown[visible[first : first + step]]
        largest = max(largest, float(shown.max(initial=0)), -float(shown.min(initial=0)))
    return largest


def joint_points(
    colors: NDArray[Any], x: NDArray[Any], y: NDArray[Any], units: tuple[float, float]
) -> Floats:
    """Return pixels as points of the joint domain.

    Parameters
    ----------
    colors : (..., C) array
        Coordinates in a colour space.
    x, y : arrays that broadcast to (...)
        In pixels.
    units : (spatial_unit, range_unit)

    Returns
    -------
    points : (..., 2 + C) float64 array
        (x / spatial_unit, y / spatial_unit, channels / range_unit).

    Examples
    --------
    >>> joint_points(np.array([[8], [6]]), np.array([0, 1]), np.array([0]), (2.0, 4.0)).tolist()
    [[0.0, 0.0, 2.0], [0.5, 0.0, 1.5]]
    """
    points = np.empty((*colors.shape[:-1], 2 + colors.shape[-1]))
    points[..., 0] = x / units[0]
    points[..., 1] = y / units[0]
    np.divide(colors, units[1], out=points[..., 2:])
    return points


def pixel_points(
    image: NDArray[Any],
    visible: NDArray[np.bool_] | None,
    units: tuple[float, float],
    top: int = 0,
) -> Floats:
    """Return all pixels, or those visible, as points of the joint domain, in scan order.

    `top` is the row of the first of them, in a window of an image.
    """
    height, width = image.shape[:2]
    points = joint_points(image, np.arange(width), np.arange(top, top + height)[:, None], units)
    return points.reshape(-1, points.shape[-1]) if visible is None else points[visible]


def in_squares(height: int, width: int, visible: NDArray[np.bool_] | None) -> NDArray[np.intp]:
    """Order the pixels, numbered in scan order, by squares of 16 x 16 pixels.

    Climbs from all pixels take a tenth less time so: neighbours' paths meet while a thread
    still remembers them.

    Examples
    --------
    >>> in_squares(2, 17, None)[[0, 15, 16, 31, 32, 33]].tolist()
    [0, 15, 17, 32, 16, 33]
    """
    square = (
        np.arange(height)[:, None] // SQUARE * (width // SQUARE + 1) + np.arange(width) // SQUARE
    )
    return np.argsort(square.ravel() if visible is None else square[visible], kind="stable")


def joint_seeds(
    image: NDArray[Any],
    visible: NDArray[np.bool_] | None,
    units: tuple[float, float],
    bandwidth: float,
    min_bin_freq: int = 1,
) -> NDArray[Any]:
    """Return the seeds of `bin_seeds` for the points of an image, without making the points.

    Parameters
    ----------
    image : (H, W, C) uint8 or float64 array
    visible : (H, W) bool array, optional
        Pixels that take part. Default: all.
    units : (spatial_unit, range_unit)
    bandwidth : float, >= 0
        Side of a bin. 0: every pixel is a seed.
    min_bin_freq : int, >= 1, default 1
        Bins with fewer pixels give no seed.

    Returns
    -------
    seeds : (m, 2 + C) array
        By row of bins, then by column, then by colour: neighbours' climbs meet. The pixels'
        points where each is alone in its bin.

    Examples
    --------
    >>> image = np.array([[[9], [9], [40]]], np.uint8)
    >>> joint_seeds(image, None, (2.0, 10.0), 1.0).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 4.0]]
    """
    if not bandwidth:
        return pixel_points(image, visible, units)
    bins = joint_bins(image, visible, units, bandwidth, min_bin_freq)
    if len(bins) == (image[..., 0].size if visible is None else visible.sum()):
        return pixel_points(image, visible, units)
    return bin_centers(bins, bandwidth)


def bin_rows(height: int, unit: float, bandwidth: float) -> NDArray[np.intp]:
    """Return the first row of each row of bins, and last the height.

    Examples
    --------
    >>> bin_rows(10, 2.0, 2.0).tolist()
    [0, 3, 6, 10]
    """
    down = _bins(np.arange(height), unit, bandwidth)
    return np.flatnonzero(np.diff(down, prepend=-1, append=-1))


def joint_bins(
    image: NDArray[Any],
    visible: NDArray[np.bool_] | None,
    units: tuple[float, float],
    bandwidth: float,
    min_bin_freq: int = 1,
    top: int = 0,
) -> Floats:
    """Return the bins that hold enough pixels: by row, column and then colour, ascending.

    Parameters
    ----------
    image, visible, units, bandwidth, min_bin_freq
        As for `joint_seeds`; bandwidth > 0. The image may be a window of whole rows of bins.
    top : int
        The row of its first pixels.

    Returns
    -------
    bins : (m, 2 + C) float64 array
        (row, column, channels), as numbers of bins.
    """
    across = _bins(np.arange(image.shape[1]), units[0], bandwidth)
    down = _bins(np.arange(top, top + image.shape[0]), units[0], bandwidth)
    starts = np.flatnonzero(np.diff(down, prepend=-1, append=-1))
    step = max(1, AT_ONCE * (len(starts) - 1) // (len(down) * len(across)))
    found = {}

    def work(part: slice) -> None:
        for first in range(part.start, part.stop, step):
            rows = slice(starts[first], starts[min(first + step, part.stop)])
            channels = [
                _bins(channel, units[1], bandwidth) for channel in np.moveaxis(image[rows], 2, 0)
            ]
            shown = None if visible is None else visible[rows]
            found[first] = _occupied([down[rows, None], across, *channels], shown, min_bin_freq)

    on_threads(work, equal_slices(len(starts) - 1, smallest=1))
    return np.concatenate([found[i] for i in sorted(found)])


def bin_centers(bins: Floats, bandwidth: float) -> NDArray[Any]:
    """Return the seeds of bins of `joint_bins`, (m, 2 + C), in the joint domain."""
    with np.errstate(over="ignore"):  # of cells too far out for float32
        return np.asarray(bins.astype(np.float32)[:, [1, 0, *range(2, bins.shape[1])]] * bandwidth)


def _bins(values: NDArray[Any], unit: float, bandwidth: float) -> Floats:
    """Return bins as the definition has them; those of 8 bits are computed once for all."""
    if values.dtype == np.uint8:
        table = _bins(np.arange(256), unit, bandwidth)
        return np.asarray(table[values])
    return np.asarray(np.round(values / unit / bandwidth))


def _occupied(columns: list[Floats], visible: NDArray[np.bool_] | None, times: int) -> Floats:
    """Return the rows of `columns`, broadcast, that occur so many times, ascending."""
    if visible is not None and not visible.any():
        return np.empty((0, len(columns)))
    lows = [column.min() for column in columns]
    sides = [column.max() - low + 1 for column, low in zip(columns, lows, strict=True)]
    if math.prod(sides) >= 2**62:
        rows = np.stack(np.broadcast_arrays(*columns), axis=-1)
        rows = rows.reshape(-1, len(columns)) if visible is None else rows[visible]
        bins, counts = np.unique(rows, axis=0, return_counts=True)
        return np.asarray(bins[counts >= times])
    kind = np.int64 if math.prod(sides) >= 2**31 else np.int32  # sorted in half the time
    numbers = np.zeros((), dtype=kind)
    for column, low, side in zip(columns, lows, sides, strict=True):
        numbers = numbers * kind(side) + (column - low).astype(kind)
    numbers = numbers.ravel() if visible is None else numbers[visible]
    cells, counts = np.unique(numbers, return_counts=True)
    cells = cells[counts >= times]
    bins = np.empty((len(cells), len(columns)))
    for k in range(len(columns) - 1, -1, -1):
        cells, bins[:, k] = np.divmod(cells, int(sides[k]))
    return np.asarray(bins + lows)


def in_buckets(modes: Floats, units: Floats, shape: tuple[int, int]) -> Buckets:
    """Return modes by where they lie in an image, for `label_pixels` of all windows of it.

    `units` are those of the pyramids, `shape` is that of the image.
    """
    return Buckets(np.ascontiguousarray(modes * units), *shape)


def label_pixels(
    pyramid: Pyramid, modes: Floats | Buckets, *, bandwidth: float, limit: float = np.inf
) -> NDArray[np.int32]:
    """Find the nearest mode of each pixel; the first of several that are equally near.

    Parameters
    ----------
    pyramid : Pyramid
    modes : (k, d) float64 array, or Buckets
        In the joint domain; for the window of an image as `in_buckets` returns them.
    bandwidth : float, > 0
    limit : float, default inf
        In bandwidths: pixels farther than that from every mode get 0.

    Returns
    -------
    labels : (H, W) int32 array
        1..k; 0 also where a pixel takes no part.
    """
    labels = np.empty((pyramid.height, pyramid.width), dtype=np.int32)
    shape = pyramid.height, pyramid.width
    buckets = modes if isinstance(modes, Buckets) else in_buckets(modes, pyramid.units, shape)
    on_threads(
        lambda part: nearest(pyramid, buckets, bandwidth, limit, part.start, part.stop, labels),
        equal_slices(pyramid.groups(1), smallest=SEVERAL),
    )
    return labels
