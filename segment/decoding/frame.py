"""What a decoder gives of a file: samples of their true type, and what the file says they are."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image


class Frame(NamedTuple):
    """A picture as it is stored, not yet brought to a known range.

    Attributes
    ----------
    pixels : Image or (H, W, C) array
        An image of 8 bits in any mode of Pillow; or samples of grey, C = 1, RGB, C = 3, or
        CMYK, C = 4.
    bits : int
        Depth of a sample, at most that of its type.
    alpha : (H, W) array or None
        Of the same type and depth; only beside an array.
    missing : (H, W) bool array or None
        Where the file says that there is no value.
    profile : bytes or None
        The ICC profile.
    warnings : tuple of str
    """

    pixels: Image.Image | NDArray[Any]
    bits: int = 8
    alpha: NDArray[Any] | None = None
    missing: NDArray[np.bool_] | None = None
    profile: bytes | None = None
    warnings: tuple[str, ...] = ()


class Frames(Protocol):
    """A file that holds frames, one at least."""

    def __len__(self) -> int: ...

    def size(self, number: int) -> tuple[int, int]:
        """Return width and height before anything is decoded."""
        ...

    def frame(self, number: int, lenient: bool) -> Frame:
        """Return a frame; where `lenient`, what there is of a damaged one if that can be told."""
        ...
