"""Bands of any depth to comparable points: how they are scaled, and how they look.

A scale brings every band to the units of 8-bit values, 0 to 255, so that a bandwidth means the same
whatever the file. Statistics are exact, and the same whatever strips of rows they are added by: so
are the scales and the points.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.band_statistics import BandStatistics
from segment.bands import Scaling, parsed_scale
from segment.errors import InvalidInputError

GRID = 2.0**-12  # points are whole multiples of it: their sums are exact, in any order
DEPTHS = (8, 10, 12, 14)  # of sensors whose values come in 16 bits
DEVIATIONS = 8.0  # standard deviations that become 0..255
TOP = 255.0
STRETCH = "2%,98%"  # of a band become black and white in pictures
FARTHEST = 1e30  # that a point may lie, as wide as a bandwidth may be: bins fit float32

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BandScale:
    """What brings stored values to points: point = (value - low) / unit, for each band.

    Attributes
    ----------
    low : (C,) float64 array
        The value whose point is 0.
    unit : (C,) float64 array, > 0
        What 1 in the space of the points, a bandwidth of 1, is in the file's own units.
    stretched : (float, float) or None
        Smallest and largest value, where they are stretched for want of a known depth.
    """

    low: Floats
    unit: Floats
    stretched: tuple[float, float] | None = None

    @property
    def keeps_bytes(self) -> bool:
        """Whether 8-bit values are points as they are."""
        return bool((self.low == 0).all() and (self.unit == 1).all())

    @property
    def is_sixteen_bits(self) -> bool:
        """Whether it is that of 16-bit images, 257 steps to one of 8 bits."""
        return bool((self.low == 0).all() and (self.unit == 257).all())


def statistics_of(
    values: NDArray[Any], valid: NDArray[np.bool_] | None, scale: str
) -> BandStatistics:
    """Return the statistics of an image in memory, (H, W, C)."""
    statistics = BandStatistics(values.shape[-1], values.dtype, scale)
    while statistics.open:
        statistics.add(values, valid)
        statistics.end_pass()
    return statistics


def band_scale(statistics: BandStatistics, scale: str, bits: int) -> BandScale:
    """Return the scale that a setting asks for.

    Parameters
    ----------
    statistics : BandStatistics
        Of the bands that take part, made for this scale, all passes done.
    scale : str
        As `Settings.scale`.
    bits : int
        Declared depth of the values, 16 for plain uint16.

    Returns
    -------
    scale : BandScale
        "depth": 8-bit values as they are; unsigned ones of fewer than 16 bits by their depth; of 16
        by the smallest of 8, 10, 12, 14 and 16 bits that holds the largest value of all bands;
        floats in 0..1 times 255; others in 0..255 as they are; all others from the smallest to the
        largest value of all bands together, which `stretched` tells. "range": each band from its
        smallest to its largest value. "std": 255 are eight standard deviations of a band, its mean
        is in the middle. Limits: to 0 and 255, and values beyond them beyond. A band of one value
        has the unit 1.
    """
    scaling = parsed_scale(scale)
    if scaling.kind == "depth":
        return _by_depth(statistics, bits)
    low, high = _limits(statistics, scaling)
    return _between(low, high)


def _limits(statistics: BandStatistics, scaling: Scaling) -> tuple[Floats, Floats]:
    if scaling.kind == "values":
        count = len(statistics.low)
        return np.full(count, scaling.low), np.full(count, scaling.high)
    if scaling.kind == "percent":
        return statistics.percentiles()
    if scaling.kind == "std":
        mean, spread = statistics.deviations()
        return mean - DEVIATIONS / 2 * spread, mean + DEVIATIONS / 2 * spread
    return statistics.low.astype(np.float64), statistics.high.astype(np.float64)


def _by_depth(statistics: BandStatistics, bits: int) -> BandScale:
    dtype, count = statistics.dtype, len(statistics.low)
    low, high = float(statistics.low.min()), float(statistics.high.max())
    nothing = np.zeros(count)
    if dtype.kind == "b":
        return BandScale(nothing, np.full(count, 1 / TOP))
    if dtype.kind == "u" and bits <= 16:
        if bits == 16:
            bits = next((fewer for fewer in DEPTHS if high < 1 << fewer), 16)
        return BandScale(nothing, np.full(count, ((1 << bits) - 1) / TOP))
    if dtype.kind == "f" and low >= 0 and high <= 1:
        return BandScale(nothing, np.full(count, 1 / TOP))
    if low >= 0 and high <= TOP:
        return BandScale(nothing, np.ones(count))
    whole = _between(np.full(count, low), np.full(count, high))
    return BandScale(whole.low, whole.unit, (low, high))


def _between(low: Floats, high: Floats) -> BandScale:
    unit = (high / 2 - low / 2) / (TOP / 2)
    return BandScale(low, np.where(unit > 0, unit, 1.0))


@np.errstate(over="ignore")  # infinity, which pictures clip and `check_reach` refuses
def scaled(values: NDArray[Any], scale: BandScale) -> NDArray[Any]:
    """Return values as points.

    Parameters
    ----------
    values : (..., C) array
    scale : BandScale

    Returns
    -------
    points : (..., C) array
        uint8 where 8-bit values stay as they are; else float64, whole multiples of 2^-12. 16-bit
        values by 257 are not rounded: they are what `segment_image` has always made of them.

    Examples
    --------
    >>> scale = BandScale(np.array([0.0]), np.array([4095 / 255]))
    >>> scaled(np.array([[0], [4095], [1000]], np.uint16), scale).tolist()
    [[0.0], [255.0], [62.27099609375]]
    """
    if values.dtype == np.uint8 and scale.keeps_bytes:
        return values
    if values.dtype == np.uint16 and scale.is_sixteen_bits:
        return np.asarray(values / 257.0)
    # Halves, for the largest doubles are farther apart than a double can say.
    points = values.astype(np.float64)
    points *= 0.5
    points -= scale.low * 0.5
    points /= scale.unit * (0.5 * GRID)
    np.rint(points, out=points)
    points *= GRID
    return np.asarray(points)


def check_reach(points: NDArray[Any]) -> None:
    """Refuse points so far out that no bandwidth could bring them together.

    Raises
    ------
    InvalidInputError
        If one is beyond 1e30, as -3.4e38 that nobody called no-data is by the scale of the others.
    """
    if points.dtype == np.uint8 or not points.size:
        return
    low, high = float(points.min()), float(points.max())
    if not (low >= -FARTHEST and high <= FARTHEST):
        raise InvalidInputError(
            f"scale: expected points up to {FARTHEST:g} in units of 8 bits, got {low:.4g} to "
            f"{high:.4g}; say which value is no data, or choose limits nearer to the values"
        )


@dataclass(frozen=True, eq=False)
class View:
    """What pictures show of an image's bands.

    Attributes
    ----------
    rgb : (H * W, 3) uint8 array
    scale : BandScale
        Of the shown bands, one or three, from stored values to shown ones.
    places : tuple of int or None
        Which of the channels they are; None if not all of them take part.
    """

    rgb: NDArray[np.uint8]
    scale: BandScale
    places: tuple[int, ...] | None

    @np.errstate(over="ignore")  # what is too far for a double is white or black
    def colors_of(self, points: NDArray[Any], scale: BandScale) -> NDArray[np.uint8] | None:
        """Return what points, (K, C) of a scale, look like: (K, 3); None where nothing tells."""
        if self.places is None:
            return None
        at = list(self.places)
        values = points[:, at] * scale.unit[at] + scale.low[at]
        shown = np.rint((values - self.scale.low) / self.scale.unit).clip(0, 255)
        return np.broadcast_to(shown, (len(points), 3)).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class BandImage:
    """Bands as they are stored, to be scaled: an image that is not a photo's grey or RGB.

    Attributes
    ----------
    values : (H, W, C) array
        Those that take part.
    visible : (H, W) bool array or None
        Pixels that have a value and are not transparent; None for all.
    bits : int
        Declared depth of a value.
    names : tuple of str
        Of the bands; () where nobody named them.
    shown : (H, W, 1 or 3) array or None
        The bands that pictures show, where not all of them take part.
    shown_at : tuple of int or None
        Which of the channels they are, otherwise; None for the first three, or the first of one
        or two.
    """

    values: NDArray[Any]
    visible: NDArray[np.bool_] | None
    bits: int
    names: tuple[str, ...] = ()
    shown: NDArray[Any] | None = None
    shown_at: tuple[int, ...] | None = None

    @functools.cached_property
    def view(self) -> View:
        """What pictures show: 8-bit values as they are, others stretched by their percentiles."""
        shown, at = self.shown, self.shown_at
        if shown is None:
            at = at or ((0, 1, 2) if self.values.shape[2] >= 3 else (0,))
            shown = self.values[:, :, list(at)]
        count = shown.shape[2]
        scale = BandScale(np.zeros(count), np.ones(count))
        if shown.dtype != np.uint8 or self.bits < 8:
            scale = band_scale(statistics_of(shown, self.visible, STRETCH), STRETCH, self.bits)
            clean = shown if self.visible is None else np.where(self.visible[..., None], shown, 0)
            shown = np.rint(scaled(clean, scale).clip(0, 255)).astype(np.uint8)
        rgb = np.broadcast_to(shown.reshape(-1, count), (shown.shape[0] * shown.shape[1], 3))
        return View(np.ascontiguousarray(rgb), scale, at)

    def picture(self) -> NDArray[np.uint8]:
        """Return what pictures show as an 8-bit photo: (H, W, 3), or with alpha (H, W, 4)."""
        rgb = self.view.rgb.reshape(*self.values.shape[:2], 3)
        if self.visible is None:
            return rgb
        return np.concatenate([rgb, self.visible[..., None] * np.uint8(255)], axis=2)
