"""Ranges of numbers, as parameters and options take them."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from numbers import Integral, Real

from segment.errors import InvalidInputError


@dataclass(frozen=True)
class Range:
    """Finite numbers from `low` on, or above it, up to and with `high`; all of them or whole ones.

    Examples
    --------
    >>> Range(0, 1, above=True).check("quantile", 0)
    Traceback (most recent call last):
    segment.errors.InvalidInputError: quantile: expected a number in (0, 1], got 0
    """

    low: float
    high: float = inf
    whole: bool = False
    above: bool = False

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, Integral if self.whole else Real) or isinstance(value, bool):
            return False
        try:
            number = float(value)
        except OverflowError:
            return False
        above_low = number > self.low if self.above else number >= self.low
        return above_low and number <= self.high and isfinite(number)

    def __str__(self) -> str:
        noun = "a whole number" if self.whole else "a number"
        if self.high == inf:
            return f"{noun} {'>' if self.above else '>='} {self.low:.12g}"
        return f"{noun} in {'(' if self.above else '['}{self.low:.12g}, {self.high:.12g}]"

    def check(self, name: str, value: object) -> None:
        """Raise InvalidInputError unless the value lies in the range."""
        if value not in self:
            raise InvalidInputError(f"{name}: expected {self}, got {value!r}")
