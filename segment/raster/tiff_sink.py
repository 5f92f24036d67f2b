"""Tiled, deflated TIFF by strips: a row of tiles in memory, and the directory when all is there.

With overviews it is a cloud-optimised GeoTIFF: directories first, then the tiles of the smallest
overview, of the larger ones, of the image: the layout that GDAL documents for its driver of COG.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from segment.raster.sink import Contents
from segment.raster.tiles import TILE, TiledSink, Tiles
from segment.tiff.directory import (
    ASCII,
    DOUBLE,
    LONG,
    LONG8,
    RATIONAL,
    SHORT,
    UNDEFINED,
    directory,
    header,
)
from segment.tiff.no_data import NO_DATA
from segment.writing import MADE_HERE, passing

CLASSIC = (1 << 32) - (1 << 24)  # bytes that 32 bits can count, less those of tags
PIECE = 1 << 20  # bytes copied at a time
START = 64  # bytes before the first tile: the header and our mark, which is searched for there
GHOST = (
    b"LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n"
    b"BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n "
)
DEFLATE, GREY, RGB, PALETTE, ALPHA = 8, 1, 2, 3, 2
FORMATS = {"u": 1, "i": 2, "f": 3}
UNITS = {"none": 1, "inch": 2, "cm": 3}
TagsOfPage = dict[int, tuple[int, Any]]


class TiffSink(TiledSink):
    """A TIFF or COG under way; see `segment.raster.sink.RasterSink`.

    Classic TIFF where it is sure to stay below 4 GB, else BigTIFF. Tiles of 512 x 512 pixels,
    deflated at level 1 on all cores, without predictor.

    Parameters
    ----------
    path : Path
    contents : Contents
    overviews : bool
        Halve the image until it fits one tile, and write a COG. On the disk this takes the
        compressed bytes twice, until it is finished.
    key : str, optional
        What the pixels depend on, to go on with what an interrupted run of the same key left.
    """

    def __init__(
        self, path: Path, contents: Contents, overviews: bool = False, key: str | None = None
    ) -> None:
        self._overviews = overviews
        self._big = _largest(contents, overviews) > CLASSIC
        super().__init__(path, contents, "tiff", key)

    def _begin(self) -> None:
        contents = self._contents
        size = contents.height, contents.width, contents.channels
        self._unfinished.part.touch()
        self._file = self._unfinished.part.open("r+b")
        self._tiles = Tiles(self._file, *size, contents.dtype, START)
        self._take_over()

    def _close(self) -> None:
        self._file.close()

    def _complete(self) -> None:
        if self._overviews:
            self._write_cog()
            self._close()
            self._unfinished.remove()
        else:
            self._write_directory()
            self._close()
            self._unfinished.finish()

    def _take_over(self) -> None:
        """Go on behind the rows of tiles that are there and what the journal says they are."""
        for number, (check, *counts) in enumerate(self._unfinished.rows):
            if not self._tiles.take_over(counts, check):
                self._unfinished.keep(number)
                break
        self._file.truncate(self._tiles.end)
        self._file.seek(0)
        self._file.write(bytes(16) + MADE_HERE.ljust(START - 16, b"\0"))

    def _put(self, rows: NDArray[Any]) -> None:
        check = self._tiles.append(rows)
        self._unfinished.add([check, *self._tiles.counts[-self._tiles.across :]])

    def _write_directory(self) -> None:
        """Write the only directory behind the tiles, and where it is into the header."""
        at = self._file.seek(0, 2)
        at += self._file.write(bytes(-at % 8))
        tags = self._tags(self._tiles, self._tiles.offsets)
        self._file.write(directory(tags, at, 0, self._big))
        self._file.seek(0)
        self._file.write(header(at, self._big))

    def _write_cog(self) -> None:
        """Write directories and all levels into another file, which gets the name."""
        target = self._unfinished.target
        with contextlib.ExitStack() as stack:
            levels = [self._tiles]
            while max(levels[-1].height, levels[-1].width) > TILE:
                levels.append(levels[-1].halved(_scratch(stack, target)))
            with passing(target) as name:
                with name.open("r+b") as file:
                    file.write(self._front(levels))
                    for level in reversed(levels):
                        level.copied(PIECE, file.write)
                name.replace(target)

    def _front(self, levels: Sequence[Tiles]) -> bytes:
        """Return all that comes before the tiles, which follow from the last level to the first."""
        ghost = b"GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n" % len(GHOST) + GHOST
        first = len(header(0, self._big)) + len(ghost)
        first += -first % 8
        front = header(first, self._big) + ghost
        front = front.ljust(first, b"\0")
        sizes = [
            len(directory(self._tags(level, level.offsets), 0, 0, self._big)) for level in levels
        ]
        starts = [first + sum(sizes[:at]) for at in range(len(levels) + 1)]
        data, offsets = starts[-1], []
        for level in reversed(levels):
            offsets.append([data + at - level.start for at in level.offsets])
            data += level.end - level.start
        for at, level in enumerate(levels):
            following = starts[at + 1] if level is not levels[-1] else 0
            one = self._tags(level, offsets[len(levels) - 1 - at])
            front += directory(one, starts[at], following, self._big)
        return front

    def _tags(self, tiles: Tiles, offsets: list[int]) -> TagsOfPage:
        tags = _tags_of_pixels(self._contents, tiles, offsets, LONG8 if self._big else LONG)
        if tiles is not self._tiles:
            return tags | {254: (LONG, (1,))}  # the same image smaller
        return tags | _tags_of_place(self._contents)


def _scratch(stack: contextlib.ExitStack, target: Path) -> IO[bytes]:
    """Return a file beside the target, which goes with the stack."""
    name = stack.enter_context(passing(target))
    stack.callback(name.unlink, missing_ok=True)
    return stack.enter_context(name.open("r+b"))


def _largest(contents: Contents, overviews: bool) -> float:
    """Return how many bytes the file has at most: zlib makes noise larger by a thousandth."""
    tiles = -(-contents.height // TILE) * -(-contents.width // TILE)
    tile = TILE * TILE * contents.channels * contents.dtype.itemsize
    return tiles * (tile * 1.001 + 64) * (1.5 if overviews else 1)


def _tags_of_pixels(
    contents: Contents, tiles: Tiles, offsets: list[int], number: int
) -> TagsOfPage:
    channels, dtype = contents.channels, contents.dtype
    photometric = RGB if channels > 1 else GREY
    tags: TagsOfPage = {
        256: (LONG, (tiles.width,)),
        257: (LONG, (tiles.height,)),
        258: (SHORT, (dtype.itemsize * 8,) * channels),
        259: (SHORT, (DEFLATE,)),
        262: (SHORT, (photometric if contents.palette is None else PALETTE,)),
        277: (SHORT, (channels,)),
        284: (SHORT, (1,)),
        305: (ASCII, MADE_HERE + b"\0"),
        322: (SHORT, (TILE,)),
        323: (SHORT, (TILE,)),
        324: (number, offsets),
        325: (LONG, tiles.counts),
        339: (SHORT, (FORMATS[dtype.kind],) * channels),
    }
    if channels == 4:
        tags[338] = (SHORT, (ALPHA,))
    if contents.palette is not None:
        table = np.zeros((1 << 8 * dtype.itemsize, 3), np.uint16)
        table[: len(contents.palette)] = contents.palette[:, :3]
        tags[320] = (SHORT, (table * 257).T.ravel().tolist())
    if contents.zero_is_no_data:
        tags[NO_DATA] = (ASCII, b"0\0")
    return tags


def _tags_of_place(contents: Contents) -> TagsOfPage:
    kept = contents.kept
    tags: TagsOfPage = {}
    for code, kind, _, value, _ in kept.geo:
        if code != NO_DATA:
            raw = value.encode("utf-8", "replace") + b"\0" if kind == ASCII else tuple(value)
            tags[code] = (kind if kind in (ASCII, SHORT) else DOUBLE, raw)
    if kept.resolution:
        x, y = kept.resolution.x, kept.resolution.y
        for code, value in ((282, x), (283, y)):
            most = max(value.numerator, value.denominator)
            share = value if most < 1 << 32 else value.limit_denominator(4000)  # below a million
            tags[code] = (RATIONAL, (share.numerator, share.denominator))
        tags[296] = (SHORT, (UNITS[kept.resolution.unit],))
    if kept.profile and contents.channels > 1:
        tags[34675] = (UNDEFINED, kept.profile)
    return tags
