"""A scene as the joint domain: what all its windows have in common, and how each is indexed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.meanshift.bandwidth import kth_neighbor_distance
from segment.method.joint_clusters import joint_units, reach_of
from segment.pixels.image import points_in
from segment.pixels.joint import (
    Pyramid,
    bin_centers,
    build_pyramid,
    joint_bins,
    joint_points,
    largest_value,
    pixel_points,
)
from segment.settings import ColorSpace, Settings
from segment.strips.rows import SceneRows, Values, Visible
from segment.strips.strips import Crew, Strip

Floats = NDArray[np.float64]
EIGHT_BITS = 255.0


class Sample(NamedTuple):
    """Pixels that the bandwidth is found from: (n, C), as of the rows, and their places, (n,)."""

    points: Values
    x: NDArray[Any]
    y: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Ground:
    """A scene as the joint domain.

    Attributes
    ----------
    settings : Settings
    shape : (H, W)
    units : (spatial_unit, range_unit)
    bandwidth : float
        Of the type that it was found or given in, which the seeds get.
    largest : float
        Of all values: what those that are not bytes are counted in.
    pixel : (1, 1, C) array
        Of the type that coordinates of the colour space have.
    """

    settings: Settings
    shape: tuple[int, int]
    units: tuple[float, float]
    bandwidth: float
    largest: float
    pixel: Values

    @property
    def reach(self) -> float:
        """The radius of the kernel."""
        return reach_of(self.bandwidth, self.units)

    @property
    def radius(self) -> float:
        """The same in rows, and a little more than rounding takes."""
        return self.units[0] * self.reach * (1 + 1e-9)

    @property
    def channels(self) -> int:
        return int(self.pixel.shape[2])

    def steps(self) -> Floats:
        """Return what 1 in the joint domain is in the units of its pyramids."""
        return np.asarray(self.indexed(self.pixel, None, 0).units)

    def indexed(self, points: Values, visible: Visible, top: int) -> Pyramid:
        """Index what was read from the row `top` on."""
        largest, height = self.largest, self.shape[0]
        return build_pyramid(
            points, visible, self.units, largest=largest, top=top, image_height=height
        )

    def seeds(self, points: Values, visible: Visible, top: int, *, alone: bool) -> Floats:
        """Return the seeds of whole rows of bins; all pixels where each is alone in its bin."""
        if alone:
            return pixel_points(points, visible, self.units, top)
        return np.asarray(bin_centers(self._bins(points, visible, top), self.bandwidth))

    def are_alone(self, rows: SceneRows, top: int, bottom: int) -> bool:
        """Return whether each pixel of whole rows of bins would be alone in its bin."""
        points, visible = rows.points(top, bottom)
        shown = points[..., 0].size if visible is None else visible.sum()
        return len(self._bins(points, visible, top)) == int(shown)

    def _bins(self, points: Values, visible: Visible, top: int) -> Floats:
        times = self.settings.min_bin_freq
        return joint_bins(points, visible, self.units, self.bandwidth, times, top)


def ground_of(
    rows: SceneRows, settings: Settings, bandwidth: float, largest: float = EIGHT_BITS
) -> Ground:
    """Return a scene as the joint domain, from rows that are `in_space`."""
    shape = rows.height, rows.width
    first = rows.points(0, 1)[0]
    pixel = np.zeros((1, 1, first.shape[2]), first.dtype)
    return Ground(settings, shape, joint_units(shape, settings), bandwidth, largest, pixel)


def measured(ground: Ground, rows: SceneRows, crew: Crew, strips: Sequence[Strip]) -> Ground:
    """Return a ground with the largest value, which the crew looks for if values are not bytes."""
    if ground.pixel.dtype == np.uint8:
        return ground
    return replace(ground, largest=crew.merged(rows, _largest, strips, max, lambda strip: None))


def joint_bandwidth(rows: SceneRows, settings: Settings, sample: Sample | None) -> float:
    """Return the bandwidth asked for, in its own type, or that of a sample."""
    if settings.spatial_radius is not None:
        return 1.0
    if settings.bandwidth is not None:
        return settings.bandwidth
    if sample is None:
        raise InvalidInputError("sample: expected one, for there is no bandwidth, got none")
    colors = points_in(settings.color_space, sample.points[:, None])[:, 0]
    units = joint_units((rows.height, rows.width), settings)
    points = joint_points(colors, sample.x, sample.y, units)
    return kth_neighbor_distance(points, settings.quantile)


def in_space(rows: SceneRows, color_space: ColorSpace) -> SceneRows:
    """Return rows whose points are coordinates of a colour space, for whoever reads them."""
    if color_space == "rgb":
        return rows
    scaled = functools.partial(_converted, scaled=rows.scaled, color_space=color_space)
    return replace(rows, scaled=scaled)


def _converted(
    values: Values, scaled: Callable[[Values], Values], color_space: ColorSpace
) -> Values:
    return points_in(color_space, scaled(values))


def _largest(rows: SceneRows, top: int, bottom: int) -> float:
    return largest_value(*rows.points(top, bottom))
