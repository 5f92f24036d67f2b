"""An image to its pixels: their colours, which of them take part, and labels back to a map."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InvalidInputError, shown
from segment.meanshift.points import distinct_points
from segment.pixels.bands import (
    BandImage,
    BandScale,
    View,
    band_scale,
    check_reach,
    scaled,
    statistics_of,
)
from segment.pixels.colors import in_8_bit_range, of_no_depth, to_color_space, to_rgb, unit_of
from segment.settings import ColorSpace, Settings, is_choice
from segment.validation import as_array, check_pixels, checked_mask

Floats = NDArray[np.float64]
NOT_FINITE = (
    "image: contains NaN or infinity; replace these values (numpy.nan_to_num), and leave their "
    "pixels out by mask or by alpha 0"
)


@dataclass(frozen=True)
class Pixels:
    """An image taken apart.

    Attributes
    ----------
    colors : (H * W, C) array
        sRGB or grey in 0..255; or the points of bands, which may go beyond.
    visible : (H * W,) bool array or None
        Pixels that take part; None for all.
    shape : (H, W)
    scale : BandScale
        From the image's values to `colors`.
    view : View or None
        What pictures show of bands; None where `colors` are shown, those of a photo.
    """

    colors: NDArray[Any]
    visible: NDArray[np.bool_] | None
    shape: tuple[int, int]
    scale: BandScale
    view: View | None = None

    @functools.cached_property
    def shown(self) -> NDArray[Any]:
        return self.colors if self.visible is None else self.colors[self.visible]

    def rgb(self) -> NDArray[np.uint8]:
        """Return the image in 8-bit RGB, (H, W, 3), white where no pixel takes part."""
        colors = self.colors if self.view is None else self.view.rgb
        values = colors if colors.dtype == np.uint8 else np.rint(colors).astype(np.uint8)
        wide = np.broadcast_to(values, (len(values), 3))
        if self.visible is not None:  # the colours under full transparency are anything
            wide = np.where(self.visible[:, None], wide, np.uint8(255))
        return np.ascontiguousarray(wide).reshape(*self.shape, 3)

    def looks_of(self, points: NDArray[Any], color_space: ColorSpace) -> NDArray[np.uint8] | None:
        """Return points in a colour space as pictures show them, (K, 3); None if none can."""
        if self.view is None:
            return to_rgb(points, color_space)
        channels = points if color_space == "rgb" else to_rgb(points, color_space)
        return self.view.colors_of(channels, self.scale)


def pixels_of(
    image: NDArray[Any] | BandImage,
    mask: ArrayLike | None = None,
    *,
    alpha: bool | None = None,
    scale: str | BandScale = "depth",
) -> Pixels:
    """Return the pixels of an image, and which of them take part.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array, or BandImage
        Grey and RGB as `pixel_rows` takes them; other bands as `band_image` does.
    mask : (H, W) array-like, optional
        Pixels where it is 0 take no part; nor do transparent ones.
    alpha : bool, optional
        Whether the last channel of an array is alpha. Default: that of two or four.
    scale : str or BandScale, default "depth"
        As the setting; or one that is known, that of a model.

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
    bands = bands_of(image, alpha, by_depth=scale == "depth")
    if isinstance(bands, BandImage):
        return _scaled(bands, visible_of(bands, mask), scale)
    colors, seen = pixel_rows(bands)
    height, width, count = *bands.shape[:2], colors.shape[1]
    own = BandScale(np.zeros(count), np.full(count, unit_of(bands.dtype)))
    return Pixels(colors, _visible(seen, mask, (height, width)), (height, width), own)


def bands_of(
    image: NDArray[Any] | BandImage, alpha: bool | None, *, by_depth: bool
) -> NDArray[Any] | BandImage:
    """Return bands to be scaled, or a photo, (H, W, C), whose type tells what its values are."""
    if isinstance(image, BandImage):
        return image
    array = _with_channels(image, alpha)
    if by_depth and _channels(array, alpha) in (1, 3):
        return array
    return band_image(array, alpha, by_depth=by_depth)


def pixels_again(image: NDArray[Any] | BandImage, low: Floats, unit: Floats) -> Pixels:
    """Return the pixels of an image that was segmented with this scale, or of another photo.

    Parameters
    ----------
    image : array or BandImage
        As `pixels_of` takes it; alpha is what it has beyond the bands of the scale.
    low, unit : (C,) arrays
        As of a segmentation.
    """
    scale = BandScale(low, unit)
    if isinstance(image, BandImage):
        return pixels_of(image, scale=scale)
    array, count = _with_channels(image, None), len(low)
    channels = array.shape[2]
    if channels != count and (channels != count + 1 or channels == 3):
        return pixels_of(array)
    as_photo = {1.0, unit_of(array.dtype)}  # in files of 0.1 it is 1 whatever the type
    is_photo = count in (1, 3) and not low.any() and set(unit.tolist()) <= as_photo
    return pixels_of(array, alpha=channels > count, scale="depth" if is_photo else scale)


def visible_of(bands: BandImage, mask: ArrayLike | None) -> NDArray[np.bool_] | None:
    """Return which pixels of bands take part, (H * W,); None for all."""
    height, width = bands.values.shape[:2]
    seen = None if bands.visible is None else bands.visible.reshape(-1)
    return _visible(seen, mask, (height, width))


