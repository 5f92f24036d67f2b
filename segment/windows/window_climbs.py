"""The climbs of one window: a function of its rows, wherever it is made."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segment.meanshift.modes import Climbs, climb_within
from segment.pixels.joint import Pyramid
from segment.strips.rows import SceneRows
from segment.windows.ground import Ground
from segment.windows.mode_sweep import SweptEnds, chosen_between


class WindowClimbs(NamedTuple):
    """What became of the climbs of a window.

    Attributes
    ----------
    ends : SweptEnds
        Of those that came to one. Where no climb of another window is expected to end, modes are
        chosen for good, and ends that they remove are left out.
    left : Climbs
        Those that came too near to its edges, to be led on in another.
    n_iter : int
        Moves of the longest climb that is over.
    seeds : int
        How many seeds it had: their numbers begin at 0.
    """

    ends: SweptEnds
    left: Climbs
    n_iter: int
    seeds: int


def climb_window(
    rows: SceneRows,
    top: int,
    bottom: int,
    first: int,
    end: int,
    waiting: Climbs | None,
    *,
    ground: Ground,
    alone: bool,
    settled: float,
) -> WindowClimbs:
    """Climb in a window from its seeds, or lead on those climbs that wait.

    Parameters
    ----------
    rows : SceneRows
    top, bottom, first, end, waiting
        The `Window`.
    ground : Ground
    alone : bool
        Whether the seeds are pixels.
    settled : float
        Rows beyond which no climb is expected to end, above its seed and below.
    """
    climbs, pyramid = _begun(rows, top, bottom, (first, end), waiting, ground, alone)
    max_iter = ground.settings.max_iter
    ends, seeds, left = climb_within(pyramid, climbs, bandwidth=ground.reach, max_iter=max_iter)
    swept = SweptEnds(ends.places, ends.weights, seeds)
    if waiting is not None:
        return WindowClimbs(swept, left, ends.n_iter, 0)
    low = first + settled if first else -np.inf
    high = end - settled if end < ground.shape[0] else np.inf
    if low < high:
        unit = ground.units[0]
        modes, undecided = chosen_between(swept, ground.reach, low / unit, high / unit)
        swept = modes.beside(undecided)
    return WindowClimbs(swept, left, ends.n_iter, len(climbs.seeds))


def _begun(
    rows: SceneRows,
    top: int,
    bottom: int,
    own: tuple[int, int],
    waiting: Climbs | None,
    ground: Ground,
    alone: bool,
) -> tuple[Climbs, Pyramid]:
    """Return the climbs of a window at its beginning, and what they climb on."""
    points, visible = rows.points(top, bottom)
    pyramid = ground.indexed(points, visible, top)
    if waiting is not None:
        return waiting, pyramid
    part = slice(own[0] - top, own[1] - top)
    seen = None if visible is None else visible[part]
    seeds = ground.seeds(points[part], seen, own[0], alone=alone)
    moves, numbers = np.zeros(len(seeds), np.int32), np.arange(len(seeds))
    return Climbs(np.asarray(seeds * pyramid.units), moves, numbers), pyramid
