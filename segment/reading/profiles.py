"""Embedded ICC profiles: colours of any device to sRGB.

8-bit colours by LittleCMS, which in Pillow has no more; 16-bit colours at full depth for profiles
of a curve for each channel and a matrix, or a curve for grey, which those of scanners, cameras and
working spaces are. ICC.1:2022, 8.3, 10.6, 10.18 and F.3; relative colorimetric.
"""

from __future__ import annotations

import functools
import io
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segment.decoding.sixteen_bits import deep_rgb_of_cmyk
from segment.reading.picture import Notes
from segment.reading.reading_options import ReadingOptions

if TYPE_CHECKING:
    from PIL import ImageCms

LARGEST = 16 << 20  # bytes; the largest in use have 3 million
SPACES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK", b"Lab ": "LAB"}


def color_space(profile: bytes) -> str | None:
    """Return which mode of Pillow a profile is for.

    Examples
    --------
    >>> color_space(bytes(16) + b"GRAY" + bytes(108))
    'L'
    """
    return SPACES.get(profile[16:20])


def is_srgb(profile: bytes) -> bool:
    """Return whether a profile says that it is sRGB, which nearly all of them are."""
    name = _tags(profile).get(b"desc", b"")[:1000].replace(b"\0", b"")  # UTF-16 from version 4 on
    return color_space(profile) == "RGB" and b"sRGB" in name


def is_converted(profile: bytes | None, options: ReadingOptions) -> bool:
    """Return whether colours with a profile are brought to sRGB."""
    return bool(profile) and not options.ignore_icc and not is_srgb(profile or b"")


def kept_profile(profile: bytes | None, channels: int) -> bytes | None:
    """Return the profile of values that stay as they are, if it is for RGB and so are they."""
    fits = profile and channels == 3 and color_space(profile) == "RGB"
    return profile if fits else None


def in_8_bits(values: NDArray[Any], notes: Notes) -> NDArray[np.uint8]:
    """Reduce 16-bit values to what LittleCMS converts, and say so."""
    notes.warnings.append("read with 8 of its 16 bits for its colour profile; see --ignore-icc")
    return np.rint(values / 257.0).clip(0, 255).astype(np.uint8)


def to_srgb(image: Image.Image, profile: bytes, notes: Notes) -> Image.Image:
    """Convert an 8-bit image from its profile to sRGB; alpha stays.

    Parameters
    ----------
    image : Image
        Grey, RGB, CMYK or Lab, with alpha or without; a palette has been resolved.
    profile : bytes
    notes : Notes
        Gets a warning if the profile is damaged or for another kind of image; then the
        image comes back as it is.
    """
    bands = image.getbands()
    opaque = image.convert("L" if bands[0] == "L" else "RGB") if bands[-1] == "A" else image
    if color_space(profile) != opaque.mode or len(profile) > LARGEST:
        notes.warnings.append("its colour profile does not fit; taken as sRGB")
        return image
    if opaque.mode == "L" and channels_of(profile) == 1:  # LittleCMS is 9 of 255 off in the dark
        levels = np.arange(256, dtype=np.uint16)[None, :, None] * np.uint16(257)
        table = np.rint(deep_to_srgb(levels, profile)[0, :, 0] / 257).astype(np.uint8)
        return _with_alpha_of(image, opaque.point(table.tolist()))
    try:
        from PIL import ImageCms

        converted = ImageCms.applyTransform(opaque, _transform(profile, opaque.mode))
    except ImportError:
        notes.warnings.append("Pillow has no LittleCMS for its colour profile; taken as sRGB")
        return image
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        notes.warnings.append("its colour profile is damaged; taken as sRGB")
        notes.details.append(f"LittleCMS: {error}")
        return image
    assert converted is not None  # as it is only in place
    if opaque.mode == "L":  # grey in, equal channels out
        converted = converted.getchannel("G")
    return _with_alpha_of(image, converted)


@functools.lru_cache(maxsize=2)  # that of CMYK takes as long to make as a megapixel by it
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    from PIL import ImageCms

    own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return ImageCms.buildTransform(own, ImageCms.createProfile("sRGB"), mode, "RGB")


def _with_alpha_of(image: Image.Image, converted: Image.Image) -> Image.Image:
    if image.getbands()[-1] == "A":
        converted.putalpha(image.getchannel("A"))
    return converted


