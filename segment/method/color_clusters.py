"""Pixels to clusters in colour space: the steps of mean shift, put together."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.meanshift.bandwidth import kth_neighbor_distance, sample_indices
from segment.meanshift.modes import Ends, Modes, choose_modes
from segment.meanshift.points import DistinctPoints, distinct_points
from segment.meanshift.seeds import bin_seeds
from segment.meanshift.tree import Tree, build_tree, nearest_mode
from segment.method.clusters import Clusters, climb
from segment.method.model import Model
from segment.pixels.colors import mean_channels, to_color_space
from segment.pixels.image import Pixels, label_map
from segment.settings import Settings
from segment.threads import Started


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
        means=mean_channels(distinct.points, distinct.weights, labels, len(modes)),
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


def _color_bandwidth(pixels: NDArray[Any], settings: Settings) -> float:
    """Return the bandwidth asked for, in its own type: NumPy rounds seeds by that of a scalar."""
    if settings.bandwidth is not None:
        return settings.bandwidth
    sample = pixels[sample_indices(len(pixels), settings.n_samples, settings.seed)]
    points = to_color_space(sample, settings.color_space).astype(np.float64)
    return kth_neighbor_distance(points, settings.quantile)


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


def known_clusters(pixels: Pixels, settings: Settings, model: Model) -> Clusters:
    """Cluster pixels by the modes of a model.

    Parameters
    ----------
    pixels : Pixels
        Grey ones are taken as colours where the modes have three coordinates.
    settings : Settings
        As `Model.applied_to` returns them.
    model : Model

    Returns
    -------
    clusters : Clusters
        All modes of the model, also those that no pixel takes.

    Raises
    ------
    InvalidInputError
        If the modes are of other bands than the pixels, or grey and the pixels are not.
    """
    model.check_bands(pixels.colors.shape[1], scaled=pixels.view is not None)
    distinct = distinct_points(pixels.shown)
    ground = color_ground(distinct, settings)
    tree, channels = ground.tree, model.modes.shape[1]
    if ground.points.shape[1] < channels:
        gray = np.repeat(distinct.points, channels, axis=1)
        tree = color_ground(distinct._replace(points=gray), settings).tree
    elif ground.points.shape[1] > channels:
        raise InvalidInputError(
            "image: expected a grey one, for the model was fitted on grey images, got one in "
            "colour; fit a model with color_space 'gray', which takes both"
        )
    labels = nearest_labels(tree, model.modes, settings, model.bandwidth)
    return clusters_of_colors(
        distinct, labels, pixels, model.modes, bandwidth=model.bandwidth, n_iter=model.n_iter
    )
