"""A palette of weighted colours to a few numbers for each, whose local means tell distributions.

The kernel exp(-d^2 / (2 width^2)) of two colours is a scalar product in some space. Means there
are distributions of colours here: their distance is the maximum mean discrepancy (Gretton et al.,
"A kernel two-sample test", JMLR 13, 2012). So plain filters compare neighbourhoods, no histograms.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segment.elementary import exp_minus
from segment.pixels._axes import rotate_to_axes, weighted_products

Floats = NDArray[np.float64]
PIVOTS = 32  # colours that the kernel is spanned by
LEFT_OUT = 1e-3  # share of the kernel's trace that these may leave
SWEEPS = 10  # of Jacobi's method, which doubles the digits with each


def embed(
    points: Floats, weights: Floats, *, width: float, kept: float, most: int
) -> NDArray[np.float32]:
    """Give each point coordinates whose distances are those of the Gaussian kernel.

    Parameters
    ----------
    points : (k, d) float64 array
    weights : (k,) float64 array
        How often each occurs; what is frequent is told apart best.
    width : float, > 0
        Of the kernel, in the unit of the points: much farther ones are all equally far.
    kept : float in (0, 1]
        Share of the weighted variance that the coordinates keep.
    most : int
        Coordinates at most.

    Returns
    -------
    coordinates : (k, r) float32 array
        r is 1 at least. The largest axis comes first; distances are at most sqrt(2).

    Notes
    -----
    A pivoted Cholesky factor of the kernel, greedy by what is left (Fine and Scheinberg, JMLR 2,
    2001), turned to its principal axes.

    Examples
    --------
    >>> black, white = embed(
    ...     np.array([[0.0], [90.0]]), np.array([1.0, 1.0]), width=20, kept=1, most=9
    ... )
    >>> round(float(abs(black - white).max()), 3)
    1.414
    """
    share = weights / np.add.accumulate(weights)[-1]
    columns = _factor(points, share, width)
    centers = np.add.accumulate(columns * share, axis=1)[:, -1:]
    columns -= centers
    spread = np.empty((len(columns), len(columns)))
    weighted_products(columns, share, spread)
    rotate_to_axes(spread, columns, SWEEPS)
    variance = spread.diagonal()
    order = np.argsort(-variance, kind="stable")
    reached = np.add.accumulate(variance[order])
    count = min(most, 1 + int(np.count_nonzero(reached < kept * reached[-1])))
    return columns[order[:count]].T.astype(np.float32)


def _factor(points: Floats, share: Floats, width: float) -> Floats:
    """Return rows whose products over the points are the kernel, but for the share left out."""
    left, columns = np.ones(len(points)), np.zeros((min(PIVOTS, len(points)), len(points)))
    for row in range(len(columns)):
        pivot = int(np.argmax(left * share))
        if left[pivot] * share[pivot] * len(points) < LEFT_OUT * share[pivot]:
            return columns[: max(row, 1)]
        distances = _squared_distances(points, points[pivot])
        column = exp_minus(np.minimum(distances / (2 * width * width), 500.0))
        for before in columns[:row]:
            column = column - before * before[pivot]
        columns[row] = column / np.sqrt(left[pivot])
        left = np.maximum(left - columns[row] * columns[row], 0.0)
    return columns


def _squared_distances(points: Floats, center: Floats) -> Floats:
    """Sum over the dimensions in their order, as every processor does it."""
    total = np.zeros(len(points))
    for values, middle in zip(points.T, center, strict=True):
        total = total + (values - middle) * (values - middle)
    return total
