"""Points to seeds: the occupied cells of a grid as wide as the bandwidth."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.settings import Range
from segment.validation import checked_bandwidth, checked_matrix

FLOAT32 = np.finfo(np.float32)


def get_bin_seeds(X: ArrayLike, bin_size: float, min_bin_freq: int = 1) -> NDArray[Any]:
    """Return as seeds the centres of the grid cells that hold enough points.

    Parameters
    ----------
    X : (n, d) array-like
        Points, in any unit.
    bin_size : float, 0 or >= 1e-150
        Side of a cell, in the unit of the points; usually the bandwidth. Larger:
        fewer seeds. 0 returns `X` itself.
    min_bin_freq : int, >= 1, default 1
        Cells with fewer points give no seed. Larger: fewer seeds.

    Returns
    -------
    seeds : (m, d) array
        In the order in which `X` first comes into the cells. Point x lies in the cell
        round(x / bin_size), halves to the even number. As in scikit-learn the cell
        numbers are float32, and so are the seeds where `bin_size` is a Python number that
        float32 holds.
        Where each point would be alone in its cell, `X` itself, with a UserWarning.

    Raises
    ------
    InvalidInputError
        If `X` is not a finite, non-empty matrix, or a parameter is out of range.

    See Also
    --------
    sklearn.cluster.get_bin_seeds : the definition of this function.

    Examples
    --------
    >>> import numpy as np
    >>> from segment import get_bin_seeds
    >>> X = np.array([[5.2, 5.4], [4.8, 5.1], [0.1, 0.0]])
    >>> get_bin_seeds(X, bin_size=4)
    array([[4., 4.],
           [0., 0.]], dtype=float32)
    >>> get_bin_seeds(X, bin_size=4, min_bin_freq=2)
    array([[4., 4.]], dtype=float32)
    """
    points = checked_matrix(X)
    Range(1, whole=True).check("min_bin_freq", min_bin_freq)
    Range(0).check("bin_size", bin_size)
    if bin_size == 0:
        return X  # type: ignore[return-value]  # the object itself, like the original
    bin_size = checked_bandwidth("bin_size", bin_size)
    seeds = _bin_centers(points, np.ones(len(points)), bin_size, min_bin_freq)
    if len(seeds) == len(points):
        warnings.warn(
            f"Binning data failed with provided bin_size={bin_size:f}, using data points as seeds.",
            stacklevel=2,
        )
        return points
    return seeds


get_bin_seeds.__module__ = "segment"


def bin_seeds(
    points: NDArray[Any],
    weights: NDArray[np.float64],
    bin_size: float,
    min_bin_freq: int = 1,
) -> NDArray[Any]:
    """Return seeds as `get_bin_seeds` does, from distinct points that count several times.

    Parameters
    ----------
    points : (n, d) array
    weights : (n,) float64 array
        How many times each point counts.
    bin_size, min_bin_freq
        As for `get_bin_seeds`.

    Returns
    -------
    seeds : (m, d) array
        `points` itself where each counts once and would be alone in its cell.

    Examples
    --------
    >>> bin_seeds(np.array([[1.0], [9.0]]), np.array([5.0, 1.0]), bin_size=4, min_bin_freq=2)
    array([[0.]], dtype=float32)
    """
    if bin_size == 0:
        return points
    seeds = _bin_centers(points, weights, bin_size, min_bin_freq)
    return points if len(seeds) == weights.sum() else seeds


def _bin_centers(
    points: NDArray[Any], weights: NDArray[np.float64], bin_size: float, min_bin_freq: int
) -> NDArray[Any]:
    bins, counts = occupied_bins(points, weights, bin_size)
    return centers_of(bins[counts >= min_bin_freq], bin_size)


@np.errstate(over="ignore")  # of cells too far out for float32: then there are as many as points
def centers_of(bins: NDArray[Any], bin_size: float) -> NDArray[Any]:
    """Return the centres of grid cells, (m, d), in the type that `get_bin_seeds` gives them."""
    if not FLOAT32.tiny <= bin_size <= FLOAT32.max:  # as a Python number it would be cast to that
        bin_size = np.float64(bin_size)
    return bins.astype(np.float32) * bin_size


def occupied_bins(
    points: NDArray[Any], weights: NDArray[np.float64], bin_size: float
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Number the grid cells that hold points, in the order of their first points.

    Returns
    -------
    bins : (m, d) array
        round(x / bin_size), halves to even.
    counts : (m,) float64 array
        Summed weights.
    """
    columns = [np.round(column / bin_size).astype(np.float64, copy=False) for column in points.T]
    lows = [column.min() for column in columns]
    sides = [column.max() - low + 1 for column, low in zip(columns, lows, strict=True)]
    keys = np.zeros(len(points))
    for column, low, side in zip(columns, lows, sides, strict=True):
        keys = keys * side + (column - low)
    cells = math.prod(sides)
    if cells <= max(2**20, 4 * len(points)):
        first, counts = _count_in_table(keys.astype(np.intp), weights, int(cells))
    else:
        bins = np.stack(columns, axis=1)
        _, first, inverse = np.unique(bins, axis=0, return_index=True, return_inverse=True)
        counts = np.bincount(inverse.ravel(), weights)  # type: ignore[assignment]
    order = np.argsort(first)
    return np.stack([column[first[order]] for column in columns], axis=1), counts[order]


def _count_in_table(
    keys: NDArray[np.intp], weights: NDArray[np.float64], cells: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the first place and summed weight of each key that occurs, without sorting."""
    first = np.full(cells, -1)
    first[keys[::-1]] = np.arange(len(keys) - 1, -1, -1)  # the last one written stays
    occupied = first >= 0
    counts: NDArray[Any] = np.bincount(keys, weights, minlength=cells)
    return first[occupied], counts[occupied]
