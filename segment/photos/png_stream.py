"""The stream of a PNG from places in it: bytes of rows without the rows above them.

zlib inflates, and Pillow undoes the filters: of some rows it gets a PNG made around them, of a kind
that has as many bytes to a pixel. The row above the first is all that filters need to know of
what came before. W3C Portable Network Graphics (Third Edition), 4.5, 7.2 and 9.
"""

from __future__ import annotations

import io
import struct
import threading
import zlib
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segment.decoding.png import CHANNELS, as_far_as_it_goes, row_bytes
from segment.decoding.sixteen_bits import deep_colors
from segment.errors import ImageFileError
from segment.raster.steady_file import SteadyFile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KINDS = {1: (8, 0), 2: (8, 4), 3: (8, 2), 4: (8, 6), 6: (16, 2), 8: (16, 6)}  # by bytes to a pixel
AT_ONCE = 1 << 21  # bytes of rows that are unfiltered in one go
PIECE = 1 << 16  # bytes of the file that are inflated in one go
WINDOW = 48 << 10  # bytes that zlib takes to go on from a place
KEPT = 1 << 24  # bytes of places that are kept
CHECK = 4  # bytes behind a chunk
MOST_CHUNKS = 10_000  # beside those of pixels
LARGEST = 1 << 26  # bytes of one of these, and of a row


