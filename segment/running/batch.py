"""Many images: which are to be done, who does them, and what became of each, in order."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from segment.errors import SegmentError, StdoutError
from segment.results.naming import Product, pages_there
from segment.running.journal import Record, Stamp, made_with, stamp, tidy
from segment.running.outcomes import Outcome
from segment.running.plan import Task, Work
from segment.running.pools import LOOK_UP, Call, Pool, WorkerDied
from segment.streams import is_standard
from segment.writing import remove_parts_of, remove_stale_parts

Existing = Literal["overwrite", "skip", "error"]


class Given(NamedTuple):
    """A task that was begun, or needed no beginning."""

    task: Task
    source: Stamp | None
    call: Call | Outcome


class Batch:
    """The images of a run.

    Parameters
    ----------
    tasks : sequence of Task
    work : Work
    existing : {"overwrite", "skip", "error"}
        What to do with an image whose results are there. "skip" asks the record: the image
        is done only if its results are complete and were made of it with these settings.
    keep_record : bool
        Whether a later run can resume this one.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        work: Work,
        *,
        existing: Existing = "overwrite",
        keep_record: bool = True,
    ) -> None:
        self.tasks = tasks
        self.work = work
        self._existing = existing
        self._pages_there: dict[str, dict[str, set[int]]] = {}
        self._record = Record(made_with(work)) if keep_record else None

    def run(
        self,
        pool: Pool,
        *,
        stopped: Callable[[], bool] = lambda: False,
        look: Callable[[], None] = lambda: None,
    ) -> Generator[Outcome, None, None]:
        """Have the images done; yield what became of each, in their order.

        Parameters
        ----------
        pool : Pool
            Shut down at the end, however it comes.
        stopped : callable
            Asked again and again; once it says True no image is begun, those under way are
            given up, and those that are finished are told.
        look : callable
            Called as often, to show how far it is.
        """
        pending: deque[Given] = deque()
        tasks = iter(self.tasks)
        try:
            while not stopped():
                while len(pending) < pool.window and (task := next(tasks, None)):
                    pending.append(self._begin(task, pool))
                look()
                if not pending:
                    return
                if _is_done(pending[0].call):
                    yield from self._finish(pending.popleft())
        finally:
            pool.shutdown()
            _sweep(pending, pool)
        for given in pending:
            if _is_done(given.call) and _is_finished(given.call):
                yield from self._finish(given)

    def preview(self) -> Iterator[Outcome]:
        """Yield what `run` would read and write, and do nothing."""
        for task in self.tasks:
            known = self._without_work(task, stamp(task.input))
            if known is None and not is_standard(task.input) and not os.path.exists(task.input):
                known = Outcome(task.input, "failed", "no such file; check the name")
            yield known or self._planned(task)

    def _planned(self, task: Task) -> Outcome:
        """Return what results will be called as far as an image's header tells."""
        page = self.work.reading.page
        number: int | Literal["*"] | None = "*" if page == "all" else page
        try:
            paths = self._scene_paths(task) or self.work.output.paths(task.place, page=number)
        except SegmentError as error:
            return Outcome(task.input, "failed", str(error))
        return Outcome(task.input, "planned", outputs=[str(path) for path in paths.values()])

    def _scene_paths(self, task: Task) -> dict[Product, Path] | None:
        """Return the files of results of an image that will be done by strips; else None."""
        if not self.work.may_cut(task.source):
            return None
        from segment.running.scene_job import scene_paths  # most images need none

        return scene_paths(task, self.work)

    def _begin(self, task: Task, pool: Pool) -> Given:
        source = stamp(task.input)
        known = self._without_work(task, source)
        return Given(task, source, known or pool.submit(_do, task, self.work))

    def _without_work(self, task: Task, source: Stamp | None) -> Outcome | None:
        if self._existing == "skip" and self._record is not None:
            outputs = self._record.outputs(task, source)
            if outputs is not None:
                return Outcome(task.input, "skipped", outputs=outputs)
        if self._existing == "error":
            for path in self._possible(task):
                if os.path.lexists(path):
                    reason = f"its result {path} is already there; move it, or take --existing skip"
                    return Outcome(task.input, "failed", reason)
        return None

    def _possible(self, task: Task) -> list[Path]:
        """Return where results may be, by how the image is done and the number of segments."""
        with contextlib.suppress(SegmentError):  # told by those who do it
            if found := self._scene_paths(task):
                return [*found.values()]
        return self.work.output.possible_paths(task.place, self._pages(task))

    def _pages(self, task: Task) -> list[int | None]:
        """Return the pages that results may be of: where all are asked for, those there are."""
        page = self.work.reading.page
        if page != "all":
            return [None] if page is None else [None, page]
        folder, stem = os.path.split(task.place)
        if folder not in self._pages_there:
            self._pages_there[folder] = pages_there(folder)
        return [None, *sorted(self._pages_there[folder].get(stem, ()))]

    def _finish(self, given: Given) -> list[Outcome]:
        if isinstance(given.call, Outcome):
            return [given.call]
        try:
            outcomes: list[Outcome] = given.call.result()
        except StdoutError:
            raise
        except WorkerDied as died:
            remove_parts_of(Path(given.task.place).parent, [died.process])
            return [Outcome(given.task.input, "failed", str(died))]
        except Exception as error:  # of the cluster: a worker that lacks a package, or died thrice
            reason = f"its worker failed ({type(error).__name__}: {error})"
            return [Outcome(given.task.input, "failed", reason)]
        if self._record and given.source and all(outcome.status == "ok" for outcome in outcomes):
            results = [path for outcome in outcomes for path in outcome.outputs]
            self._record.add(given.task, given.source, results)
        return outcomes


def prepare(tasks: Iterable[Task]) -> None:
    """Clear the folders of results of what killed runs left there."""
    for folder in {os.path.dirname(task.place) for task in tasks}:
        remove_stale_parts(Path(folder))
        tidy(Path(folder))


def _do(task: Task, work: Work) -> list[Outcome]:
    """Import the method only where it runs: the parent of workers starts without it."""
    from segment.running.job import run_job

    return run_job(task, work)


def _is_done(call: Call | Outcome) -> bool:
    """Return whether a call has ended, after a short wait."""
    if isinstance(call, Outcome) or call.done():
        return True
    try:
        call.result(LOOK_UP)
    except TimeoutError:
        return call.done()
    except Exception:  # told when it is asked for
        return True
    return True


def _is_finished(call: Call | Outcome) -> bool:
    try:
        return isinstance(call, Outcome) or bool(call.result(0))
    except Exception:  # given up
        return False


def _sweep(pending: Iterable[Given], pool: Pool) -> None:
    """Remove what the workers were writing when they were ended."""
    processes = getattr(pool, "processes", ())
    if processes:
        for folder in {os.path.dirname(given.task.place) for given in pending}:
            remove_parts_of(Path(folder), processes)
