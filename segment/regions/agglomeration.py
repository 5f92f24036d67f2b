"""Adjacent regions to a tree: the cheapest pair becomes one, until there is none."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.regions._agglomeration import merge_pairs

Floats = NDArray[np.float64]


class Borders(NamedTuple):
    """Which regions touch, and how.

    Attributes
    ----------
    pairs : (m, 2) int32 array
        Regions from 0, the lower one first, in ascending order.
    length : (m,) float64 array
        Sides of pixels that they share.
    strength : (k, m) float64 array
        Sum over these sides of each plane's mean of the two pixels.
    """

    pairs: NDArray[np.int32]
    length: Floats
    strength: Floats


def borders_between(regions: NDArray[np.int32], planes: list[NDArray[np.float32]]) -> Borders:
    """Find the regions that share a side of a pixel, and how strong the planes are there.

    Parameters
    ----------
    regions : (H, W) int32 array
        1..n; 0 for none, which borders on nothing.
    planes : list of (H, W) float32 arrays

    Examples
    --------
    >>> borders = borders_between(np.int32([[1, 1, 2]]), [np.float32([[0, 2, 4]])])
    >>> borders.pairs.tolist(), borders.length.tolist(), borders.strength.tolist()
    ([[0, 1]], [1.0], [[3.0]])
    """
    width, flat = regions.shape[1], regions.reshape(-1)
    across = np.flatnonzero((regions[:, :-1] != regions[:, 1:]).reshape(-1))
    across += across // max(width - 1, 1)  # places in rows that are one pixel longer
    down = np.flatnonzero(flat[:-width] != flat[width:])
    one = np.concatenate([across, down])
    other = np.concatenate([across + 1, down + width])
    real = (flat[one] > 0) & (flat[other] > 0)
    one, other = one[real], other[real]
    low, high = np.minimum(flat[one], flat[other]), np.maximum(flat[one], flat[other])
    keys, which = np.unique(low.astype(np.int64) << 32 | high, return_inverse=True)
    pairs = np.stack([keys >> 32, keys & 0xFFFFFFFF], axis=1).astype(np.int32) - np.int32(1)
    sums = np.empty((len(planes), len(keys)))
    for plane, row in zip(planes, sums, strict=True):
        values = plane.reshape(-1)
        row[:] = np.bincount(which, (values[one] + values[other]) / 2, len(keys))
    return Borders(pairs, np.bincount(which, minlength=len(keys)).astype(np.float64), sums)


def agglomerate(
    borders: Borders,
    strength: Floats,
    features: Floats,
    sizes: Floats,
    *,
    weight: float,
    enough: float,
    roots: int,
    fewest: int = 1,
) -> Floats:
    """Merge the cheapest pair of adjacent regions, again and again.

    Parameters
    ----------
    borders : Borders
    strength : (m,) float64 array
        Sum of the strength of each border over its sides.
    features : (n, d) float64 array
        Sums over the pixels of each region.
    sizes : (n,) float64 array
        Pixels of each region, at least 1.
    weight : float
        Of the distance of two regions' mean features beside the mean strength of their border.
    enough : float
        Share of all pixels from which a region counts rather as large; 0 for none: larger is
        always more.
    roots : int
        How often the root of the smaller region's share is taken. Larger: the less its size
        counts.
    fewest : int, default 1
        Regions at which to stop.

    Returns
    -------
    merges : (k, 4) float64 array
        As SciPy's linkage: the two nodes, the lower first, the height, the pixels of the
        new one; leaf i is region i, row j makes node n + j. Heights never fall.

    Notes
    -----
    Two regions cost (mean strength + weight * distance of means) * factor. With s the share of
    the smaller one in all pixels the factor is s, or s / (s + enough), and of this the root as
    often as said. A merged region has the number of its first part; at a tie the pair with
    the lowest number of all is merged, then that with the lowest partner. A pair that gets
    cheaper than the last one takes its height.
    """
    merges = np.empty((max(len(sizes) - fewest, 0), 4))
    count = merge_pairs(
        borders.pairs,
        strength.copy(),
        borders.length.copy(),
        features.copy(),
        sizes.copy(),
        float(np.add.accumulate(sizes)[-1]),
        weight,
        enough,
        roots,
        len(merges),
        merges,
    )
    return merges[:count]


def heights_between(regions: NDArray[np.int32], merges: Floats, count: int) -> NDArray[np.float32]:
    """Return at which height each pixel becomes one with those to its right and below it.

    Parameters
    ----------
    regions : (H, W) int32 array
        1..count; 0 for none.
    merges : (k, 4) float64 array
        As `agglomerate` makes them.
    count : int

    Returns
    -------
    heights : (H, W) float32 array
        The larger of the two; 0 where they are of one region, or there is none; infinity where
        they never do.

    Examples
    --------
    >>> heights_between(np.int32([[1, 2], [1, 2]]), np.array([[0.0, 1.0, 0.5, 4.0]]), 2)
    array([[0.5, 0. ],
           [0.5, 0. ]], dtype=float32)
    """
    heights = np.zeros(regions.shape, np.float32)
    for axis in (0, 1):
        size = regions.shape[axis]
        one, other = regions.take(range(size - 1), axis), regions.take(range(1, size), axis)
        places = np.nonzero((one != other) & (one > 0) & (other > 0))
        keys = one[places].astype(np.int64) << 32 | other[places]
        pairs, which = np.unique(keys, return_inverse=True)
        nodes = np.stack([pairs >> 32, pairs & 0xFFFFFFFF]) - 1
        between = _meeting_heights(nodes, merges, count).astype(np.float32)
        heights[places] = np.maximum(heights[places], between[which])
    return heights


def _meeting_heights(nodes: NDArray[np.int64], merges: Floats, count: int) -> Floats:
    """Return at which height two leaves of each pair become one: climb from the lower node."""
    end = count + len(merges)
    above = np.full(end + 1, end)
    children = merges[:, :2].astype(np.intp)
    above[children[:, 0]] = above[children[:, 1]] = np.arange(count, end)
    one, other = nodes
    while True:
        apart = one != other
        if not apart.any():
            break
        lower = apart & (one < other)
        one, other = np.where(lower, above[one], one), np.where(apart & ~lower, above[other], other)
    heights: Floats = np.append(merges[:, 2], np.inf)
    meeting: Floats = heights[one - count]
    return meeting
