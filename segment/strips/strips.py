"""Strips of rows: worked on by all cores or by a cluster, and given back in their order."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from segment.strips.rows import SceneRows, Values, Visible
from segment.threads import Started, at_most

Made = TypeVar("Made")
Total = TypeVar("Total")
Told = Callable[[str, int, int], None]
Strip = tuple[int, int]  # first row, and the one behind the last
Piece = TypeVar("Piece", bound=tuple[int, int, *tuple[Any, ...]])  # a strip, and more to say of it
Work = Callable[[SceneRows, int, int], Made]


def nobody(stage: str, done: int, total: int) -> None:
    """Hear of a stage, rows that are done, and all of them, and tell nobody."""


class Share(NamedTuple):
    """What those get who want few strips, as high as they can be.

    Attributes
    ----------
    strips : int
        How many there should be at least, so that nobody has nothing to do.
    memory : int
        Bytes that each may take.
    """

    strips: int
    memory: int


class Crew:
    """Whoever works on strips: threads of this process, or the workers of a cluster.

    `work(rows, top, bottom)` is a function of a module, or a `functools.partial` of one, with
    arguments that can be pickled. It reads no rows but those of its strip, and changes nothing but
    files: it may be done again, and anywhere. Totals are made here of what is taken back, unless a
    crew has its own way.
    """

    def share(self, memory: int) -> Share:
        """Return how strips may be cut that take all of the memory that a process may take."""
        raise NotImplementedError

    def in_order(
        self, rows: SceneRows, work: Callable[..., Made], strips: Iterable[Piece]
    ) -> Iterator[tuple[Piece, Made]]:
        """Yield what is made of each strip; what is under way is bounded.

        Strips are asked for one by one, when there is somebody to work on them: which they are
        may depend on what was made of others. `work(rows, top, bottom, ...)` gets all that a
        strip has.
        """
        raise NotImplementedError

    def folded(
        self,
        rows: SceneRows,
        work: Work[Made],
        strips: Sequence[Strip],
        add: Callable[[Total, Made], Total],
        start: Total,
        heard: Callable[[Strip], None],
    ) -> Total:
        """Return `start` with what is made of each strip added in their order.

        `add` may change the total and return it.
        """
        for strip, made in self.in_order(rows, work, strips):
            start = add(start, made)
            heard(strip)
        return start

    def merged(
        self,
        rows: SceneRows,
        work: Work[Made],
        strips: Sequence[Strip],
        merge: Callable[[Made, Made], Made],
        heard: Callable[[Strip], None],
    ) -> Made:
        """Return what is made of all strips, one at least, neighbours merged again and again."""
        levels: Levels[Made] = Levels(merge)
        for strip, made in self.in_order(rows, work, strips):
            levels.add(made)
            heard(strip)
        return levels.total()


@dataclass(frozen=True)
class Threads(Crew):
    """Works on strips here, each on a core of its own.

    Attributes
    ----------
    at_once : int
        Strips under way; one more is in the hands of the caller.
    """

    at_once: int = 1

    def share(self, memory: int) -> Share:
        """Return how strips may be cut; see `Crew`."""
        return Share(self.at_once, memory // self.at_once)

    def in_order(
        self, rows: SceneRows, work: Callable[..., Made], strips: Iterable[Piece]
    ) -> Iterator[tuple[Piece, Made]]:
        """Yield what is made of each strip; see `Crew`."""
        waiting: deque[tuple[Piece, Started[Made]]] = deque()
        try:
            for strip in strips:
                if len(waiting) == self.at_once:
                    first, call = waiting.popleft()
                    yield first, call.result()
                call = Started(functools.partial(_alone, rows, work, strip, self.at_once))
                waiting.append((strip, call))
            while waiting:
                first, call = waiting.popleft()
                yield first, call.result()
        finally:  # also when the caller has had enough
            for _, call in waiting:
                call.wait()


class ReadingAhead(Crew):
    """Works here on one strip after the other, each with all cores, while the next one is read.

    For work that asks for the points of its strip, and takes what memory there is.
    """

    def share(self, memory: int) -> Share:
        """Return how strips may be cut; see `Crew`."""
        return Share(1, memory)

    def in_order(
        self, rows: SceneRows, work: Callable[..., Made], strips: Iterable[Piece]
    ) -> Iterator[tuple[Piece, Made]]:
        """Yield what is made of each strip; see `Crew`."""
        coming = iter(strips)
        reading = self._begun(rows, coming)
        try:
            while reading is not None:
                strip, points = reading
                points.wait()
                reading = self._begun(rows, coming)
                yield strip, work(_Read(rows, points), *strip)
        finally:  # also when the caller has had enough
            if reading is not None:
                reading[1].wait()

    def _begun(self, rows: SceneRows, coming: Iterator[Piece]) -> tuple[Piece, Started[Any]] | None:
        """Begin to read the next strip, if there is one."""
        for strip in coming:
            return strip, Started(functools.partial(rows.points, *strip[:2]))
        return None


@dataclass(frozen=True)
class _Read:
    """A strip whose points have been read."""

    rows: SceneRows
    read: Started[tuple[Values, Visible]]

    @property
    def height(self) -> int:
        return self.rows.height

    @property
    def width(self) -> int:
        return self.rows.width

    def points(self, top: int, bottom: int) -> tuple[Values, Visible]:
        return self.read.result()


class Levels(Generic[Made]):
    """Things that are merged two by two as they come, as a number carries its digits.

    So each is merged log2(n) times, and as many are kept.
    """

    def __init__(self, merge: Callable[[Made, Made], Made]) -> None:
        self._merge = merge
        self._kept: list[tuple[int, Made]] = []

    def add(self, thing: Made) -> None:
        """Take the next one, the neighbour of the one before."""
        level = 0
        while self._kept and self._kept[-1][0] == level:
            thing = self._merge(self._kept.pop()[1], thing)
            level += 1
        self._kept.append((level, thing))

    def total(self) -> Made:
        """Return all of them, one at least, as one."""
        (_, total), *before = reversed(self._kept)
        for _, thing in before:
            total = self._merge(thing, total)
        return total


def _alone(rows: SceneRows, work: Work[Made], strip: Strip, at_once: int) -> Made:
    """Work on a strip; where several are worked on, each keeps to one core."""
    if at_once == 1:
        return work(rows, *strip)
    with at_most(1):
        return work(rows, *strip)


@dataclass(frozen=True)
class Strips:
    """How a scene is cut, and who works on it.

    Attributes
    ----------
    height : int
        Rows of the scene.
    rows : int
        Of a strip; the last may have fewer.
    crew : Crew
    told : callable
        Is told of each strip that is done: the stage, rows done, rows of all.
    """

    height: int
    rows: int
    crew: Crew = field(default_factory=Threads)
    told: Told = nobody

    def __iter__(self) -> Iterator[Strip]:
        for top in range(0, self.height, self.rows):
            yield top, min(top + self.rows, self.height)

    def __len__(self) -> int:
        return -(-self.height // self.rows)

    @property
    def are_here(self) -> bool:
        """Whether this process works on them, so that what they make of pixels moves nowhere."""
        return isinstance(self.crew, Threads)

    def in_order(
        self,
        stage: str,
        rows: SceneRows,
        work: Work[Made],
        start: int = 0,
        passed: Container[int] = (),
    ) -> Iterator[tuple[int, int, Made]]:
        """Yield top, bottom and what `work` makes of each strip from row `start` on.

        Strips whose first row is one of those `passed` are left out.
        """
        left = [strip for strip in self if strip[1] > start and strip[0] not in passed]
        self.told(stage, left[0][0] if left else self.height, self.height)
        for (top, bottom), made in self.crew.in_order(rows, work, left):
            yield top, bottom, made
            self.told(stage, bottom, self.height)

    def folded(
        self,
        stage: str,
        rows: SceneRows,
        work: Work[Made],
        add: Callable[[Total, Made], Total],
        start: Total,
    ) -> Total:
        """Return `start` with what `work` makes of each strip added, in their order."""
        return self.crew.folded(rows, work, list(self), add, start, self._heard(stage))

    def merged(
        self, stage: str, rows: SceneRows, work: Work[Made], merge: Callable[[Made, Made], Made]
    ) -> Made:
        """Return what `work` makes of all strips, merged with its neighbours in any grouping."""
        return self.crew.merged(rows, work, list(self), merge, self._heard(stage))

    def _heard(self, stage: str) -> Callable[[Strip], None]:
        self.told(stage, 0, self.height)
        return lambda strip: self.told(stage, strip[1], self.height)
