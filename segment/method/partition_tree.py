"""An image to the tree of its regions: the steps of the hierarchy, put together.

Colours and textures to palettes by mean shift; palettes to coordinates in which neighbourhoods
differ as distributions do; coordinates to edges; edges to basins; basins to a tree, the cheapest
pair first. The constants were chosen on the split `train` of BSDS500: docs/quality.md.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.meanshift.bandwidth import kth_neighbor_distance, sample_indices
from segment.method.clusters import Clusters
from segment.method.color_clusters import color_clusters
from segment.pixels.embedding import embed
from segment.pixels.gradients import enlarged, gradient, steps, texture
from segment.pixels.image import Pixels, pixels_of
from segment.pixels.lab import lab_bytes, lightness
from segment.pixels.reducing import reduced
from segment.regions.agglomeration import agglomerate, borders_between
from segment.regions.connected import connected_regions
from segment.regions.tree_cut import cut_tree
from segment.regions.watershed import flooded, levels_of, minima
from segment.settings import Settings

Plane = NDArray[np.float32]
Floats = NDArray[np.float64]
SIDE = 480  # pixels; an image is looked at reduced to less than twice that
QUANTILE, NARROWEST, WIDEST = 0.02, 3.0, 8.0  # bandwidth of the palette of colours, in Lab
TEXTURE_BANDWIDTH = 4.0  # of the palette of textures, in its units
BASINS = (1.0, 2.0, 4.0)  # scales of the edges that part basins, in pixels of the reduced image
EDGES = (2.0, 8.0)  # scales of the edges that regions are merged by
BASE = 1200  # regions that the tree begins with, at most
UNLIKE = 20.0  # Lab; the step of lightness that counts as one of the coordinates
TEXTURE = 0.8  # weight of texture beside colour
MEANS = 0.5  # weight of the difference of two regions beside the edge between them
SHARE_ROOTS = 3  # the smaller region's share counts by its eighth root
USUAL = 1.1  # height that was best on `train`: level 1


class Look(NamedTuple):
    """What a reduced image looks like.

    Attributes
    ----------
    color, texture : Palette
    hidden : (h, w) bool array or None
        Where nothing is visible.
    factor : int
        Pixels of the image along a side of one of these.
    """

    color: Palette
    texture: Palette
    hidden: NDArray[np.bool_] | None
    factor: int


class Palette(NamedTuple):
    """Modes of mean shift as coordinates.

    Attributes
    ----------
    modes : (k, r) float32 array
        Coordinates of each mode: see `embed`.
    labels : (h, w) int32 array
        The mode of each pixel, from 0.
    clusters : Clusters
        Where they come from.
    """

    modes: Plane
    labels: NDArray[np.int32]
    clusters: Clusters

    def planes(self) -> Plane:
        """Return the coordinates of each pixel, (r, h, w)."""
        return np.ascontiguousarray(self.modes.T).take(self.labels, axis=1)


class PartitionTree(NamedTuple):
    """Regions and how they merge.

    Attributes
    ----------
    regions : (H, W) int32 array
        1..n in scan order of their first pixels, connected; 0 where nothing is visible.
    merges : (m, 4) float64 array
        See `agglomerate`.
    bandwidth, n_iter : float, int
        Of the palette of colours.
    """

    regions: NDArray[np.int32]
    merges: Floats
    bandwidth: float
    n_iter: int


def partition_tree(pixels: Pixels) -> PartitionTree:
    """Grow the tree of an image."""
    rgb = pixels.rgb()
    visible = None if pixels.visible is None else pixels.visible.reshape(pixels.shape)
    look = look_at(rgb, visible)
    colors, textures = look.color.planes(), look.texture.planes()
    edges = [gradient(colors, scale) for scale in BASINS]
    strength = (edges[0] + edges[1] + edges[2]) / np.float32(3)
    regions = _base_regions(rgb, visible, strength, look)
    coarse = [edges[1], gradient(colors, EDGES[1])]
    border = (coarse[0] + coarse[1]) / 2 + np.float32(TEXTURE) * gradient(textures, EDGES[1])
    borders = borders_between(regions, [_at_full_size(border, look.factor, regions.shape)])
    sizes = _sizes(regions)
    features = np.concatenate(
        [
            _sums(regions, look.color, look.factor),
            _sums(regions, look.texture, look.factor) * TEXTURE,
        ],
        axis=1,
    )
    merges = agglomerate(
        borders, borders.strength[0], features, sizes, weight=MEANS, enough=0.0, roots=SHARE_ROOTS
    )
    merges[:, 2] /= USUAL * _contrast(features, sizes)
    found = look.color.clusters
    return PartitionTree(regions, merges, found.bandwidth, found.n_iter)


def look_at(rgb: NDArray[np.uint8], visible: NDArray[np.bool_] | None) -> Look:
    """Find the palettes of an image's colours and textures, as seen from afar."""
    factor = max(1, max(rgb.shape[:2]) // SIDE)
    small, hidden = reduced(rgb, visible, factor)
    shape, rows = small.shape[:2], small.reshape(-1, 3)
    lab = lab_bytes(rows)
    colors = _palette(lab, shape, _bandwidth(lab), width=20.0, kept=0.98, most=12)
    channels = texture(lightness(rows).reshape(shape)).reshape(-1, 3)
    textures = _palette(channels, shape, TEXTURE_BANDWIDTH, width=8.0, kept=0.97, most=10)
    return Look(colors, textures, hidden, factor)


def _bandwidth(lab: NDArray[np.uint8]) -> float:
    sample = lab[sample_indices(len(lab), Settings.n_samples, Settings.seed)]
    distance = kth_neighbor_distance(sample.astype(np.float64), QUANTILE)
    return min(max(float(distance), NARROWEST), WIDEST)


def _palette(
    rows: NDArray[np.uint8],
    shape: tuple[int, int],
    bandwidth: float,
    *,
    width: float,
    kept: float,
    most: int,
) -> Palette:
    """Whole numbers in 8 bits: sums are exact, so that modes are the same everywhere."""
    clusters = color_clusters(pixels_of(rows.reshape(*shape, -1)), Settings(bandwidth=bandwidth))
    labels = clusters.labels - np.int32(1)
    weights = np.bincount(labels.reshape(-1), minlength=len(clusters.modes)).astype(np.float64)
    return Palette(
        embed(clusters.modes, weights, width=width, kept=kept, most=most), labels, clusters
    )


def _at_full_size(plane: Plane, factor: int, shape: tuple[int, int]) -> Plane:
    return plane if factor == 1 else enlarged(plane, factor, shape)


def _repeated(values: NDArray[np.int32], factor: int, shape: tuple[int, int]) -> NDArray[np.int32]:
    if factor == 1:
        return values
    return values.repeat(factor, axis=0)[: shape[0]].repeat(factor, axis=1)[:, : shape[1]]


def _base_regions(
    rgb: NDArray[np.uint8], visible: NDArray[np.bool_] | None, strength: Plane, look: Look
) -> NDArray[np.int32]:
    """Part the image along its edges, then join what the weakest of them part."""
    shape = rgb.shape[:2]
    sources = _repeated(minima(levels_of(strength), look.hidden), look.factor, shape)
    if look.factor > 1:  # where exactly an edge runs, only the pixels themselves know
        strength = enlarged(strength, look.factor, shape) + steps(rgb) / np.float32(UNLIKE)
    if visible is not None:
        sources = np.where(visible, np.maximum(sources, 0), np.int32(-1))
    basins = flooded(levels_of(strength), sources)
    if visible is not None:
        basins = _whole(basins, visible)
    borders = borders_between(basins, [strength])
    sizes = _sizes(basins)
    merges = agglomerate(
        borders,
        borders.strength[0],
        np.zeros((len(sizes), 1)),
        sizes,
        weight=0.0,
        enough=0.0,
        roots=1,
        fewest=BASE,
    )
    return _whole(
        np.append(np.int32(0), cut_tree(merges, len(sizes), len(merges)))[basins], visible
    )


def _whole(regions: NDArray[np.int32], visible: NDArray[np.bool_] | None) -> NDArray[np.int32]:
    """Number connected regions in scan order; pixels that none has reached have their own."""
    if visible is not None:
        regions = np.where(visible & (regions == 0), regions.max() + np.int32(1), regions)
    return connected_regions(regions, np.broadcast_to(np.uint8(0), regions.shape)).map


def _sizes(regions: NDArray[np.int32]) -> Floats:
    return np.bincount(regions.reshape(-1))[1:].astype(np.float64)


def _contrast(features: Floats, sizes: Floats) -> float:
    """Return the root of how much regions differ: levels mean the same in dull photos, too.

    Not the whole of it: a dull photo has fewer regions than one full of contrast.
    """
    means = features / sizes[:, None]
    total = np.add.accumulate(sizes)[-1]
    center = np.add.accumulate(features, axis=0)[-1] / total
    apart = ((means - center) * (means - center)) * sizes[:, None]
    variance = float(np.add.accumulate(apart.reshape(-1))[-1]) / float(total)
    return math.sqrt(math.sqrt(variance)) or 1.0


def _sums(regions: NDArray[np.int32], palette: Palette, factor: int) -> Floats:
    """Add up the coordinates of each region's pixels, by way of how often it has each mode."""
    labels = _repeated(palette.labels, factor, regions.shape)
    count, kinds = int(regions.max()), len(palette.modes)
    pairs = np.bincount((regions * np.int64(kinds) + labels).reshape(-1), minlength=kinds)
    there = np.flatnonzero(pairs[kinds:]) + kinds
    region, mode = there // kinds - 1, there % kinds
    columns = [
        np.bincount(region, pairs[there] * palette.modes[mode, k].astype(np.float64), count)
        for k in range(palette.modes.shape[1])
    ]
    return np.stack(columns, axis=1)
