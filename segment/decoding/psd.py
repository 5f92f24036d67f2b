"""The composite of a PSD or PSB: planes of samples, packed as bytes that Pillow unpacks.

Pillow's own plug-in takes the rows of other channels for those of the picture, any fourth channel
for transparency, and knows 8 bits alone. Adobe Photoshop File Formats Specification (2019).
"""

from __future__ import annotations

import struct
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segment.decoding.frame import Frame
from segment.errors import ImageFileError

BITMAP, GREY, INDEXED, RGB, CMYK, MULTICHANNEL, DUOTONE, LAB = 0, 1, 2, 3, 4, 7, 8, 9
COLORS = {BITMAP: 1, GREY: 1, INDEXED: 1, RGB: 3, CMYK: 4, DUOTONE: 1, LAB: 3}
MODES = {GREY: "L", DUOTONE: "L", INDEXED: "P", RGB: "RGB", CMYK: "CMYK", LAB: "LAB"}
PROFILE, TRANSPARENT_INDEX, VERSION = 1039, 1047, 1057  # numbers of image resources
RAW, PACKED = 0, 1
MERGED_ALPHA = {b"Mtrn", b"Mt16", b"Mt32"}  # blocks behind the layers that say the same
WIDE = MERGED_ALPHA | {b"LMsk", b"Lr16", b"Lr32", b"Layr", b"Alph", b"FMsk", b"lnk2", b"PxSD"}
WIDE |= {b"FEid", b"FXid"}  # blocks whose length takes 8 bytes in a PSB


