"""What Pillow does not tell of a PNG: its colours, and how many rows there are of a damaged one.

Without an ICC profile colours are as browsers take them, by a profile made of the chunks: cICP
goes before iCCP, that before sRGB, that before gAMA and cHRM. W3C Portable Network Graphics (Third
Edition), 4.3; the codes of cICP are those of ITU-T H.273, tables 2 and 3.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of the kinds of colour
FILTERS = 5
PIECE = 1 << 12  # bytes of the file that are inflated in one go: as many may be gone over again
MOST_CHUNKS = 10_000
FIXED = 100_000  # gAMA and cHRM count in such parts
SRGB_XY = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)  # white, red, green, blue
SRGB_GAMMA = 1 / 2.2
CLOSE = 0.05  # of a gamma, in which libpng, too, sees no difference
CLOSE_XY = 0.002
STEEPEST = 10.0  # gamma; beyond it is damage
LEAST_AREA = 0.001  # between the primaries; sRGB's have 0.11
PRIMARIES = {
    1: SRGB_XY,
    9: (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
SRGB_CURVE = 13
Matrix = NDArray[np.float64]


def row_bytes(width: int, bits: int, color: int) -> int:
    """Return the bytes of a row of a PNG without its filter.

    Examples
    --------
    >>> row_bytes(9, 1, 0), row_bytes(9, 16, 6)
    (2, 72)
    """
    return -(-width * bits * CHANNELS[color] // 8)


def rows_there(file: IO[bytes]) -> int:
    """Return how many rows there are before a PNG is damaged or ends: of an interlaced one all.

    The last row before a byte that is wrong does not count if it is whole, for not every decoder
    hands it over.
    """
    file.seek(16)
    width, height, bits, color, _, _, interlaced = struct.unpack(">IIBBBBB", file.read(13))
    if interlaced:
        return int(height)
    row, there = row_bytes(width, bits, color) + 1, 0
    try:
        for inflated in _inflated(file):
            first = -there % row
            filters = np.frombuffer(inflated, np.uint8)[first::row]
            unknown = np.flatnonzero(filters >= FILTERS)
            if len(unknown):
                there += first + int(unknown[0]) * row
                break
            there += len(inflated)
    except zlib.error:
        there -= not there % row
    return int(max(0, min(there // row, height)))


def _inflated(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the filtered rows as far as they can be had, to the byte; raise zlib.error there."""
    inflater = zlib.decompressobj()
    for piece in _pieces(file):
        before = inflater.copy()
        try:
            yield inflater.decompress(piece)
        except zlib.error:
            yield as_far_as_it_goes(before, piece)
            raise


