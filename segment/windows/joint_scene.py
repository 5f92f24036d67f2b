"""A scene to its modes and labels in the joint domain, window by window, the same to the bit."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.meanshift.bandwidth import kth_neighbor_distance
from segment.meanshift.modes import NO_SEED, Climbs, climb_within, no_point_within
from segment.method.joint_clusters import joint_units, reach_of
from segment.pixels.image import points_in
from segment.pixels.joint import (
    Buckets,
    Pyramid,
    bin_centers,
    bin_rows,
    build_pyramid,
    in_buckets,
    joint_bins,
    joint_points,
    label_pixels,
    largest_value,
    pixel_points,
)
from segment.settings import Settings
from segment.threads import Started
from segment.windows.mode_sweep import ROW, ModeSweep, TooEarlyError

Floats = NDArray[np.float64]
Values = NDArray[Any]
Visible = NDArray[np.bool_] | None
Told = Callable[[str, int, int], object]
BEHIND, AHEAD = 6, 2  # radii that a window has above and below its seeds
SETTLED = 4  # radii above a window where no climb is expected to end any more


class Rows(Protocol):
    """What a scene is read from; `SceneRows` is one.

    `points` returns the rows from `top` to above `bottom`, (h, W, C) uint8 or float64, one dtype
    in all of the scene, and which pixels of them take part.
    """

    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...
    def points(self, top: int, bottom: int) -> tuple[Values, Visible]: ...


class Sample(NamedTuple):
    """Pixels that the bandwidth is found from: (n, C), as of `Rows`, and their places, (n,)."""

    points: Values
    x: NDArray[Any]
    y: NDArray[Any]


class Window(NamedTuple):
    """Rows from `top` to above `bottom`, and those of the bins whose seeds are its own."""

    top: int
    first: int
    end: int
    bottom: int


@dataclass(frozen=True, eq=False)
class JointScene:
    """What is found in a scene, and what labels its rows.

    Attributes
    ----------
    modes : (K, 2 + C) float64 array
        The densest first.
    bandwidth : float
    n_iter : int
        Moves of the longest climb.
    """

    modes: Floats
    bandwidth: float
    n_iter: int
    _ground: _Ground
    _buckets: Buckets

    def labels_of(self, values: Values, visible: Visible, top: int) -> NDArray[np.int32]:
        """Return the labels of rows that were read, from the row `top` on, (h, W).

        They are 1..K, 0 for none. Any thread may call it.
        """
        ground = self._ground
        pyramid = ground.indexed(ground._points(values), visible, top)
        limit = np.inf if ground.settings.cluster_all else 1.0
        return label_pixels(pyramid, self._buckets, bandwidth=ground.reach, limit=limit)


def joint_scene(
    rows: Rows,
    settings: Settings,
    window_rows: int,
    sample: Sample | None = None,
    known: tuple[Floats, float, int] | None = None,
    told: Told = lambda stage, done, rows: None,
) -> JointScene:
    """Find the modes of a scene in the joint domain, as `joint_clusters` does in memory.

    Parameters
    ----------
    rows : Rows
    settings : Settings
        With features "joint", kernel "flat" and assign "nearest".
    window_rows : int
        Rows that are in memory at once, and as many that are read ahead. The answer does not
        depend on it.
    sample : Sample, optional
        Where the settings have neither a bandwidth nor radii: the pixels of
        `sample_indices(pixels that take part, n_samples, seed)`.
    known : (modes, bandwidth, n_iter), optional
        What was found of the scene before: then nothing is climbed.
    told : callable
        Is told how far it is: "climbing", the rows whose seeds have climbed, rows of all.

    Returns
    -------
    scene : JointScene

    Raises
    ------
    InvalidInputError
        For settings that need the whole image in memory; if the windows are too low for
        the spatial radius; and as `joint_clusters`.
    """
    check_joint(settings)
    ground = _Ground(rows, settings, window_rows, sample, known and known[1])
    if known is not None:
        return _scene(ground, known[0], known[2])
    windows = planned_windows(
        bin_rows(rows.height, ground.units[0], ground.reach), ground.radius, window_rows
    )
    alone = not ground.bandwidth or _each_alone(ground, windows)
    settled = SETTLED * ground.radius
    while True:
        try:
            return _scene(ground, *_Sweep(ground, alone, settled, told).climb(windows))
        except TooEarlyError:  # hardly ever: a climb ended far above the others of its time
            settled = 2 * settled + 1


def _scene(ground: _Ground, modes: Floats, n_iter: int) -> JointScene:
    units = ground.indexed(*ground.read(0, 1), 0).units
    buckets = in_buckets(modes, units, (ground.rows.height, ground.rows.width))
    return JointScene(modes, float(ground.bandwidth), n_iter, ground, buckets)


def check_joint(settings: Settings) -> None:
    """Raise InvalidInputError for what is not done in the joint domain beyond memory."""
    way_out = "scale the image down, cut it, or raise --memory"
    if settings.kernel == "gaussian":
        raise InvalidInputError(
            "kernel: expected 'flat' for joint features beyond memory, got 'gaussian', whose sums "
            f"depend on how the image is cut; {way_out}"
        )
    if settings.assign == "basin":
        raise InvalidInputError(
            "assign: expected 'nearest' for joint features beyond memory, got 'basin', which "
            f"climbs from every pixel and keeps where each ends; {way_out}"
        )


def planned_windows(starts: NDArray[np.intp], radius: float, rows: int) -> list[Window]:
    """Cut a scene into windows: whole rows of bins, and rows around them for their climbs.

    Parameters
    ----------
    starts : (b + 1,) int array
        First rows of the rows of bins, and the height.
    radius : float
        Of the kernel, in rows.
    rows : int
        Of a window at most.

    Raises
    ------
    InvalidInputError
        If a ball does not fit into so few.

    Examples
    --------
    >>> planned_windows(np.array([0, 3, 6, 10]), 2.0, 9)
    [Window(top=0, first=0, end=6, bottom=8), Window(top=3, first=6, end=10, bottom=10)]
    """
    height = int(starts[-1])
    if height <= rows:
        return [Window(0, 0, height, height)]
    bin_height = int(np.diff(starts).max())
    if not rows >= least_rows(radius):
        raise InvalidInputError(
            f"memory: expected room for {least_rows(radius):g} rows of the image, twice the "
            f"spatial radius of {radius:g} pixels and more, got {rows}; raise --memory or lower "
            "the radius"
        )
    spare = rows - bin_height
    behind = int(min(BEHIND * radius + 1, spare * BEHIND // (BEHIND + AHEAD)))
    ahead = int(min(AHEAD * radius + 1, spare - behind))
    windows, first = [], 0
    while first < len(starts) - 1:
        top = max(int(starts[first]) - behind, 0)
        end = max(first + 1, int(np.searchsorted(starts, top + rows - ahead, side="right")) - 1)
        bottom = min(int(starts[end]) + ahead, height)
        windows.append(Window(top, int(starts[first]), int(starts[end]), bottom))
        first = end
    return windows


def bytes_of_row(width: int, channels: int, item: int) -> int:
    """Return about what each row of a window takes in memory, with one that is read ahead.

    `item` is what a value of a point takes, in the space of its colours: 1 or 8 bytes.

    Examples
    --------
    >>> bytes_of_row(20_000, 3, 1) * 600 // 2**20
    583
    """
    return width * (24 + 6 * channels + 3 * channels * item)


def least_rows(radius: float) -> float:
    """Return how many rows a window must have: a ball and the pixels around its centre."""
    return 2 * (math.floor(radius) + 2) + 1 if math.isfinite(radius) else math.inf


class _Ground:
    """A scene as the joint domain: units and scale of all windows."""

    def __init__(
        self,
        rows: Rows,
        settings: Settings,
        window_rows: int,
        sample: Sample | None,
        bandwidth: float | None,
    ) -> None:
        self.rows, self.settings, self.window_rows = rows, settings, window_rows
        self.units = joint_units((rows.height, rows.width), settings)
        self.bandwidth = self._bandwidth(sample) if bandwidth is None else bandwidth
        self.reach = reach_of(self.bandwidth, self.units)
        self.radius = self.units[0] * self.reach * (1 + 1e-9)
        self.largest: float | None = None

    def _bandwidth(self, sample: Sample | None) -> float:
        if self.settings.spatial_radius is not None:
            return 1.0
        if self.settings.bandwidth is not None:
            return self.settings.bandwidth
        if sample is None:
            raise InvalidInputError("sample: expected one, for there is no bandwidth, got none")
        colors = self._points(sample.points[:, None])[:, 0]
        points = joint_points(colors, sample.x, sample.y, self.units)
        return kth_neighbor_distance(points, self.settings.quantile)

    def _points(self, values: Values) -> Values:
        return points_in(self.settings.color_space, values)

    def read(self, top: int, bottom: int) -> tuple[Values, Visible]:
        """Return rows as coordinates of the colour space, and which pixels take part."""
        values, visible = self.rows.points(top, bottom)
        return self._points(values), visible

    def indexed(self, points: Values, visible: Visible, top: int) -> Pyramid:
        """Index rows of coordinates of the colour space."""
        return build_pyramid(
            points,
            visible,
            self.units,
            largest=255.0 if points.dtype == np.uint8 else self._largest(),
            top=top,
            image_height=self.rows.height,
        )

    def bins(self, points: Values, visible: Visible, top: int) -> Floats:
        """Return the bins of whole rows of them that hold enough pixels."""
        times = self.settings.min_bin_freq
        return joint_bins(points, visible, self.units, self.bandwidth, times, top)

    def _largest(self) -> float:
        """Return the largest value of all: what numbers that are not bytes are counted in."""
        if self.largest is None:
            step, height = self.window_rows, self.rows.height
            parts = (self.read(top, min(top + step, height)) for top in range(0, height, step))
            self.largest = max(largest_value(*part) for part in parts)
        return self.largest


def _each_alone(ground: _Ground, windows: list[Window]) -> bool:
    """Whether each pixel of the scene would be alone in its bin: then pixels are the seeds."""
    for window in windows:
        points, visible = ground.read(window.first, window.end)
        bins = ground.bins(points, visible, window.first)
        if len(bins) < (points[..., 0].size if visible is None else visible.sum()):
            return False
    return True


class _Sweep:
    """Climbs from all seeds of a scene, window after window, to its modes.

    A climb that comes too near to an edge of its window stops, and waits for the next one if that
    holds its place; otherwise a window is read for those that wait around it.
    """

    def __init__(self, ground: _Ground, alone: bool, settled: float, told: Told) -> None:
        self._ground, self._alone, self._settled, self._told = ground, alone, settled, told
        reach = math.floor(ground.radius) if math.isfinite(ground.radius) else 0
        self._half = max(reach + 2, min(3 * reach, (ground.window_rows - 1) // 2))
        self._seeds = self._n_iter = 0
        self._found = False

    def climb(self, windows: list[Window]) -> tuple[Floats, int]:
        """Return the modes, the densest first, and the moves of the longest climb."""
        reading = Started(lambda: self._ground.read(windows[0].top, windows[0].bottom))
        for window, following in itertools.zip_longest(windows, windows[1:]):
            points, visible = reading.result()
            if following is not None:
                reading = Started(functools.partial(self._ground.read, *following[::3]))
            pyramid = self._ground.indexed(points, visible, window.top)
            if window is windows[0]:
                self._begin(pyramid)
            self._climb_on(pyramid, self._seeds_of(window, points, visible, pyramid))
            next_top = math.inf if following is None else float(following.top)
            self._lead_on(next_top)
            self._told("climbing", window.end, self._ground.rows.height)
            self._choice.settle((next_top - self._settled) / self._ground.units[0])
        if not self._seeds:
            raise InvalidInputError(NO_SEED)
        if not self._found:
            raise InvalidInputError(no_point_within(self._ground.reach))
        return self._choice.modes(), self._n_iter

    def _begin(self, pyramid: Pyramid) -> None:
        dimensions = len(pyramid.units)
        self._choice = ModeSweep(dimensions, self._ground.reach)
        nowhere = np.empty((0, dimensions))
        self._waiting = Climbs(nowhere, np.empty(0, np.int32), np.empty(0, np.int64))

    def _seeds_of(
        self, window: Window, points: Values, visible: Visible, pyramid: Pyramid
    ) -> Climbs:
        """Return the climbs that begin in a window, those that wait before them."""
        part = slice(window.first - window.top, window.end - window.top)
        own, seen = points[part], None if visible is None else visible[part]
        if self._alone:
            seeds = pixel_points(own, seen, self._ground.units, window.first)
        else:
            bins = self._ground.bins(own, seen, window.first)
            seeds = bin_centers(bins, self._ground.bandwidth)
        numbers = np.arange(self._seeds, self._seeds + len(seeds))
        self._seeds += len(seeds)
        return Climbs(
            np.concatenate([self._waiting.places, seeds * pyramid.units]),
            np.concatenate([self._waiting.moves, np.zeros(len(seeds), np.int32)]),
            np.concatenate([self._waiting.seeds, numbers]),
        )

    def _climb_on(self, pyramid: Pyramid, climbs: Climbs) -> None:
        ends, seeds, self._waiting = climb_within(
            pyramid,
            climbs,
            bandwidth=self._ground.reach,
            max_iter=self._ground.settings.max_iter,
        )
        self._choice.add(ends.places, ends.weights, seeds)
        self._found |= len(seeds) > 0
        self._n_iter = max(self._n_iter, ends.n_iter)

    def _lead_on(self, next_top: float) -> None:
        """Lead on those climbs that the window which begins at a row does not hold."""
        height, radius = self._ground.rows.height, self._ground.radius
        while True:
            rows = self._waiting.places[:, ROW]
            if not len(rows) or rows.min() - radius >= next_top:
                return
            center = math.floor(rows.min())
            top, bottom = max(center - self._half, 0), min(center + self._half + 1, height)
            pyramid = self._ground.indexed(*self._ground.read(top, bottom), top)
            self._climb_on(pyramid, self._waiting)
