"""Bands of any depth to comparable points: what their values are, and how they are scaled.

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

from segment.bands import Scaling, parsed_scale
from segment.errors import InvalidInputError
from segment.percentiles import DIGIT, Rank, keys_of, values_of

GRID = 2.0**-12  # points are whole multiples of it: their sums are exact, in any order
DEPTHS = (8, 10, 12, 14)  # of sensors whose values come in 16 bits
AT_ONCE = 1 << 20  # pixels: their keys and squares take some ten times their memory
STEPS = 2.0**24  # of a band's range, in which the deviation of what is not counted is measured
DEVIATIONS = 8.0  # standard deviations that become 0..255
TOP = 255.0
STRETCH = "2%,98%"  # of a band become black and white in pictures
FARTHEST = 1e30  # that a point may lie, as wide as a bandwidth may be: bins fit float32

Floats = NDArray[np.float64]


class BandStatistics:
    """What the values of each band are, added strip by strip: exact, however rows are cut.

    Parameters
    ----------
    count : int
        Bands.
    dtype : dtype
        Of their values; any numbers.
    scale : str
        What they are needed for, as `Settings.scale` has it: others take fewer passes.

    Attributes
    ----------
    low, high : (C,) arrays of the dtype
        Smallest and largest value; 0 where no pixel takes part.
    pixels : int
        That take part.

    Notes
    -----
    ``while statistics.open: add every strip, then end_pass()``. One pass is enough for limits and
    for values of up to 16 bits. Percentiles of longer ones take a pass for each 16 bits, and the
    standard deviation of those two, for smallest and largest value come first.
    """

    def __init__(self, count: int, dtype: Any, scale: str = "depth") -> None:
        self.dtype = np.dtype(dtype)
        self.scaling = parsed_scale(scale)
        self.low, self.high = np.zeros((2, count), self.dtype)
        self.pixels = 0
        self._digits = -(-self.dtype.itemsize * 8 // DIGIT)
        shares = (self.scaling.low, self.scaling.high) if self.scaling.kind == "percent" else ()
        self._ranks = [[Rank(share) for share in shares] for _ in range(count)]
        self._sums = [[0, 0] for _ in range(count)]  # of values and of their squares
        self._pass = 0
        self._measured = 0 if self._is_short else 1
        deviates = self.scaling.kind == "std"
        self._passes = self._digits if shares else self._measured + 1 if deviates else 1

    @property
    def open(self) -> bool:
        """Whether another pass over the image is needed."""
        return self._pass < self._passes

    @property
    def _is_short(self) -> bool:
        return self.dtype.kind in "biu" and self.dtype.itemsize <= 2

    def add(self, values: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> None:
        """Take some of the image.

        Parameters
        ----------
        values : (..., C) array
        valid : (...) bool array, optional
            Pixels that take part; their values are finite. Default: all.
        """
        rows = values.reshape(-1, values.shape[-1])
        for first in range(0, len(rows), AT_ONCE):
            part = rows[first : first + AT_ONCE]
            if valid is not None:
                part = part[valid.reshape(-1)[first : first + AT_ONCE]]
            if len(part):
                self._take(part)

    def _take(self, rows: NDArray[Any]) -> None:
        if self._pass == 0:
            low, high = rows.min(axis=0), rows.max(axis=0)
            self.low = np.minimum(self.low, low) if self.pixels else low
            self.high = np.maximum(self.high, high) if self.pixels else high
            self.pixels += len(rows)
        for band, ranks in enumerate(self._ranks):
            column = np.ascontiguousarray(rows[:, band])
            if ranks:
                self._count(column, ranks)
            if self.scaling.kind == "std" and self._pass == self._measured:
                self._measure(column, band)

    def join(self, other: BandStatistics) -> None:
        """Take what another took of other strips in this pass, which began as this one did."""
        if self._pass == 0 and other.pixels:
            self.low = np.minimum(self.low, other.low) if self.pixels else other.low
            self.high = np.maximum(self.high, other.high) if self.pixels else other.high
            self.pixels += other.pixels
        for own, theirs in zip(self._ranks, other._ranks, strict=True):
            for rank, counted in zip(own, theirs, strict=True):
                rank.counts = rank.counts + counted.counts
        for sums, found in zip(self._sums, other._sums, strict=True):
            sums[:] = sums[0] + found[0], sums[1] + found[1]

    def end_pass(self) -> None:
        """End a pass over the image."""
        for rank in (rank for ranks in self._ranks for rank in ranks):
            rank.settle()
        self._pass += 1

    def percentiles(self) -> tuple[Floats, Floats]:
        """Return the two percentiles of each band: the smallest values that so many do not exceed.

        (The inverse of the empirical distribution function: always values of the image.)
        """
        if not self.pixels:
            return self.low.astype(np.float64), self.high.astype(np.float64)
        keys = np.array([[rank.key for rank in ranks] for ranks in self._ranks], np.uint64)
        low, high = values_of(keys, self.dtype).astype(np.float64).T
        return low, high

    def deviations(self) -> tuple[Floats, Floats]:
        """Return mean and standard deviation (population) of each band."""
        start, step = self._quanta()
        total = max(self.pixels, 1)
        means = [first / total for first, _ in self._sums]
        variances = [(total * second - first**2) / total**2 for first, second in self._sums]
        return start + step * np.array(means), step * np.sqrt(variances)

    def _count(self, column: NDArray[Any], ranks: list[Rank]) -> None:
        keys = keys_of(column)
        rest = DIGIT * (self._digits - 1 - self._pass)
        for rank in ranks:
            if rank is ranks[0] or rank.key != ranks[0].key:
                counts = rank.counted(keys, rest)
            rank.counts = rank.counts + counts

    def _quanta(self) -> tuple[Floats, Floats]:
        """Return start and step of the whole numbers that stand for a band's values."""
        low, high = self.low.astype(np.float64), self.high.astype(np.float64)
        if self._is_short:
            least = np.iinfo(self.dtype).min if self.dtype.kind == "i" else 0
            return np.full(len(low), float(least)), np.ones(len(low))
        step = (high / 2 - low / 2) / (STEPS / 2)
        return low, np.where(step > 0, step, 1.0)

    def _measure(self, column: NDArray[Any], band: int) -> None:
        start, step = self._quanta()
        halves = column.astype(np.float64) / 2 - start[band] / 2  # the ends may be 1e308 apart
        whole = np.rint(halves / (step[band] / 2)).astype(np.uint64)
        squares = whole * whole
        half = np.uint64(2**24 - 1)
        sums = self._sums[band]
        sums[0] += int(whole.sum())
        sums[1] += (int((squares >> np.uint64(24)).sum()) << 24) + int((squares & half).sum())


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
