"""Weighted points in a tree, and their nearest modes; its climbs are in `modes.py`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.meanshift import _tree
from segment.meanshift._tree import Tree as Tree  # a step's result, for annotations downstream

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
    _tree.nearest(tree, np.ascontiguousarray(modes), labels, distances)
    return labels, np.sqrt(distances, out=distances)


def add_balls(tree: Tree, places: Floats, bandwidth: float, sums: Floats) -> None:
    """Add what lies in the ball around each place to what is known of it.

    Parameters
    ----------
    tree : Tree
        Of the points.
    places : (k, d) float64 array
    bandwidth : float, > 0
        Radius of the balls, in the unit of the points; those on the surface lie within.
    sums : (k, d + 1) float64 array
        Weighted sums of coordinates, last the weight; changed in place.

    Examples
    --------
    >>> sums = np.zeros((1, 2))
    >>> add_balls(build_tree(np.array([[1.0], [3.0]]), np.ones(2)), np.array([[2.0]]), 1.0, sums)
    >>> sums
    array([[4., 2.]])
    """
    _tree.add_balls(tree, np.ascontiguousarray(places), bandwidth, sums)


class Boxes(NamedTuple):
    """Boxes over some points each.

    Attributes
    ----------
    low, high : (m, d) float64 arrays
        Smallest and largest coordinates.
    sums : (m, d + 1) float64 array
        Weighted sums of coordinates, last the weight.
    """

    low: Floats
    high: Floats
    sums: Floats


def add_boxes(boxes: Boxes, places: Floats, bandwidth: float, sums: Floats) -> NDArray[np.bool_]:
    """Add boxes that lie in the ball around a place, but for those that a surface passes through.

    Parameters
    ----------
    boxes : Boxes
    places : (k, d) float64 array
    bandwidth : float, > 0
        Radius of the balls, in the unit of the points.
    sums : (k, d + 1) float64 array
        Changed in place, as by `add_balls`.

    Returns
    -------
    cut : (m,) bool array
        Boxes of which some points lie in one of the balls and others may not: none of them is
        added, to any sum.

    Examples
    --------
    >>> low, high = np.array([[0.0], [4.0]]), np.array([[1.0], [6.0]])
    >>> boxes = Boxes(low, high, np.array([[1.0, 2.0], [5.0, 1.0]]))
    >>> sums = np.zeros((1, 2))
    >>> add_boxes(boxes, np.array([[0.0]]), 5.0, sums), sums
    (array([False,  True]), array([[1., 2.]]))
    """
    cut = np.empty(len(boxes.sums), np.bool_)
    of_places = np.ascontiguousarray(places), bandwidth
    _tree.add_boxes(*boxes, *of_places, cut.view(np.uint8), sums)
    return cut
