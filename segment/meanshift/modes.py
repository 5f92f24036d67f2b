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
NO_SEED = (
    "seeds: expected at least one, got none, for no bin holds min_bin_freq points; "
    "lower min_bin_freq or raise the bandwidth"
)
STOPPED = -2  # instead of an end: the ground does not know all that is around the place


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
        order = ascending(self.places)
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
    >>> ends = climb_to_ends(Tree(points, np.ones(3)), points, bandwidth=2.0, threads=1)
    >>> ends.places.ravel().tolist(), ends.weights.tolist(), ends.n_iter, ends.which.tolist()
    ([0.5, 10.0], [2.0, 1.0], 1, [0, 0, 1])
    """
    if not len(seeds):
        raise InvalidInputError(NO_SEED)
    starts = np.array(seeds * ground.units, dtype=np.float64, order="C")  # a copy: they climb
    moves = np.zeros(len(seeds), dtype=np.int32)
    ends = _climb_on(ground, starts, moves, bandwidth, kernel, max_iter, threads)
    if (ends.which < 0).all():
        raise InvalidInputError(no_point_within(bandwidth))
    return ends


def no_point_within(bandwidth: float) -> str:
    """Return what there is to say when no seed has a point within the kernel around it."""
    return (
        f"No point was within bandwidth={bandwidth:f} of any seed. "
        "Try a different seeding strategy or increase the bandwidth."
    )


class Climbs(NamedTuple):
    """Climbs under way.

    Attributes
    ----------
    places : (m, d) float64 array
        Where they stand, in the unit of the ground.
    moves : (m,) int32 array
        How many led there.
    seeds : (m,) int64 array
        The number of the seed of each, ascending.
    """

    places: Floats
    moves: NDArray[np.int32]
    seeds: NDArray[np.int64]

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Climbs:
        """Return some of them."""
        return Climbs(self.places[rows], self.moves[rows], self.seeds[rows])


def climb_within(
    ground: Ground, climbs: Climbs, *, bandwidth: float, max_iter: int
) -> tuple[Ends, NDArray[np.int64], Climbs]:
    """Climb on a part of the ground, until an end or a place that it does not know all around.

    Returns
    -------
    ends : Ends
        `n_iter` of those climbs that came to one, or had no point around them.
    seeds : (k,) int64 array
        The last seed whose climb came to each end.
    left : Climbs
        Those that another part of the ground must lead on.
    """
    places, moves = climbs.places.copy(), climbs.moves.copy()
    if not len(places):
        nowhere = np.empty(0, np.int32)
        return Ends(places, np.empty(0), 0, nowhere), climbs.seeds, climbs
    ends = _climb_on(ground, places, moves, bandwidth, "flat", max_iter, None)
    stopped, ended = ends.which == STOPPED, ends.which >= 0
    seeds = np.empty(len(ends.places), np.int64)
    seeds[ends.which[ended]] = climbs.seeds[ended]  # of several the last one written stays
    left = Climbs(places, moves, climbs.seeds).take(stopped)
    n_iter = int(moves[~stopped].max(initial=0))
    return ends._replace(n_iter=n_iter), seeds, left


def _climb_on(
    ground: Ground,
    places: Floats,
    moves: NDArray[np.int32],
    bandwidth: float,
    kernel: Kernel,
    max_iter: int,
    threads: int | None,
) -> Ends:
    """Climb on all threads; the places of climbs that stop become those where they do."""
    count = min(threads or available_cores(), available_cores(), len(places))
    queue, found = Queue(len(places), count), [np.empty((0, 0))] * count
    which, share = (np.empty(len(places), dtype=np.int32) for _ in range(2))

    def work(thread: int) -> None:
        walk = ground.walk(bandwidth, kernel == "gaussian")
        climb(walk, places, max_iter, queue, thread, which, moves, share)
        found[thread] = ends_of(walk)

    on_threads(work, range(count))
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
    order = ascending(ends.places)
    places, weights = ends.places[order], ends.weights[order]
    last = np.append((places[1:] != places[:-1]).any(axis=1), True)
    rank = np.argsort(weights[last], kind="stable")[::-1]  # coordinates ascend already
    kept, nearest_kept = keep_apart(places[last], rank, bandwidth)
    owner = np.empty(len(order), dtype=np.int32)
    owner[order] = nearest_kept[np.append(0, last[:-1].cumsum())]
    return Modes(places[last][rank[kept == 1]], owner)


def ascending(places: Floats) -> NDArray[np.intp]:
    """Return the order of places by their coordinates, equal ones as they came."""
    order = np.argsort(places[:, 0], kind="stable")  # it alone tells most
    same = np.diff(places[order, 0]) == 0
    tied = np.append(same, False) | np.append(False, same)
    rows = order[tied]
    order[tied] = rows[np.lexsort(places[rows].T[::-1])]
    return order


def keep_apart(
    places: Floats,
    rank: NDArray[np.intp],
    bandwidth: float,
    undecided: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return which ranked places no kept earlier one removes, and the kept one nearest to each.

    Parameters
    ----------
    places : (k, d) float64 array
    rank : (k,) int array
        Numbers of the places, in the order in which they are taken.
    bandwidth : float
        Distance up to which one removes another.
    undecided : (k,) bool array, optional
        By place: those of which others, not there yet, may remove some.

    Returns
    -------
    kept : (k,) uint8 array
        By rank: 1 for those that are kept, 0 for those that one of these removes, 2 for those
        that are undecided, or within the bandwidth of an earlier one that is.
    nearest : (k,) int32 array
        By place: the number, among those kept, by rank, of the nearest; the first at a tie.
    """
    near = np.lexsort(np.floor(places[:, :2] / (2 * bandwidth or 1)).T)  # neighbours to one box
    place = np.empty(len(places), dtype=np.intp)
    place[near] = np.arange(len(places))
    kept = np.ones(len(places), dtype=np.uint8)
    if undecided is not None:
        kept += undecided[near]
    owner = np.empty(len(places), dtype=np.int32)
    tree = Tree(places[near], np.ones(len(places)))
    suppress(tree, place[rank], bandwidth, kept, owner)
    return kept[place[rank]], owner[place]
