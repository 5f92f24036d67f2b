"""Pictures made larger and smaller, to be looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LONGEST = 480  # side of a panel in pixels
SHORTEST = 240  # side up to which small pictures are enlarged, each pixel to a square


def fit_panel(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale a picture to the size of a panel: its longer side to at most 480 pixels.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
        Larger ones are averaged down; of small ones each pixel becomes a square.

    Examples
    --------
    >>> fit_panel(np.zeros((1000, 2000, 3), np.uint8)).shape
    (240, 480, 3)
    >>> fit_panel(np.zeros((5, 5, 3), np.uint8)).shape
    (240, 240, 3)
    """
    height, width = image.shape[:2]
    longer = max(height, width)
    if longer <= SHORTEST:
        size = width * (SHORTEST // longer), height * (SHORTEST // longer)
        return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.NEAREST))
    if longer <= LONGEST:
        return image
    size = shrunk_size((height, width), LONGEST)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX, reducing_gap=3.0))


def shrunk_size(shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    """Return width and height of an image, (height, width, ...), with no side over `longest`.

    Examples
    --------
    >>> shrunk_size((1000, 2000), 480), shrunk_size((5, 7), 480)
    ((480, 240), (7, 5))
    """
    scale = min(1.0, longest / max(shape[:2]))
    return max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))


def enlarged(image: NDArray[Any], scale: int) -> NDArray[Any]:
    """Make each pixel a square of scale x scale."""
    return image if scale == 1 else image.repeat(scale, axis=0).repeat(scale, axis=1)
