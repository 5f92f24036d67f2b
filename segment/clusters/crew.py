"""Strips shared out over the workers of a Dask cluster, which does the scheduling."""

from __future__ import annotations

import copy
import functools
import hashlib
import itertools
import pickle
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import Any, TypeVar

from segment.clusters.dask_source import Block, DaskSource
from segment.errors import SegmentError
from segment.strips.rows import SceneRows
from segment.strips.strips import Crew, Levels, Piece, Share, Strip, Strips, Work
from segment.threads import at_most

Made = TypeVar("Made")
Total = TypeVar("Total")

AHEAD = 2  # strips for each thread of the cluster that are given out and not yet taken back
PARTS = 4  # strips for each thread, at least, so that none waits long for the last
ATTEMPTS = 5  # workers that may be lost with what no other has, one after the other


class WorkersLostError(SegmentError):
    """Workers died again and again of what they were given."""


class ClusterCrew(Crew):
    """Works on strips by the threads of a Dask cluster, each on one core.

    The work, with all that is known so far, is sent to one worker; the others get it from each
    other. What a lost worker had is done again by others: the scheduler sees to it, or, where
    it was the only one to have the work itself, this does.

    Parameters
    ----------
    client : distributed.Client

    Attributes
    ----------
    warnings : dict of {str: None}
        Those of the sources of workers.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self.warnings: dict[str, None] = {}

    @property
    def threads(self) -> int:
        """How many strips can be worked on at once, now."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        return max(1, sum(int(worker["nthreads"]) for worker in workers))

    def cut(self, strips: Strips, whole: int) -> Strips:
        """Return strips for this crew: several for each thread, none higher than those given.

        Parameters
        ----------
        strips : Strips
        whole : int
            Rows of the file that are read at once: strips are multiples if they can.
        """
        height = -(-strips.height // (PARTS * self.threads))
        height = min(-(-height // whole) * whole, strips.rows)
        return replace(strips, rows=height, crew=self)

    def share(self, memory: int) -> Share:
        """Return how strips may be cut; see `Crew`.

        No worker is asked for more than half of what its threads have each.
        """
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        limits = [worker["memory_limit"] // (2 * worker["nthreads"]) for worker in workers]
        return Share(PARTS * self.threads, min([memory, *filter(None, limits)]))

    def in_order(
        self, rows: SceneRows, work: Callable[..., Made], strips: Iterable[Piece]
    ) -> Iterator[tuple[Piece, Made]]:
        """Yield what is made of each strip; see `Crew`."""
        coming = iter(strips)
        left: deque[Piece] = deque()  # those that are given out
        window, lost = AHEAD * self.threads, 0

        def given() -> bool:
            left.extend(itertools.islice(coming, window - len(left)))
            return bool(left)

        while given():
            stage = _Stage(self._client, rows, work)
            under_way: deque[Any] = deque()
            try:
                while given():
                    while len(under_way) < len(left):
                        under_way.append(stage.begin(left[len(under_way)]))
                    made, warnings = _result(under_way.popleft())
                    self.warnings |= dict.fromkeys(warnings)
                    lost = 0
                    yield left.popleft(), made
            except _WorkIsLostError:
                lost = self._once_more(lost)

    def folded(
        self,
        rows: SceneRows,
        work: Work[Made],
        strips: Sequence[Strip],
        add: Callable[[Total, Made], Total],
        start: Total,
        heard: Callable[[Strip], None],
    ) -> Total:
        """Return what is made of all strips, added in their order; see `Crew`.

        Strips are worked on at once, and added one after the other, by a worker that has them.
        """
        return self._whole(functools.partial(self._fold, rows, work, strips, add, start, heard))

    def merged(
        self,
        rows: SceneRows,
        work: Work[Made],
        strips: Sequence[Strip],
        merge: Callable[[Made, Made], Made],
        heard: Callable[[Strip], None],
    ) -> Made:
        """Return what is made of all strips, merged two by two by workers; see `Crew`."""
        return self._whole(functools.partial(self._merge, rows, work, strips, merge, heard))

    def _once_more(self, lost: int) -> int:
        """Return how often work was lost, if there is hope."""
        if self._client.status != "running":
            raise WorkersLostError("the scheduler is gone; start it, and this run, again")
        if lost == ATTEMPTS:
            raise WorkersLostError(
                f"{ATTEMPTS + 1} workers were lost one after the other; look at what they say, and "
                "give them more memory, or strips of fewer rows by a lower --memory"
            )
        return lost + 1

    def _whole(self, attempt: Callable[[], Made]) -> Made:
        lost = 0
        while True:
            try:
                return attempt()
            except _WorkIsLostError:
                lost = self._once_more(lost)

    def _fold(
        self,
        rows: SceneRows,
        work: Work[Made],
        strips: Sequence[Strip],
        add: Callable[[Total, Made], Total],
        start: Total,
        heard: Callable[[Strip], None],
    ) -> Total:
        stage = _Stage(self._client, rows, work)
        total = self._client.scatter(pickle.dumps(start), hash=False)
        under_way: deque[tuple[Strip, Any]] = deque()
        window = AHEAD * self.threads
        for strip in strips:
            if len(under_way) == window:
                _wait(under_way, heard)
            total = self._client.submit(_added, add, total, stage.begin(strip), pure=False)
            under_way.append((strip, total))
        while under_way:
            _wait(under_way, heard)
        whole: Total = pickle.loads(_result(total))
        return whole

    def _merge(
        self,
        rows: SceneRows,
        work: Work[Made],
        strips: Sequence[Strip],
        merge: Callable[[Made, Made], Made],
        heard: Callable[[Strip], None],
    ) -> Made:
        stage = _Stage(self._client, rows, work)
        pair = functools.partial(self._client.submit, _merged, merge, pure=False)
        levels: Levels[Any] = Levels(pair)
        under_way: deque[tuple[Strip, Any]] = deque()
        window = AHEAD * self.threads
        for strip in strips:
            if len(under_way) == window:
                _wait(under_way, heard)
            call = stage.begin(strip)
            under_way.append((strip, call))
            levels.add(call)
        while under_way:
            _wait(under_way, heard)
        whole: Made = _result(levels.total())[0]
        return whole


class _Stage:
    """Work that is on the cluster."""

    def __init__(self, client: Any, rows: SceneRows, work: Work[Any]) -> None:
        client.wait_for_workers(1)
        self._name, packed = packed_work(rows, work)
        self._client, self._rows = client, rows
        self._packed = client.scatter(packed, hash=False)

    def begin(self, strip: Piece) -> Any:
        """Have a strip worked on; return the future of what is made of it, and of warnings."""
        if not isinstance(self._rows.source, DaskSource):
            return self._client.submit(work_on, self._name, self._packed, strip, pure=False)
        return self._client.compute(delayed_work(self._rows, self._name, self._packed, strip))


class _WorkIsLostError(Exception):
    """The only worker that had what the others need is gone."""


def _wait(under_way: deque[tuple[Strip, Any]], heard: Callable[[Strip], None]) -> None:
    """Wait for the first of the calls under way, whose result stays where it is."""
    strip, call = under_way.popleft()
    try:
        call.exception()
    except CancelledError as error:
        raise _WorkIsLostError from error
    if call.status != "finished":
        _result(call)
    heard(strip)


def _result(call: Any) -> Any:
    """Return the result of a call; raise what it raised, or what became of its worker."""
    from distributed import KilledWorker

    try:
        return call.result()
    except KilledWorker as error:
        raise WorkersLostError(
            f"several workers died of one strip ({error}); give them more memory, or strips of "
            "fewer rows by a lower --memory"
        ) from error
    except CancelledError as error:
        raise _WorkIsLostError from error


_unpacking = threading.Lock()
_latest: dict[str, Any] = {}  # work that this process was given last: its strips share it


def packed_work(rows: SceneRows, work: Work[Any]) -> tuple[str, bytes]:
    """Return a name for work, and all that it needs but the values of arrays."""
    packed = pickle.dumps((rows, work))
    return hashlib.blake2b(packed, digest_size=16).hexdigest(), packed


def work_on(
    name: str, packed: bytes, strip: Piece, values: Any = None, mask: Any = None
) -> tuple[Any, tuple[str, ...]]:
    """Work on a strip, in a worker; return what is made of it, and warnings of its source.

    Parameters
    ----------
    name, packed
        As `packed_work` returns them.
    strip : (top, bottom, ...)
    values, mask : (h, W, C) and (h, W, 1) arrays, optional
        The strip, where the scene is an array, and what masks it.
    """
    with _unpacking:
        if name not in _latest:
            _latest.clear()
            _latest[name] = pickle.loads(packed)
        rows, work = _latest[name]
    if values is not None:
        rows = replace(rows, source=Block(rows.source, strip[0], values))
    if mask is not None:
        rows = replace(rows, mask=Block(rows.mask, strip[0], mask))
    with at_most(1):
        return work(rows, *strip), rows.source.warnings


def delayed_work(rows: SceneRows, name: str, packed: Any, strip: Piece) -> Any:
    """Return the delayed call of `work_on` for a strip of an array."""
    from dask.delayed import delayed

    arrays = [source.image for source in (rows.source, rows.mask) if isinstance(source, DaskSource)]
    blocks = [array[strip[0] : strip[1]] for array in arrays]
    return delayed(work_on, pure=False)(name, packed, strip, *blocks)


def _added(add: Callable[[Any, Any], Any], total: bytes, made: tuple[Any, Any]) -> bytes:
    """Add to a copy of a total: the call may be done again."""
    return pickle.dumps(add(pickle.loads(total), made[0]))


def _merged(
    merge: Callable[[Any, Any], Any], one: tuple[Any, Any], other: tuple[Any, Any]
) -> tuple[Any, tuple[str, ...]]:
    """Merge a copy of one thing with its neighbour: the call may be done again."""
    return merge(copy.deepcopy(one[0]), other[0]), ()
