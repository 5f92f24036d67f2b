"""Clusters to segments: numbered as they are or by connected regions, with their colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segment.method.clusters import Clusters
from segment.method.segmentation import Segmentation
from segment.pixels.colors import as_colors, mean_channels, mean_colors
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
    return _segmentation(clusters, clusters.labels, clusters.modes, means, pixels, settings)


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
    return _segmentation(clusters, regions.map, modes, means, pixels, settings)


def _means(
    labels: NDArray[np.int32], pixels: Pixels, count: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    weights = np.broadcast_to(1.0, labels.size)
    return mean_channels(np.ascontiguousarray(pixels.colors), weights, labels.reshape(-1), count)


def _segmentation(
    clusters: Clusters,
    labels: NDArray[np.int32],
    modes: NDArray[np.float64],
    found: tuple[NDArray[np.float64], NDArray[np.int64]],
    pixels: Pixels,
    settings: Settings,
) -> Segmentation:
    means, sizes = found
    colors = _colors(means, labels, pixels)
    looks = pixels.looks_of(channels_of(modes, settings), settings.color_space)
    mode_colors = colors if looks is None else looks
    return Segmentation(
        labels=labels,
        modes=modes,
        colors=np.where(sizes[:, None] > 0, colors, mode_colors),
        mode_colors=mode_colors,
        sizes=sizes,
        bandwidth=clusters.bandwidth,
        n_iter=clusters.n_iter,
        settings=settings,
        means=means,
        low=pixels.scale.low,
        unit=pixels.scale.unit,
    )


def channels_of(modes: NDArray[np.float64], settings: Settings) -> NDArray[np.float64]:
    """Return what of the coordinates of modes is colour, in the unit of the points."""
    if settings.features != "joint":
        return modes
    return modes[:, 2:] * (1.0 if settings.range_radius is None else settings.range_radius)


def _colors(
    means: NDArray[np.float64], labels: NDArray[np.int32], pixels: Pixels
) -> NDArray[np.uint8]:
    """Return the mean colour of each segment: of a photo its means, of bands those shown."""
    if pixels.view is None:
        return as_colors(means)
    ones = np.broadcast_to(1.0, labels.size)
    return mean_colors(pixels.view.rgb, ones, labels.reshape(-1), len(means))[0]
