"""Bytes of strips and tiles to numbers: bits, byte order and predictors. TIFF 6.0, 7 and 14."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

HORIZONTAL, FLOATING = 2, 3
KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}  # by the tag SampleFormat; 4 is "undefined"
REVERSED = np.packbits(np.unpackbits(np.arange(256, dtype=np.uint8), bitorder="little")).tobytes()


def sample_type(sample_format: int, bits: int) -> np.dtype[Any] | None:
    """Return the type that holds a sample; None if there is no such type.

    Examples
    --------
    >>> sample_type(1, 12), sample_type(3, 32), sample_type(3, 24)
    (dtype('uint16'), dtype('float32'), None)
    """
    kind = KINDS.get(sample_format)
    size = next((size for size in (8, 16, 32, 64) if bits <= size), 0)
    if kind is None or bits < 1 or not size or (kind == "f" and bits not in (16, 32, 64)):
        return None
    return np.dtype(f"{kind}{size // 8}") if bits <= 32 or bits == size else None


def unpacked(
    rows: NDArray[np.uint8],
    count: int,
    bits: int,
    dtype: np.dtype[Any],
    byte_order: Literal["<", ">"],
) -> NDArray[Any]:
    """Return the samples in rows of bytes.

    Parameters
    ----------
    rows : (N, B) uint8 array
        A row begins at a byte of its own.
    count : int
        Samples of a row.
    bits : int
        Of a sample. Those that fill no 8, 16, 32 or 64 bits stand without a gap, the high bits
        first, whatever the byte order.
    dtype : dtype
        As `sample_type` has it.
    byte_order : {"<", ">"}

    Returns
    -------
    samples : (N, count) array of `dtype`

    Examples
    --------
    >>> unpacked(np.array([[0x12, 0x3A, 0xBC]], np.uint8), 2, 12, np.dtype("u2"), "<").tolist()
    [[291, 2748]]
    """
    if bits == dtype.itemsize * 8:
        return rows.view(dtype.newbyteorder(byte_order)).astype(dtype, copy=False)
    if bits == 1:
        return np.unpackbits(rows, axis=1, count=count).astype(dtype, copy=False)
    period = 8 // math.gcd(bits, 8)  # samples, after which one begins at a byte again
    size, groups = bits * period // 8, math.ceil(count / period)
    whole = np.zeros((len(rows), groups * size), np.uint8)
    whole[:, : rows.shape[1]] = rows[:, : whole.shape[1]]
    parts = whole.reshape(len(rows), groups, size)
    samples = np.empty((len(rows), groups, period), dtype)
    for place in range(period):
        first, end = place * bits // 8, math.ceil((place + 1) * bits / 8)
        value = np.zeros(parts.shape[:2], np.uint64)
        for byte in range(first, end):
            value = value << np.uint64(8) | parts[:, :, byte]
        value >>= np.uint64(8 * end - (place + 1) * bits)
        samples[:, :, place] = _with_sign(value & np.uint64((1 << bits) - 1), bits, dtype)
    return samples.reshape(len(rows), -1)[:, :count]


def _with_sign(value: NDArray[np.uint64], bits: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    half = 1 << (bits - 1)
    return (value.astype(np.int64) ^ half) - half if dtype.kind == "i" else value


def undo_differences(samples: NDArray[Any]) -> None:
    """Add to each of samples, (N, W, C), its left one, in place: it was stored as the difference.

    Floats are taken as the whole numbers that their bits are.
    """
    numbers = samples.view(f"u{samples.itemsize}")
    np.add.accumulate(numbers, axis=1, out=numbers)


def unpredicted_floats(rows: NDArray[np.uint8], samples: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return floats stored by the floating point predictor.

    A row has the high bytes of all its numbers, then the next ones, and so on, whatever the byte
    order; each byte is the difference from the one of the same sample in the pixel to its left.
    Adobe Photoshop TIFF Technical Note 3.

    Parameters
    ----------
    rows : (N, B) uint8 array
        Is overwritten.
    samples : int
        Of a pixel.
    dtype : dtype

    Returns
    -------
    values : (N, B / itemsize) array of `dtype`
    """
    undo_differences(rows.reshape(len(rows), -1, samples))
    planes = rows.reshape(len(rows), dtype.itemsize, -1)
    words = np.zeros((len(rows), planes.shape[2]), f"u{dtype.itemsize}")
    for place in range(dtype.itemsize):
        words <<= 8
        words |= planes[:, place]
    return words.view(dtype)
