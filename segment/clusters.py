"""Pixels to clusters in colour space: the steps of mean shift, put together."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.bandwidth import kth_neighbor_distance, sample_indices
from segment.features import DistinctPoints, distinct_points, to_color_space
from segment.modes import Ends, Ground, Modes, choose_modes, climb_to_ends
from segment.pixels import Pixels
from segment.seeds import bin_seeds
from segment.segmentation import mean_colors
from segment.settings import Settings
from segment.threads import Started
from segment.tree import Tree, build_tree, nearest_mode

SPANS = {"rgb": 255.0, "gray": 255.0, "lab": 100.0, "luv": 100.0, "hsv": 1.0}


@dataclass(frozen=True)
class Clusters:
    """Clusters of pixels.

    Attributes
    ----------
    labels : (H, W) int32 array
        1..K in the order of the modes; 0 for pixels in no cluster.
    modes : (K, d) float64 array
    bandwidth : float
    n_iter : int
    points : (H, W, C) array or None
        The image in the colour space, where it was made.
    means : ((K, 3) uint8, (K,) int64) or None
        Mean colour and size of each cluster, where they come without another look at the pixels.
    """

    labels: NDArray[np.int32]
    modes: NDArray[np.float64]
    bandwidth: float
    n_iter: int
    points: NDArray[Any] | None
    means: tuple[NDArray[np.uint8], NDArray[np.int64]] | None


class ColorGround(NamedTuple):
    """Colours ready to be climbed on, at any bandwidth."""

    distinct: DistinctPoints
    points: NDArray[Any]
    tree: Tree


def color_ground(distinct: DistinctPoints, settings: Settings) -> ColorGround:
    """Index distinct colours in the colour space of the settings."""
    points = to_color_space(distinct.points, settings.color_space)
    return ColorGround(distinct, points, build_tree(points, distinct.weights))


def color_clusters(
    pixels: Pixels, settings: Settings, ground: ColorGround | None = None
) -> Clusters:
    """Cluster pixels as points in colour space; with `ground`, what was built of them before."""
    sampled = Started(functools.partial(_color_bandwidth, pixels.shown, settings))
    if ground is None:
        ground = color_ground(distinct_points(pixels.shown), settings)  # beside the bandwidth
    distinct, _, tree = ground
    bandwidth = sampled.result()
    ends = climb_colors(ground, settings, bandwidth, lambda: pixels.shown)
    modes = choose_modes(ends, float(bandwidth))
    labels = _color_labels(tree, ends, modes, settings, float(bandwidth))
    return clusters_of_colors(
        distinct, labels, pixels, modes.places, bandwidth=float(bandwidth), n_iter=ends.n_iter
    )


def clusters_of_colors(
    distinct: DistinctPoints,
    labels: NDArray[np.int32],
    pixels: Pixels,
    modes: NDArray[np.float64],
    *,
    bandwidth: float,
    n_iter: int,
) -> Clusters:
    """Make clusters of the pixels from labels of their distinct colours."""
    return Clusters(
        labels=label_map(distinct.spread(labels), pixels),
        modes=modes,
        bandwidth=bandwidth,
        n_iter=n_iter,
        points=None,
        means=mean_colors(distinct.points, distinct.weights, labels, len(modes)),
    )


def climb_colors(
    ground: ColorGround,
    settings: Settings,
    bandwidth: float,
    scan_order: Callable[[], NDArray[Any]],
) -> Ends:
    """Climb from the seeds of all colours; `scan_order` gives every pixel, the first first."""
    climb_from = functools.partial(climb, settings=settings, bandwidth=bandwidth)
    distinct, points, tree = ground
    if settings.assign == "basin":
        return climb_from(tree, points)
    ends = climb_from(tree, bin_seeds(points, distinct.weights, bandwidth, settings.min_bin_freq))
    if ends.order_matters:  # by chance; once more then, with the seeds in scan order
        every = to_color_space(scan_order(), settings.color_space)
        ones = np.ones(len(every))
        ends = climb_from(tree, bin_seeds(every, ones, bandwidth, settings.min_bin_freq))
    return ends


def color_points(pixels: Pixels, settings: Settings) -> NDArray[Any]:
    """The image in the colour space; each distinct colour is converted once."""
    colors = pixels.colors
    if settings.color_space != "rgb":
        distinct = distinct_points(colors)
        converted = to_color_space(distinct.points, settings.color_space)
        colors = converted[distinct.spread(np.arange(len(converted), dtype=np.int32))]
    return np.ascontiguousarray(colors).reshape(*pixels.shape, -1)


def climb(ground: Ground, seeds: NDArray[Any], *, settings: Settings, bandwidth: float) -> Ends:
    """Climb as the settings say."""
    return climb_to_ends(
        ground,
        seeds,
        bandwidth=float(bandwidth),
        kernel=settings.kernel,
        max_iter=settings.max_iter,
    )


def _color_bandwidth(pixels: NDArray[Any], settings: Settings) -> float:
    """The bandwidth asked for, as it came: NumPy rounds seeds otherwise for its own scalars."""
    if settings.bandwidth is not None:
        return settings.bandwidth
    sample = pixels[sample_indices(len(pixels), settings.n_samples, settings.seed)]
    points = to_color_space(sample, settings.color_space).astype(np.float64)
    return kth_neighbor_distance(points, settings.quantile)


def search_range(settings: Settings) -> tuple[float, float]:
    """Bandwidths from one that parts all 8-bit colours to one that reaches from end to end."""
    span = SPANS[settings.color_space]
    wide = settings.spatial_weight if settings.features == "joint" else 0.0
    return span / 512, span * 8 * max(1.0, wide)


def _color_labels(
    tree: Tree, ends: Ends, modes: Modes, settings: Settings, bandwidth: float
) -> NDArray[np.int32]:
    if settings.assign == "nearest":
        return nearest_labels(tree, modes.places, settings, bandwidth)
    labels = modes.owner[ends.which] + np.int32(1)
    if not settings.cluster_all:
        labels[nearest_labels(tree, modes.places, settings, bandwidth) == 0] = 0
    return labels


def nearest_labels(
    tree: Tree, modes: NDArray[np.float64], settings: Settings, bandwidth: float
) -> NDArray[np.int32]:
    """Label points by their nearest mode, 0 for those that the settings leave out."""
    nearest, distances = nearest_mode(tree, modes)
    labels = nearest + np.int32(1)
    if not settings.cluster_all:
        labels[distances > bandwidth] = 0
    return labels


def label_map(labels: NDArray[np.int32], pixels: Pixels) -> NDArray[np.int32]:
    if pixels.visible is not None:
        shown, labels = labels, np.zeros(len(pixels.visible), dtype=np.int32)
        labels[pixels.visible] = shown
    return labels.reshape(pixels.shape)
