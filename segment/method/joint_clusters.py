"""Pixels to clusters in the joint domain: the steps of mean shift, put together."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.meanshift.bandwidth import kth_neighbor_distance, sample_indices
from segment.meanshift.modes import Ends, Modes, choose_modes
from segment.method.clusters import Clusters, climb
from segment.pixels.colors import SPANS
from segment.pixels.image import Pixels, color_points, label_map
from segment.pixels.joint import (
    Pyramid,
    build_pyramid,
    in_squares,
    joint_points,
    joint_seeds,
    label_pixels,
)
from segment.settings import Settings

ALONE = 1e-12  # bandwidth that reaches no other pixel, for one of 0
FLAT_ENOUGH = 1e30  # pixels that count as one: no weight for position, without dividing by zero


class JointGround(NamedTuple):
    """An image ready to be climbed on in the joint domain, at any bandwidth."""

    points: NDArray[Any]
    units: tuple[float, float]
    pyramid: Pyramid


def joint_ground(pixels: Pixels, settings: Settings) -> JointGround:
    """Index an image in the joint domain."""
    points = color_points(pixels, settings)
    visible = None if pixels.visible is None else pixels.visible.reshape(pixels.shape)
    units = joint_units(pixels.shape, settings)
    return JointGround(points, units, build_pyramid(points, visible, units))


def joint_clusters(
    pixels: Pixels, settings: Settings, ground: JointGround | None = None
) -> Clusters:
    """Cluster pixels as points in the joint domain; `ground` as for `color_clusters`."""
    points, units, pyramid = ground or joint_ground(pixels, settings)
    visible = None if pixels.visible is None else pixels.visible.reshape(pixels.shape)
    bandwidth = _joint_bandwidth(points, visible, units, settings)
    reach = reach_of(bandwidth, units)
    climb_from = functools.partial(climb, settings=settings, bandwidth=reach)
    if settings.assign == "basin":
        order = in_squares(*pixels.shape, visible)
        ends = climb_from(pyramid, _points_of(order, points, visible, units))
        ends.which[order] = ends.which.copy()  # back in scan order
    else:
        seeds = joint_seeds(points, visible, units, bandwidth, settings.min_bin_freq)
        ends = climb_from(pyramid, seeds)
    modes = choose_modes(ends, reach)
    return Clusters(
        labels=_joint_labels(pyramid, ends, modes, settings, pixels, reach),
        modes=modes.places,
        bandwidth=float(bandwidth),
        n_iter=ends.n_iter,
        points=points,
        means=None,
    )


def reach_of(bandwidth: float, units: tuple[float, float]) -> float:
    """Return the radius of the kernel: the bandwidth, or for one of 0 what reaches no neighbour."""
    return float(bandwidth) or max(ALONE, ALONE / units[0] * 1e-6)


def _joint_bandwidth(
    points: NDArray[Any],
    visible: NDArray[np.bool_] | None,
    units: tuple[float, float],
    settings: Settings,
) -> float:
    if settings.spatial_radius is not None:
        return 1.0
    if settings.bandwidth is not None:
        return settings.bandwidth
    shown = points.shape[0] * points.shape[1] if visible is None else np.count_nonzero(visible)
    sample = sample_indices(int(shown), settings.n_samples, settings.seed)
    return kth_neighbor_distance(_points_of(sample, points, visible, units), settings.quantile)


def _points_of(
    numbers: NDArray[Any],
    points: NDArray[Any],
    visible: NDArray[np.bool_] | None,
    units: tuple[float, float],
) -> NDArray[np.float64]:
    """Return pixels, by their numbers among those visible, as points of the joint domain."""
    places = numbers if visible is None else np.flatnonzero(visible)[numbers]
    y, x = np.divmod(places, points.shape[1])
    return joint_points(points[y, x], x, y, units)


def joint_units(shape: tuple[int, int], settings: Settings) -> tuple[float, float]:
    """Return what 1 in the joint domain is in pixels, and in units of the colour space."""
    if settings.spatial_radius is not None and settings.range_radius is not None:
        return float(settings.spatial_radius), float(settings.range_radius)
    scale = float(settings.spatial_weight) * SPANS[settings.color_space] / max(shape)
    return min(1 / scale, FLAT_ENOUGH) if scale else FLAT_ENOUGH, 1.0


def _joint_labels(
    pyramid: Pyramid,
    ends: Ends,
    modes: Modes,
    settings: Settings,
    pixels: Pixels,
    bandwidth: float,
) -> NDArray[np.int32]:
    limit = np.inf if settings.cluster_all else 1.0
    if settings.assign == "nearest":
        return label_pixels(pyramid, modes.places, bandwidth=bandwidth, limit=limit)
    labels = label_map(modes.owner[ends.which] + np.int32(1), pixels)
    if not settings.cluster_all:
        labels[label_pixels(pyramid, modes.places, bandwidth=bandwidth, limit=limit) == 0] = 0
    return labels
