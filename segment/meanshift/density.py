"""The density that mean shift climbs, and the paths of single climbs up it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.meanshift.modes import climb_to_ends
from segment.meanshift.tree import Tree
from segment.settings import Kernel

Floats = NDArray[np.float64]
AT_ONCE = 4_000_000  # distances in memory at a time


def kernel_density(
    places: NDArray[Any],
    points: NDArray[Any],
    weights: Floats,
    *,
    bandwidth: float,
    kernel: Kernel = "flat",
) -> Floats:
    """Estimate how dense the points are at some places.

    Parameters
    ----------
    places : (k, d) array
    points : (n, d) array
    weights : (n,) float64 array
        How many times each point counts.
    bandwidth : float, >= 0
        In the unit of the points. 0 counts the points that equal a place.
    kernel : {"flat", "gaussian"}, default "flat"
        That of the climb. With d the distance in bandwidths, the density that it climbs
        counts a point 1 - d^2 up to d = 1 (Epanechnikov's kernel, of which the flat one is
        the derivative), or exp(-d^2 / 2) - exp(-4.5) up to d = 3.

    Returns
    -------
    density : (k,) float64 array
        In 0..1: 1 where all points lie.

    Examples
    --------
    >>> points = np.array([[0.0], [1.0], [9.0]])
    >>> kernel_density(points[:1], points, np.array([1.0, 2.0, 1.0]), bandwidth=2.0)
    array([0.625])
    """
    values, centers = np.asarray(points, np.float64), np.asarray(places, np.float64)
    density = np.empty(len(centers))
    step = max(1, AT_ONCE // len(values))
    cut = math.exp(-4.5)
    for start in range(0, len(centers), step):
        some = centers[start : start + step]
        squared = np.zeros((len(some), len(values)))
        for k in range(values.shape[1]):
            squared += (some[:, k, None] - values[:, k]) ** 2
        if bandwidth:
            with np.errstate(over="ignore"):  # which is beyond any kernel
                squared = squared / bandwidth / bandwidth  # whose square may be too large
        else:
            squared[squared > 0] = np.inf
        if kernel == "flat":
            shares = np.maximum(0, 1 - squared)
        else:
            shares = np.maximum(0, np.exp(-squared / 2) - cut) / (1 - cut)
        density[start : start + step] = shares @ weights / weights.sum()
    return density


def climb_paths(
    tree: Tree,
    starts: NDArray[Any],
    *,
    bandwidth: float,
    kernel: Kernel = "flat",
    max_iter: int = 300,
) -> list[Floats]:
    """Follow climbs step by step, as `climb_to_ends` makes them.

    Parameters
    ----------
    tree : Tree
    starts : (k, d) array
        Points of the tree: each has a point in the kernel around it, itself.
    bandwidth, kernel, max_iter
        As for `climb_to_ends`.

    Returns
    -------
    paths : list of (s, d) float64 arrays
        The places of each climb, the start first.

    Examples
    --------
    >>> from segment.meanshift.tree import build_tree
    >>> points = np.array([[0.0], [1.0], [2.0], [9.0]])
    >>> climb_paths(build_tree(points, np.ones(4)), points[:1], bandwidth=1.0)[0].ravel().tolist()
    [0.0, 0.5, 0.5]
    """
    paths = [[np.asarray(start, np.float64)] for start in starts]
    under_way = list(range(len(paths)))
    for _ in range(max_iter + 1):
        if not under_way:
            break
        seeds = np.stack([paths[i][-1] for i in under_way])
        ends = climb_to_ends(tree, seeds, bandwidth=bandwidth, kernel=kernel, max_iter=0)
        still = []
        for i, place in zip(under_way, ends.places[ends.which], strict=True):
            moved = float(np.linalg.norm(place - paths[i][-1]))
            paths[i].append(place)
            if moved > 1e-3 * bandwidth:
                still.append(i)
        under_way = still
    return [np.stack(path) for path in paths]
