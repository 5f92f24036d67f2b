"""Samples of a TIFF as tifffile gives them to a picture: what they mean is in the tags."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segment.decoding.sixteen_bits import deep_rgb_of_cmyk
from segment.reading.picture import GeoTag, Kept, Notes, Picture, ReadingOptions
from segment.reading.profiles import (
    channels_of,
    deep_to_srgb,
    in_8_bits,
    is_srgb,
    kept_profile,
    to_srgb,
)
from segment.reading.values import in_known_range, missing_pixels, white, with_alpha

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, LINEAR_RAW = 0, 1, 2, 3, 5, 34892
ICC_PROFILE = 34675
PREMULTIPLIED, ALPHA = 1, 2  # of the tag ExtraSamples


def interpreted(values: NDArray[Any], page: Any, options: ReadingOptions, notes: Notes) -> Picture:
    """Make a picture of samples.

    Parameters
    ----------
    values : (H, W, C) array
    page : tifffile.TiffPage
    options : ReadingOptions
    notes : Notes
    """
    photometric, bits = int(page.photometric), int(page.bitspersample)
    missing = missing_pixels(values, no_data(page))
    colors, alpha, premultiplied = _channels(values, page, notes)
    if photometric == PALETTE:
        table = np.asarray(page.colormap, dtype=np.uint16).T
        colors, bits = table[np.minimum(colors[:, :, 0], len(table) - 1)], 16
    colors, missing = in_known_range(colors, bits, missing, notes)
    if alpha is not None:
        alpha = in_known_range(alpha[:, :, None], bits, None, Notes())[0][:, :, 0]
        if premultiplied:
            colors = _divided(colors, alpha)
    if photometric == WHITE_IS_ZERO:
        colors = (white(colors.dtype) - colors).astype(colors.dtype)
    colors, profile = _in_srgb(colors, page, options, notes)
    return Picture(with_alpha(colors, alpha, missing), Kept(profile=profile))


def _channels(
    values: NDArray[Any], page: Any, notes: Notes
) -> tuple[NDArray[Any], NDArray[Any] | None, bool]:
    """Tell colours, alpha and whether they are multiplied by it; leave other channels out."""
    photometric, samples = int(page.photometric), values.shape[2]
    if photometric not in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, LINEAR_RAW):
        raise NotImplementedError(f"photometric interpretation {photometric}")
    extras = tuple(int(extra) for extra in page.extrasamples or ())
    own = samples - len(extras)
    if photometric == CMYK:
        count = 4
    elif photometric == PALETTE:
        count = 1
    else:  # programs for maps call bands black and white, whatever their number
        count = 3 if own >= 3 or (own == 1 and len(extras) >= 2 and not any(extras)) else 1
    if samples < count:
        raise ValueError(f"{samples} samples of {count}")
    kind, place = next(
        ((extra, own + at) for at, extra in enumerate(extras) if extra in (PREMULTIPLIED, ALPHA)),
        (0, None),
    )
    left_out = samples - count - (place is not None)
    if left_out:
        which = "the first three" if count == 3 else "the first" if count == 1 else "four"
        notes.warnings.append(f"has {samples} channels; took {which}")
    alpha = None if place is None else values[:, :, place]
    return values[:, :, :count], alpha, kind == PREMULTIPLIED


def _divided(colors: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Undo the multiplication by alpha, in units of the same type."""
    top = white(colors.dtype)
    share = np.maximum(alpha, 1 if colors.dtype.kind == "u" else 1e-6)[:, :, None] / top
    divided = (colors / share).clip(0, top)
    return np.asarray(np.rint(divided) if colors.dtype.kind == "u" else divided, colors.dtype)


def _in_srgb(
    colors: NDArray[Any], page: Any, options: ReadingOptions, notes: Notes
) -> tuple[NDArray[Any], bytes | None]:
    """Convert to grey or RGB in sRGB; also return the profile that the result is in, if any."""
    profile = page.tags.valueof(ICC_PROFILE)
    profile = profile if isinstance(profile, bytes) else None
    if profile and not options.ignore_icc and not is_srgb(profile) and colors.dtype.kind == "u":
        if colors.dtype == np.uint16 and channels_of(profile) == colors.shape[2]:
            return deep_to_srgb(colors, profile), None
        if colors.dtype == np.uint16:
            colors = in_8_bits(colors, notes)
        mode = {1: "L", 3: "RGB", 4: "CMYK"}[colors.shape[2]]
        image = Image.fromarray(colors[:, :, 0] if mode == "L" else colors, mode)
        converted = np.asarray(
            to_srgb(image, profile, notes).convert("L" if mode == "L" else "RGB")
        )
        return converted.reshape(*converted.shape[:2], -1), None
    if colors.shape[2] == 4:
        colors = deep_rgb_of_cmyk(colors) if colors.dtype == np.uint16 else _rgb_of_cmyk(colors)
    return colors, kept_profile(profile, colors)


def _rgb_of_cmyk(colors: NDArray[Any]) -> NDArray[Any]:
    light = 1 - colors / white(colors.dtype)
    return np.asarray(light[:, :, :3] * light[:, :, 3:])


DOUBLE, SHORT, ASCII = 12, 3, 2
PLACE = {33550: DOUBLE, 33922: DOUBLE, 34264: DOUBLE, 34735: SHORT, 34736: DOUBLE, 34737: ASCII}
NO_DATA = 42113  # GDAL's, a number as text
LONGEST = 1 << 20  # values of a tag: tie points of a large grid are fewer


def geo_tags(page: Any) -> tuple[GeoTag, ...]:
    """Take GeoTIFF's tags of a page: pixel scale, tie points, transformation and the keys.

    Where the page has a GDAL no-data value, the label map gets one, too: 0, the label of
    the pixels that have it.
    """
    tags: list[GeoTag] = []
    for code, kind in PLACE.items():
        value = page.tags.valueof(code)
        if value is None or not hasattr(value, "__len__") or not 0 < len(value) <= LONGEST:
            continue
        if isinstance(value, str) != (kind == ASCII):
            continue
        count = 0 if kind == ASCII else len(value)
        tags.append((code, kind, count, value, True))
    if tags and no_data(page) is not None:
        tags.append((NO_DATA, ASCII, 0, "0", True))
    return tuple(tags)


def no_data(page: Any) -> float | None:
    """Tell the value that means that there is none, as GDAL writes it."""
    text = page.tags.valueof(NO_DATA)
    try:
        return float(str(text).strip("\0 ")) if text is not None else None
    except ValueError:
        return None
