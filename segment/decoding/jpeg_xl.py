"""JPEG XL that Pillow's plug-in gets wrong, by imagecodecs: animations, and deep colours.

The plug-in gives an animation's last frame alone and 8 bits of colours. ISO/IEC 18181-1, annexes
C and D, has the header that says which these are.
"""

from __future__ import annotations

from typing import IO, NamedTuple

import numpy as np

from segment.decoding.boxes import boxes
from segment.decoding.frame import Frame

START = b"\xff\x0a"
# Bits of a number, and what is added to it, by its selector
SIZES = ((9, 1), (13, 1), (18, 1), (30, 1))
PREVIEWS = ((0, 16), (0, 32), (5, 1), (9, 33))  # in units of 8 pixels
EXACT_PREVIEWS = ((6, 1), (8, 65), (10, 321), (12, 1345))
TICKS = ((0, 100), (0, 1000), (10, 1), (30, 1))
TICK_PARTS = ((0, 1), (0, 1001), (8, 1), (10, 1))
LOOPS = ((0, 0), (3, 0), (16, 0), (32, 0))
DEPTHS = ((0, 8), (0, 10), (0, 12), (6, 1))
FLOAT_DEPTHS = ((0, 32), (0, 16), (0, 24), (6, 1))


class Header(NamedTuple):
    """Whether a JPEG XL is an animation, and how many bits a channel has."""

    animated: bool = False
    depth: int = 8


class _Bits:
    """Bits of a header, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._left = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._left & ((1 << count) - 1)
        self._left >>= count
        return value

    def number(self, kinds: tuple[tuple[int, int], ...]) -> int:
        bits, least = kinds[self.take(2)]
        return self.take(bits) + least


def header_of(file: IO[bytes]) -> Header:
    """Read the header of a JPEG XL, bare or in boxes."""
    bits = _Bits(_codestream(file))
    bits.take(16)
    _skip_size(bits)
    if bits.take(1):  # all is as usual
        return Header()
    animated = False
    if bits.take(1):  # there are extra fields
        bits.take(3)  # orientation
        if bits.take(1):
            _skip_size(bits)
        if bits.take(1):
            _skip_preview(bits)
        animated = bool(bits.take(1))
        if animated:
            for kinds in (TICKS, TICK_PARTS, LOOPS):
                bits.number(kinds)
            bits.take(1)  # time codes
    return Header(animated, bits.number(FLOAT_DEPTHS if bits.take(1) else DEPTHS))


def _codestream(file: IO[bytes]) -> bytes:
    """Return the first bytes of the codestream, bare or in boxes."""
    file.seek(0)
    head = file.read(64)
    if head.startswith(START):
        return head
    for box in boxes(file, 0, file.seek(0, 2)):
        if box.kind in (b"jxlc", b"jxlp"):
            file.seek(box.start + 4 * (box.kind == b"jxlp"))  # the number of the part
            return file.read(64)
    raise EOFError("no codestream in it")


def _skip_size(bits: _Bits) -> None:
    small = bits.take(1)
    bits.take(5) if small else bits.number(SIZES)  # the height
    if not bits.take(3):  # else the width follows from a ratio
        bits.take(5) if small else bits.number(SIZES)


def _skip_preview(bits: _Bits) -> None:
    kinds = PREVIEWS if bits.take(1) else EXACT_PREVIEWS
    bits.number(kinds)
    if not bits.take(3):
        bits.number(kinds)


class JpegXlFrames:
    """The frames of a JPEG XL, each as it is shown.

    Parameters
    ----------
    file : binary file
    header : Header
    size : tuple of int
        Width and height.
    profile : bytes or None
        The ICC profile of the frames, as Pillow's plug-in has it.

    Raises
    ------
    ImportError
        If imagecodecs is missing.
    """

    def __init__(
        self, file: IO[bytes], header: Header, size: tuple[int, int], profile: bytes | None
    ) -> None:
        import imagecodecs

        file.seek(0)
        values = np.asarray(imagecodecs.jpegxl_decode(file.read()))
        width, height = size
        if values.ndim < 4 and values.shape[1:] != (height, width):  # no axis of frames
            values = values[None]
        self._values = values.reshape(len(values), height, width, -1)
        self._depth = header.depth
        self._size = size
        self._profile = profile

    def __len__(self) -> int:
        return len(self._values)

    def size(self, number: int) -> tuple[int, int]:
        """Return width and height."""
        return self._size

    def frame(self, number: int, lenient: bool) -> Frame:
        """Return a frame."""
        values = self._values[number]
        has_alpha = values.shape[2] in (2, 4)
        colors = values.shape[2] - has_alpha
        return Frame(
            values[:, :, :colors],
            self._depth,
            values[:, :, colors] if has_alpha else None,
            profile=self._profile,
        )