@dataclass(frozen=True)
class Png:
    """What a PNG says beside its pixels.

    Attributes
    ----------
    width, height, bits, color : int
        Of the header.
    before, behind : bytes
        The other chunks before the pixels, and behind them.
    start : int
        The byte of the file where the first chunk of pixels begins.
    """

    width: int
    height: int
    bits: int
    color: int
    before: bytes
    behind: bytes
    start: int

    @property
    def row(self) -> int:
        """Bytes of a row without its filter."""
        return row_bytes(self.width, self.bits, self.color)

    @property
    def pixel(self) -> int:
        """Bytes that a pixel's neighbour is away, for filters."""
        return max(1, self.bits * CHANNELS[self.color] // 8)

    def of_rows(self, rows: NDArray[np.uint8], *, whole: bool = False) -> io.BytesIO:
        """Return a PNG of unfiltered rows, (h, `row`); `whole` with the chunks behind them."""
        filtered = np.zeros((len(rows), self.row + 1), np.uint8)
        filtered[:, 1:] = rows
        head = struct.pack(">IIBBBBB", self.width, len(rows), self.bits, self.color, 0, 0, 0)
        return _made(head, self.before, filtered.tobytes(), self.behind if whole else b"")


def read_chunks(file: IO[bytes]) -> Png:
    """Return what a PNG says beside its pixels.

    Raises
    ------
    ImageFileError
        If its rows cannot be had one after the other: interlaced, or of an animation.
    """
    head = file.read(33)
    width, height, bits, color, _, _, interlaced = struct.unpack(">IIBBBBB", head[16:29])
    if interlaced:
        raise ImageFileError("is an interlaced PNG; save it without interlacing, or as TIFF")
    before: list[bytes] = []
    behind: list[bytes] = []
    at, number, start = 33, 0, 0
    while number < MOST_CHUNKS:
        file.seek(at)
        length = file.read(8)
        size, kind = int.from_bytes(length[:4]), length[4:]
        if len(length) < 8 or kind == b"IEND" or (start and size > LARGEST):
            break
        if kind == b"acTL":
            raise ImageFileError("is an animated PNG; save the frame as PNG or TIFF")
        if kind == b"IDAT":
            start = start or at
        else:
            if size > LARGEST:
                raise EOFError(f"a chunk of {size} bytes")
            (behind if start else before).append(length + file.read(size + CHECK))
            number += 1
        at += 8 + size + CHECK
    png = Png(width, height, bits, color, b"".join(before), b"".join(behind), start)
    if not start or png.row > LARGEST:
        raise EOFError(f"no pixels in it, or rows of {png.row} bytes")
    return png


@dataclass(frozen=True)
class _Place:
    """Where some rows begin.

    zlib's state, the file's next byte, how many are left of its chunk, and the row above.
    """

    inflater: Any
    at: int
    left: int
    above: NDArray[np.uint8]


class PngRows:
    """Rows of a PNG, any of them: places on the way are kept, to go on from.

    The first way through is one thread's at a time, for each row stands on those before it; later
    ones begin at places.

    Parameters
    ----------
    file : SteadyFile
    png : Png

    Attributes
    ----------
    preferred : int
        Rows between places.
    damaged : bool
        Whether to inflate with care, what there is before a byte that is wrong.
    """

    def __init__(self, file: SteadyFile, png: Png) -> None:
        self._file, self._png = file, png
        self._step = min(png.height, max(1, AT_ONCE // png.row))
        self._pieces = -(-png.height // self._step)
        apart = -(-self._pieces // max(4, KEPT // (WINDOW + png.row)))
        self.preferred = min(png.height, apart * self._step)
        self._apart, self.damaged = apart, False
        self._turn, self._keeping = threading.Lock(), threading.Lock()
        self._places = {0: _Place(zlib.decompressobj(), png.start, 0, np.zeros(png.row, np.uint8))}

    def each(self, top: int, bottom: int, put: Callable[[int, NDArray[np.uint8]], object]) -> None:
        """Hand over the rows from `top` to before `bottom` piece by piece: their first, (h, row).

        Raises
        ------
        Exception
            Any, at the first piece that is damaged or cut off.
        """
        last = -(-bottom // self._step)
        fresh = last > self._nearest(self._pieces)[0]
        with self._turn if fresh else nullcontext(), self._file.opened() as file:
            first, place = self._nearest(top // self._step)
            for piece in range(first, last):
                start = piece * self._step
                end = min(start + self._step, bottom)
                rows, place = self._piece(file, place, end - start)
                if fresh and end in (start + self._step, self._png.height):
                    self._keep(piece + 1, place)
                if end > top:
                    put(max(top, start), rows[max(top - start, 0) :])

    def _nearest(self, piece: int) -> tuple[int, _Place]:
        """Return the last place that is kept up to a piece."""
        with self._keeping:
            found = max(place for place in self._places if place <= piece)
            return found, self._places[found]

    def _keep(self, piece: int, place: _Place) -> None:
        """Keep the farthest place, and those before it that are so far apart."""
        with self._keeping:
            farthest = max(self._places)
            if piece > farthest:
                self._places[piece] = place
                if farthest % self._apart:
                    del self._places[farthest]

    def _piece(
        self, file: IO[bytes], place: _Place, count: int
    ) -> tuple[NDArray[np.uint8], _Place]:
        """Return some rows from a place on, and the place behind them."""
        inflater, at, left = place.inflater.copy(), place.at, place.left
        wanted, found = count * (self._png.row + 1), bytearray()
        while len(found) < wanted:
            compressed = inflater.unconsumed_tail
            if not compressed:
                at, left = _in_chunk(file, at, left)
                file.seek(at)
                compressed = file.read(min(left, PIECE))
                left -= len(compressed)
                at += len(compressed) + (0 if left else CHECK)
            if inflater.eof or not compressed:
                raise EOFError("rows are missing")
            inflater, more = self._inflated(inflater, compressed, wanted - len(found))
            found += more
        rows = _unfiltered(bytes(found), place.above, self._png.pixel)
        return rows, _Place(inflater, at, left, rows[-1].copy())

    def _inflated(self, inflater: Any, compressed: bytes, most: int) -> tuple[Any, bytes]:
        """Return what bytes inflate to, and what goes on behind them."""
        before = inflater.copy() if self.damaged else None
        try:
            return inflater, inflater.decompress(compressed, most)
        except zlib.error:  # perhaps of the check behind the last row
            if before is None:
                raise
            found = as_far_as_it_goes(before, compressed)
            if len(found) < most:
                raise
            return before, found[:most]


def _in_chunk(file: IO[bytes], at: int, left: int) -> tuple[int, int]:
    """Return the next byte of pixels and how many of its chunk are left."""
    while not left:
        file.seek(at)
        head = file.read(8)
        if head[4:] != b"IDAT":
            raise EOFError("rows are missing")
        left = int.from_bytes(head[:4])
        at += 8 + (0 if left else CHECK)
    return at, left


def _unfiltered(filtered: bytes, above: NDArray[np.uint8], pixel: int) -> NDArray[np.uint8]:
    """Return rows, (h, row), of filtered ones and the row above."""
    bits, color = KINDS[pixel]
    rows = len(filtered) // (len(above) + 1)
    head = struct.pack(">IIBBBBB", len(above) // pixel, rows + 1, bits, color, 0, 0, 0)
    file = _made(head, b"", b"\0" + above.tobytes() + filtered, b"")
    image = Image.open(file, formats=("PNG",))
    if bits == 8:
        values = np.asarray(image)
    else:
        again = io.BytesIO(file.getvalue())
        values = deep_colors(image, lambda: Image.open(again, formats=("PNG",)))
        values = values.astype(">u2").view(np.uint8)
    return values.reshape(rows + 1, -1)[1:]


def _made(head: bytes, before: bytes, pixels: bytes, behind: bytes) -> io.BytesIO:
    """Return a PNG of filtered rows, which are not compressed."""
    chunks = _chunk(b"IHDR", head), before, _chunk(b"IDAT", zlib.compress(pixels, 0)), behind
    return io.BytesIO(b"".join((SIGNATURE, *chunks, _chunk(b"IEND", b""))))


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(content, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(content)), kind, content, struct.pack(">I", check)))
