"""What the values of bands are, strip by strip: limits, exact percentiles, deviations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.bands import parsed_scale

AT_ONCE = 1 << 20  # pixels: their keys and squares take some ten times their memory
STEPS = 2.0**24  # of a band's range, in which the deviation of what is not counted is measured
DIGIT = 16  # bits of a value that a pass counts

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


class Rank:
    """The search for a percentile, digit by digit: the smallest value that so many do not exceed.

    Parameters
    ----------
    percent : float in [0, 100]
    """

    def __init__(self, percent: float) -> None:
        self.percent = percent
        self.key = 0  # the digits that are known, the first first
        self.below: int | None = None  # values to pass over; None before the first pass
        self.counts: NDArray[np.int64] = np.zeros(1 << DIGIT, np.int64)

    def counted(self, keys: NDArray[np.uint64], rest: int) -> NDArray[np.int64]:
        """Count the next digit of the keys that begin as the searched one does."""
        shifted = keys >> np.uint64(rest)
        if self.below is not None:
            shifted = shifted[shifted >> np.uint64(DIGIT) == np.uint64(self.key)]
        digits = (shifted & np.uint64((1 << DIGIT) - 1)).astype(np.int64)
        return np.bincount(digits, minlength=1 << DIGIT)

    def settle(self) -> None:
        """Take the next digit from the counts."""
        sums = np.cumsum(self.counts)
        if self.below is None:
            total = int(sums[-1])
            self.below = min(
                max(int(np.ceil(self.percent * total / 100)) - 1, 0), max(total - 1, 0)
            )
        digit = int(np.searchsorted(sums, self.below, side="right"))
        digit = min(digit, len(sums) - 1)
        self.below -= int(sums[digit - 1]) if digit else 0
        self.key = self.key << DIGIT | digit
        self.counts = np.zeros_like(self.counts)


def keys_of(column: NDArray[Any]) -> NDArray[np.uint64]:
    """Return whole numbers in the order of the values."""
    kind, bits = column.dtype.kind, column.dtype.itemsize * 8
    unsigned = column.view(f"u{column.dtype.itemsize}").astype(np.uint64)
    if kind not in "if":
        return unsigned
    sign = np.uint64(1 << (bits - 1))
    if kind == "i":
        return unsigned ^ sign
    negative = unsigned & sign != 0
    return np.where(negative, ~unsigned & np.uint64((1 << bits) - 1), unsigned | sign)


def values_of(keys: NDArray[np.uint64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the values whose keys these are."""
    bits, unsigned = dtype.itemsize * 8, keys
    sign = np.uint64(1 << (bits - 1))
    if dtype.kind == "i":
        unsigned = keys ^ sign
    elif dtype.kind == "f":
        negative = keys & sign == 0
        unsigned = np.where(negative, ~keys & np.uint64((1 << bits) - 1), keys ^ sign)
    return unsigned.astype(f"u{dtype.itemsize}").view(dtype)
