"""Embedded ICC profiles: colours of any device to sRGB."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segment.picture import Notes

LARGEST = 16 << 20  # bytes; the largest in use have 3 million
SPACES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK", b"Lab ": "LAB"}


def color_space(profile: bytes) -> str | None:
    """Tell which mode of Pillow a profile is for.

    Examples
    --------
    >>> color_space(bytes(16) + b"GRAY" + bytes(108))
    'L'
    """
    return SPACES.get(profile[16:20])


def is_srgb(profile: bytes) -> bool:
    """Whether a profile says that it is sRGB, which nearly all of them are."""
    count = min(int.from_bytes(profile[128:132]), 100)
    for entry in range(132, 132 + 12 * count, 12):
        tag, at, size = struct.unpack(">4sII", profile[entry : entry + 12].ljust(12, b"\0"))
        if tag == b"desc":  # in UTF-16 from version 4 on
            name = profile[at : at + min(size, 1000)].replace(b"\0", b"")
            return color_space(profile) == "RGB" and b"sRGB" in name
    return False


def kept_profile(profile: bytes | None, values: NDArray[Any]) -> bytes | None:
    """Return the profile of values, (H, W, C), that stay as they are, if it is for RGB."""
    fits = profile and values.shape[2] == 3 and color_space(profile) == "RGB"
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
    try:
        from PIL import ImageCms

        converted = ImageCms.profileToProfile(
            opaque,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
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
    if bands[-1] == "A":
        converted.putalpha(image.getchannel("A"))
    return converted
