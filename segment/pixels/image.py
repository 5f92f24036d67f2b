"""An image to its pixels: their colours, which of them take part, and labels back to a map."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InvalidInputError
from segment.meanshift.points import distinct_points
from segment.pixels.colors import to_color_space
from segment.settings import Settings
from segment.validation import as_array, check_pixels, checked_mask


@dataclass(frozen=True)
class Pixels:
    """An image taken apart.

    Attributes
    ----------
    colors : (H * W, C) array
        sRGB or grey in 0..255.
    visible : (H * W,) bool array or None
        Pixels that take part; None for all.
    shape : (H, W)
    """

    colors: NDArray[Any]
    visible: NDArray[np.bool_] | None
    shape: tuple[int, int]

    @functools.cached_property
    def shown(self) -> NDArray[Any]:
        return self.colors if self.visible is None else self.colors[self.visible]

    def rgb(self) -> NDArray[np.uint8]:
        """Return the image in 8-bit RGB, (H, W, 3), white where no pixel takes part."""
        colors = self.colors
        values = colors if colors.dtype == np.uint8 else np.rint(colors).astype(np.uint8)
        wide = np.broadcast_to(values, (len(values), 3))
        if self.visible is not None:  # the colours under full transparency are anything
            wide = np.where(self.visible[:, None], wide, np.uint8(255))
        return np.ascontiguousarray(wide).reshape(*self.shape, 3)


def pixels_of(image: NDArray[Any], mask: ArrayLike | None = None) -> Pixels:
    """Return the pixels of an image, and which of them take part.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array
        As `pixel_rows` takes it.
    mask : (H, W) array-like, optional
        Pixels where it is 0 take no part; nor do transparent ones.

    Returns
    -------
    pixels : Pixels

    Raises
    ------
    InvalidInputError
        If the image or the mask is not what it should be, or no pixel takes part.

    Examples
    --------
    >>> pixels_of(np.array([[7, 8]], np.uint8), mask=[[0, 1]]).shown
    array([[8]], dtype=uint8)
    """
    colors, visible = pixel_rows(image)
    shape = np.shape(image)[:2]
    if mask is not None:
        selected = checked_mask("mask", mask, shape).reshape(-1)
        visible = selected if visible is None else visible & selected
    if visible is not None and not visible.any():
        raise InvalidInputError(
            "image: expected something visible, but every pixel is "
            + ("transparent" if mask is None else "transparent, without data or out of the mask")
            + "; check its alpha"
            + ("" if mask is None else " and the mask")
        )
    return Pixels(colors, visible, (shape[0], shape[1]))


def color_points(pixels: Pixels, settings: Settings) -> NDArray[Any]:
    """Return the image in the colour space; each distinct colour is converted once."""
    colors = pixels.colors
    if settings.color_space != "rgb":
        distinct = distinct_points(colors)
        converted = to_color_space(distinct.points, settings.color_space)
        colors = converted[distinct.spread(np.arange(len(converted), dtype=np.int32))]
    return np.ascontiguousarray(colors).reshape(*pixels.shape, -1)


def label_map(labels: NDArray[np.int32], pixels: Pixels) -> NDArray[np.int32]:
    if pixels.visible is not None:
        shown, labels = labels, np.zeros(len(pixels.visible), dtype=np.int32)
        labels[pixels.visible] = shown
    return labels.reshape(pixels.shape)


def pixel_rows(
    image: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Return the rows of an image, sRGB or grey in 0..255, and which of them are visible.

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
        If the shape, the dtype or the range is another, or there are more than 2^31 - 1 pixels.

    Examples
    --------
    >>> pixels, visible = pixel_rows(np.array([[[0.0, 0.5, 1.0, 1.0]]]))
    >>> pixels.tolist(), visible
    ([[0.0, 127.5, 255.0]], None)
    """
    array = as_array("image", image)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4) or 0 in array.shape:
        raise InvalidInputError(
            "image: expected a non-empty (H, W) or (H, W, C) array with C from 1 to 4, "
            f"got shape {np.shape(image)}"
        )
    check_pixels("image", *array.shape[:2])
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
    got = f"{array.dtype}"
    if array.dtype.kind in "fiu":
        low, high = array.min(), array.max()
        if array.dtype.kind == "f" and low >= 0 and high <= 1:  # false for NaN, too
            return _whole_if_possible(array.astype(np.float64) * 255, array.dtype)
        if array.dtype.kind == "u" and array.dtype.itemsize == 2:
            return _whole_if_possible(array / 257.0, array.dtype)
        if array.dtype.kind in "iu" and low >= 0 and high <= 255:
            return array.astype(np.uint8)
        got += f" with values from {low} to {high}"
    raise InvalidInputError(
        "image: expected uint8, uint16, bool, whole numbers in 0..255 or floats in 0..1, "
        f"got {got}; rescale it"
    )


def _whole_if_possible(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return 8-bit values that were scaled to `dtype` and back as uint8: quicker, exact again."""
    rounding = 2 * np.finfo(np.float32 if dtype == np.float32 else np.float64).eps
    whole = np.rint(values)
    if (np.abs(values - whole) <= rounding * whole).all():
        return whole.astype(np.uint8)
    return values
