"""Pixels to points: distinct colours with their counts, in the colour space asked for."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment._colors import colors_of, count_by_sorting, count_by_table, look_up, z_keys
from segment.errors import InvalidInputError
from segment.settings import COLOR_SPACES, ColorSpace
from segment.threads import equal_slices, on_threads

TABLE_FROM = 2_000_000  # pixels from which a table of all colours beats sorting them
SLICE = 1_000_000  # pixels that are worth a thread of their own
KEYS = 1 << 24


@dataclass(frozen=True)
class DistinctPoints:
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
        Finite numbers. (n, 3) uint8 takes a shortcut: 1 ms for 154,000 rows.

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
    values = np.ascontiguousarray(rows, dtype=np.float64)
    order = _z_order(values)
    values = values[order]
    starts = np.append(True, (values[1:] != values[:-1]).any(axis=1))
    first = np.flatnonzero(starts)
    inverse = np.empty(len(rows), dtype=np.intp)
    inverse[order] = starts.cumsum() - 1
    weights = np.diff(np.append(first, len(rows))).astype(np.float64)
    return DistinctPoints(rows[order[first]], weights, lambda values: values[inverse])


def to_color_space(pixels: NDArray[Any], color_space: ColorSpace) -> NDArray[Any]:
    """Convert pixel values to coordinates in a colour space.

    Parameters
    ----------
    pixels : (n, 3) or (n, 1) array
        sRGB or grey in 0..255, of any dtype.
    color_space : {"rgb", "lab", "luv", "hsv", "gray"}
        "rgb" keeps the values, grey included. The others are scikit-image's (D65, 2
        degrees): CIE Lab and Luv with L in 0..100, HSV in 0..1, its luminance times 255.

    Returns
    -------
    points : (n, 3) or (n, 1) array
        `pixels` itself for "rgb"; else float64, (n, 1) for "gray".

    Examples
    --------
    >>> to_color_space(np.array([[255, 255, 255]], np.uint8), "lab").round(1) + 0
    array([[100.,   0.,   0.]])
    >>> to_color_space(np.array([[200]], np.uint8), "gray").tolist()
    [[200.0]]
    """
    if color_space not in COLOR_SPACES:
        raise InvalidInputError(
            f"color_space: expected one of {', '.join(COLOR_SPACES)}, got {color_space!r}"
        )
    if color_space == "rgb":
        return pixels
    if color_space == "gray" and pixels.shape[1] == 1:
        return pixels.astype(np.float64)
    from skimage import color

    scaled = np.broadcast_to(pixels / 255.0, (len(pixels), 3))
    if color_space == "gray":
        return color.rgb2gray(scaled)[:, None] * 255.0  # type: ignore[no-any-return]
    convert = getattr(color, f"rgb2{color_space}")
    return np.asarray(convert(scaled[None])[0], dtype=np.float64)


def to_rgb(points: NDArray[Any], color_space: ColorSpace) -> NDArray[np.uint8]:
    """Convert coordinates in a colour space to the nearest 8-bit sRGB colours.

    Parameters
    ----------
    points : (n, 3) or (n, 1) array
        As `to_color_space` gives them.
    color_space : {"rgb", "lab", "luv", "hsv", "gray"}

    Returns
    -------
    colors : (n, 3) uint8 array

    Examples
    --------
    >>> to_rgb(np.array([[100.0, 0.0, 0.0]]), "lab").tolist()
    [[255, 255, 255]]
    """
    if color_space in ("rgb", "gray"):
        values = np.broadcast_to(points, (len(points), 3))
    else:
        from skimage import color

        with warnings.catch_warnings():  # of modes outside the gamut; they are clipped
            warnings.simplefilter("ignore", UserWarning)
            values = getattr(color, f"{color_space}2rgb")(points[None])[0] * 255.0
    rounded: NDArray[np.uint8] = np.rint(values).clip(0, 255).astype(np.uint8)
    return rounded


def _distinct_colors(pixels: NDArray[np.uint8]) -> DistinctPoints:
    if len(pixels) < TABLE_FROM:
        keys, counts, places = count_by_sorting(pixels)
        return DistinctPoints(
            colors_of(keys), counts.astype(np.float64), lambda values: values[places]
        )
    keys, counts = count_by_table(pixels)

    def spread(values: NDArray[np.int32]) -> NDArray[np.int32]:
        kind = np.min_scalar_type(int(values.max()))
        table = np.zeros(KEYS, dtype=np.int32 if values.min() < 0 or kind.itemsize > 2 else kind)
        table[keys] = values
        out = np.empty(len(pixels), dtype=np.int32)
        parts = equal_slices(len(pixels), smallest=SLICE)
        on_threads(lambda part: look_up(pixels[part], table, out[part]), parts)
        return out

    return DistinctPoints(colors_of(keys), counts.astype(np.float64), spread)


def _z_order(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Order that keeps neighbours in space together, and equal rows next to each other."""
    bits = min(16, max(1, 64 // values.shape[1]))
    low, high = values.min(axis=0), values.max(axis=0)
    with np.errstate(divide="ignore", over="ignore"):
        scale = (2.0**bits - 1) / (high - low)
    scale[~np.isfinite(scale)] = 0  # a constant coordinate, or one beyond the range of doubles
    keys = z_keys(values, low, scale, bits)
    return np.lexsort((*values.T[::-1], keys))


def pixel_rows(
    image: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Take an image apart into rows of sRGB or grey in 0..255 and what is visible of it.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array, C in 1..4
        Grey, grey and alpha, RGB, RGB and alpha. bool; whole numbers in 0..255 (uint8
        is taken as it is); uint16 in 0..65535; float in 0..1.

    Returns
    -------
    pixels : (H * W, 1 or 3) array
        uint8 where that is exact, else float64.
    visible : (H * W,) bool array or None
        Where alpha is not zero; None where all is visible.

    Raises
    ------
    InvalidInputError
        If the shape, the dtype or the range is another.

    Examples
    --------
    >>> pixels, visible = pixel_rows(np.array([[[0.0, 0.5, 1.0, 1.0]]]))
    >>> pixels.tolist(), visible
    ([[0.0, 127.5, 255.0]], None)
    """
    array = np.asarray(image)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4) or 0 in array.shape:
        raise InvalidInputError(
            "image: expected a non-empty (H, W) or (H, W, C) array with C from 1 to 4, "
            f"got shape {np.shape(image)}"
        )
    rows = _in_8_bit_range(array).reshape(-1, array.shape[2])
    if array.shape[2] in (1, 3):
        return rows, None
    visible = rows[:, -1] > 0
    return rows[:, :-1], None if visible.all() else visible


def _in_8_bit_range(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype == np.uint8:
        return array
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    came = f"{array.dtype}"
    if array.dtype.kind in "fiu":
        low, high = array.min(), array.max()
        if array.dtype.kind == "f" and low >= 0 and high <= 1:  # false for NaN, too
            return _whole_if_possible(array.astype(np.float64) * 255, array.dtype)
        if array.dtype.kind == "u" and array.dtype.itemsize == 2:
            return _whole_if_possible(array / 257.0, array.dtype)
        if array.dtype.kind in "iu" and low >= 0 and high <= 255:
            return array.astype(np.uint8)
        came += f" with values from {low} to {high}"
    raise InvalidInputError(
        "image: expected uint8, uint16, bool, whole numbers in 0..255 or floats in 0..1, "
        f"got {came}; rescale it"
    )


def _whole_if_possible(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """8-bit values that were scaled to `dtype` and back, as uint8: quicker, and exact again."""
    rounding = 2 * np.finfo(np.float32 if dtype == np.float32 else np.float64).eps
    whole = np.rint(values)
    if (np.abs(values - whole) <= rounding * whole).all():
        return whole.astype(np.uint8)
    return values
