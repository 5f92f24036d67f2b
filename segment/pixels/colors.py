"""Colours from and to the colour spaces, and their means by label."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.meanshift._points import add_by_label
from segment.settings import COLOR_SPACES, ColorSpace

SPANS = {"rgb": 255.0, "gray": 255.0, "lab": 100.0, "luv": 100.0, "hsv": 1.0}
# Coordinates are whole multiples of these, about a millionth of the span: powers and cube roots
# differ in the last bit from processor to processor, coordinates by up to 4e-13. None of an 8-bit
# colour is nearer than 9e-13 to the middle between two multiples.
GRIDS = {"gray": 2.0**-12, "lab": 2.0**-13, "luv": 2.0**-13, "hsv": 2.0**-20}


def to_color_space(pixels: NDArray[Any], color_space: ColorSpace) -> NDArray[Any]:
    """Convert pixel values to coordinates in a colour space.

    Parameters
    ----------
    pixels : (n, 3) or (n, 1) array
        sRGB or grey in 0..255, of any dtype; for "rgb" any number of channels.
    color_space : {"rgb", "lab", "luv", "hsv", "gray"}
        "rgb" keeps the values, grey included. The others are scikit-image's (D65, 2
        degrees): CIE Lab and Luv with L in 0..100, HSV in 0..1, its luminance times 255;
        rounded to the nearest whole multiple of 2^-13 (Lab, Luv), 2^-20 (HSV) or 2^-12 (grey
        from colours), so that every processor gives the same bits and sums are exact.

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

    # Bands that are scaled may go beyond what a colour can be.
    scaled = np.broadcast_to((pixels / 255.0).clip(0, 1), (len(pixels), 3))
    if color_space == "gray":
        points = color.rgb2gray(scaled)[:, None] * 255.0
    else:
        points = getattr(color, f"rgb2{color_space}")(scaled[None])[0]
    steps = np.asarray(points, dtype=np.float64) / GRIDS[color_space]
    snapped: NDArray[np.float64] = np.rint(steps, out=steps)
    snapped *= GRIDS[color_space]
    return snapped


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

        if color_space == "lab":
            points = _within_xyz(points)
        values = getattr(color, f"{color_space}2rgb")(points[None])[0] * 255.0
    rounded: NDArray[np.uint8] = np.rint(values).clip(0, 255).astype(np.uint8)
    return rounded


def _within_xyz(lab: NDArray[Any]) -> NDArray[np.float64]:
    """Means of Lab with no negative Z, of which scikit-image would warn, and then make it 0.

    To silence the warning instead would change the filters of the process under other threads.
    """
    inside = np.array(lab, np.float64)
    most = (inside[:, 0] + 16) / 116 * 200
    inside[:, 2] = np.minimum(inside[:, 2], most - np.abs(most) * 1e-12)
    return inside


def mean_colors(
    colors: NDArray[Any], weights: NDArray[np.float64], labels: NDArray[np.int32], count: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Average the colours of each segment, rounded half to even, and count its pixels.

    Parameters
    ----------
    colors : (n, 3) or (n, 1) array of uint8 or float64
        In 0..255.
    weights : (n,) float64 array
        How many pixels have each colour.
    labels : (n,) int32 array
        0 for none, else 1..count.
    count : int

    Returns
    -------
    means : (count, 3) uint8 array
        Black for a segment without pixels.
    sizes : (count,) int64 array

    Examples
    --------
    >>> mean_colors(np.array([[10.0], [20.0]]), np.array([3.0, 1.0]), np.array([1, 1], np.int32), 1)
    (array([[12, 12, 12]], dtype=uint8), array([4]))
    """
    means, sizes = mean_channels(colors, weights, labels, count)
    return as_colors(means), sizes


def mean_channels(
    colors: NDArray[Any], weights: NDArray[np.float64], labels: NDArray[np.int32], count: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Average the channels of each segment, any number of them, (count, C), and count its pixels.

    Parameters are those of `mean_colors`; 0 for a segment without pixels.
    """
    table = np.zeros((count + 1, colors.shape[1] + 1))
    add_by_label(colors, weights, labels, table)
    return means_of_sums(table[1:])


def means_of_sums(sums: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return mean channels and sizes of segments, of sums of channels, last the pixels: (K, C + 1).

    Examples
    --------
    >>> means_of_sums(np.array([[50.0, 4.0], [0.0, 0.0]]))
    (array([[12.5],
           [ 0. ]]), array([4, 0]))
    """
    sizes = sums[:, -1]
    return sums[:, :-1] / np.maximum(sizes, 1)[:, None], sizes.astype(np.int64)


def as_colors(means: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Round means of grey or sRGB, (K, 1) or (K, 3) in 0..255, half to even, to (K, 3) colours."""
    return np.broadcast_to(np.rint(means), (len(means), 3)).astype(np.uint8)


def in_8_bit_range(array: NDArray[Any]) -> NDArray[Any]:
    """Return values in 0..255: uint8 where that is exact for all of them, else float64.

    Raises
    ------
    InvalidInputError
        If their type or range tells nothing.
    """
    if array.dtype == np.uint8:
        return array
    check_range(array.dtype, *(range_of(array) if array.dtype.kind in "fiu" else (0, 0)))
    values = unrounded(array)
    if values.dtype == np.uint8 or not is_whole(values, array.dtype):
        return values
    return np.asarray(np.rint(values), np.uint8)


def range_of(array: NDArray[Any]) -> tuple[Any, Any]:
    """Return the smallest and the largest value."""
    return array.min(), array.max()


def check_range(dtype: np.dtype[Any], low: Any, high: Any) -> None:
    """Raise InvalidInputError if nothing tells what black and white are."""
    if dtype.kind == "b" or (dtype.kind == "u" and dtype.itemsize <= 2):
        return
    got = f"{dtype}"
    if dtype.kind in "fiu":
        if low >= 0 and high <= (1 if dtype.kind == "f" else 255):  # false for NaN, too
            return
        got += f" with values from {low} to {high}"
    raise of_no_depth(got)


def unrounded(array: NDArray[Any]) -> NDArray[Any]:
    """Return values in a range that tells what they are as they come out in 0..255."""
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "f":
        return array.astype(np.float64) * 255
    if array.dtype == np.uint16:
        return np.asarray(array / 257.0)
    return array.astype(np.uint8)


def is_whole(values: NDArray[np.float64], dtype: np.dtype[Any]) -> bool:
    """Whether all are 8-bit values that were scaled to `dtype` and back: quicker, exact again."""
    rounding = 2 * np.finfo(np.float32 if dtype == np.float32 else np.float64).eps
    whole = np.rint(values)
    return bool((np.abs(values - whole) <= rounding * whole).all())


def of_no_depth(got: str) -> InvalidInputError:
    """Return the error of values of which nothing tells what they are."""
    return InvalidInputError(
        "image: expected uint8, uint16, bool, whole numbers in 0..255 or floats in 0..1, "
        f"got {got}; rescale it, or set scale='range'"
    )


def unit_of(dtype: np.dtype[Any]) -> float:
    """Return what 1 in 0..255 is in a photo's own values."""
    if dtype.kind in "bf":
        return 1 / 255
    return 257.0 if dtype == np.uint16 else 1.0
