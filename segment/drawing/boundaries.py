"""Segments drawn as outlines over their photo."""

from __future__ import annotations

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
    from skimage.morphology import dilation, footprint_rectangle

    label_map = checked_label_map("labels", labels)
    if image.shape[:2] != label_map.shape:
        raise InvalidInputError(
            f"image: expected shape {label_map.shape} like the labels, got {image.shape[:2]}; "
            "give the image that was segmented"
        )
    scale = max(1, SMALL // max(label_map.shape))
    shown = enlarged(image, scale)
    lines = _borders(enlarged(label_map, scale))
    wide = max(1, round(max(shown.shape) / FINE))
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
