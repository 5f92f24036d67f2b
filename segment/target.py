"""The bandwidth that gives about so many segments."""

from __future__ import annotations

import math
from collections.abc import Callable

from segment.errors import InvalidInputError

DIGITS = 4  # as many as a line of the report shows: what it says repeats the result


def bandwidth_for(
    count: Callable[[float], int], target: int, low: float, high: float
) -> tuple[float, dict[float, int]]:
    """Find the bandwidth whose number of segments is nearest to the target.

    Parameters
    ----------
    count : callable
        Turns a bandwidth into a number of segments; raises InvalidInputError where there
        are none, which counts as too narrow.
    target : int, >= 1
    low, high : float, > 0
        Where to look. The wider, the fewer segments, more or less.

    Returns
    -------
    bandwidth : float
        Has four significant digits.
    tried : dict of float to int
        The number of segments of each bandwidth that was tried, in the order of trying.

    Raises
    ------
    InvalidInputError
        If no bandwidth that was tried gives segments.

    Notes
    -----
    Bisection: the range is halved geometrically, towards narrower bandwidths where there are
    too few segments, towards wider ones where there are too many, until the target is met or no
    bandwidth of four digits is left between the ends; at most 16 to 17 trials for a range of
    1 to 4,096. The number of segments need not fall at every step of the bandwidth, so another
    bandwidth, never tried, may be nearer. Of those tried the nearest wins; of several
    equally near the one with fewer segments, and of those with the same number the widest.

    Examples
    --------
    >>> bandwidth, tried = bandwidth_for(lambda h: int(100 / h), 7, low=1, high=64)
    >>> bandwidth, list(tried.items())
    (13.46, [(8.0, 12), (22.63, 4), (13.46, 7)])
    """
    tried: dict[float, int] = {}
    while (bandwidth := float(f"{math.sqrt(low * high):.{DIGITS}g}")) not in (low, high):
        try:
            found = tried[bandwidth] = count(bandwidth)
        except InvalidInputError as error:
            found, reason = target + 1, error
        if found == target:
            break
        if found > target:
            low = bandwidth
        else:
            high = bandwidth
    if not tried:
        raise reason
    best = min(tried, key=lambda h: (abs(tried[h] - target), tried[h], -h))
    return best, tried
