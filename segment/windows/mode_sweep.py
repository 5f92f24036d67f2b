"""Ends of climbs that come window by window, to the modes of them all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.meanshift.modes import ascending, keep_apart

Floats = NDArray[np.float64]
ROW = 1  # the coordinate along which windows follow each other
CHOSEN = -1  # instead of the number of a seed: a mode that is chosen for good


class TooEarlyError(Exception):
    """A mode was chosen for good that a later end removes: choose later."""


class _Ends(NamedTuple):
    places: Floats
    weights: Floats
    seeds: NDArray[np.int64]

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> _Ends:
        return _Ends(self.places[chosen], self.weights[chosen], self.seeds[chosen])

    def beside(self, other: _Ends) -> _Ends:
        return _Ends(
            np.concatenate([self.places, other.places]),
            np.concatenate([self.weights, other.weights]),
            np.concatenate([self.seeds, other.seeds]),
        )


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
        self._near = bandwidth * (1 + 1e-9)  # whoever is farther in one coordinate is no neighbour
        nothing = np.empty((0, dimensions)), np.empty(0), np.empty(0, np.int64)
        self._live = _Ends(*nothing)
        self._chosen = [(np.inf, -np.inf, self._live)]  # first and last row, modes

    def add(self, places: Floats, weights: Floats, seeds: NDArray[np.int64]) -> None:
        """Take in ends, and for each the number of the last seed that came to it."""
        self._live = self._live.beside(_Ends(places, weights, seeds))

    def settle(self, below: float) -> None:
        """Choose modes for good, as if no end were to come whose row is below that coordinate.

        Raises
        ------
        TooEarlyError
            If an end that came since removes one of those chosen before, or takes its weight.
        """
        if not len(self._live.places):
            return
        self._live = _last_of_equals(self._live)
        ends = _last_of_equals(self._chosen_nearby().beside(self._live))
        order = np.argsort(ends.weights, kind="stable")[::-1]  # coordinates ascend already
        chosen = ends.seeds == CHOSEN
        undecided = ~chosen & (ends.places[:, ROW] >= below - self._near)
        kept = np.empty(len(order), np.uint8)
        kept[order] = keep_apart(ends.places, order, self._bandwidth, undecided)[0]
        if (kept[chosen] != 1).any():
            raise TooEarlyError
        self._choose(ends.take(~chosen & (kept == 1)))
        self._live = ends.take(kept == 2)

    def modes(self) -> Floats:
        """Return all modes, the densest first, as `choose_modes` does; the sweep is over."""
        self.settle(np.inf)
        places = np.concatenate([modes.places for _, _, modes in self._chosen])
        weights = np.concatenate([modes.weights for _, _, modes in self._chosen])
        self._chosen.clear()
        order = ascending(places)
        order = order[np.argsort(weights[order], kind="stable")[::-1]]
        return places[order]

    def _choose(self, modes: _Ends) -> None:
        if len(modes.places):
            rows = modes.places[:, ROW]
            modes = modes._replace(seeds=np.broadcast_to(np.int64(CHOSEN), len(rows)))
            self._chosen.append((rows.min(), rows.max(), modes))

    def _chosen_nearby(self) -> _Ends:
        """Return the modes chosen before that have anything to do with the ends at hand."""
        rows = self._live.places[:, ROW]
        first, last = rows.min() - self._near, rows.max() + self._near
        nearby = self._chosen[0][2]
        for low, high, modes in self._chosen:
            if high >= first and low <= last:
                there = modes.places[:, ROW]
                nearby = nearby.beside(modes.take((there >= first) & (there <= last)))
        return nearby


def _last_of_equals(ends: _Ends) -> _Ends:
    """Return the ends by their coordinates; of equal ones the last seed's or a chosen one."""
    ends = ends.take(np.argsort(ends.seeds, kind="stable"))
    ends = ends.take(ascending(ends.places))
    same = (ends.places[1:] == ends.places[:-1]).all(axis=1)
    chosen = same & (ends.seeds[:-1] == CHOSEN)
    if (chosen & (ends.weights[1:] != ends.weights[:-1])).any():
        raise TooEarlyError
    ends.seeds[1:][chosen] = CHOSEN
    return ends.take(np.append(~same, True))
