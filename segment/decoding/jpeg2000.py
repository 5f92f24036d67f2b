"""JPEG 2000 that Pillow gets wrong: by imagecodecs, or refused.

Pillow rounds deep colours without a bound, so that white becomes black, takes small components for
full ones, does not put them in their order, takes a fourth for alpha, and leaves an ICC profile
out. The header says which files these are. ISO/IEC 15444-1, A.5.1 (SIZ) and I.5.3.
"""

from __future__ import annotations

import struct
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segment.decoding.boxes import content, inside
from segment.decoding.frame import Frame
from segment.errors import ImageFileError

START = b"\xff\x4f\xff\x51"  # of a codestream: SOC, and SIZ, which must be next
CMYK, SRGB, GREY, SYCC = 12, 16, 17, 18  # enumerated colour spaces
COLORS = {CMYK: 4, SRGB: 3, GREY: 1, SYCC: 3}
OPACITY = 1  # type of a channel in the box cdef


class Header(NamedTuple):
    """What the header of a JPEG 2000 says.

    Attributes
    ----------
    size : tuple of int
        Width and height.
    components : tuple of (depth, signed, step x, step y)
    space : int or None
        Enumerated colour space.
    profile : bytes or None
        The ICC profile.
    palette : bytes
        The box pclr, empty for none.
    channels : tuple of (type, place)
        In the order of the components; place 0 belongs to all colours.
    """

    size: tuple[int, int]
    components: tuple[tuple[int, bool, int, int], ...]
    space: int | None = None
    profile: bytes | None = None
    palette: bytes = b""
    channels: tuple[tuple[int, int], ...] = ()

    @property
    def depth(self) -> int:
        """Bits of a sample: of the first component, or of the palette's first column."""
        return (self.palette[3] & 0x7F) + 1 if self.palette else self.components[0][0]

    @property
    def has_one_depth(self) -> bool:
        """Whether all samples are of one depth and sign."""
        columns = self.palette[3 : 3 + self.palette[2]] if self.palette else b""
        return len({part[:2] for part in self.components}) == 1 and len(set(columns)) < 2

    @property
    def colors(self) -> int:
        """Channels that are colours."""
        count = self.palette[2] if self.palette else len(self.components)
        return min(COLORS.get(self.space or 0, 1 if count < 3 else 3), count)

    @property
    def alpha(self) -> int | None:
        """Number of the channel that is opacity."""
        return next((n for n, (kind, _) in enumerate(self.channels) if kind == OPACITY), None)

    @property
    def has_pillows_samples(self) -> bool:
        """Whether Pillow gives the true samples."""
        ordered = all(place in (0, n + 1) for n, (_, place) in enumerate(self.channels))
        plain = set(self.components) == {(8, False, 1, 1)}
        plain = plain and self.depth == 8 and self.has_one_depth
        return plain and ordered and len(self.components) <= 4 and self._palette_fits

    @property
    def is_pillows(self) -> bool:
        """Whether Pillow gives the true samples, and takes them for what they are."""
        count = len(self.components)
        if self.space not in (None, *COLORS):
            return False
        opaque = count in (1, 3) or self.space == CMYK
        return self.has_pillows_samples and (opaque or self.alpha == count - 1)

    @property
    def _palette_fits(self) -> bool:
        """Whether Pillow finds each colour at its number: it keeps equal ones once."""
        if not self.palette:
            return True
        columns = self.palette[2]
        colors = self.palette[3 + columns :]
        rows = {colors[at : at + columns] for at in range(0, len(colors), columns)}
        return columns == 3 and len(rows) * columns == len(colors)


def header_of(file: IO[bytes]) -> Header:
    """Read the header of a JPEG 2000 file or codestream."""
    file.seek(0)
    start = 0
    if file.read(4) != START:
        streams = inside(file, b"jp2c")
        if not streams:
            raise EOFError("no codestream in it")
        start = streams[0].start
    file.seek(start + 8)
    right, lower, left, upper = struct.unpack(">4I", file.read(16))
    file.seek(start + 40)
    (count,) = struct.unpack(">H", file.read(2))
    sizes = struct.iter_unpack("3B", file.read(3 * count))
    components = tuple(((bits & 0x7F) + 1, bits > 0x7F, x, y) for bits, x, y in sizes)
    size = (right - left, lower - upper)
    if not components or _at(file, start, 4) != START:
        raise EOFError("no components in it")
    if not start:
        return Header(size, components)
    space, profile = _color(file)
    palettes = [content(file, box) for box in inside(file, b"jp2h", b"pclr")] or [b""]
    if 0 < len(palettes[0]) < 4:
        raise EOFError("its palette is cut off")
    return Header(size, components, space, profile, palettes[0], _channels(file))


