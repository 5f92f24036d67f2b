"""Points and seeds to modes; points and modes to labels: the face of the compiled core."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment._mean_shift import Queue, Tree, climb, nearest, suppress
from segment.errors import InvalidInputError
from segment.threads import available_cores, on_threads

Floats = NDArray[np.float64]


def build_tree(points: NDArray[Any], weights: Floats) -> Tree:
    """Index weighted points for `find_modes` and `nearest_mode`.

    Parameters
    ----------
    points : (n, d) array
        In any unit. Speed, not the answer, depends on neighbours in space being
        neighbours in the array, as on a Z-order curve.
    weights : (n,) float64 array
        How many times each point counts.

    Returns
    -------
    tree : Tree
        Boxes over groups of 16 points, over groups of 16 boxes and so on, with
        their weighted sums. Takes about 60 bytes a point in three dimensions.

    Examples
    --------
    >>> build_tree(np.array([[0.0], [1.0], [10.0]]), np.ones(3)).size
    3
    """
    return Tree(np.ascontiguousarray(points, dtype=np.float64), weights)


def find_modes(
    tree: Tree,
    seeds: NDArray[Any],
    *,
    bandwidth: float,
    max_iter: int = 300,
    threads: int | None = None,
) -> tuple[Floats, int]:
    """Climb from every seed to a mode of the density and keep one of those that lie together.

    A climb moves to the weighted mean of the points within `bandwidth` (flat kernel,
    distance <= bandwidth) until it moves by no more than 1e-3 bandwidth, or `max_iter`
    times. Ends are taken by (weight in the last ball, coordinates), descending; each
    removes the later ones within `bandwidth` of it.

    Parameters
    ----------
    tree : Tree
        Of the points.
    seeds : (m, d) array
        Where the climbs start. Of ends with equal coordinates, the last counts.
    bandwidth : float, >= 0
        Radius of the kernel, in the unit of the points. Larger: fewer modes.
    max_iter : int, >= 0, default 300
        Longest climb.
    threads : int, optional
        Default: the cores available. The answer does not depend on it.

    Returns
    -------
    modes : (k, d) float64 array
        The densest first.
    n_iter : int
        Number of moves of the longest climb.

    Raises
    ------
    InvalidInputError
        If no seed has a point within `bandwidth`.

    References
    ----------
    D. Comaniciu and P. Meer, "Mean shift: a robust approach toward feature space
    analysis", PAMI 24(5), 2002, section 2.

    Examples
    --------
    >>> points = np.array([[0.0], [1.0], [10.0]])
    >>> find_modes(build_tree(points, np.ones(3)), points, bandwidth=2.0)
    (array([[ 0.5],
           [10. ]]), 1)
    """
    seeds = np.ascontiguousarray(seeds, dtype=np.float64)
    ends = np.empty_like(seeds)
    end_weights = np.empty(len(seeds))
    n_iter = np.zeros(len(seeds), dtype=np.int32)
    queue = Queue(len(seeds))
    on_threads(
        lambda _: climb(tree, seeds, bandwidth, max_iter, queue, ends, end_weights, n_iter),
        range(min(threads or available_cores(), len(seeds))),
    )
    climbed = end_weights > 0
    if not climbed.any():
        raise InvalidInputError(
            f"No point was within bandwidth={bandwidth:f} of any seed. "
            "Try a different seeding strategy or increase the bandwidth."
        )
    modes = _densest_first(ends[climbed], end_weights[climbed])
    return modes[_keep_apart(modes, bandwidth)], int(n_iter.max())


def nearest_mode(tree: Tree, modes: Floats) -> tuple[NDArray[np.int32], Floats]:
    """Find the nearest mode of each point; the first of several that are equally near.

    Parameters
    ----------
    tree : Tree
        Of the points.
    modes : (k, d) float64 array

    Returns
    -------
    labels : (n,) int32 array
        In 0..k-1.
    distances : (n,) float64 array
        To the nearest mode, Euclidean, in the unit of the points.

    References
    ----------
    T. Kanungo et al., "An efficient k-means clustering algorithm: analysis and
    implementation", PAMI 24(7), 2002, section 2 (the filtering of candidates).

    Examples
    --------
    >>> tree = build_tree(np.array([[1.0], [2.5]]), np.ones(2))
    >>> nearest_mode(tree, np.array([[0.0], [5.0]]))
    (array([0, 0], dtype=int32), array([1. , 2.5]))
    """
    labels = np.empty(tree.size, dtype=np.int32)
    distances = np.empty(tree.size)
    nearest(tree, np.ascontiguousarray(modes), labels, distances)
    return labels, np.sqrt(distances, out=distances)


def _densest_first(ends: Floats, weights: Floats) -> Floats:
    """Distinct ends by (weight, coordinates), descending."""
    order = np.lexsort(ends.T[::-1])  # stable: equal ends stay in the order of their seeds
    ends, weights = ends[order], weights[order]
    last = np.append((ends[1:] != ends[:-1]).any(axis=1), True)
    ends, weights = ends[last], weights[last]
    return ends[np.lexsort((*ends.T[::-1], weights))[::-1]]


def _keep_apart(modes: Floats, bandwidth: float) -> NDArray[np.bool_]:
    """Which modes no kept earlier one lies within `bandwidth` of."""
    kept = np.ones(len(modes), dtype=np.uint8)
    order = np.lexsort(modes.T[::-1]).astype(np.int32)
    suppress(
        build_tree(modes[order], np.ones(len(modes))),
        order,
        np.ascontiguousarray(modes),
        bandwidth,
        kept,
    )
    return kept.astype(bool)
