"""16-bit colours at full depth through Pillow, whose own colours have 8 bits.

Pillow decodes all 16 bits and keeps, as it unpacks them, the byte that the raw mode calls the
high one. Decoded once more with the other byte order for raw mode, the same plug-in gives the
low bytes: no decoder of our own, whatever the compression or the interlacing.
"""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Callable
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile

OTHER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
WIDE = {f"{mode};16{order}" for mode in ("RGB", "RGBX", "RGBA", "CMYK") for order in OTHER}


def is_deep(image: ImageFile.ImageFile) -> bool:
    """Return whether an opened image, not yet loaded, has 16-bit colours that Pillow would cut."""
    return bool(image.tile) and all(_raw_mode(tile) in WIDE | {"LA;16B"} for tile in image.tile)


def deep_colors(
    image: ImageFile.ImageFile, open_again: Callable[[], ImageFile.ImageFile]
) -> NDArray[np.uint16]:
    """Decode 16-bit colours.

    Parameters
    ----------
    image : Image
        Opened, not yet loaded; see `is_deep`.
    open_again : callable
        Opens the same image anew.

    Returns
    -------
    values : (H, W, C) uint16 array
        Grey and alpha, RGB, or four channels: RGB and alpha, or CMYK, as the mode is.
    """
    if _raw_mode(image.tile[0]) == "LA;16B":  # as many bytes as 8-bit RGBA
        bytes_of = _decoded(image, lambda raw: "RGBA").astype(np.uint16)
        return np.asarray(bytes_of[:, :, 0::2] << 8 | bytes_of[:, :, 1::2], np.uint16)
    high = _decoded(image, lambda raw: raw).astype(np.uint16)
    high <<= 8
    with open_again() as again:
        high |= _decoded(again, lambda raw: raw[:-1] + OTHER[raw[-1]])
    return high


def deep_rgb_of_cmyk(values: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Convert 16-bit CMYK to RGB as Pillow does 8-bit CMYK without a profile."""
    light = 65535 - values.astype(np.uint32)
    return np.asarray((light[:, :, :3] * light[:, :, 3:] + 32767) // 65535, np.uint16)


def _raw_mode(tile: Any) -> str:
    return str(tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args)


def _decoded(image: ImageFile.ImageFile, raw_mode: Callable[[str], str]) -> NDArray[np.uint8]:
    tiles: list[Any] = list(image.tile)
    for place, tile in enumerate(tiles):
        raw = raw_mode(_raw_mode(tile))
        args = raw if isinstance(tile.args, str) else (raw, *tile.args[1:])
        tiles[place] = tile._replace(args=args)
    image.tile = tiles
    image.load()
    return np.asarray(image)


HEAD = 1 << 16  # bytes in which a format says how deep it is


def bits_of(image: ImageFile.ImageFile, file: IO[bytes]) -> int:
    """Return how many bits a channel of an opened image has, if Pillow leaves some of them out.

    Returns
    -------
    bits : int
        8 where nothing is lost.
    """
    if image.mode.startswith(("I", "F")):
        return 8
    if is_deep(image):
        return 16
    if image.format == "PPM" and image.tile:
        arguments = image.tile[0].args
        highest = arguments[-1] if isinstance(arguments, tuple) else 255
        return highest.bit_length() if isinstance(highest, int) else 8
    if image.format not in HEADERS:
        return 8
    place = file.tell()
    file.seek(0)
    head = file.read(HEAD)
    file.seek(place)
    return max(8, HEADERS[image.format](head))


def _avif(head: bytes) -> int:
    at = head.find(b"av1C")
    flags = head[at + 6] if 0 <= at < len(head) - 6 else 0
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 8


def _heif(head: bytes) -> int:
    at = head.find(b"hvcC")
    return (head[at + 21] & 7) + 8 if 0 <= at < len(head) - 21 else 8


def _jpeg_xl(head: bytes) -> int:
    from segment.decoding.jpeg_xl import header_of

    return header_of(io.BytesIO(head)).depth


def _sgi(head: bytes) -> int:
    return 8 * head[3]


def _dds(head: bytes) -> int:
    """Of masks, where the colours are plain; compressed ones have 8 bits."""
    flags, masks = int.from_bytes(head[80:84], "little"), struct.unpack_from("<3I", head, 92)
    return max(mask.bit_count() for mask in masks) if flags & 0x40 else 8


HEADERS = {"AVIF": _avif, "HEIF": _heif, "JXL": _jpeg_xl, "SGI": _sgi, "DDS": _dds}
