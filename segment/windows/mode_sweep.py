"""Ends of climbs that come window by window, to the modes of them all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.meanshift.modes import ascending, keep_apart

Floats = NDArray[np.float64]
ROW = 1  # the coordinate along which windows follow each other
NEAR = 1 + 1e-9  # bandwidths beyond which in one coordinate nobody is a neighbour
CHOSEN = -1  # instead of the number of a seed: a mode that is chosen for good


class TooEarlyError(Exception):
    """A mode was chosen for good that a later end removes: choose later."""


class SweptEnds(NamedTuple):
    """Ends of climbs, and modes that some of them are for good.

    Attributes
    ----------
    places : (k, d) float64 array
    weights : (k,) float64 array
    seeds : (k,) int64 array
        The number of the last seed that came to each end; CHOSEN for a mode.
    """

    places: Floats
    weights: Floats
    seeds: NDArray[np.int64]

    @property
    def chosen(self) -> NDArray[np.bool_]:
        return np.asarray(self.seeds == CHOSEN)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> SweptEnds:
        return SweptEnds(self.places[rows], self.weights[rows], self.seeds[rows])

    def beside(self, other: SweptEnds) -> SweptEnds:
        return SweptEnds(
            np.concatenate([self.places, other.places]),
            np.concatenate([self.weights, other.weights]),
            np.concatenate([self.seeds, other.seeds]),
        )

    def numbered_from(self, first: int) -> SweptEnds:
        """Return the same, for seeds whose number 0 is that number of all."""
        return self._replace(seeds=np.where(self.chosen, CHOSEN, self.seeds + first))


def chosen_between(
    ends: SweptEnds, bandwidth: float, low: float, high: float
) -> tuple[SweptEnds, SweptEnds]:
    """Choose modes for good, as if no other end were to come from row `low` to above `high`.

    Returns
    -------
    modes : SweptEnds
        Those that were not chosen before.
    left : SweptEnds
        Those of which it is not known yet whether they are modes, or a mode removes them.

    Raises
    ------
    TooEarlyError
        If an end removes a mode chosen before, or takes its weight.
    """
    near, rows = bandwidth * NEAR, ends.places[:, ROW]
    concerned = (rows >= low - near) & (rows < high + near)
    others = ends.take(~concerned & ~ends.chosen)
    if not concerned.any():
        return ends.take(concerned), others
    ends = _last_of_equals(ends.take(concerned))
    rows, chosen = ends.places[:, ROW], ends.chosen
    undecided = ~chosen & ((rows < low + near) | (rows >= high - near))
    order = np.argsort(ends.weights, kind="stable")[::-1]  # coordinates ascend already
    kept = np.empty(len(order), np.uint8)
    kept[order] = keep_apart(ends.places, order, bandwidth, undecided)[0]
    if (kept[chosen] != 1).any():
        raise TooEarlyError
    modes = ends.take(~chosen & (kept == 1))
    modes = modes._replace(seeds=np.full_like(modes.seeds, CHOSEN))
    return modes, ends.take(kept == 2).beside(others)


class ModeSweep:
    """The choice that `choose_modes` makes, of ends that come in a sweep over the rows.

    Where no climb is expected to end any more, a mode is chosen for good when all ends around it
    that are denser are removed for good; then the ends that it removes are forgotten. So memory
    holds the modes, and the ends of a few rows. A climb that does end there after all is either
    removed by a denser mode within the bandwidth, which changes nothing, or a mode beside them;
    it is noticed if it removes one that was chosen.

    Parameters
    ----------
    dimensions : int
        Of the points.
    bandwidth : float, > 0
        In the unit of the points.
    """

    def __init__(self, dimensions: int, bandwidth: float) -> None:
        self._bandwidth = bandwidth
        nothing = SweptEnds(np.empty((0, dimensions)), np.empty(0), np.empty(0, np.int64))
        self._live = nothing
        self._modes = [(np.inf, -np.inf, nothing)]  # first and last row, modes

    def add(self, ends: SweptEnds) -> None:
        """Take in ends, and modes that were chosen of them where they come from."""
        chosen = ends.chosen
        self._keep(ends.take(chosen))
        self._live = self._live.beside(ends.take(~chosen))

    def settle(self, below: float) -> None:
        """Choose modes for good, as if no end were to come whose row is below that coordinate.

        Raises
        ------
        TooEarlyError
            If an end that came since removes one of those chosen before, or takes its weight.
        """
        near = self._bandwidth * NEAR
        rows = self._live.places[:, ROW]
        rows = rows[rows < below + near]
        if len(rows):
            nearby = self._modes_between(rows.min() - near, rows.max() + near)
            ends = nearby.beside(self._live)
            modes, self._live = chosen_between(ends, self._bandwidth, -np.inf, below)
            self._keep(modes)

    def modes(self) -> Floats:
        """Return all modes, the densest first, as `choose_modes` does; the sweep is over."""
        self.settle(np.inf)
        places = np.concatenate([modes.places for _, _, modes in self._modes])
        weights = np.concatenate([modes.weights for _, _, modes in self._modes])
        self._modes.clear()
        order = ascending(places)
        order = order[np.argsort(weights[order], kind="stable")[::-1]]
        return places[order]

    def _keep(self, modes: SweptEnds) -> None:
        if len(modes.places):
            rows = modes.places[:, ROW]
            modes = modes._replace(seeds=np.broadcast_to(np.int64(CHOSEN), len(rows)))
            self._modes.append((rows.min(), rows.max(), modes))

    def _modes_between(self, first: float, last: float) -> SweptEnds:
        """Return the modes chosen before in some rows."""
        nearby = self._modes[0][2]
        for low, high, modes in self._modes:
            if high >= first and low <= last:
                there = modes.places[:, ROW]
                nearby = nearby.beside(modes.take((there >= first) & (there <= last)))
        return nearby


def _last_of_equals(ends: SweptEnds) -> SweptEnds:
    """Return the ends by their coordinates; of equal ones the last seed's or a chosen one."""
    ends = ends.take(np.argsort(ends.seeds, kind="stable"))
    ends = ends.take(ascending(ends.places))
    differ = (ends.places[1:] != ends.places[:-1]).any(axis=1)
    first, last = np.flatnonzero(np.append(True, differ)), np.flatnonzero(np.append(differ, True))
    chosen = ends.chosen[first]
    if (chosen & (ends.weights[first] != ends.weights[last])).any():
        raise TooEarlyError
    kept = ends.take(last)
    kept.seeds[chosen] = CHOSEN
    return kept
