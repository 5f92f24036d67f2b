"""Pillow's libtiff as a decompressor of strips and tiles: bytes in, bytes out.

Pillow is not asked what a file means. It gets a TIFF made here around the compressed bytes, a
column of segments with the few tags that its libtiff needs, and gives back what they hold.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from segment.tiff.directory import LONG8, directory, header

BILEVEL = {2, 3, 4}  # CCITT's fax codings
JPEG = 7
DEFLATE = 8
BYTES = {5, DEFLATE, 32946, 32773}  # LZW, deflate by two numbers, PackBits
MAYBE = {34925: "lzma", 50000: "zstd"}  # by Pillow's name: libtiff may be built without
GREY, RGB, SEPARATED, YCBCR = 1, 2, 5, 6
# How Pillow hands out so many 8-bit samples a pixel as they are, and with which ExtraSamples.
UNTOUCHED = {1: (GREY, ()), 2: (GREY, (2,)), 3: (RGB, ()), 4: (SEPARATED, ())}


@dataclass(frozen=True)
class Column:
    """What libtiff has to know of segments that lie one below the other.

    Attributes
    ----------
    compression : int
        TIFF's number.
    width, length : int
        Of a segment, in pixels.
    samples : int
        Bytes of a pixel, 1 to 4.
    bits : int
        8, or 1 for bilevel images.
    photometric : int or None
        None to get the samples as they are; 6, YCbCr, to get RGB.
    tags : dict of {code: (type, values)}
        What else the compression takes: JPEG's tables, fax options, YCbCr's sampling.
    """

    compression: int
    width: int
    length: int
    samples: int = 1
    bits: int = 8
    photometric: int | None = None
    tags: dict[int, tuple[int, Any]] = field(default_factory=dict)


@functools.cache
def decompresses(compression: int) -> bool:
    """Return whether the libtiff that Pillow has knows a compression of bytes."""
    if compression not in MAYBE:
        return compression in BYTES
    try:
        one = Image.new("L", (1, 1))
        one.save(io.BytesIO(), "TIFF", compression=MAYBE[compression])
    except OSError:
        return False
    return True


def decompressed(segments: Sequence[bytes], column: Column, rows: int) -> NDArray[np.uint8]:
    """Return what segments hold.

    Parameters
    ----------
    segments : sequence of bytes
        Compressed.
    column : Column
    rows : int
        Of all segments together; the last may have less than the others.

    Returns
    -------
    content : (rows, width, samples) uint8 array
        For 1 bit (rows, ceil(width / 8), 1), packed.

    Raises
    ------
    OSError
        If a segment is damaged.
    """
    # Not by `Image.open`, whose limit is of pixels: these are bytes, and their number is known.
    with TiffImageFile(io.BytesIO(_file(segments, column, rows))) as image:
        content = np.asarray(image)
    if column.bits == 1:
        return np.packbits(content, axis=1)[:, :, None]
    return content.reshape(rows, column.width, -1)


def _file(segments: Sequence[bytes], column: Column, rows: int) -> bytes:
    """Make a little-endian BigTIFF of one page; segments stand at its end."""
    photometric, extra = UNTOUCHED[column.samples]
    if column.photometric is not None:
        photometric = column.photometric
    counts = [len(segment) for segment in segments]
    tags: dict[int, tuple[int, Any]] = {
        256: (LONG8, (column.width,)),
        257: (LONG8, (rows,)),
        258: (LONG8, (column.bits,) * column.samples),
        259: (LONG8, (column.compression,)),
        262: (LONG8, (photometric,)),
        273: (LONG8, (0,) * len(segments)),
        277: (LONG8, (column.samples,)),
        278: (LONG8, (column.length,)),
        279: (LONG8, counts),
    }
    tags |= ({338: (LONG8, extra)} if extra else {}) | column.tags
    start = len(header(0, big=True))
    ends = np.cumsum([start + len(directory(tags, start)), *counts]).tolist()
    tags[273] = (LONG8, ends[:-1])
    return b"".join([header(start, big=True), directory(tags, start), *segments])
