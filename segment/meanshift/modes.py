"""Seeds to the ends of their climbs, ends to modes."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.meanshift._climb import Queue, Walk, climb, ends_of
from segment.meanshift._tree import Tree, suppress
from segment.settings import Kernel
from segment.threads import available_cores, on_threads

Floats = NDArray[np.float64]


class Ground(Protocol):
    """What climbs walk on: a `Tree`, or the pyramid of an image.

    `units` is what a step of 1 in the space of the seeds is in that of the ground.
    """

    @property
    def units(self) -> Floats | float: ...
    def walk(self, bandwidth: float, gaussian: bool) -> Walk: ...


class Ends(NamedTuple):
    """Where climbs ended.

    Attributes
    ----------
    places : (k, d) float64 array
        The last mean of each climb that had a point in the kernel around its seed; once for all
        climbs that met, in the order of the last seeds that came there.
    weights : (k,) float64 array
        Weight of the points in the kernel that gave it.
    n_iter : int
        Number of moves of the longest climb.
    which : (m,) int32 array
        For each seed the row of its end; -1 if it had no point in the kernel.
    """

    places: Floats
    weights: Floats
    n_iter: int
    which: NDArray[np.int32]

    @property
    def order_matters(self) -> bool:
        """Whether equal places have different weights: `choose_modes` takes the last of them."""
        order = _ascending(self.places)
        same = (np.diff(self.places[order], axis=0) == 0).all(axis=1)
        return bool((np.diff(self.weights[order])[same] != 0).any())


def climb_to_ends(
    ground: Ground,
    seeds: NDArray[Any],
    *,
    bandwidth: float,
    kernel: Kernel = "flat",
    max_iter: int = 300,
    threads: int | None = None,
) -> Ends:
    """Climb from every seed until it moves by no more than 1e-3 bandwidth.

    A climb moves to the weighted mean of the points around it, at most `max_iter` times
    before its last move.

    Parameters
    ----------
    ground : Tree or Pyramid
        Of the points.
    seeds : (m, d) array
        Where the climbs start.
    bandwidth : float, >= 0
        Radius h of the kernel, in the unit of the points. Larger: fewer modes.
    kernel : {"flat", "gaussian"}, default "flat"
        Weight of a point at distance d: 1 for d <= h, or exp(-d^2 / (2 h^2)) for d <= 3 h.
    max_iter : int, >= 0, default 300
        Longest climb.
    threads : int, >= 1, optional
        Default: the cores available. The answer does not depend on it.

    Returns
    -------
    ends : Ends

    Raises
    ------
    InvalidInputError
        If there is no seed, or none has a point in the kernel around it.

    References
    ----------
    D. Comaniciu and P. Meer, "Mean shift: a robust approach toward feature space
    analysis", PAMI 24(5), 2002, section 2.

    Examples
    --------
    >>> points = np.array([[0.0], [1.0], [10.0]])
    >>> ends = climb_to_ends(Tree(points, np.ones(3)), points, bandwidth=2.0)
    >>> ends.places.ravel().tolist(), ends.weights.tolist(), ends.n_iter, ends.which.tolist()
    ([0.5, 10.0], [2.0, 1.0], 1, [0, 0, 1])
    """
    if not len(seeds):
        raise InvalidInputError(
            "seeds: expected at least one, got none, for no bin holds min_bin_freq points; "
            "lower min_bin_freq or raise the bandwidth"
        )
    starts = np.ascontiguousarray(seeds * ground.units, dtype=np.float64)
    which, moves = np.empty(len(seeds), dtype=np.int32), np.empty(len(seeds), dtype=np.int32)
    count = min(threads or available_cores(), available_cores(), len(seeds))
    queue, found = Queue(len(seeds), count), [np.empty((0, 0))] * count
    share = np.empty(len(seeds), dtype=np.int32)

    def work(thread: int) -> None:
        walk = ground.walk(bandwidth, kernel == "gaussian")
        climb(walk, starts, max_iter, queue, thread, which, moves, share)
        found[thread] = ends_of(walk)

    on_threads(work, range(count))
    if (which < 0).all():
        raise InvalidInputError(
            f"No point was within bandwidth={bandwidth:f} of any seed. "
            "Try a different seeding strategy or increase the bandwidth."
        )
    return _in_order_of_seeds(found, share, which, int(moves.max()), ground.units)


def _in_order_of_seeds(
    found: list[Floats],
    share: NDArray[np.int32],
    which: NDArray[np.int32],
    n_iter: int,
    units: Floats | float,
) -> Ends:
    """Put together what the threads found, whichever seeds they had."""
    firsts = np.cumsum([0, *map(len, found)], dtype=np.int32)
    rows = np.concatenate(found)
    climbed = which >= 0
    number = (which + firsts[share])[climbed]
    last = np.full(len(rows), -1)
    last[number] = np.flatnonzero(climbed)  # of repeated rows the last one written stays
    order = np.argsort(last)
    place = np.empty(len(rows), dtype=np.int32)
    place[order] = np.arange(len(rows), dtype=np.int32)
    which[climbed] = place[number]
    return Ends(rows[order, :-1] / units, rows[order, -1], n_iter, which)


class Modes(NamedTuple):
    """Ends that were kept, and what became of the others.

    Attributes
    ----------
    places : (k, d) float64 array
        The densest first.
    owner : (e,) int32 array
        For each row of the ends the mode nearest to it, the first at a tie.
    """

    places: Floats
    owner: NDArray[np.int32]


def choose_modes(ends: Ends, bandwidth: float) -> Modes:
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
    modes : Modes

    Examples
    --------
    >>> places, weights = np.array([[0.0], [1.0], [9.0]]), np.array([3.0, 5.0, 1.0])
    >>> ends = Ends(places, weights, 7, np.arange(3, dtype=np.int32))
    >>> modes = choose_modes(ends, bandwidth=2.0)
    >>> modes.places.ravel().tolist(), modes.owner.tolist()
    ([1.0, 9.0], [0, 0, 1])
    """
    order = _ascending(ends.places)
    places, weights = ends.places[order], ends.weights[order]
    last = np.append((places[1:] != places[:-1]).any(axis=1), True)
    rank = np.argsort(weights[last], kind="stable")[::-1]  # coordinates ascend already
    kept, nearest_kept = _keep_apart(places[last], rank, bandwidth)
    owner = np.empty(len(order), dtype=np.int32)
    owner[order] = nearest_kept[np.append(0, last[:-1].cumsum())]
    return Modes(places[last][rank[kept]], owner)


def _ascending(places: Floats) -> NDArray[np.intp]:
    """Sort places by their coordinates, equal ones as they came: the first alone tells most."""
    order = np.argsort(places[:, 0], kind="stable")
    same = np.diff(places[order, 0]) == 0
    tied = np.append(same, False) | np.append(False, same)
    rows = order[tied]
    order[tied] = rows[np.lexsort(places[rows].T[::-1])]
    return order


def _keep_apart(
    places: Floats, rank: NDArray[np.intp], bandwidth: float
) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Return which ranked places no kept earlier one removes, and the kept one nearest to each."""
    near = np.lexsort(np.floor(places[:, :2] / (2 * bandwidth or 1)).T)  # neighbours to one box
    place = np.empty(len(places), dtype=np.intp)
    place[near] = np.arange(len(places))
    kept = np.ones(len(places), dtype=np.uint8)
    owner = np.empty(len(places), dtype=np.int32)
    tree = Tree(places[near], np.ones(len(places)))
    suppress(tree, place[rank], bandwidth, kept, owner)
    return kept[place[rank]].astype(bool), owner[place]
