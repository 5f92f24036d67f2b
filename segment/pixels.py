"""An image to its pixels: their colours, and which of them take part."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InvalidInputError
from segment.features import pixel_rows


@dataclass(frozen=True)
class Pixels:
    """An image taken apart.

    Attributes
    ----------
    colors : (H * W, C) array
        sRGB or grey in 0..255.
    visible : (H * W,) bool array or None
        Pixels that take part; None for all.
    shape : (H, W)
    """

    colors: NDArray[Any]
    visible: NDArray[np.bool_] | None
    shape: tuple[int, int]

    @functools.cached_property
    def shown(self) -> NDArray[Any]:
        return self.colors if self.visible is None else self.colors[self.visible]

    def rgb(self) -> NDArray[np.uint8]:
        """Return the image in 8-bit RGB, (H, W, 3), white where no pixel takes part."""
        colors = self.colors
        values = colors if colors.dtype == np.uint8 else np.rint(colors).astype(np.uint8)
        wide = np.broadcast_to(values, (len(values), 3))
        if self.visible is not None:  # the colours under full transparency are anything
            wide = np.where(self.visible[:, None], wide, np.uint8(255))
        return np.ascontiguousarray(wide).reshape(*self.shape, 3)


def pixels_of(image: NDArray[Any], mask: ArrayLike | None = None) -> Pixels:
    """Take an image apart.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array
        As `pixel_rows` takes it.
    mask : (H, W) array-like, optional
        Pixels where it is 0 take no part; nor do transparent ones.

    Returns
    -------
    pixels : Pixels

    Raises
    ------
    InvalidInputError
        If the image or the mask is not what it should be, or no pixel takes part.

    Examples
    --------
    >>> pixels_of(np.array([[7, 8]], np.uint8), mask=[[0, 1]]).shown
    array([[8]], dtype=uint8)
    """
    colors, visible = pixel_rows(image)
    shape = np.shape(image)[:2]
    if mask is not None:
        chosen = np.asarray(mask)
        if chosen.shape != shape:
            raise InvalidInputError(
                f"mask: expected shape {shape} like the image, got {chosen.shape}; "
                "crop or scale it to the image"
            )
        if chosen.dtype.kind not in "biuf" or np.isnan(chosen).any():
            raise InvalidInputError(
                f"mask: expected numbers or booleans, got {chosen.dtype}"
                f"{' with NaN' if chosen.dtype.kind == 'f' else ''}; make it 0 and 1"
            )
        selected = chosen.reshape(-1) != 0
        if not selected.any():
            raise InvalidInputError("mask: expected something selected, but it is 0 everywhere")
        visible = selected if visible is None else visible & selected
    if visible is not None and not visible.any():
        raise InvalidInputError(
            "image: expected something visible, but every pixel is transparent"
            + (" or out of the mask" if mask is not None else "")
            + "; check its alpha"
        )
    return Pixels(colors, visible, (shape[0], shape[1]))
