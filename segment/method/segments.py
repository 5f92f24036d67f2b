"""Clusters to segments: numbered as they are or by connected regions, with their colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segment.method.clusters import Clusters
from segment.method.segmentation import Segmentation
from segment.pixels.colors import mean_colors, to_rgb
from segment.pixels.image import Pixels, color_points
from segment.settings import Settings


def segments_of(clusters: Clusters, pixels: Pixels, settings: Settings) -> Segmentation:
    """Number clusters, or connected regions of them, and find the colours of each.

    Parameters
    ----------
    clusters : Clusters
    pixels : Pixels
        Those that were clustered.
    settings : Settings
    """
    if settings.by_region:
        return _by_region(clusters, pixels, settings)
    return _by_cluster(clusters, pixels, settings)


def _by_cluster(clusters: Clusters, pixels: Pixels, settings: Settings) -> Segmentation:
    means = clusters.means or _means(clusters.labels, pixels, len(clusters.modes))
    return _segmentation(clusters, clusters.labels, clusters.modes, means, settings)


def _by_region(clusters: Clusters, pixels: Pixels, settings: Settings) -> Segmentation:
    from segment.regions.connected import connected_regions  # which clusters of colour do not need

    points = color_points(pixels, settings) if clusters.points is None else clusters.points
    regions = connected_regions(
        clusters.labels,
        points,
        connectivity=settings.connectivity,
        min_size=settings.smallest_region(len(pixels.shown)),
    )
    means = _means(regions.map, pixels, len(regions.clusters))
    modes = clusters.modes[regions.clusters - 1]
    return _segmentation(clusters, regions.map, modes, means, settings)


def _means(
    labels: NDArray[np.int32], pixels: Pixels, count: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    weights = np.broadcast_to(1.0, labels.size)
    return mean_colors(np.ascontiguousarray(pixels.colors), weights, labels.reshape(-1), count)


def _segmentation(
    clusters: Clusters,
    labels: NDArray[np.int32],
    modes: NDArray[np.float64],
    means: tuple[NDArray[np.uint8], NDArray[np.int64]],
    settings: Settings,
) -> Segmentation:
    mode_colors = mode_colors_of(modes, settings)
    colors, sizes = means
    return Segmentation(
        labels=labels,
        modes=modes,
        colors=shown_colors(colors, sizes, mode_colors),
        mode_colors=mode_colors,
        sizes=sizes,
        bandwidth=clusters.bandwidth,
        n_iter=clusters.n_iter,
        settings=settings,
    )


def mode_colors_of(modes: NDArray[np.float64], settings: Settings) -> NDArray[np.uint8]:
    """Return modes as colours that can be shown, (K, 3)."""
    scale = 1.0
    if settings.features == "joint" and settings.range_radius is not None:
        scale = settings.range_radius
    channels = modes[:, 2:] * scale if settings.features == "joint" else modes
    return to_rgb(channels, settings.color_space)


def shown_colors(
    means: NDArray[np.uint8], sizes: NDArray[np.int64], mode_colors: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return the mean colour of each segment; of one without pixels, that of its mode."""
    return np.where(sizes[:, None] > 0, means, mode_colors)
