"""The way up: EXIF's and TIFF's orientation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ORIENTATION = 274  # the tag, in EXIF and TIFF


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn pixels that lie as the tag says.

    Parameters
    ----------
    pixels : (H, W) or (H, W, C) array
    orientation : int
        1..8; others are taken for 1, upright.

    Examples
    --------
    >>> upright(np.array([[1, 2], [3, 4]]), 6).tolist()  # a quarter clockwise
    [[3, 1], [4, 2]]
    """
    if is_turned(orientation):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def is_turned(orientation: int) -> bool:
    """Whether width and height change places."""
    return orientation in (5, 6, 7, 8)
