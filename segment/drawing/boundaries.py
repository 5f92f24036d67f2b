"""Segments drawn as outlines over their photo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.drawing.scaling import enlarged
from segment.errors import InvalidInputError
from segment.validation import checked_label_map

SMALL = 320  # pixels on the longer side, up to which a picture is enlarged to be looked at
FINE = 1200  # of the longer side for each pixel of a line's width, so that lines stay visible
LINE = np.array([255, 222, 0], np.uint8)
SHADE = 0.35  # of the photo's brightness beside a line: so it stands out on light ground, too


def draw_boundaries(image: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.uint8]:
    """Draw the outlines of segments over an image.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    labels : (H, W) array of whole numbers
        0 for no segment.

    Returns
    -------
    picture : (sH, sW, 3) uint8 array
        Yellow lines with dark sides along the borders between labels, as wide as the picture
        needs to be looked at. s is 1, but images whose longer side is below 160 pixels are
        enlarged by the whole number that brings it nearest to 320 from below.

    Examples
    --------
    >>> image = np.full((200, 200, 3), 255, np.uint8)
    >>> labels = np.repeat([[1, 2]], 100, axis=1).repeat(200, axis=0)
    >>> draw_boundaries(image, labels)[0, 97:103].tolist()[1:3]
    [[89, 89, 89], [255, 222, 0]]
    """
    label_map = checked_label_map("labels", labels)
    if image.shape[:2] != label_map.shape:
        raise InvalidInputError(
            f"image: expected shape {label_map.shape} like the labels, got {image.shape[:2]}; "
            "give the image that was segmented"
        )
    scale, wide = scale_and_width(*label_map.shape)
    return _outlined(enlarged(image, scale), enlarged(label_map, scale), wide)


def scale_and_width(height: int, width: int) -> tuple[int, int]:
    """Return how many times larger an image is drawn, and how wide its lines are."""
    longer = max(height, width)
    scale = max(1, SMALL // longer)
    return scale, max(1, round(longer * scale / FINE))


def boundary_rows(
    read: Callable[[int, int], tuple[NDArray[np.uint8], NDArray[np.int32]]],
    top: int,
    bottom: int,
    size: tuple[int, int],
) -> NDArray[np.uint8]:
    """Return some rows of what `draw_boundaries` draws: those of a strip, enlarged as all is.

    Parameters
    ----------
    read : callable
        Returns image and labels of the rows from one to above another, (h, W, 3) and (h, W).
    top, bottom : int
        First row of the strip, and the one behind its last.
    size : (int, int)
        Height and width of the image.
    """
    scale, wide = scale_and_width(*size)
    beside = 2 * wide + 1  # a line, its dark side, and the row by which there is a border
    first, last = max(0, top - beside), min(size[0], bottom + beside)
    image, labels = read(first, last)
    picture = _outlined(enlarged(image, scale), enlarged(labels, scale), wide)
    return picture[(top - first) * scale : (bottom - first) * scale]


def _outlined(shown: NDArray[np.uint8], labels: NDArray[np.int32], wide: int) -> NDArray[np.uint8]:
    from skimage.morphology import dilation, footprint_rectangle

    lines = _borders(labels)
    if wide > 1:
        lines = dilation(lines, footprint_rectangle((wide, wide)))
    around = 2 * wide + 1
    shade = dilation(lines, footprint_rectangle((around, around))).astype(bool)
    picture = shown.copy()
    picture[shade] = np.rint(picture[shade] * SHADE)
    picture[lines.astype(bool)] = LINE
    return picture


def _borders(labels: NDArray[np.int32]) -> NDArray[np.uint8]:
    """1 where the pixel to the right, or the one below, has another label.

    One side of a border only: scikit-image's `find_boundaries` marks both, and in a textured
    photo lines twice as wide hide what they surround.
    """
    lines = np.zeros(labels.shape, np.uint8)
    lines[:, :-1] = labels[:, 1:] != labels[:, :-1]
    lines[:-1] |= labels[1:] != labels[:-1]
    return lines
