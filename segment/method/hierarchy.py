"""All segmentations of an image from fine to coarse, nested in each other, as one tree."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InvalidInputError
from segment.method.archive import Archive, damaged
from segment.method.partition_tree import partition_tree
from segment.method.segmentation import Segmentation
from segment.pixels.colors import mean_colors
from segment.pixels.image import Pixels, pixels_of
from segment.regions.agglomeration import heights_between
from segment.regions.tree_cut import cut_tree
from segment.settings import Range, Settings
from segment.threads import at_most

ARCHIVE = Archive(
    "a hierarchy",
    version=1,
    arrays={
        "labels": (np.int32, 2),
        "merges": (np.float64, 2),
        "colors": (np.uint8, 2),
        "sizes": (np.int64, 1),
        "bandwidth": (np.float64, 0),
        "n_iter": (np.int64, 0),
    },
)


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """The tree of an image's regions: any level of it is a segmentation.

    Attributes
    ----------
    labels : (H, W) int32 array
        The finest regions, 1..n in scan order of their first pixels, each connected by the
        sides of pixels; 0 for no segment (transparent or masked).
    merges : (m, 4) float64 array
        As SciPy's linkage: two nodes, the lower first, the height at which they become one, the
        pixels of the new one. Node i below n is base label i + 1, row j makes node n + j.
        Heights never fall. m is n - 1 where all that is visible is connected, less by one for
        each further part that a mask or transparency cuts off.
    colors : (n, 3) uint8 array
        Mean sRGB colour of each base region.
    sizes : (n,) int64 array
        Its pixels.
    settings : Settings
        What was asked for.
    bandwidth : float
        That of mean shift on the colours of the image, in Lab.
    n_iter : int
        Moves of its longest climb.
    """

    __module__ = "segment"

    labels: NDArray[np.int32]
    merges: NDArray[np.float64]
    colors: NDArray[np.uint8]
    sizes: NDArray[np.int64]
    settings: Settings = field(default_factory=Settings)
    bandwidth: float = 0.0
    n_iter: int = 0

    def cut(
        self, level: float | None = None, *, segments: int | None = None, keep: Sequence[int] = ()
    ) -> Segmentation:
        """Return the segmentation at a level, or with a number of segments.

        Parameters
        ----------
        level : float, >= 0
            Regions that merge at this height or below are one. 1 agrees best with what people
            draw, over many photos. Larger: fewer segments.
        segments : int, >= 1
            Merge until so many are left. Where the tree has fewer base regions, these are
            all; where a mask cuts the image into more parts, each part is one segment.
        keep : tuple or list of int
            Regions that are segments at any level, by their numbers in the tree: merges within
            them are done, those of them with others are not, nor any that build on such a
            merge. None may lie within another. With some, there may be more or fewer than
            `segments`.

        Returns
        -------
        segmentation : Segmentation
            Connected regions, numbered in scan order. Their colours are the means of the base
            regions' mean colours by pixels, their modes the colours of their largest base
            regions. Cuts are nested: a segment is a union of segments of any finer cut, where no
            region is kept.

        Raises
        ------
        InvalidInputError
            If both are given, or none, or one is out of range.
        """
        if (level is None) == (segments is None):
            raise InvalidInputError(
                "cut: expected a level or a number of segments, one of the two; "
                "give level=1.0 or segments=12"
            )
        settings = Settings(level=level, segments=segments, keep=keep)  # type: ignore[arg-type]
        table = cut_tree(self.merges, len(self.sizes), self.merged(settings), settings.keep or ())
        return self._joined(table, settings)

    def merged(self, settings: Settings) -> int:
        """Return how many of the merges, from the first on, settings ask for."""
        if settings.segments is not None:
            return min(max(len(self.sizes) - settings.segments, 0), len(self.merges))
        heights = self.merges[:, 2]
        return int(np.searchsorted(heights, float(settings.level or 0), side="right"))

    def _joined(self, numbers: NDArray[np.int32], settings: Settings) -> Segmentation:
        count = int(numbers.max(initial=0))
        colors, sizes = mean_colors(self.colors, self.sizes.astype(np.float64), numbers, count)
        order = np.lexsort((-self.sizes, numbers))
        first = np.append(True, np.diff(numbers[order]) > 0)
        modes = self.colors[order[first]]
        return Segmentation(
            labels=np.append(np.int32(0), numbers)[self.labels],
            modes=modes.astype(np.float64),
            colors=colors,
            mode_colors=modes,
            sizes=sizes,
            bandwidth=self.bandwidth,
            n_iter=self.n_iter,
            settings=settings,
        )

    def boundaries(self) -> NDArray[np.float32]:
        """Return the ultrametric contour map: how long each border lasts as the level rises.

        Returns
        -------
        heights : (H, W) float32 array
            For each pixel the largest height at which it becomes one with the pixel to its right
            or the one below it; 0 inside of base regions and beside pixels without label. Where
            it is above a level, a border of the cut at that level runs along the right or
            lower side of the pixel.

        References
        ----------
        P. Arbelaez, M. Maire, C. Fowlkes and J. Malik, "Contour detection and hierarchical
        image segmentation", PAMI 33(5), 2011.
        """
        return heights_between(self.labels, self.merges, len(self.sizes))

    def save(self, path: str | Path) -> None:
        """Write the tree to an ``.npz`` file, the whole file or nothing.

        Parameters
        ----------
        path : str or Path
            Any name; NumPy reads the arrays in it under the names of the attributes.

        Raises
        ------
        ImageFileError
            If the folder takes no file, or the disk is full.
        """
        ARCHIVE.write(self, path)

    @staticmethod
    def load(path: str | Path) -> Hierarchy:
        """Read a tree that `save` wrote, equal to the bit.

        Raises
        ------
        ImageFileError
            If the file cannot be read.
        InvalidInputError
            If it is not a hierarchy, a damaged one, or one of a later version.
        MemoryError
            If it is whole, and larger than the memory there is.
        """
        content, settings = ARCHIVE.read(path)
        if reason := _wrong_with(**content):
            raise damaged(path, reason)
        return Hierarchy(**content, settings=settings)

    def __repr__(self) -> str:
        height, width = self.labels.shape
        top = self.merges[-1, 2] if len(self.merges) else 0.0
        return f"<Hierarchy: {width} x {height}, {len(self.sizes)} regions, levels up to {top:.4g}>"


def _wrong_with(
    labels: NDArray[np.int32],
    merges: NDArray[np.float64],
    colors: NDArray[np.uint8],
    sizes: NDArray[np.int64],
    **others: Any,
) -> str | None:
    """Return what of the arrays of a file contradicts the others."""
    count = len(sizes)
    if colors.shape != (count, 3) or not labels.size or labels.min() < 0:
        return "labels without a region"
    if not np.array_equal(np.bincount(labels.reshape(-1), minlength=count + 1)[1:], sizes):
        return "labels without a region"
    if merges.shape[1] != 4 or not np.isfinite(merges).all() or len(merges) >= max(count, 1):
        return f"merges of shape {merges.shape}"
    nodes, made = merges[:, :2], np.arange(count, count + len(merges))
    if (nodes != np.floor(nodes)).any() or (nodes < 0).any() or (nodes >= made[:, None]).any():
        return "merges of nodes that are not there"
    if len(np.unique(nodes)) < nodes.size:
        return "merges of nodes that are merged already"
    if (np.diff(merges[:, 2], prepend=0.0) < 0).any():
        return "heights that fall"
    return None


def hierarchy(
    image: NDArray[Any],
    *,
    mask: ArrayLike | None = None,
    alpha: bool | None = None,
    threads: int | None = None,
) -> Hierarchy:
    """Find all segmentations of an image from fine to coarse, as a tree of regions.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array
        As `segment_image` takes it; colours count in 8 bits. Of more than three bands the first
        three count, as pictures show them: the method is made for what people see.
    mask : (H, W) array-like, optional
        Pixels where it is 0 get label 0 and take no part.
    alpha : bool, optional
        Whether the last channel is alpha. Default: that of two or four channels.
    threads : int, >= 1, optional
        Default: the cores available. The result does not depend on it, nor on the processor.

    Returns
    -------
    tree : Hierarchy
        Of at most 1,200 base regions, but for more parts that a mask cuts the image into.

    Raises
    ------
    InvalidInputError
        A ValueError: the image, the mask or a parameter is not what it should be, or nothing is
        visible.

    Notes
    -----
    Docs/hierarchy.md describes the method. Scales go with the size of the image: one of 960
    pixels and more on the longer side is looked at reduced by a whole factor, to 480 to 959
    pixels; only the borders of the base regions are found in all its pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from segment import hierarchy
    >>> image = np.zeros((20, 30, 3), np.uint8)
    >>> image[:, 10:] = 90, 0, 0
    >>> image[:, 20:] = 0, 200, 0
    >>> tree = hierarchy(image)
    >>> tree.merges[:, :2].tolist()
    [[1.0, 2.0], [0.0, 3.0]]
    >>> tree.cut(segments=2).labels[0, ::10].tolist()
    [1, 2, 2]
    """
    if threads is not None:
        Range(1, whole=True).check("threads", threads)
    with at_most(threads) if threads is not None else contextlib.nullcontext():
        return hierarchy_of(pixels_of(image, mask, alpha=alpha))


hierarchy.__module__ = "segment"


def hierarchy_of(pixels: Pixels, settings: Settings | None = None) -> Hierarchy:
    """Do what `hierarchy` does with an image taken apart; the settings are kept beside the tree."""
    grown = partition_tree(pixels)
    rgb = pixels.rgb().reshape(-1, 3)
    count = int(grown.regions.max())
    ones = np.broadcast_to(1.0, grown.regions.size)
    colors, sizes = mean_colors(rgb, ones, grown.regions.reshape(-1), count)
    tree = Hierarchy(grown.regions, grown.merges, colors, sizes)
    return replace(
        tree, settings=settings or Settings(), bandwidth=grown.bandwidth, n_iter=grown.n_iter
    )
