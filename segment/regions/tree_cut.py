"""A tree of regions cut into segments: at a level, and some regions at one of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InvalidInputError


def cut_tree(
    merges: ArrayLike, leaves: int, merged: int, keep: Iterable[int] = ()
) -> NDArray[np.int32]:
    """Return the segment of each base region when a tree of regions is cut.

    Parameters
    ----------
    merges : (m, 2) or (m, 4) array-like, 0 <= m < leaves
        As SciPy's linkage has them: row j makes one region, number leaves + j, of the two whose
        numbers come first. Base region i has number i; their first pixels are in scan order.
    leaves : int, >= 1
        Number of base regions.
    merged : int in 0..m
        The first so many merges are done. More: fewer segments.
    keep : iterable of int in 0..leaves + m - 1
        Numbers of regions that are segments, whatever `merged` says: merges within them are
        done, those of them with others are not, nor any that build on such a merge. None may
        lie within another. The rest of the tree is cut by `merged` as far as they allow.

    Returns
    -------
    segments : (leaves,) int32 array
        1..K, in scan order of their first pixels.

    Raises
    ------
    InvalidInputError
        If `merged` or a number of `keep` is not in its range, or one lies within another.

    Notes
    -----
    The explorer's page does the same in JavaScript, `segment/drawing/region_tree.js`.

    Examples
    --------
    >>> merges = [[0, 1], [2, 3], [4, 5]]
    >>> cut_tree(merges, 4, merged=1)
    array([1, 1, 2, 3], dtype=int32)
    >>> cut_tree(merges, 4, merged=3, keep=[2])
    array([1, 1, 2, 3], dtype=int32)
    >>> cut_tree(merges, 4, merged=0, keep=[6])
    array([1, 1, 1, 1], dtype=int32)
    """
    rows = np.asarray(merges)
    children = rows[:, :2].astype(np.int64) if len(rows) else np.empty((0, 2), np.int64)
    if not 0 <= merged <= len(children):
        raise InvalidInputError(f"merged: expected 0..{len(children)} merges, got {merged}")
    parents = np.full(leaves + len(children), -1)
    parents[children] = leaves + np.arange(len(children))[:, None]
    done = np.arange(len(children)) < merged
    for node in _checked(keep, parents):
        done[[above - leaves for above in _above(node, parents)]] = False
        done[[made - leaves for made in _merges_within(node, children, leaves)]] = True
    return _numbered(_tops(parents, done, leaves)[:leaves])


def coarsened(
    merges: NDArray[np.float64], leaves: int, merged: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return a tree whose base regions are the segments after the first merges.

    Parameters
    ----------
    merges, leaves, merged
        As `cut_tree` takes them.

    Returns
    -------
    table : (leaves,) int32 array
        The label of each base region in the new tree, 1..K.
    merges : (m - merged, 4) float64 array
        Those that are left, by the numbers of the new tree.

    Examples
    --------
    >>> merges = np.array([[1, 2, 0.5, 2], [0, 3, 0.75, 3]])
    >>> table, rest = coarsened(merges, 3, merged=1)
    >>> table.tolist(), rest.tolist()
    ([1, 2, 2], [[0.0, 1.0, 0.75, 3.0]])
    """
    table = cut_tree(merges, leaves, merged)
    kept = np.arange(leaves + len(merges)) - 2 * merged  # fewer base regions, and fewer merges
    kept[:leaves] = table - 1
    for j in range(merged):
        kept[leaves + j] = kept[int(merges[j, 0])]
    rest = merges[merged:].copy()
    rest[:, :2] = kept[rest[:, :2].astype(np.int64)]
    return table, rest


def _checked(keep: Iterable[int], parents: NDArray[Any]) -> list[int]:
    nodes = list(dict.fromkeys(keep))
    for node in nodes:
        if not 0 <= node < len(parents):
            raise InvalidInputError(
                f"keep: expected numbers of regions in 0..{len(parents) - 1}, got {node}; "
                "is it the tree of another image?"
            )
    kept = set(nodes)
    for node in nodes:
        if around := kept.intersection(_above(node, parents)):
            raise InvalidInputError(
                f"keep: expected regions apart from each other, got {node}, which lies within "
                f"{min(around)}; leave one of them out"
            )
    return nodes


def _above(node: int, parents: NDArray[Any]) -> Iterator[int]:
    while (node := int(parents[node])) >= 0:
        yield node


def _merges_within(node: int, children: NDArray[Any], leaves: int) -> Iterator[int]:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if node >= leaves:
            yield node
            waiting += children[node - leaves].tolist()


def _tops(parents: NDArray[Any], done: NDArray[np.bool_], leaves: int) -> NDArray[Any]:
    """Return the region that each ends up in: paths are halved until they are one step long."""
    tops = np.arange(len(parents))
    joined = (parents >= 0) & np.append(done, False)[np.maximum(parents - leaves, -1)]
    tops[joined] = parents[joined]
    while not np.array_equal(further := tops[tops], tops):
        tops = further
    return tops


def _numbered(tops: NDArray[Any]) -> NDArray[np.int32]:
    _, first, segment = np.unique(tops, return_index=True, return_inverse=True)
    numbers = np.empty(len(first), np.int32)
    numbers[np.argsort(first)] = np.arange(1, len(first) + 1)
    return numbers[segment]
