"""Exact percentiles of values that come in parts: a radix selection over several passes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

DIGIT = 16  # bits of a value that a pass counts


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
