"""A small picture of an image and its segments, of all of it or strip by strip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segment.drawing.scaling import shrunk_size


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """Small pictures of one size.

    Attributes
    ----------
    photo : Image
        RGB.
    labels : (h, w) int32 array
    """

    photo: Image.Image
    labels: NDArray[np.int32]

    @staticmethod
    def of(picture: NDArray[np.uint8], labels: NDArray[np.int32], longest: int) -> Thumbnail:
        """Return that of a picture, (H, W, 3), and labels, no side over `longest`."""
        size = shrunk_size(labels.shape, longest)
        photo = Image.fromarray(picture).resize(size, Image.Resampling.BOX)
        small = np.asarray(Image.fromarray(labels).resize(size, Image.Resampling.NEAREST))
        return Thumbnail(photo, small)


@dataclass(frozen=True)
class Grid:
    """Which pixels of an image become one of its thumbnail.

    Attributes
    ----------
    shape : tuple of int
        Height and width of the image.
    size : tuple of int
        Width and height of the thumbnail, at most those.
    """

    shape: tuple[int, int]
    size: tuple[int, int]

    def starts(self, axis: int) -> NDArray[np.int64]:
        """Return the first row (axis 0) or column of each cell, and the one behind the last."""
        count = self.size[1 - axis]
        return np.asarray(np.arange(count + 1, dtype=np.int64) * self.shape[axis] // count)

    def middles(self, axis: int) -> NDArray[np.int64]:
        """Return the row or column of each cell whose labels it has, as Pillow takes them."""
        line = Image.fromarray(np.arange(self.shape[axis], dtype=np.int32)[None])
        small = line.resize((self.size[1 - axis], 1), Image.Resampling.NEAREST)
        return np.asarray(np.asarray(small)[0], np.int64)


Part = tuple[int, NDArray[np.int64], NDArray[np.intp], NDArray[np.int32]]


def shrunk_strip(
    grid: Grid, picture: NDArray[np.uint8], labels: NDArray[np.int32], top: int
) -> Part:
    """Return what a strip, (h, W), has for a thumbnail.

    Returns
    -------
    first : int
        The first row of cells that the strip has a share of.
    sums : (k, w, 3) int64 array
        Of the colours in these.
    rows : (m,) array
        Rows of cells whose labels are in the strip.
    small : (m, w) int32 array
        Those.
    """
    bottom, starts, middles = top + len(labels), grid.starts(0), grid.middles(0)
    first = int(np.searchsorted(starts, top, "right")) - 1
    last = int(np.searchsorted(starts, bottom, "left"))
    across: Any = np.add.reduceat(picture, grid.starts(1)[:-1], axis=1, dtype=np.int64)
    sums = np.add.reduceat(across, np.maximum(starts[first:last] - top, 0), axis=0)
    rows = np.flatnonzero((middles >= top) & (middles < bottom))
    return first, sums, rows, labels[np.ix_(middles[rows] - top, grid.middles(1))]


class GrowingThumbnail:
    """A thumbnail that is put together of strips, in any order, each once.

    Parameters
    ----------
    height, width : int
        Of the image.
    longest : int
        Pixels of a side, at most.
    """

    def __init__(self, height: int, width: int, longest: int) -> None:
        self.grid = Grid((height, width), shrunk_size((height, width), longest))
        across, down = self.grid.size
        self._sums = np.zeros((down, across, 3), np.int64)
        self._labels = np.zeros((down, across), np.int32)

    def add(self, part: Part) -> None:
        """Take what `shrunk_strip` made of a strip."""
        first, sums, rows, labels = part
        self._sums[first : first + len(sums)] += sums
        self._labels[rows] = labels

    def whole(self) -> Thumbnail:
        """Return it once all strips are there: mean colours, and the labels of middles."""
        counts = np.outer(np.diff(self.grid.starts(0)), np.diff(self.grid.starts(1)))
        means = np.rint(self._sums / counts[:, :, None]).astype(np.uint8)
        return Thumbnail(Image.fromarray(means), self._labels)
