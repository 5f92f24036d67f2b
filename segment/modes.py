"""Points and seeds to modes; points and modes to labels: the face of the compiled core."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment._mean_shift import Queue, climb, nearest, suppress
from segment._mean_shift import Tree as Tree  # a step's result, for annotations downstream
from segment.errors import InvalidInputError
from segment.threads import available_cores, on_threads

Floats = NDArray[np.float64]


def build_tree(points: NDArray[Any], weights: Floats) -> Tree:
    """Index weighted points for `climb_to_ends` and `nearest_mode`.

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


class Ends(NamedTuple):
    """Where climbs ended.

    Attributes
    ----------
    places : (m, d) float64 array
        The last mean of each climb that had a point within the bandwidth of its seed.
    weights : (m,) float64 array
        Weight of the points in its last ball.
    n_iter : int
        Number of moves of the longest climb.
    """

    places: Floats
    weights: Floats
    n_iter: int

    @property
    def order_matters(self) -> bool:
        """Whether equal places have different weights: `choose_modes` takes the last of them."""
        order = np.lexsort(self.places.T)
        same = (np.diff(self.places[order], axis=0) == 0).all(axis=1)
        return bool((np.diff(self.weights[order])[same] != 0).any())


def climb_to_ends(
    tree: Tree,
    seeds: NDArray[Any],
    *,
    bandwidth: float,
    max_iter: int = 300,
    threads: int | None = None,
) -> Ends:
    """Climb from every seed until it moves by no more than 1e-3 bandwidth.

    A climb moves to the weighted mean of the points within `bandwidth` (flat kernel,
    distance <= bandwidth), at most `max_iter` times before its last move.

    Parameters
    ----------
    tree : Tree
        Of the points.
    seeds : (m, d) array
        Where the climbs start.
    bandwidth : float, >= 0
        Radius of the kernel, in the unit of the points. Larger: fewer modes.
    max_iter : int, >= 0, default 300
        Longest climb.
    threads : int, >= 1, optional
        Default: the cores available. The answer does not depend on it.

    Returns
    -------
    ends : Ends
        In the order of the seeds.

    Raises
    ------
    InvalidInputError
        If there is no seed, or none has a point within `bandwidth`.

    References
    ----------
    D. Comaniciu and P. Meer, "Mean shift: a robust approach toward feature space
    analysis", PAMI 24(5), 2002, section 2.

    Examples
    --------
    >>> points = np.array([[0.0], [1.0], [10.0]])
    >>> ends = climb_to_ends(build_tree(points, np.ones(3)), points, bandwidth=2.0)
    >>> ends.places.ravel().tolist(), ends.weights.tolist(), ends.n_iter
    ([0.5, 0.5, 10.0], [2.0, 2.0, 1.0], 1)
    """
    if not len(seeds):
        raise InvalidInputError(
            "seeds: expected at least one, got none, for no bin holds min_bin_freq points; "
            "lower min_bin_freq or raise the bandwidth"
        )
    seeds = np.ascontiguousarray(seeds, dtype=np.float64)
    places = np.empty_like(seeds)
    weights = np.empty(len(seeds))
    n_iter = np.zeros(len(seeds), dtype=np.int32)
    queue = Queue(len(seeds))
    on_threads(
        lambda _: climb(tree, seeds, bandwidth, max_iter, queue, places, weights, n_iter),
        range(min(threads or available_cores(), available_cores(), len(seeds))),
    )
    climbed = weights > 0
    if not climbed.any():
        raise InvalidInputError(
            f"No point was within bandwidth={bandwidth:f} of any seed. "
            "Try a different seeding strategy or increase the bandwidth."
        )
    return Ends(places[climbed], weights[climbed], int(n_iter.max()))


def choose_modes(ends: Ends, bandwidth: float) -> Floats:
    """Keep one of the ends that lie together.

    Ends are taken by (weight, coordinates), descending; each removes the later ones
    within `bandwidth` of it. Of ends with equal coordinates, the last one counts.

    Parameters
    ----------
    ends : Ends
    bandwidth : float, >= 0
        In the unit of the points.

    Returns
    -------
    modes : (k, d) float64 array
        The densest first.

    Examples
    --------
    >>> ends = Ends(np.array([[0.0], [1.0], [9.0]]), np.array([3.0, 5.0, 1.0]), 7)
    >>> choose_modes(ends, bandwidth=2.0).ravel().tolist()
    [1.0, 9.0]
    """
    modes = _densest_first(ends.places, ends.weights)
    return modes[_keep_apart(modes, bandwidth)]


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


def _densest_first(places: Floats, weights: Floats) -> Floats:
    """Distinct ends by (weight, coordinates), descending."""
    order = np.lexsort(places.T[::-1])  # stable: equal ends stay in the order of their seeds
    places, weights = places[order], weights[order]
    last = np.append((places[1:] != places[:-1]).any(axis=1), True)
    places, weights = places[last], weights[last]
    return places[np.lexsort((*places.T[::-1], weights))[::-1]]


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