def _scaled(bands: BandImage, visible: NDArray[np.bool_] | None, scale: str | BandScale) -> Pixels:
    values = bands.values.reshape(-1, bands.values.shape[2])
    if isinstance(scale, str):
        known = band_scale(statistics_of(values, visible, scale), scale, bands.bits)
    else:
        known = scale
    if len(known.low) != values.shape[1]:
        raise InvalidInputError(
            f"image: expected {len(known.low)} bands, those of the scale, got {values.shape[1]}; "
            "choose the bands that the model was found with"
        )
    if visible is not None:  # there may be NaN where there is no value
        values = np.where(visible[:, None], values, values.dtype.type(0))
    height, width = bands.values.shape[:2]
    points = scaled(values, known)
    check_reach(points)
    return Pixels(points, visible, (height, width), known, bands.view)


def _with_channels(image: Any, alpha: bool | None) -> NDArray[Any]:
    """Return an image as a non-empty (H, W, C) array."""
    _refuse_masked(image)
    array = as_array("image", image)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or 0 in array.shape:
        raise InvalidInputError(
            f"image: expected a non-empty (H, W) or (H, W, C) array, got shape {np.shape(image)}"
        )
    if not is_choice(alpha, (None, True, False)) or (alpha and array.shape[2] < 2):
        raise InvalidInputError(
            "alpha: expected True where the last of two or more channels is alpha, else False or "
            f"None, got {shown(alpha)} for {array.shape[2]} channels; leave it out"
        )
    check_pixels("image", *array.shape[:2])
    return array


def _refuse_masked(image: Any) -> None:
    """Refuse a masked array, as rasterio reads it: its mask would be lost without a word."""
    if isinstance(image, np.ma.MaskedArray) and np.ma.is_masked(image):
        raise InvalidInputError(
            "image: expected an array without masked values, got a masked array; give its data, "
            "image.filled(0), and beside it mask=~numpy.ma.getmaskarray(image)"
            + (".any(axis=-1)" if image.ndim == 3 else "")
        )


def _channels(array: NDArray[Any], alpha: bool | None) -> int:
    """Return how many channels of an image, (H, W, C), are not alpha."""
    count = int(array.shape[2])
    return count - int(count in (2, 4) if alpha is None else alpha)


def band_image(array: NDArray[Any], alpha: bool | None, *, by_depth: bool) -> BandImage:
    """Return an array of any number of bands, (H, W, C), to be scaled.

    Parameters
    ----------
    array : (H, W, C) array
        Finite numbers where alpha, if there is any, is not 0.
    alpha : bool or None
        As `pixels_of` takes it.
    by_depth : bool
        Whether nothing but their type will tell how they compare.

    Raises
    ------
    InvalidInputError
        If they are no finite numbers; or of a type or range that tells nothing of it.
    """
    count = _channels(array, alpha)
    values = array[:, :, :count]
    visible = None if count == array.shape[2] else array[:, :, count] > 0
    there = values if visible is None else values[visible]
    known = array.dtype.kind in "biuf"
    if known and array.dtype.kind == "f" and not np.isfinite(there).all():
        raise InvalidInputError(NOT_FINITE)
    if by_depth or not known:
        _check_depth(there if known else values, array.dtype)
    bits = 1 if array.dtype == bool else array.dtype.itemsize * 8
    return BandImage(values.astype(array.dtype.newbyteorder("="), copy=False), visible, bits)


def _check_depth(values: NDArray[Any], dtype: np.dtype[Any]) -> None:
    """Refuse values of which nothing tells what black and white are."""
    if dtype.kind in "bu" and dtype.itemsize <= 2:
        return
    got = f"{dtype}"
    if dtype.kind in "fiu":
        low, high = (values.min(), values.max()) if values.size else (0, 0)
        if low >= 0 and high <= (1 if dtype.kind == "f" else 255):
            return
        got += f" with values from {low} to {high}"
    raise of_no_depth(got)


def _visible(
    visible: NDArray[np.bool_] | None, mask: ArrayLike | None, shape: tuple[int, int]
) -> NDArray[np.bool_] | None:
    """Return which pixels take part, (H * W,), of those visible and in the mask; None for all."""
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
    return visible


def check_space(count: int, settings: Settings) -> None:
    """Raise InvalidInputError where so many bands are no colours that a colour space could take."""
    if settings.color_space != "rgb" and count not in (1, 3):
        raise InvalidInputError(
            f"color_space: expected 'rgb' for {count} bands, got {settings.color_space!r}; "
            "choose one or three bands, or leave it out"
        )


def color_points(pixels: Pixels, settings: Settings) -> NDArray[Any]:
    """Return the image in the colour space of the settings, (H, W, C)."""
    return points_in(settings.color_space, pixels.colors.reshape(*pixels.shape, -1))


def points_in(color_space: ColorSpace, colors: NDArray[Any]) -> NDArray[Any]:
    """Return colours, (H, W, C), in a colour space; each distinct one is converted once."""
    if color_space == "rgb":
        return np.ascontiguousarray(colors)
    distinct = distinct_points(colors.reshape(-1, colors.shape[2]))
    converted = to_color_space(distinct.points, color_space)
    numbers = distinct.spread(np.arange(len(converted), dtype=np.int32))
    return np.ascontiguousarray(converted[numbers]).reshape(*colors.shape[:2], -1)


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
    rows = in_8_bit_range(array).reshape(-1, array.shape[2])
    if array.shape[2] in (1, 3):
        return rows, None
    visible = rows[:, -1] > 0
    return rows[:, :-1], None if visible.all() else visible
