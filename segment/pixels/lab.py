"""8-bit colours to 8-bit CIE Lab in whole numbers: the same bytes on every processor."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from segment.elementary import root

ONE = 65535  # linear light, and ratios to white
SHARES = 4096  # of the primaries
# sRGB's primaries in CIE XYZ, over D65: each row adds up to white.
PRIMARIES = (
    (0.412453 / 0.95047, 0.357580 / 0.95047, 0.180423 / 0.95047),
    (0.212671, 0.715160, 0.072169),
    (0.019334 / 1.08883, 0.119193 / 1.08883, 0.950227 / 1.08883),
)
UNIT = 4096  # the root of a ratio that is 1
KNEE = 0.008856  # below which the root is replaced by a line


def lab_bytes(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert 8-bit sRGB to Lab rounded to whole units: L in 0..100, a + 128, b + 128.

    Parameters
    ----------
    rgb : (n, 3) uint8 array

    Returns
    -------
    lab : (n, 3) uint8 array
        Within 1 of the exact Lab in each channel; 2.3 is just noticeable.

    Examples
    --------
    >>> lab_bytes(np.uint8([[0, 0, 0], [255, 255, 255], [255, 0, 0]])).tolist()
    [[0, 128, 128], [100, 128, 128], [53, 208, 195]]
    """
    x, y, z = (_rooted(rgb, row) for row in _shares())
    channels = (116 * y - 16 * UNIT, 500 * (x - y) + 128 * UNIT, 200 * (y - z) + 128 * UNIT)
    rounded = [(channel + UNIT // 2) // UNIT for channel in channels]
    return np.stack(rounded, axis=1).clip(0, 255).astype(np.uint8)


def lightness(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return Lab's L of 8-bit sRGB, (n,), in 0..100 and steps of 1/4096.

    Examples
    --------
    >>> lightness(np.uint8([[0, 0, 0], [255, 255, 255]])).round(2).tolist()
    [0.0, 100.0]
    """
    return ((116 * _rooted(rgb, _shares()[1]) - 16 * UNIT) / UNIT).clip(0).astype(np.float32)


def _rooted(rgb: NDArray[np.uint8], shares: list[int]) -> NDArray[np.int32]:
    """Return the cube root of X, Y or Z over that of white, in whole units."""
    light = _linear_light()
    red, green, blue = (light[rgb[:, i]] * shares[i] for i in range(3))
    ratio: NDArray[np.int32] = (red + green + blue) // SHARES
    return _roots()[ratio]


@functools.cache
def _shares() -> list[list[int]]:
    """Return what each primary has of X, Y and Z in whole 4096ths, so that grey stays grey."""
    shares = np.rint(np.array(PRIMARIES) * SHARES).astype(np.int32)
    shares[:, 1] += SHARES - shares.sum(axis=1)
    return [[int(share) for share in row] for row in shares]


@functools.cache
def _linear_light() -> NDArray[np.int32]:
    """Return the light of each 8-bit value, (256,), by the curve of sRGB."""
    value = np.arange(256) / 255.0
    base = (np.maximum(value, 0.04045) + 0.055) / 1.055
    light = np.where(value > 0.04045, base * base * root(base * base, 5), value / 12.92)
    rounded: NDArray[np.int32] = np.rint(light * ONE).astype(np.int32)
    return rounded


@functools.cache
def _roots() -> NDArray[np.int32]:
    """Return the cube root of each ratio to white as Lab has it, (65536,)."""
    ratio = np.arange(ONE + 1) / ONE
    curved = root(np.maximum(ratio, KNEE), 3)
    table: NDArray[np.int32] = np.rint(
        np.where(ratio > KNEE, curved, 7.787 * ratio + 16 / 116) * UNIT
    ).astype(np.int32)
    return table
