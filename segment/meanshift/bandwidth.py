"""Points to a bandwidth: by a quantile of their distances, or by a number of segments."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InvalidInputError
from segment.meanshift._sample import head_of_shuffle, squared_distances
from segment.settings import Range
from segment.validation import checked_matrix

BLOCK = 1 << 18  # places of a shuffle whose draws are held at a time, 2 MiB
MOST_STATES = 1 << 13  # of the generator that are kept, 40 MiB
ROWS = 500  # of distances held at a time; also the partial sums of scikit-learn's mean


def estimate_bandwidth(
    X: ArrayLike,
    *,
    quantile: float = 0.3,
    n_samples: int | None = None,
    random_state: int | np.random.RandomState | None = 0,
    n_jobs: int | None = None,
) -> np.float64:
    """Estimate the bandwidth from the distances between points.

    The mean, over the points or a sample of them, of the distance to the k-th nearest
    of them, k = max(1, int(quantile * number)), the point itself counted.

    Parameters
    ----------
    X : (n, d) array-like
        Points, in any unit.
    quantile : float in [0, 1], default 0.3
        Larger: wider bandwidth, fewer clusters.
    n_samples : int, >= 1, optional
        How many points to draw, without replacement; time and memory grow with its
        square. Default: all.
    random_state : int, RandomState or None, default 0
        Seed or generator of the draw; None draws differently each time.
    n_jobs : int, optional
        Accepted for compatibility.

    Returns
    -------
    bandwidth : float64 scalar
        In the unit of the points, >= 0.

    Raises
    ------
    InvalidInputError
        If `X` is not a finite, non-empty matrix, or a parameter is out of range.

    See Also
    --------
    sklearn.cluster.estimate_bandwidth : the definition; equal to the last bit for whole
        numbers.

    Examples
    --------
    >>> from segment import estimate_bandwidth
    >>> X = [[1, 1], [2, 1], [1, 0], [4, 7], [3, 5], [3, 6]]
    >>> round(float(estimate_bandwidth(X, quantile=0.5)), 4)
    1.6191
    """
    points = checked_matrix(X)
    Range(0, 1).check("quantile", quantile)
    _check_random_state(random_state)
    if n_jobs is not None:
        Range(-(2**31), whole=True).check("n_jobs", n_jobs)
    if n_samples is not None:
        Range(1, whole=True).check("n_samples", n_samples)
        points = points[sample_indices(len(points), n_samples, random_state)]
    return kth_neighbor_distance(points.astype(np.float64, copy=False), quantile)


estimate_bandwidth.__module__ = "segment"


def sample_indices(
    n: int, n_samples: int, random_state: int | np.random.RandomState | None = 0
) -> NDArray[Any]:
    """Draw the first `n_samples` entries of `RandomState(random_state).permutation(n)`.

    For a small sample of many, only the entries asked for are followed through the shuffle, in
    bounded memory: 12 million take 0.1 s instead of 0.6 s, all of it without the GIL.

    Examples
    --------
    >>> sample_indices(100_000, 5, 0).tolist()
    [3582, 60498, 53227, 21333, 3885]
    """
    few = 16 * n_samples < n
    if few and isinstance(random_state, (int, np.integer)) and 0 <= random_state < 2**32:
        head = np.empty(n_samples, dtype=np.int64)
        block = max(BLOCK, 2 * n_samples, n // MOST_STATES)
        head_of_shuffle(random_state, n, block, head)
        return head
    if not isinstance(random_state, np.random.RandomState):
        random_state = np.random.RandomState(random_state)
    return random_state.permutation(n)[:n_samples]


def kth_neighbor_distance(points: NDArray[np.float64], quantile: float) -> np.float64:
    """Average the distance from each point to its k-th nearest, itself counted.

    Parameters
    ----------
    points : (n, d) float64 array
    quantile : float in [0, 1]
        k = max(1, int(n * quantile)).

    Examples
    --------
    >>> float(kth_neighbor_distance(np.array([[0.0], [1.0], [3.0], [6.0]]), quantile=0.5))
    1.75
    """
    n = len(points)
    k = max(1, int(n * quantile))
    planes = np.ascontiguousarray(points.T)
    total = np.float64(0)
    for start in range(0, n, ROWS):
        queries = np.ascontiguousarray(points[start : start + ROWS])
        distances = np.empty((len(queries), n))
        squared_distances(queries, planes, distances)
        total += np.sqrt(_kth_smallest(distances, k)).sum()
    return total / n


def _check_random_state(random_state: object) -> None:
    if random_state is not None and not isinstance(random_state, np.random.RandomState):
        Range(0, 2**32 - 1, whole=True).check("random_state", random_state)


def _kth_smallest(rows: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Return the k-th smallest of each row; float32, if it holds all, sorts four times faster."""
    with np.errstate(over="ignore"):
        narrow = rows.astype(np.float32)
    if np.array_equal(narrow, rows):
        narrow.partition(k - 1, axis=1)
        return narrow[:, k - 1].astype(np.float64)
    rows.partition(k - 1, axis=1)
    return rows[:, k - 1]


def _halfway(low: float, high: float) -> float:
    return float(f"{math.sqrt(low * high):.{DIGITS}g}")


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
    low, high : float, 0 < low <= high
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
        If no bandwidth that was tried gives segments, or the range is none.

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
    if not 0 < low <= high:
        raise InvalidInputError(f"low and high: expected 0 < low <= high, got {low} and {high}")
    tried: dict[float, int] = {}
    bandwidth = _halfway(low, high)
    ends: tuple[float, ...] = ()  # which the first may be
    while bandwidth not in ends:
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
        bandwidth, ends = _halfway(low, high), (low, high)
    if not tried:
        raise reason
    best = min(tried, key=lambda h: (abs(tried[h] - target), tried[h], -h))
    return best, tried
