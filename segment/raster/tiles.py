"""An image in deflated tiles, one row of them after the other in a file."""

from __future__ import annotations

import json
import math
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.raster.sink import Contents
from segment.threads import equal_slices, on_threads
from segment.unfinished import Unfinished, writing_to

TILE = 512  # rows and columns, as GDAL's driver of COG has it
LEADER = TRAILER = 4  # bytes around a tile
LEVEL = 1  # of zlib: the others take three times as long, and labels are runs anyway


class Tiles:
    """An image in tiles, as it is written from its first row on.

    Parameters
    ----------
    file : binary file
        To write to and to read from. Before each tile stands its size, and behind it its last
        bytes once more: by these GDAL knows, of a COG over the net, that it was not edited.
    height, width, channels : int
        Of the image.
    dtype : dtype
        Little-endian in the file.
    start : int
        Where the first tile goes.

    Attributes
    ----------
    start, end : int
        The bytes that the tiles take, with what stands around them.
    offsets, counts : list of int
        First byte and number of bytes of each tile that is there.
    """

    def __init__(
        self,
        file: IO[bytes],
        height: int,
        width: int,
        channels: int,
        dtype: np.dtype[Any],
        start: int = 0,
    ) -> None:
        self._file = file
        self.height, self.width, self.channels = height, width, channels
        self.dtype = dtype.newbyteorder("<")
        self.down, self.across = math.ceil(height / TILE), math.ceil(width / TILE)
        self.offsets: list[int] = []
        self.counts: list[int] = []
        self.start = self.end = start

    def append(self, rows: NDArray[Any]) -> int:
        """Add a row of tiles; return the CRC-32 of its bytes.

        Parameters
        ----------
        rows : (h, width, channels) array
            512 rows; the last ones may be fewer, and are filled up with 0.
        """
        tiles: list[bytes] = [b""] * self.across

        def work(columns: slice) -> None:
            for column in range(columns.start, columns.stop):
                tiles[column] = zlib.compress(self._tile(rows, column).data, LEVEL)

        on_threads(work, equal_slices(self.across, 1))
        self._file.seek(self.end)
        check = 0
        for tile in tiles:
            self._file.write(len(tile).to_bytes(LEADER, "little"))
            self._file.write(tile + tile[-TRAILER:])
            check = zlib.crc32(tile, check)
            self._add(len(tile))
        self._file.flush()
        return check

    def take_over(self, counts: list[int], check: int) -> bool:
        """Take the bytes that follow for a row of tiles; return whether they are what they were."""
        self._file.seek(self.end)
        found = 0
        for count in counts:
            self._file.seek(LEADER, 1)
            found = zlib.crc32(self._file.read(count), found)
            self._file.seek(TRAILER, 1)
        if len(counts) != self.across or found != check:
            return False
        for count in counts:
            self._add(count)
        return True

    def row(self, number: int) -> NDArray[Any]:
        """Return a row of tiles, (h, width, channels), by its number from 0."""
        height = min(TILE, self.height - number * TILE)
        rows = np.empty((height, self.width, self.channels), self.dtype)
        first = number * self.across
        tiles = []
        for tile in range(first, first + self.across):
            self._file.seek(self.offsets[tile])
            tiles.append(self._file.read(self.counts[tile]))

        def work(columns: slice) -> None:
            for column in range(columns.start, columns.stop):
                content = np.frombuffer(zlib.decompress(tiles[column]), self.dtype)
                left = column * TILE
                into = rows[:, left : left + TILE]
                tile = content.reshape(TILE, TILE, self.channels)
                into[...] = tile[:height, : into.shape[1]]

        on_threads(work, equal_slices(self.across, 1))
        return rows

    def halved(self, file: IO[bytes]) -> Tiles:
        """Return it at half the size in another file: of four pixels the upper left one.

        Labels are names, which have no mean.
        """
        size = math.ceil(self.height / 2), math.ceil(self.width / 2)
        half = Tiles(file, *size, self.channels, self.dtype)
        for number in range(half.down):
            parts = [
                self.row(at)[::2, ::2].copy()  # which lets go of the other three pixels
                for at in range(2 * number, min(2 * number + 2, self.down))
            ]
            half.append(np.concatenate(parts))
        return half

    def copied(self, read_size: int, write: Callable[[bytes], object]) -> None:
        """Write the bytes of all tiles, in their order, piece by piece."""
        self._file.seek(self.start)
        rest = self.end - self.start
        while rest:
            piece = self._file.read(min(rest, read_size))
            write(piece)
            rest -= len(piece)

    def _add(self, count: int) -> None:
        self.offsets.append(self.end + LEADER)
        self.counts.append(count)
        self.end += LEADER + count + TRAILER

    def _tile(self, rows: NDArray[Any], column: int) -> NDArray[Any]:
        part = rows[:, column * TILE : (column + 1) * TILE]
        if part.shape[:2] == (TILE, TILE):
            return np.ascontiguousarray(part, self.dtype)
        tile = np.zeros((TILE, TILE, self.channels), self.dtype)
        tile[: part.shape[0], : part.shape[1]] = part
        return tile