def as_far_as_it_goes(inflater: Any, piece: bytes) -> bytes:
    """Return what bytes inflate to before the one that is wrong; `inflater` may not go on."""
    found = bytearray()
    with contextlib.suppress(zlib.error):
        for at in range(len(piece)):
            found += inflater.decompress(piece[at : at + 1])
    return bytes(found)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the bytes of the chunks of pixels, which follow each other."""
    at, begun = 8, False
    while True:
        file.seek(at)
        head = file.read(8)
        left, is_pixels = int.from_bytes(head[:4]), head[4:] == b"IDAT"
        at += left + 12
        if len(head) < 8 or (begun and not is_pixels):
            return
        begun = begun or is_pixels
        while is_pixels and left and (piece := file.read(min(left, PIECE))):
            left -= len(piece)
            yield piece


def profile_of(file: IO[bytes]) -> bytes | None:
    """Return an ICC profile for what a PNG says of its colours beside one.

    Returns
    -------
    profile : bytes or None
        Empty where it says that they are sRGB; None where it says nothing, or in iCCP alone.

    Raises
    ------
    ImageFileError
        If they are told by a cICP chunk of a kind that is not converted: HDR.
    """
    chunks = _chunks(file)
    if b"cICP" in chunks and len(chunks[b"cICP"]) == 4:
        primaries, curve, matrix, full = chunks[b"cICP"]
        if primaries not in PRIMARIES or curve not in (*GAMMAS, SRGB_CURVE) or matrix or not full:
            raise ImageFileError(
                f"is a PNG in rare colours (cICP {primaries}, {curve}), perhaps HDR; "
                "convert it to sRGB, or take its values as they are by --ignore-icc"
            )
        return _profile(GAMMAS.get(curve), PRIMARIES[primaries], _is_grey(chunks))
    if b"iCCP" in chunks:
        return None
    if b"sRGB" in chunks:
        return b""
    gamma, xy = None, SRGB_XY
    if len(chunks.get(b"gAMA", b"")) == 4:
        gamma = FIXED / max(int.from_bytes(chunks[b"gAMA"]), 1)
        gamma = gamma if 1 / STEEPEST < gamma < STEEPEST else None
    if len(chunks.get(b"cHRM", b"")) == 32:
        xy = tuple(part / FIXED for part in struct.unpack(">8I", chunks[b"cHRM"]))
    return _profile(gamma, xy, _is_grey(chunks))


def _is_grey(chunks: dict[bytes, bytes]) -> bool:
    return chunks.get(b"IHDR", bytes(13))[9] in (0, 4)  # the colour type, with and without alpha


def _chunks(file: IO[bytes]) -> dict[bytes, bytes]:
    """Return the short chunks before the pixels."""
    found: dict[bytes, bytes] = {}
    at = 8
    for _ in range(MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        size, kind = int.from_bytes(head[:4]), head[4:]
        if len(head) < 8 or kind in (b"IDAT", b"IEND"):
            break
        found.setdefault(kind, file.read(size) if size <= 32 else b"")
        at += size + 12
    return found


def _profile(gamma: float | None, xy: tuple[float, ...], grey: bool) -> bytes:
    """Return a profile of a curve and a matrix; no gamma is the curve of sRGB."""
    same_curve = gamma is None or abs(gamma * SRGB_GAMMA - 1) < CLOSE
    same_colors = grey or np.allclose(xy, SRGB_XY, rtol=0, atol=CLOSE_XY)
    matrix = None if same_colors else _to_d50(xy)
    same_colors = matrix is None
    if same_curve and same_colors:
        return b""
    curve = _SRGB_CURVE
    if gamma and not same_curve:
        curve = struct.pack(">4s4xHxxi", b"para", 0, round(gamma * 65536))
    if grey:
        return _packed(b"GRAY", {b"kTRC": curve})
    matrix = _to_d50(SRGB_XY) if matrix is None else matrix
    assert matrix is not None  # of sRGB there is one
    tags = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), matrix.T, strict=True):
        tags[name] = struct.pack(">4s4x3i", b"XYZ ", *(round(v * 65536) for v in column))
    return _packed(b"RGB ", tags)


_SRGB_CURVE = struct.pack(
    ">4s4xHxx5i",
    b"para",
    3,
    *(round(v * 65536) for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)),
)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D50 = np.array([0.9642, 1.0, 0.8249])


def _to_d50(xy: tuple[float, ...]) -> Matrix | None:
    """Return the matrix from linear RGB to XYZ under D50, which profiles are in (ICC.1, E.2).

    None for chromaticities that make no sense.
    """
    points = [np.array([x, y, 1 - x - y]) for x, y in zip(xy[::2], xy[1::2], strict=True)]
    columns = np.stack(points[1:], axis=1)
    if points[0][1] <= 0 or abs(np.linalg.det(columns)) < LEAST_AREA:
        return None
    white = points[0] / points[0][1]
    to_xyz = columns * np.linalg.solve(columns, white)
    gains = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    matrix = np.linalg.solve(_BRADFORD, gains[:, None] * _BRADFORD) @ to_xyz
    return matrix if np.abs(matrix).max() < STEEPEST else None


def _packed(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    at = 132 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        table += struct.pack(">4sII", name, at + len(data), len(tag))
        data += tag.ljust((len(tag) + 3) // 4 * 4, b"\0")
    header = struct.pack(">I4xI4s4s4s", at + len(data), 0x04000000, b"mntr", space, b"XYZ ")
    return (header + bytes(12) + b"acsp").ljust(128, b"\0") + table + data
