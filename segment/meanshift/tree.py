"""Weighted points in a tree, and their nearest modes; its climbs are in `modes.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.meanshift._tree import Tree as Tree  # a step's result, for annotations downstream
from segment.meanshift._tree import nearest

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
