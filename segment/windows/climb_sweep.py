"""Climbs from all seeds of a scene, window after window, to its modes; made by a crew."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.meanshift.modes import NO_SEED, Climbs, no_point_within
from segment.strips.rows import SceneRows
from segment.strips.strips import Crew, Told
from segment.windows.ground import Ground
from segment.windows.mode_sweep import ROW, ModeSweep
from segment.windows.planned_windows import Window, windows_around
from segment.windows.window_climbs import WindowClimbs, climb_window


class ClimbSweep:
    """Takes back the climbs of windows in their order, has those led on that wait, chooses modes.

    A climb that comes too near to an edge of its window stops, and waits. Once all windows that
    have rows around it are done, one is read for all that wait there. They are few.

    Parameters
    ----------
    ground : Ground
    windows : list of Window
    settled : float
        Rows beyond which no climb is expected to end, above its seed and below.
    told : callable
    """

    def __init__(self, ground: Ground, windows: list[Window], settled: float, told: Told) -> None:
        self._ground, self._windows, self._settled, self._told = ground, windows, settled, told
        self._coming = iter(windows)
        self._most_rows = max(window.bottom - window.top for window in windows)
        self._done = 0  # windows
        self._away: deque[Window] = deque()  # those of climbs that are led on
        self._waiting: list[Climbs] = []
        self._seeds = self._n_iter = 0
        self._choice = ModeSweep(2 + ground.channels, ground.reach)
        self._found = False

    def climb(self, crew: Crew, rows: SceneRows, *, alone: bool) -> tuple[NDArray[np.float64], int]:
        """Return the modes, the densest first, and the moves of the longest climb.

        Raises
        ------
        TooEarlyError
            If a climb ended farther away than expected, and that mattered.
        """
        work = functools.partial(
            climb_window, ground=self._ground, alone=alone, settled=self._settled
        )
        while self._done < len(self._windows) or self._waiting:
            for window, made in crew.in_order(rows, work, self._given_out()):
                self._take(window, made)
        if not self._seeds:
            raise InvalidInputError(NO_SEED)
        if not self._found:
            raise InvalidInputError(no_point_within(self._ground.reach))
        return self._choice.modes(), self._n_iter

    def _given_out(self) -> Iterator[Window]:
        """Yield the windows that can be climbed in now, while others are not yet back."""
        for window in self._coming:
            yield from self._around_waiting()
            yield window
        yield from self._around_waiting()

    def _around_waiting(self) -> Iterator[Window]:
        """Yield windows around those climbs that wait where no planned window is to come."""
        if not self._waiting:
            return
        waiting = _together(self._waiting)
        reached = waiting.places[:, ROW] < (self._next.top if self._next else np.inf)
        self._waiting = [waiting.take(~reached)] if not reached.all() else []
        around = waiting.take(reached), self._ground.radius
        led_on = [*windows_around(*around, self._most_rows, self._ground.shape[0])]
        self._away.extend(led_on)
        yield from led_on

    @property
    def _next(self) -> Window | None:
        """The first planned window that is not done."""
        return self._windows[self._done] if self._done < len(self._windows) else None

    def _take(self, window: Window, made: WindowClimbs) -> None:
        """Take back what became of the climbs of a window."""
        ends, left = made.ends, made.left
        if window.waiting is not None:
            self._away.popleft()
        else:
            ends = ends.numbered_from(self._seeds)
            left = left._replace(seeds=left.seeds + self._seeds)
            self._seeds += made.seeds
            self._done += 1
            self._told("climbing", window.end, self._ground.shape[0])
        if len(left.seeds):
            self._waiting.append(left)
        self._n_iter = max(self._n_iter, made.n_iter)
        self._found |= len(ends.seeds) > 0
        self._choice.add(ends)
        self._choice.settle((self._first_row() - self._settled) / self._ground.units[0])

    def _first_row(self) -> float:
        """Return the first row in which a climb is that is not over."""
        seeds = [self._next.first] if self._next else []
        waiting = [left.places[:, ROW].min() for left in self._waiting]
        return min([*seeds, *waiting, *(window.first for window in self._away)], default=np.inf)


def _together(some: list[Climbs]) -> Climbs:
    """Return climbs by their seeds."""
    places, moves, seeds = map(np.concatenate, zip(*some, strict=True))
    return Climbs(places, moves, seeds).take(np.argsort(seeds))
