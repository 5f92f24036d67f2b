"""BMPs whose pixels are bits in fields of any width, of which Pillow knows the usual ones alone.

Windows GDI, BITMAPV4HEADER and BITMAPV5HEADER: masks tell which bits are which colour.
"""

from __future__ import annotations

import struct
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from segment.decoding.frame import Frame
from segment.errors import ImageFileError

FIELDS, FIELDS_AND_ALPHA = 3, 6  # compression: masks tell the bits of each colour
PLAIN = 40  # bytes of the header that masks follow; of longer ones they are a part
WITH_ALPHA = 56  # bytes of a header that has a mask for alpha, too, at least
MASKS = 54  # their place in the file


class BmpFrames:
    """The image of a BMP that Pillow refuses.

    Parameters
    ----------
    file : binary file

    Raises
    ------
    ImageFileError
        If its pixels are not bits in fields.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        file.seek(0)
        head = file.read(MASKS + 16).ljust(MASKS + 16, b"\0")
        self._start, length, width, height = struct.unpack_from("<IIii", head, 10)
        self._bits, compression = struct.unpack_from("<HI", head, 28)
        known = length >= PLAIN and compression in (FIELDS, FIELDS_AND_ALPHA)
        if not known or self._bits not in (16, 24, 32):
            raise ImageFileError(
                f"is a BMP that no reader here knows ({self._bits} bits a pixel, compression "
                f"{compression}, header of {length} bytes); save it as PNG"
            )
        self._size = width, abs(height)
        self._is_upright = height < 0
        count = 4 if length >= WITH_ALPHA or compression == FIELDS_AND_ALPHA else 3
        self._masks = struct.unpack_from(f"<{count}I", head, MASKS)

    def __len__(self) -> int:
        return 1

    def size(self, number: int) -> tuple[int, int]:
        """Return width and height."""
        return self._size

    def frame(self, number: int, lenient: bool) -> Frame:
        """Return the image, with 16 bits where a field has more than 8."""
        pixels = self._pixels(lenient)
        bits = 16 if any(mask.bit_count() > 8 for mask in self._masks[:3]) else 8
        channels = [_field(pixels, mask, bits) for mask in self._masks]
        alpha = channels[3] if any(self._masks[3:]) else None
        return Frame(np.stack(channels[:3], axis=2), bits, alpha)

    def _pixels(self, lenient: bool) -> NDArray[Any]:
        """Return numbers of up to 32 bits, (H, W), from the top."""
        width, height = self._size
        size = self._bits // 8
        row = (width * size + 3) // 4 * 4
        self._file.seek(self._start)
        data = self._file.read(row * height)
        if len(data) < row * height and not lenient:
            raise EOFError(f"{len(data)} bytes of {row * height}")
        rows = np.frombuffer(data.ljust(row * height, b"\0"), np.uint8).reshape(height, row)
        parts = rows[:, : width * size].reshape(height, width, size)
        numbers = np.zeros((height, width), np.uint32)
        for place in range(size):
            numbers |= parts[:, :, place].astype(np.uint32) << np.uint32(8 * place)
        return numbers if self._is_upright else numbers[::-1]


def _field(numbers: NDArray[Any], mask: int, bits: int) -> NDArray[Any]:
    """Return a channel, from all bits of its mask unset to all set, in 8 or 16 bits."""
    top = (1 << bits) - 1
    values = np.rint((numbers & np.uint32(mask)) * (top / mask)) if mask else np.zeros_like(numbers)
    return values.astype(np.uint8 if bits == 8 else np.uint16)
