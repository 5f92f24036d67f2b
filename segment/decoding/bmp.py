"""BMPs that Pillow does not know: bits of a pixel in fields of any width, short headers of OS/2."""

from __future__ import annotations

import struct
from typing import IO

import numpy as np

from segment.decoding.frame import Frame
from segment.errors import ImageFileError

FIELDS = 3  # compression: masks tell the bits of each colour
ENCLOSED = (4, 5)  # compression: the pixels are a JPEG or a PNG
WITH_ALPHA = 56  # bytes of a header that has a mask for alpha, at least
CORE = 12  # bytes of the oldest header, whose numbers have 16 bits
MASKS = 54  # place of the masks in the file, within or behind a header of 40 bytes or more


class BmpFrames:
    """The image of a BMP that Pillow refuses, by imagecodecs.

    Parameters
    ----------
    file : binary file

    Raises
    ------
    ImageFileError
        If imagecodecs is missing or would not give the true values.
    """

    def __init__(self, file: IO[bytes]) -> None:
        file.seek(0)
        self._file = file
        head = file.read(MASKS + 16).ljust(MASKS + 16, b"\0")
        (length,) = struct.unpack_from("<I", head, 14)
        sizes = struct.unpack_from("<HHxxH" if length == CORE else "<iixxH", head, 18)
        width, height, bits = sizes
        compression = 0 if length <= 16 else head[30]
        *masks, alpha = struct.unpack_from("<4I", head, MASKS) if compression == FIELDS else (0,)
        self._has_alpha = compression == FIELDS and length >= WITH_ALPHA and alpha > 0
        self._size = width, abs(height)
        widths = [mask.bit_count() for mask in masks]
        words = f"{bits} bits a pixel, compression {compression}"
        words += f", fields of {', '.join(map(str, widths))} bits" if widths else ""
        known = bits in (1, 4, 8, 16, 24, 32) or compression in ENCLOSED
        if not known or any(width > 8 for width in widths):
            raise ImageFileError(f"is a BMP that no reader here knows ({words}); save it as PNG")
        try:
            import imagecodecs
        except ImportError:
            raise ImageFileError(
                f"is a BMP of a rare kind ({words}); pip install 'meanshift-segment[formats]'"
            ) from None
        self._imagecodecs = imagecodecs
        self._words = words

    def __len__(self) -> int:
        return 1

    def size(self, number: int) -> tuple[int, int]:
        """Return width and height."""
        return self._size

    def frame(self, number: int, lenient: bool) -> Frame:
        """Return the image."""
        self._file.seek(0)
        try:
            values = np.asarray(self._imagecodecs.bmp_decode(self._file.read()))
        except self._imagecodecs.BmpError as error:
            if "not implemented" not in str(error):
                raise
            raise ImageFileError(
                f"is a BMP that no reader here knows ({self._words}); save it as PNG"
            ) from error
        values = values.reshape(*values.shape[:2], -1)
        alpha = values[:, :, 3] if values.shape[2] == 4 and self._has_alpha else None
        return Frame(values[:, :, :3], alpha=alpha)
