"""Running a kernel on several threads at once."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from segment.cpu_quota import quota_in_cores

Part = TypeVar("Part")
Result = TypeVar("Result")

_allowed: contextvars.ContextVar[int | None] = contextvars.ContextVar("allowed", default=None)


def available_cores() -> int:
    """Return how many cores this process may take: of those it may run on, within its quota."""
    if hasattr(os, "sched_getaffinity"):
        there = len(os.sched_getaffinity(0))
    else:
        there = os.cpu_count() or 1
    there = min(there, quota_in_cores() or there)
    return min(there, _allowed.get() or there)


@contextlib.contextmanager
def at_most(cores: int) -> Iterator[None]:
    """Let what is called within take no more cores: one image of several at a time.

    Holds for the caller's thread and those it starts, not for others in the process: a worker
    of a cluster may run several images in one process.
    """
    before = _allowed.set(cores)
    try:
        yield
    finally:
        _allowed.reset(before)


class Started(Generic[Result]):
    """A call under way on a thread of its own; done at once where one core is all there may be.

    What `concurrent.futures` does, which takes 5 ms to import: a third of what it takes
    to segment a photo.
    """

    def __init__(self, call: Callable[[], Result]) -> None:
        self._call = call
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        if _allowed.get() == 1:
            self._run()
            return
        inherited = contextvars.copy_context()
        self._thread = threading.Thread(target=inherited.run, args=(self._run,), daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._call()
        except BaseException as error:  # raised again by result()
            self._error = error

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the call has ended in one way or the other; return whether it has."""
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def done(self) -> bool:
        """Return whether the call has ended."""
        return self.wait(0)

    def result(self, timeout: float | None = None) -> Result:
        """Wait for the call; return what it returns, raise what it raises.

        Raises
        ------
        TimeoutError
            If it has not ended after so many seconds.
        """
        if not self.wait(timeout):
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._value


def on_threads(work: Callable[[Part], object], parts: Sequence[Part]) -> None:
    """Call `work` on every part at once, each on a thread of its own, and wait for all.

    The last part runs on the caller's thread. The first error is raised here.
    """
    others = [Started(functools.partial(work, part)) for part in parts[:-1]]
    try:
        for part in parts[-1:]:
            work(part)
        for other in others:
            other.result()
    finally:  # also after Ctrl-C: what is half written must be finished or taken away
        for other in others:
            other.wait()


def equal_slices(size: int, smallest: int) -> list[slice]:
    """Cut `size` items into as many slices as there are cores, none below `smallest` items."""
    count = max(1, min(available_cores(), size // smallest))
    return [slice(size * i // count, size * (i + 1) // count) for i in range(count)]
