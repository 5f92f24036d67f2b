"""The part of an AVIF that is to be shown: Pillow turns it, but does not cut it out.

ISO/IEC 14496-12, 12.1.4 (clap) and 8.11; ISO/IEC 23000-22, 7.3.6.7: cut out first, then turned.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import IO

from segment.decoding.boxes import boxes, content, inside
from segment.errors import ImageFileError

Crop = tuple[int, int, int, int]  # left, upper, right, lower


def shown_part(file: IO[bytes], width: int, height: int) -> Crop | None:
    """Return the rectangle that an AVIF's main image is to be cut to; None for all of it.

    Raises
    ------
    ImageFileError
        If it does not lie on whole pixels of the image.
    """
    properties = inside(file, b"meta", b"iprp", b"ipco")
    wanted = _properties_of_main(file)
    if not properties or not wanted:
        return None
    all_of_them = list(boxes(file, properties[0].start, properties[0].end))
    for number in wanted:
        if 0 < number <= len(all_of_them) and all_of_them[number - 1].kind == b"clap":
            return _rectangle(content(file, all_of_them[number - 1]), width, height)
    return None


def _properties_of_main(file: IO[bytes]) -> list[int]:
    """Return the numbers, from 1, of the properties of the primary item."""
    mains = [content(file, box) for box in inside(file, b"meta", b"pitm")]
    if not mains:
        return []
    main = int.from_bytes(mains[0][4:8] if mains[0][0] else mains[0][4:6])
    for box in inside(file, b"meta", b"iprp", b"ipma"):
        data = content(file, box)
        version, wide = data[0], data[3] & 1
        at = 8
        for _ in range(int.from_bytes(data[4:8])):
            size = 4 if version else 2
            item, count = int.from_bytes(data[at : at + size]), data[at + size]
            at += size + 1
            links = struct.unpack_from(f">{count}{'H' if wide else 'B'}", data, at)
            at += count * (2 if wide else 1)
            if item == main:
                return [link & (0x7FFF if wide else 0x7F) for link in links]
    return []


def _rectangle(clap: bytes, width: int, height: int) -> Crop:
    numbers = struct.unpack(">4I", clap[:16]) + struct.unpack(">iIiI", clap[16:32])
    if 0 in numbers[1::2]:
        raise ImageFileError("has a part to show that is not told rightly; save it anew")
    wide, high, right, down = (Fraction(*numbers[at : at + 2]) for at in range(0, 8, 2))
    left, upper = (width - wide) / 2 + right, (height - high) / 2 + down
    edges = (left, upper, left + wide, upper + high)
    if any(edge.denominator != 1 for edge in edges) or not (
        0 <= left < edges[2] <= width and 0 <= upper < edges[3] <= height
    ):
        raise ImageFileError("has a part to show that is not of whole pixels; save it anew")
    return int(left), int(upper), int(edges[2]), int(edges[3])
