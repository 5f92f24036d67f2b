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

InScanOrder = Callable[[], tuple[NDArray[Any], NDArray[np.float64]]]


class ColorGround(NamedTuple):
    """Colours ready to be climbed on, at any bandwidth."""

    distinct: DistinctPoints
    points: NDArray[Any]
    tree: Tree


def color_ground(distinct: DistinctPoints, settings: Settings) -> ColorGround:
    """Index distinct colours in the colour space of the settings."""
    points = to_color_space(distinct.points, settings.color_space)
    return ColorGround(distinct, points, build_tree(points, distinct.weights))


class ColorModes(NamedTuple):
    """Modes of colours, and the label of each colour.

    Attributes
    ----------
    labels : (m,) int32 array
        Of the distinct colours: 1..K in the order of the modes; 0 for those in no cluster.
    places : (K, d) float64 array
    bandwidth : float
    n_iter : int
    """

    labels: NDArray[np.int32]
    places: NDArray[np.float64]
    bandwidth: float
    n_iter: int


def color_clusters(
    pixels: Pixels, settings: Settings, ground: ColorGround | None = None
) -> Clusters:
    """Cluster pixels as points in colour space; with `ground`, what was built of them before."""
    sampled = Started(functools.partial(_color_bandwidth, pixels.shown, settings))
    if ground is None:
        ground = color_ground(distinct_points(pixels.shown), settings)  # beside the bandwidth
    modes = color_modes(ground, settings, sampled.result(), lambda: _every(pixels.shown))
    return clusters_of_colors(ground.distinct, modes, pixels)


def color_modes(
    ground: ColorGround, settings: Settings, bandwidth: float, scan_order: InScanOrder
) -> ColorModes:
    """Find the modes of counted colours, and label these; `scan_order` as `climb_colors` has it."""
    ends = climb_colors(ground, settings, bandwidth, scan_order)
    modes = choose_modes(ends, float(bandwidth))
    labels = _color_labels(ground.tree, ends, modes, settings, float(bandwidth))
    return ColorModes(labels, modes.places, float(bandwidth), ends.n_iter)


def clusters_of_colors(distinct: DistinctPoints, modes: ColorModes, pixels: Pixels) -> Clusters:
    """Make clusters of the pixels from labels of their distinct colours."""
    return Clusters(
        labels=label_map(distinct.spread(modes.labels), pixels),
        modes=modes.places,
        bandwidth=modes.bandwidth,
        n_iter=modes.n_iter,
        points=None,
        means=mean_channels(distinct.points, distinct.weights, modes.labels, len(modes.places)),
    )


def climb_colors(
    ground: ColorGround,
    settings: Settings,
    bandwidth: float,
    scan_order: InScanOrder,
) -> Ends:
    """Climb from the seeds of all colours.

    `scan_order` gives colours in the order in which the pixels first have them, and weights. A
    colour may come several times.
    """
    climb_from = functools.partial(climb, settings=settings, bandwidth=bandwidth)
    distinct, points, tree = ground
    if settings.assign == "basin":
        return climb_from(tree, points)
    ends = climb_from(tree, bin_seeds(points, distinct.weights, bandwidth, settings.min_bin_freq))
    if ends.order_matters:  # by chance; once more then, with the seeds in scan order
        colors, weights = scan_order()
        every = to_color_space(colors, settings.color_space)
        ends = climb_from(tree, bin_seeds(every, weights, bandwidth, settings.min_bin_freq))
    return ends


def _every(rows: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    return rows, np.ones(len(rows))


def _color_bandwidth(pixels: NDArray[Any], settings: Settings) -> float:
    """Return the bandwidth asked for, in its own type: NumPy rounds seeds by that of a scalar."""
    if settings.bandwidth is not None:
        return settings.bandwidth
    places = sample_indices(len(pixels), settings.n_samples, settings.seed)
    return sample_bandwidth(pixels[places], settings)


def sample_bandwidth(sample: NDArray[Any], settings: Settings) -> float:
    """Return the bandwidth that a sample of the pixels, (n, C), gives."""
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
    """Cluster pixels by the modes of a model, all of them, also those that no pixel takes."""
    model.check_bands(pixels.colors.shape[1], scaled=pixels.view is not None)
    distinct = distinct_points(pixels.shown)
    return clusters_of_colors(distinct, known_modes(distinct, settings, model), pixels)


def known_modes(distinct: DistinctPoints, settings: Settings, model: Model) -> ColorModes:
    """Label distinct colours by the modes of a model.

    Parameters
    ----------
    distinct : DistinctPoints
        Grey ones are taken as colours where the modes have three coordinates.
    settings : Settings
        As `Model.applied_to` returns them.
    model : Model

    Raises
    ------
    InvalidInputError
        If the modes are grey and the pixels are not.
    """
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
    return ColorModes(labels, model.modes, model.bandwidth, model.n_iter)
