"""An image in deflated tiles, one row of them after the other in a file."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from segment.threads import equal_slices, on_threads

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
                self.row(at)[::2, ::2] for at in range(2 * number, min(2 * number + 2, self.down))
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
        ValueError
            If rows are missing before it, or it does not fit the image.
        """
        width, channels = self._shape
        flat = (width,) if channels == 1 and rows.ndim == 2 else self._shape
        if rows.shape[1:] != flat or rows.dtype != self._held.dtype:
            raise ValueError(
                f"expected rows of shape {flat} and type {self._held.dtype}, "
                f"got {rows.shape[1:]} of {rows.dtype}"
            )
        if top > self.next_row or top + len(rows) > self._height:
            raise ValueError(
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