def array_to_srgb(values: NDArray[Any], profile: bytes | None, notes: Notes) -> NDArray[Any]:
    """Convert samples to grey or RGB in sRGB, at full depth where the profile allows it.

    Parameters
    ----------
    values : (H, W, C) array
        Grey, RGB or CMYK; uint8, uint16 or floats in 0..1, which a profile brings to 16 bits.
    profile : bytes or None
        None for sRGB.
    notes : Notes
    """
    if profile and values.dtype.kind == "f":
        values = np.rint(values * 65535).astype(np.uint16)
    if profile and values.dtype == np.uint16:
        if channels_of(profile) == values.shape[2]:
            return deep_to_srgb(values, profile)
        values = in_8_bits(values, notes)
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[values.shape[2]]
    if values.dtype == np.uint16 and mode == "CMYK":
        return deep_rgb_of_cmyk(values)
    if values.dtype != np.uint8 or not (profile or mode == "CMYK"):
        return values
    image = Image.fromarray(values[:, :, 0] if mode == "L" else values, mode)
    if profile:
        image = to_srgb(image, profile, notes)
    plain = np.asarray(image.convert("L" if mode == "L" else "RGB"))
    return plain.reshape(*plain.shape[:2], -1)


Values = NDArray[np.float64]
COLORANTS = (b"rXYZ", b"gXYZ", b"bXYZ")
CURVES = (b"rTRC", b"gTRC", b"bTRC")
DIGITS = 12  # of a matrix: behind them processors differ
AT_ONCE = 1 << 17  # pixels: as many in double precision take 9 MB


def channels_of(profile: bytes) -> int:
    """Return for how many channels a profile is plain curves, and a matrix for three; else 0."""
    tags = _tags(profile)
    names = {b"GRAY": (b"kTRC",), b"RGB ": CURVES + COLORANTS}.get(profile[16:20], (b"none",))
    if b"A2B0" in tags or profile[20:24] != b"XYZ " or not set(names) <= set(tags):
        return 0
    try:
        for name in names:
            _curve(tags[name]) if name.endswith(b"TRC") else _xyz(tags[name])
    except (struct.error, ValueError, IndexError):
        return 0
    return 1 if len(names) == 1 else 3


def deep_to_srgb(values: NDArray[np.uint16], profile: bytes) -> NDArray[np.uint16]:
    """Convert colours.

    Parameters
    ----------
    values : (H, W, C) uint16 array
    profile : bytes
        With C channels, see `channels_of`.
    """
    tags = _tags(profile)
    scale = np.linspace(0, 1, 65536)
    names = CURVES if values.shape[2] == 3 else (b"kTRC",)
    tables = [_curve(tags[name])(scale).clip(0, 1).astype(np.float32) for name in names]
    matrix = np.eye(1)
    if values.shape[2] == 3:
        to_xyz = np.stack([_xyz(tags[name]) for name in COLORANTS], axis=1)
        matrix = np.round(_xyz_to_srgb() @ to_xyz, DIGITS)
    encoded = np.empty_like(values)
    step = max(1, AT_ONCE // values.shape[1])
    for start in range(0, len(values), step):
        rows = slice(start, start + step)
        encoded[rows] = _encoded(values[rows], tables, matrix)
    return encoded


def _encoded(
    values: NDArray[np.uint16], tables: list[NDArray[np.float32]], matrix: Values
) -> NDArray[np.uint16]:
    """Return colours in sRGB; sums in one order, as no library of linear algebra promises them."""
    device = [table[values[:, :, at]].astype(np.float64) for at, table in enumerate(tables)]
    light = np.stack([sum(map(np.multiply, row, device)) for row in matrix], axis=-1).clip(0, 1)
    curve = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(curve * 65535), np.uint16)


@functools.cache
def _xyz_to_srgb() -> Values:
    from PIL import ImageCms

    tags = _tags(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    return np.linalg.inv(np.stack([_xyz(tags[name]) for name in COLORANTS], axis=1))


def _tags(profile: bytes) -> dict[bytes, bytes]:
    count = min(int.from_bytes(profile[128:132]), 100)
    entries = profile[132 : 132 + 12 * count]
    entries = entries[: len(entries) // 12 * 12]
    return {
        name: profile[at : at + size] for name, at, size in struct.iter_unpack(">4sII", entries)
    }


def _xyz(tag: bytes) -> Values:
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65536


def _curve(tag: bytes) -> Callable[[Values], Values]:
    """Return from device values to light, both in 0..1."""
    if tag[:4] == b"para":
        return _parametric(tag)
    if tag[:4] != b"curv":
        raise ValueError(f"a curve of type {tag[:4]!r}")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return lambda x: x
    points = np.array(struct.unpack_from(f">{min(count, 65536)}H", tag, 12))
    if count == 1:
        return lambda x: x ** (points[0] / 256)
    return lambda x: np.interp(x, np.linspace(0, 1, len(points)), points / 65535)


def _parametric(tag: bytes) -> Callable[[Values], Values]:
    """(a x + b)^g + e from x = d on, c x + f below it; the simpler types leave some out."""
    (kind,) = struct.unpack_from(">H", tag, 8)
    given = struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12)
    g, a, b, c, d, e, f = [value / 65536 for value in given] + [0.0] * (7 - len(given))
    if kind == 0:
        a, d = 1.0, 0.0
    elif kind in (1, 2):
        e = f = c
        c, d = 0.0, -b / a if a else 0.0
    return lambda x: np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f)
