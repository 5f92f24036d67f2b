"""Formats that Pillow reads with 8 bits a channel, however many they have."""

from __future__ import annotations

from typing import IO

from PIL import ImageFile

from segment.deep_colors import is_deep

HEAD = 1 << 16  # bytes in which a format says how deep it is


def bits_of(image: ImageFile.ImageFile, file: IO[bytes]) -> int:
    """Tell how many bits a channel of an opened image has, if Pillow leaves some of them out.

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


def _jpeg_2000(head: bytes) -> int:
    at = head.find(b"\xff\x4f\xff\x51")  # start of codestream, then the sizes
    return (head[at + 42] & 0x7F) + 1 if 0 <= at < len(head) - 42 else 8


def _avif(head: bytes) -> int:
    at = head.find(b"av1C")
    flags = head[at + 6] if 0 <= at < len(head) - 6 else 0
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 8


def _heif(head: bytes) -> int:
    at = head.find(b"hvcC")
    return (head[at + 21] & 7) + 8 if 0 <= at < len(head) - 21 else 8


HEADERS = {"JPEG2000": _jpeg_2000, "AVIF": _avif, "HEIF": _heif}
