"""Climbs over points that are never there all at once: step by step, all climbs together.

Each step is one pass over the points, part by part. It asks for the sums of the points around some
places; whoever has the points adds those of all parts. Where sums are exact, climbs end where they
would with all points in one tree, to the bit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.meanshift.modes import NO_SEED, Ends, no_point_within

Floats = NDArray[np.float64]


class SteppedClimbs(NamedTuple):
    """Climbs under way, with flat kernels.

    Attributes
    ----------
    places : (m, d) float64 array
        Where they stand, in the order of their seeds; the last mean of those that have ended.
    weights : (m,) float64 array
        Of the points in the kernel that gave it; 0 for those that had none around their seed.
    going : (m,) bool array
        Which have not ended.
    moves : int
        How often those have moved, and the longest of the others at most.
    """

    places: Floats
    weights: Floats
    going: NDArray[np.bool_]
    moves: int


def begun(seeds: NDArray[Any]) -> SteppedClimbs:
    """Return climbs at their seeds, (m, d).

    Raises
    ------
    InvalidInputError
        If there is none.
    """
    if not len(seeds):
        raise InvalidInputError(NO_SEED)
    places = np.array(seeds, np.float64, order="C")
    return SteppedClimbs(places, np.zeros(len(places)), np.ones(len(places), np.bool_), 0)


def asked(climbs: SteppedClimbs) -> tuple[Floats, NDArray[np.intp]]:
    """Return the places around which sums are needed, (k, d), and which is that of each climb."""
    places, which = np.unique(climbs.places[climbs.going], axis=0, return_inverse=True)
    return np.ascontiguousarray(places), which.reshape(-1)


def stepped(
    climbs: SteppedClimbs, sums: Floats, *, bandwidth: float, max_iter: int = 300
) -> SteppedClimbs:
    """Return climbs a step further.

    Parameters
    ----------
    climbs : SteppedClimbs
    sums : (g, d + 1) float64 array
        For each climb that goes on: summed coordinates of the points within the bandwidth of it,
        and their weight, as `add_balls` has them.
    bandwidth : float, > 0
        Radius of the kernel, in the unit of the points.
    max_iter : int, >= 0, default 300
        Longest climb.

    Returns
    -------
    climbs : SteppedClimbs
        As `climb_to_ends` has it, a climb ends where it moves by no more than 1e-3 bandwidth.

    Examples
    --------
    >>> from segment.meanshift.tree import add_balls, build_tree
    >>> points = np.array([[0.0], [1.0], [10.0]])
    >>> climbs = begun(points)
    >>> while climbs.going.any():
    ...     places, which = asked(climbs)
    ...     sums = np.zeros((len(places), 2))
    ...     for part in points[:2], points[2:]:
    ...         add_balls(build_tree(part, np.ones(len(part))), places, 2.0, sums)
    ...     climbs = stepped(climbs, sums[which], bandwidth=2.0)
    >>> climbs.places.ravel().tolist(), climbs.weights.tolist(), climbs.moves
    ([0.5, 0.5, 10.0], [2.0, 2.0, 1.0], 1)
    """
    here, weights = climbs.places[climbs.going], sums[:, -1]
    some = weights > 0
    means = np.where(some[:, None], sums[:, :-1] / np.where(some, weights, 1.0)[:, None], here)
    moved2 = np.zeros(len(here))
    for step in (means - here).T:  # in the order of the coordinates, which rounding depends on
        moved2 += step * step
    going = (np.sqrt(moved2) > 1e-3 * bandwidth) & (climbs.moves < max_iter)
    places, all_weights, still = climbs.places.copy(), climbs.weights.copy(), climbs.going.copy()
    places[climbs.going], all_weights[climbs.going], still[climbs.going] = means, weights, going
    return SteppedClimbs(places, all_weights, still, climbs.moves + bool(going.any()))


def ends_of(climbs: SteppedClimbs, bandwidth: float) -> Ends:
    """Return where climbs, none of which goes on, have ended: an end for each that came to one.

    Raises
    ------
    InvalidInputError
        If none did, for lack of points.
    """
    came = climbs.weights > 0
    if not came.any():
        raise InvalidInputError(no_point_within(bandwidth))
    which = np.where(came, np.cumsum(came, dtype=np.int32) - 1, -1).astype(np.int32)
    return Ends(climbs.places[came], climbs.weights[came], climbs.moves, which)
