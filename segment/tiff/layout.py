"""Where the strips or tiles of a TIFF's page lie, in the file and in the image."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Layout:
    """The segments, strips or tiles, of an image.

    Attributes
    ----------
    height, width : int
        Of the image.
    rows, columns : int
        Of a segment. All tiles have as many; the last strip of a plane stops with the image.
    planes, samples : int
        Planes one after the other in the file, and samples of a pixel in each.
    tiled : bool
    offsets, counts : tuple of int
        First byte and number of bytes of each segment; both 0 for one that is left out.
    numbers : tuple of int
        Of each segment in the page; () where the layout is all of the page's.
    """

    height: int
    width: int
    rows: int
    columns: int
    planes: int
    samples: int
    tiled: bool
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    numbers: tuple[int, ...] = ()

    @property
    def down(self) -> int:
        return math.ceil(self.height / self.rows)

    @property
    def across(self) -> int:
        return math.ceil(self.width / self.columns)

    def rows_of(self, segment: int) -> int:
        """Return how many rows a segment has."""
        above = segment % self.down * self.rows
        return self.rows if self.tiled else min(self.rows, self.height - above)

    @property
    def number(self) -> int:
        """How many segments the image takes."""
        return self.planes * self.down * self.across

    def is_complete(self) -> bool:
        """Return whether the file says of each segment where it is; it may list more."""
        return min(len(self.offsets), len(self.counts)) >= self.number

    def completed(self, end: int) -> Layout:
        """Return it with what is missing or lies beyond the end of the file at its end: nothing."""
        listed = min(len(self.offsets), len(self.counts), self.number)
        rest = self.number - listed
        offsets = tuple(min(at, end) for at in self.offsets[:listed]) + (end,) * rest
        return dataclasses.replace(self, offsets=offsets, counts=self.counts[:listed] + (0,) * rest)

    def number_in_page(self, segment: int) -> int:
        """Return the number that a segment has in the whole page."""
        return self.numbers[segment] if self.numbers else segment

    def named(self, segment: int) -> str:
        """Return a segment's place in the grid and its pixels, as in a message.

        Parameters
        ----------
        segment : int
            Its number in the page, whose layout this is.
        """
        row, column = divmod(segment % (self.down * self.across), self.across)
        top, left = row * self.rows, column * self.columns
        where = f"pixel rows {top} to {min(top + self.rows, self.height) - 1}"
        if not self.tiled:
            return f"strip {row} ({where})"
        where += f", columns {left} to {min(left + self.columns, self.width) - 1}"
        return f"tile in column {column}, row {row} ({where})"

    def window(self, down: range, across: range, planes: Sequence[int]) -> Layout:
        """Return the layout of some segments alone, which make a smaller image.

        Parameters
        ----------
        down, across : range
            Rows and columns of segments, from 0.
        planes : sequence of int
            Those of the planes, in this order.
        """
        grid = np.arange(self.number).reshape(self.planes, self.down, self.across)
        chosen = grid[list(planes), down.start : down.stop, across.start : across.stop].ravel()
        height = min(down.stop * self.rows, self.height) - down.start * self.rows
        width = min(across.stop * self.columns, self.width) - across.start * self.columns
        return dataclasses.replace(
            self,
            height=height,
            width=width,
            planes=len(planes),
            offsets=tuple(self.offsets[segment] for segment in chosen.tolist()),
            counts=tuple(self.counts[segment] for segment in chosen.tolist()),
            numbers=tuple(map(self.number_in_page, chosen.tolist())),
        )

    def finer(self, row: int, most: int) -> Layout:
        """Return it with strips cut into lower ones of equal height: of bytes as they are.

        Parameters
        ----------
        row : int
            Bytes of a row of a segment.
        most : int
            Bytes of a strip, if a row has no more.
        """
        limit = max(1, most // row)
        if self.down == 1:  # the last strip may be as low as it likes
            rows = min(limit, self.rows)
        else:
            rows = next(
                rows for rows in range(min(limit, self.rows), 0, -1) if not self.rows % rows
            )
        offsets, counts, numbers = [], [], []
        for segment, (offset, count) in enumerate(zip(self.offsets, self.counts, strict=True)):
            there = self.rows_of(segment)
            for above in range(0, there, rows):
                size = min(rows, there - above) * row
                gone = not (offset or count)
                offsets.append(0 if gone else offset + above * row)
                counts.append(0 if gone else size)
                numbers.append(self.number_in_page(segment))
        cut = tuple(offsets), tuple(counts), tuple(numbers)
        return dataclasses.replace(self, rows=rows, offsets=cut[0], counts=cut[1], numbers=cut[2])

    def left_out(self) -> NDArray[np.bool_]:
        """Return for each segment whether it is sparse, that is, has no bytes in the file."""
        return np.logical_not(np.logical_or(self.offsets, self.counts))

    def joined(self, segments: NDArray[Any]) -> NDArray[Any]:
        """Return the image, (H, W, C), of segments, (N, rows, columns, samples)."""
        grid = segments.reshape(self.planes, self.down, self.across, *segments.shape[1:])
        image = grid.transpose(1, 3, 2, 4, 0, 5)  # one view, whatever lies where
        whole = (self.down * segments.shape[1], self.across * segments.shape[2], -1)
        return np.ascontiguousarray(image.reshape(whole)[: self.height, : self.width])

    def samples_in(self, rows: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
        """Return which samples are in rows of segments, (N, rows), as (H, W, C); None if none."""
        if not rows.any():
            return None
        shape = (*rows.shape, self.columns, self.samples)
        return self.joined(np.broadcast_to(rows[:, :, None, None], shape))


def layout_of(page: Any, offset: int | None = None) -> Layout:
    """Return the layout of a page as tifffile has it.

    Parameters
    ----------
    page : tifffile.TiffPage
    offset : int, optional
        Where the image begins if it is a later one of several that one page stands for, each
        uncompressed and in one piece.
    """
    height, width = int(page.imagelength), int(page.imagewidth)
    planes = int(page.samplesperpixel) if int(page.planarconfig) == 2 else 1
    samples = int(page.samplesperpixel) // planes
    if offset is not None:
        size = height * width * samples * int(page.bitspersample) // 8
        offsets = tuple(offset + plane * size for plane in range(planes))
        counts = (size,) * planes
        return Layout(height, width, height, width, planes, samples, False, offsets, counts)
    if page.is_tiled:
        rows, columns = int(page.tilelength), int(page.tilewidth)
    else:
        rows, columns = min(int(page.rowsperstrip) or height, height), width
    at = tuple(page.dataoffsets), tuple(page.databytecounts)
    return Layout(height, width, rows, columns, planes, samples, bool(page.is_tiled), *at)