class PsdFrames:
    """A PSD or PSB; its composite is the one frame.

    Parameters
    ----------
    file : binary file

    Raises
    ------
    ImageFileError
        If there is no composite in it, or one of a kind that is not read.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        file.seek(0)
        head = struct.unpack(">4sH6x H II HH", _read(file, 26))
        _, version, self._channels, height, width, self._bits, self._mode = head
        self._size = width, height
        self._long = 4 * version  # PSB, version 2: some lengths take twice the bytes
        self._palette = _read(file, _number(file, 4))
        self._resources = _resources(_read(file, _number(file, 4)))
        layers = _number(file, self._long)
        start = file.tell()
        self._data = start + layers
        self._has_alpha = _layers_have_alpha(file, self._data, self._long)
        self._check(version)

    def _check(self, version: int) -> None:
        if version not in (1, 2) or self._bits not in (1, 8, 16):
            raise ImageFileError(
                f"is a PSD with {self._bits} bits a channel, expected 8 or 16; save it as TIFF"
            )
        if self._mode not in COLORS or (self._mode, self._bits) == (LAB, 16):
            name = {MULTICHANNEL: "multichannel", LAB: "16-bit Lab"}.get(self._mode, "other")
            raise ImageFileError(f"is a PSD in {name} mode, expected RGB, CMYK or grey; convert it")
        if (self._mode == BITMAP) != (self._bits == 1) or self._channels < COLORS[self._mode]:
            raise EOFError(f"{self._channels} channels of {self._bits} bits, mode {self._mode}")
        if self._resources.get(VERSION, b"\0\0\0\1\1")[4:5] == b"\0":
            raise ImageFileError(
                "is a PSD without a composite; save it with its compatibility maximised"
            )

    def __len__(self) -> int:
        return 1

    def size(self, number: int) -> tuple[int, int]:
        """Return width and height."""
        return self._size

    def frame(self, number: int, lenient: bool) -> Frame:
        """Return the composite, with alpha where the layers leave holes in it."""
        colors = COLORS[self._mode]
        alpha = self._has_alpha and self._channels > colors and self._mode in (GREY, RGB, CMYK)
        planes = self._planes(colors + alpha, lenient)
        left_out = self._channels - len(planes)
        warnings = (f"has {self._channels} channels; took {len(planes)}",) if left_out else ()
        profile = self._resources.get(PROFILE)
        if self._bits == 16 or (alpha and self._mode == CMYK):
            values = np.stack(planes[:colors], axis=2)
            if self._mode == CMYK:
                values = np.iinfo(values.dtype).max - values  # stored as light, not as ink
            beside = planes[colors] if alpha else None
            return Frame(values, self._bits, beside, None, profile, warnings)
        return Frame(self._image(planes), profile=profile, warnings=warnings)

    def _image(self, planes: list[NDArray[Any]]) -> Image.Image:
        if self._mode == BITMAP:  # ones are black
            bits = np.unpackbits(planes[0], axis=1)[:, : self._size[0]]
            return Image.fromarray((1 - bits) * np.uint8(255))
        if self._mode == CMYK:
            planes = [255 - plane for plane in planes]
        mode = MODES[self._mode] + "A" * (len(planes) > COLORS[self._mode])
        bands = [Image.fromarray(plane) for plane in planes]
        if mode != "P":
            return Image.merge(mode, bands)
        image = bands[0]
        image.putpalette(np.frombuffer(self._palette, np.uint8).reshape(3, -1).T.tobytes())
        index = int.from_bytes(self._resources.get(TRANSPARENT_INDEX, b"\xff\xff"))
        if index < 256:
            image.info["transparency"] = index
        return image

    def _planes(self, count: int, lenient: bool) -> list[NDArray[Any]]:
        """Return the first channels, (H, W) uint8 or uint16; of bits, eight in a byte."""
        width, height = self._size
        row = (width * self._bits + 7) // 8
        self._file.seek(self._data)
        compression = _number(self._file, 2)
        if compression == RAW:
            lengths = [row * height] * count
        elif compression == PACKED:
            size = self._long // 2
            table = _read(self._file, size * height * self._channels)
            rows = np.frombuffer(table, f">u{size}").reshape(self._channels, height)
            lengths = rows.astype(np.int64).sum(axis=1).tolist()[:count]
        else:
            raise ImageFileError("is a PSD with a zipped composite; save it as TIFF")
        kind = np.dtype(">u2" if self._bits == 16 else "u1")
        planes = []
        for length in lengths:
            packed = _read(self._file, length, lenient)
            plane = np.frombuffer(_unpacked(packed, row, height, compression, lenient), kind)
            planes.append(plane.astype(kind.newbyteorder("=")).reshape(height, -1))
        return planes


def _unpacked(data: bytes, row: int, height: int, compression: int, lenient: bool) -> bytes:
    if lenient:  # black, as runs of 128 zeros if packed
        black = b"\x81\0" * (row // 128 + 1) * height if compression == PACKED else b"\0"
        data = data + black if compression == PACKED else data.ljust(row * height, black)
    codec = "packbits" if compression == PACKED else "raw"
    return Image.frombytes("L", (row, height), data, codec, "L").tobytes()


def _read(file: IO[bytes], size: int, lenient: bool = False) -> bytes:
    """Return that many bytes; where `lenient`, those that there are."""
    place = file.tell()
    there = file.seek(0, 2) - place
    file.seek(place)
    if size > there and not lenient:
        raise EOFError(f"{there} bytes of {size}")
    return file.read(min(size, there))


def _number(file: IO[bytes], size: int) -> int:
    return int.from_bytes(_read(file, size))


def _layers_have_alpha(file: IO[bytes], end: int, long: int) -> bool:
    """Return whether the first channel beside the colours is the transparency of all layers.

    A negative count of layers says so; with 16 bits, where the layers stand in a block of their
    own, another block does.
    """
    if end - file.tell() < long + 2:
        return False
    layers = _number(file, long)
    if layers:
        return int.from_bytes(_read(file, 2), signed=True) < 0
    file.seek(_number(file, 4), 1)  # the mask that is common to all
    while file.tell() + 12 <= end and _read(file, 4) in (b"8BIM", b"8B64"):
        key = _read(file, 4)
        if key in MERGED_ALPHA:
            return True
        size = _number(file, long if key in WIDE else 4)
        file.seek((size + 3) // 4 * 4, 1)
    return False


def _resources(data: bytes) -> dict[int, bytes]:
    found = {}
    at = 0
    while data[at : at + 4] == b"8BIM" and at + 12 <= len(data):
        number = int.from_bytes(data[at + 4 : at + 6])
        name = data[at + 6] + 1  # its length is its first byte; padded to an even number
        at += 6 + name + name % 2
        size = int.from_bytes(data[at : at + 4])
        found[number] = data[at + 4 : at + 4 + size]
        at += 4 + size + size % 2
    return found