def _at(file: IO[bytes], start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(size)


def _color(file: IO[bytes]) -> tuple[int | None, bytes | None]:
    """Return the enumerated colour space or the ICC profile, whichever stands first."""
    for box in inside(file, b"jp2h", b"colr"):
        said = content(file, box)
        if said[:1] == b"\1":
            return int.from_bytes(said[3:7]), None
        if said[:1] in (b"\2", b"\3"):
            return None, said[3:]
    return None, None


def _channels(file: IO[bytes]) -> tuple[tuple[int, int], ...]:
    """Return type and place of each channel by the box cdef, none without it."""
    for box in inside(file, b"jp2h", b"cdef"):
        said = content(file, box)[2:]
        entries = sorted(struct.iter_unpack(">3H", said[: len(said) // 6 * 6]))
        return tuple((kind, place) for _, kind, place in entries)
    return ()


class Jpeg2000Frames:
    """The image of a JPEG 2000 that is not Pillow's.

    Parameters
    ----------
    file : binary file
    header : Header

    Raises
    ------
    ImageFileError
        If no reader knows its colours, or imagecodecs is missing.
    """

    def __init__(self, file: IO[bytes], header: Header) -> None:
        if header.space not in (None, *COLORS) or header.space == CMYK:
            raise ImageFileError(
                f"is a JPEG 2000 in a rare colour space ({header.space}); convert it to sRGB"
            )
        if header.depth > 16 or not header.has_one_depth:
            several = "" if header.has_one_depth else "several depths, one of "
            raise ImageFileError(
                f"is a JPEG 2000 of {several}{header.depth} bits; convert it to 8 or 16 bits"
            )
        self._file = file
        self._header = header
        self._is_grey = len(header.components) == 1 and not header.palette
        self._is_grey &= header.depth != 9  # in boxes Pillow takes these for 8
        try:
            if not self._is_grey and not header.has_pillows_samples:
                import imagecodecs  # noqa: F401
        except ImportError:
            raise ImageFileError(
                f"is a JPEG 2000 of a rare kind ({_words(header)}); "
                "pip install 'meanshift-segment[formats]'"
            ) from None

    def __len__(self) -> int:
        return 1

    def size(self, number: int) -> tuple[int, int]:
        """Return width and height."""
        return self._header.size

    def frame(self, number: int, lenient: bool) -> Frame:
        """Return the image at full depth."""
        head = self._header
        values = self._grey() if self._is_grey else self._channels()
        beside = None if head.alpha is None else values[:, :, head.alpha]
        left_out = values.shape[2] - head.colors - (beside is not None)
        which = {1: "the first", 3: "the first three"}[head.colors]
        warnings = (f"has {values.shape[2]} channels; took {which}",) if left_out else ()
        taken = values[:, :, : head.colors]
        return Frame(taken, head.depth, beside, None, head.profile, warnings)

    def _channels(self) -> NDArray[Any]:
        self._file.seek(0)
        if self._header.has_pillows_samples:
            with Image.open(self._file, formats=("JPEG2000",)) as image:
                values = np.asarray(image)
        else:
            import imagecodecs

            values = np.asarray(imagecodecs.jpeg2k_decode(self._file.read()))
        return values.reshape(*values.shape[:2], -1)

    def _grey(self) -> NDArray[Any]:
        """Undo what Pillow does to one component: it fills the lowest bits up, and adds a half."""
        depth, signed, *_ = self._header.components[0]
        self._file.seek(0)
        with Image.open(self._file, formats=("JPEG2000",)) as image:
            filled = np.asarray(image)
        values = filled >> (filled.dtype.itemsize * 8 - depth)
        if signed:
            values = (values.astype(np.int32) - (1 << (depth - 1))).astype(f"i{filled.itemsize}")
        return values[:, :, None]


def _words(header: Header) -> str:
    depths = {depth for depth, *_ in header.components}
    if any(step != 1 for *_, x, y in header.components for step in (x, y)):
        return "small components"
    if header.palette:
        return "a palette"
    return f"{len(header.components)} x {max(depths)} bits"
