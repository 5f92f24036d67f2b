"""Strips of rows: worked on by all cores at once, and given back in their order."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from segment.threads import Started, at_most

Made = TypeVar("Made")
Told = Callable[[str, int, int], None]


def nobody(stage: str, done: int, total: int) -> None:
    """Hear of a stage, rows that are done, and all of them, and tell nobody."""


@dataclass(frozen=True)
class Strips:
    """How a scene is cut.

    Attributes
    ----------
    height : int
        Rows of the scene.
    rows : int
        Of a strip; the last may have fewer.
    at_once : int
        Strips that are worked on at the same time, each by one core.
    told : callable
        Is told of each strip that is done: the stage, rows done, rows of all.
    """

    height: int
    rows: int
    at_once: int = 1
    told: Told = nobody

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for top in range(0, self.height, self.rows):
            yield top, min(top + self.rows, self.height)

    def __len__(self) -> int:
        return -(-self.height // self.rows)

    def in_order(
        self, stage: str, work: Callable[[int, int], Made], start: int = 0
    ) -> Iterator[tuple[int, int, Made]]:
        """Yield top, bottom and what `work(top, bottom)` makes of each strip from row `start` on.

        No more than `at_once` strips are under way, and one more is in the hands of the caller.
        """
        left = [strip for strip in self if strip[1] > start]
        self.told(stage, left[0][0] if left else self.height, self.height)
        for (top, bottom), made in _in_order(work, left, self.at_once):
            yield top, bottom, made
            self.told(stage, bottom, self.height)


def _in_order(
    work: Callable[[int, int], Made], strips: Sequence[tuple[int, int]], at_once: int
) -> Iterator[tuple[tuple[int, int], Made]]:
    waiting: deque[tuple[tuple[int, int], Started[Made]]] = deque()
    try:
        for strip in strips:
            if len(waiting) == at_once:
                first, call = waiting.popleft()
                yield first, call.result()
            waiting.append((strip, Started(functools.partial(_alone, work, strip, at_once))))
        while waiting:
            first, call = waiting.popleft()
            yield first, call.result()
    finally:  # also when the caller has had enough
        for _, call in waiting:
            call.wait()


def _alone(work: Callable[[int, int], Made], strip: tuple[int, int], at_once: int) -> Made:
    """Work on a strip; where several are worked on, each keeps to one core."""
    if at_once == 1:
        return work(*strip)
    with at_most(1):
        return work(*strip)
