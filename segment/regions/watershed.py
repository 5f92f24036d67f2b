"""A landscape to its basins: each pixel with the minimum that water from there would fill."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.regions._watershed import flood, number_minima

LEVELS = 2000  # that heights are told apart by


def levels_of(heights: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Round heights to 2,000 steps between 0 and the highest.

    Examples
    --------
    >>> levels_of(np.float32([[0, 1, 4]])).tolist()
    [[0, 500, 2000]]
    """
    top = heights.max()
    if not top > 0:
        return np.zeros(heights.shape, np.uint16)
    levels: NDArray[np.uint16] = np.rint(heights / top * np.float32(LEVELS)).astype(np.uint16)
    return levels


def minima(heights: NDArray[np.uint16], closed: NDArray[np.bool_] | None) -> NDArray[np.int32]:
    """Number the level areas of a landscape that have no lower neighbour.

    Parameters
    ----------
    heights : (H, W) uint16 array
    closed : (H, W) bool array or None
        Where no water comes.

    Returns
    -------
    labels : (H, W) int32 array
        1..K in scan order, 0 elsewhere, -1 where closed.

    Examples
    --------
    >>> minima(np.uint16([[1, 5, 2, 2, 7, 2]]), None)
    array([[1, 0, 2, 2, 0, 3]], dtype=int32)
    """
    labels = np.zeros(heights.shape, np.int32)
    if closed is not None:
        labels[closed] = -1
    number_minima(heights, labels)
    return labels


def flooded(heights: NDArray[np.uint16], labels: NDArray[np.int32]) -> NDArray[Any]:
    """Let numbered pixels spread over a landscape, the lowest neighbour first.

    Parameters
    ----------
    heights : (H, W) uint16 array
    labels : (H, W) int32 array
        Where water comes from, as `minima` numbers it.

    Returns
    -------
    basins : (H, W) int32 array
        0 where nothing is connected with a numbered pixel, and where it is closed. Of equally
        high pixels the one next to what was flooded first comes first; neighbours are those
        by a side.

    References
    ----------
    F. Meyer, "Topographic distance and watershed lines", Signal Processing 38, 1994.

    Examples
    --------
    >>> heights = np.uint16([[1, 5, 2, 2, 7, 2]])
    >>> flooded(heights, minima(heights, None))
    array([[1, 1, 2, 2, 2, 3]], dtype=int32)
    """
    basins = labels.copy()
    flood(heights, basins)
    return np.maximum(basins, 0, out=basins)