class TileRows:
    """Strips of any height to rows of tiles, one of which is held.

    Parameters
    ----------
    height, width, channels : int
        Of the image.
    dtype : dtype
    put : callable
        Takes each row of tiles, (h, width, channels), once it is whole.
    start : int
        The first row that is still missing, a multiple of 512 or the height.
    """

    def __init__(
        self,
        height: int,
        width: int,
        channels: int,
        dtype: np.dtype[Any],
        put: Callable[[NDArray[Any]], object],
        start: int,
    ) -> None:
        self._height, self._shape = height, (width, channels)
        self._held = np.empty((min(TILE, height), width, channels), dtype)
        self._put = put
        self.next_row = start

    def write(self, top: int, rows: NDArray[Any]) -> None:
        """Take a strip; rows that are there already are passed over.

        Raises
        ------
        InvalidInputError
            If rows are missing before it, or it does not fit the image.
        """
        width, channels = self._shape
        flat = (width,) if channels == 1 and rows.ndim == 2 else self._shape
        if rows.shape[1:] != flat or rows.dtype != self._held.dtype:
            raise InvalidInputError(
                f"expected rows of shape {flat} and type {self._held.dtype}, "
                f"got {rows.shape[1:]} of {rows.dtype}"
            )
        if top > self.next_row or top + len(rows) > self._height:
            raise InvalidInputError(
                f"expected rows from {self.next_row} on, of {self._height}, "
                f"got {top} to {top + len(rows)}"
            )
        rest = rows.reshape(len(rows), width, channels)[self.next_row - top :]
        while len(rest):
            inside = self.next_row % TILE
            count = min(TILE - inside, len(rest))
            self._take(inside, rest[:count])
            rest = rest[count:]

    def _take(self, inside: int, rows: NDArray[Any]) -> None:
        end = inside + len(rows)
        whole = end == TILE or self.next_row + len(rows) == self._height
        if whole and not inside:
            self._put(rows)
        else:
            self._held[inside:end] = rows
            if whole:
                self._put(self._held[:end])
        self.next_row += len(rows)
        if self.next_row == self._height:
            self._held = self._held[:0].copy()  # of the same type: what follows has its memory


class TiledSink(ABC):
    """What sinks of tiles have in common; see `segment.raster.sink.RasterSink`.

    Parameters
    ----------
    path : Path
    contents : Contents
    kind : str
        Of the sink: only one of the same kind goes on with what another left.
    key : str or None
    """

    def __init__(self, path: Path, contents: Contents, kind: str, key: str | None) -> None:
        self._contents = contents
        size = contents.height, contents.width, contents.channels
        identity = None if key is None else json.dumps([key, kind, *size, str(contents.dtype)])
        self._unfinished = Unfinished(path, identity)
        self._ended = False
        with self._unfinished.beginning():
            self._begin()
        start = min(len(self._unfinished.rows) * TILE, contents.height)
        self._rows = TileRows(*size, contents.dtype, self._put, start)

    @abstractmethod
    def _begin(self) -> None:
        """Open what is unfinished, behind the rows of tiles that can be relied on."""

    @abstractmethod
    def _put(self, rows: NDArray[Any]) -> None:
        """Write a row of tiles, (h, width, channels), and note it."""

    @abstractmethod
    def _complete(self) -> None:
        """Write what else there must be, and give it its name."""

    @abstractmethod
    def _close(self) -> None:
        """Close what is open, in any state."""

    @property
    def next_row(self) -> int:
        return self._rows.next_row

    def write(self, top: int, rows: NDArray[Any]) -> None:
        with writing_to(self._unfinished.target):
            self._rows.write(top, rows)

    def finish(self) -> None:
        if self.next_row < self._contents.height:
            raise InvalidInputError(
                f"expected all {self._contents.height} rows, got {self.next_row}; write the others"
            )
        with writing_to(self._unfinished.target):
            self._complete()
        self._ended = True

    def suspend(self) -> None:
        if not self._unfinished.resumable:
            self.abort()
        elif not self._ended:
            self._close()
            self._unfinished.close()
            self._ended = True

    def abort(self) -> None:
        if not self._ended:
            self._close()
            self._unfinished.remove()
            self._ended = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None and issubclass(kind, Exception):
            self.abort()  # a full disk is not to stay full
        elif kind is not None:
            self.suspend()
