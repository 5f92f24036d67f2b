"""Small drawn images and raw files that no library writes, for the tests of files."""

import struct
import zlib

import numpy as np

# Four areas of one colour each, no two corners alike: shows every turn and every lost channel.
COLORS = np.array([[[255, 0, 0], [0, 128, 0]], [[0, 0, 255], [250, 240, 10]]], np.uint8)
RGB = COLORS.repeat(3, axis=0).repeat(4, axis=1)  # 6 rows, 8 columns
NOISE = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
DEEP = np.random.default_rng(1).integers(0, 65536, (6, 9, 3), np.uint16)


def chunk(kind, content):
    """A chunk of a PNG."""
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def png(values, *chunks):
    """A PNG of 8 or 16 bits, written by hand: unfiltered rows; `chunks` go before the pixels."""
    height, width, channels = values.shape
    depth, color = values.itemsize * 8, {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(f">u{values.itemsize}").tobytes() for row in values)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)),
            *chunks,
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        ]
    )


def header_only_png(width, height):
    """A PNG that claims a size and holds no pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", 99) + b"IDAT"


def with_alpha(rgb, alpha):
    """RGBA, or grey and alpha."""
    return np.dstack([rgb, np.asarray(alpha, rgb.dtype)])
