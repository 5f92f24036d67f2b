"""Trees of regions as pages hold them."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segment.drawing.pages import packed
from segment.regions.tree_cut import coarsened

MOST = 500  # regions that a thumbnail is split into: more cannot be told apart in it


class RegionTree(Protocol):
    """What needs to be known of a hierarchy of regions to draw it.

    Attributes
    ----------
    labels : (H, W) int32 array
        Base regions 1..n in scan order of their first pixels; 0 for none.
    merges : (m, 4) float64 array
        As SciPy's linkage has them: the two regions, the height, the pixels; heights never fall.
    colors : (n, 3) uint8 array
        Mean colours of the base regions.
    sizes : (n,) int64 array
        Pixels of the base regions.
    """

    @property
    def labels(self) -> NDArray[np.int32]: ...
    @property
    def merges(self) -> NDArray[np.float64]: ...
    @property
    def colors(self) -> NDArray[np.uint8]: ...
    @property
    def sizes(self) -> NDArray[np.int64]: ...


class _Tree(NamedTuple):
    labels: NDArray[np.int32]
    merges: NDArray[np.float64]
    colors: NDArray[np.uint8]
    sizes: NDArray[np.int64]


def packed_tree(tree: RegionTree) -> dict[str, Any]:
    """Return a tree of regions as `region_tree.js` unpacks it."""
    wide = len(tree.sizes) > 65535
    return {
        "leaves": len(tree.sizes),
        "wide": wide,
        "labels": packed(tree.labels, "u4" if wide else "u2"),
        "children": packed(tree.merges[:, :2], "u4"),
        "heights": packed(tree.merges[:, 2], "f8"),
        "colors": packed(tree.colors, "u1"),
        "sizes": packed(tree.sizes, "f8"),  # exact up to 2^53
    }


def thumbnail_tree(tree: RegionTree, size: tuple[int, int]) -> RegionTree:
    """Return the tree of a smaller picture: at most 500 base regions, with their full sizes.

    Parameters
    ----------
    tree : RegionTree
    size : (width, height)
        Of the picture; each of its pixels has the region of the nearest pixel of the tree's.
    """
    leaves = len(tree.sizes)
    merged = min(max(leaves - MOST, 0), len(tree.merges))
    table, merges = coarsened(tree.merges, leaves, merged)
    small = np.asarray(Image.fromarray(tree.labels).resize(size, Image.Resampling.NEAREST))
    sizes = np.bincount(table, tree.sizes)[1:]
    sums = [np.bincount(table, channel * tree.sizes)[1:] for channel in tree.colors.T]
    colors = np.rint(np.transpose(sums) / sizes[:, None]).astype(np.uint8)
    return _Tree(
        np.append(0, table).astype(np.int32)[small], merges, colors, sizes.astype(np.int64)
    )
