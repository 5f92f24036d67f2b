"""A run of rows of a TIFF's page: the strips or tiles that it takes, and no more of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError
from segment.threads import available_cores, on_threads
from segment.tiff.frames import MOST_SEGMENTS
from segment.tiff.layout import layout_of
from segment.tiff.samples import check_kind, decoded
from segment.tiff.stored import Damage
from segment.tiff.unpacking import sample_type

AT_ONCE = 1 << 21  # bytes of samples decoded in one go: few enough to stay in a cache
TOGETHER = 1 << 23  # bytes on all cores, unless a strip or tile for each is more
LARGEST = 1 << 28  # bytes of a strip or tile: it must be held, beside what it is cut from
UNCOMPRESSED, YCBCR = 1, 6
OpenFile = Callable[[], AbstractContextManager[IO[bytes]]]  # the file, for one thread alone


@dataclass(frozen=True)
class Block:
    """Segments that are decoded together, by rows and columns of the grid that they make."""

    down: range
    across: range


@dataclass
class Strip:
    """Samples of a run of rows.

    Attributes
    ----------
    values : (h, W, C) array
    hidden : (h, W) bool array or None
        Where samples are left out by the file, or damaged; None for nowhere.
    damaged : list of int
        Numbers in the page of the segments that are damaged.
    """

    values: NDArray[Any]
    hidden: NDArray[np.bool_] | None
    damaged: list[int]


class PageRows:
    """Rows of a page, any of them without the others.

    Parameters
    ----------
    page : tifffile.TiffPage
    size : int
        Bytes of the file.
    offset : int, optional
        As `layout_of` has it.
    damage_allowed : bool
        Take segments that the file lists no place for as damaged; else it is refused.

    Attributes
    ----------
    dtype : dtype
    layout : Layout
        Strips of bytes as they are, of any height in the file, are cut into low ones.

    Raises
    ------
    ImageFileError
        If it is of a kind that nothing here reads, or of segments too large to be held.
    """

    def __init__(
        self, page: Any, size: int, offset: int | None = None, damage_allowed: bool = False
    ) -> None:
        check_kind(page)
        self._page = page
        self._allowed = damage_allowed
        self.dtype = _type(page)
        layout = layout_of(page, offset)
        _check_number(layout.number)
        if not (layout.is_complete() or damage_allowed):
            raise ImageFileError(
                "is damaged: it does not say where all its strips or tiles are; get a whole copy; "
                "--allow-truncated takes what there is of it"
            )
        self._whole = layout = layout.completed(size)
        row = math.ceil(layout.columns * layout.samples * int(page.bitspersample) / 8)
        if page.compression == UNCOMPRESSED and page.photometric != YCBCR and not layout.tiled:
            _check_number(layout.planes * math.ceil(layout.height * row / AT_ONCE))
            layout = layout.finer(row, AT_ONCE // 2)
        self.layout = layout
        self._bytes = layout.rows * layout.columns * layout.samples * self.dtype.itemsize
        if self._bytes > LARGEST:
            raise ImageFileError(
                f"has strips or tiles of {layout.columns} x {layout.rows} pixels, which are too "
                "large to be read one by one; save it in tiles (gdal_translate -co TILED=YES)"
            )
        _read_tags(page)

    def cut_off(self, size: int) -> bool:
        """Return whether a segment ends behind the end of a file of so many bytes."""
        ends = np.asarray(self.layout.offsets, np.uint64) + np.asarray(
            self.layout.counts, np.uint64
        )
        return bool(ends.max(initial=0) > size)

    def read(self, open_file: OpenFile, top: int, bottom: int, channels: Sequence[int]) -> Strip:
        """Return the samples of some channels in the rows from `top` to before `bottom`.

        Decoded on all cores; beside what is returned each holds some segments, about 8 MB together
        or one segment for each, four times: compressed, decompressed, in place and on the way.

        Raises
        ------
        DamagedSegmentError
            If a segment is damaged and damage is not allowed.
        """
        layout = self.layout
        strip = Strip(np.empty((bottom - top, layout.width, len(channels)), self.dtype), None, [])
        cores = available_cores()
        blocks = self._blocks(top, bottom, min(AT_ONCE, TOGETHER // cores))
        results: list[tuple[Block, NDArray[np.bool_] | None, list[int]]] = []

        def work(part: list[Block]) -> None:
            with open_file() as file:
                for block in part:
                    results.append((block, *self._put(file, block, top, strip.values, channels)))

        cores = min(cores, len(blocks))
        on_threads(work, [blocks[first::cores] for first in range(cores)])
        for block, hidden, damaged in results:
            strip.damaged += damaged
            if hidden is not None:
                if strip.hidden is None:
                    strip.hidden = np.zeros(strip.values.shape[:2], bool)
                rows, columns, source = self._place(block, top, bottom)
                strip.hidden[rows, columns] = hidden[source]
        return strip

    def named(self, segment: int) -> str:
        """Return the place of a segment, by its number in the page; see `Layout.named`."""
        return self._whole.named(segment)

    def _blocks(self, top: int, bottom: int, size: int) -> list[Block]:
        """Cut the grid of segments that some rows touch into blocks of so many bytes, or of one."""
        layout = self.layout
        first, last = top // layout.rows, math.ceil(bottom / layout.rows)
        most = max(1, size // (self._bytes * layout.planes))
        columns, rows = min(most, layout.across), max(1, most // layout.across)
        return [
            Block(range(down, min(down + rows, last)), range(left, right))
            for down in range(first, last, rows)
            for left in range(0, layout.across, columns)
            for right in [min(left + columns, layout.across)]
        ]

    def _place(self, block: Block, top: int, bottom: int) -> tuple[slice, slice, slice]:
        """Return a block's rows and columns in the strip, and which of its rows these are."""
        layout = self.layout
        start = block.down.start * layout.rows
        first, last = max(top, start), min(bottom, block.down.stop * layout.rows)
        left = block.across.start * layout.columns
        right = min(block.across.stop * layout.columns, layout.width)
        return (
            slice(first - top, last - top),
            slice(left, right),
            slice(first - start, last - start),
        )

    def _put(
        self,
        file: IO[bytes],
        block: Block,
        top: int,
        values: NDArray[Any],
        channels: Sequence[int],
    ) -> tuple[NDArray[np.bool_] | None, list[int]]:
        """Decode a block into its place; return which of its pixels are none, and damage."""
        planar = self.layout.planes > 1
        planes = sorted(set(channels)) if planar else [0]
        places = [planes.index(channel) for channel in channels] if planar else list(channels)
        window = self.layout.window(block.down, block.across, planes)
        damage = Damage(self._allowed)
        samples = decoded(self._page, file, window, damage)
        rows, columns, source = self._place(block, top, top + len(values))
        if places == list(range(samples.shape[2])):
            values[rows, columns] = samples[source]
        else:
            for to, place in enumerate(places):
                values[rows, columns, to] = samples[source, :, place]
        absent = damage.absent(window)
        hidden = None if absent is None else np.asarray(absent.any(axis=2))
        return hidden, damage.segments


def _check_number(segments: int) -> None:
    """Refuse sizes that only damage claims, before lists of as many segments are made."""
    if segments > MOST_SEGMENTS:
        raise ImageFileError(
            f"is damaged, or has more than {MOST_SEGMENTS:,} strips or tiles; get a new copy, or "
            "save it in larger tiles"
        )


def _type(page: Any) -> np.dtype[Any]:
    """Return the type of a page's samples, which `check_kind` takes."""
    dtype = sample_type(int(page.sampleformat), int(page.bitspersample))
    return np.dtype(page.dtype) if dtype is None else dtype


def _read_tags(page: Any) -> None:
    """Read what tags hold now: tifffile fetches long ones when asked, which threads must not."""
    for tag in page.tags:
        _ = tag.value
