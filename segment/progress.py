"""How far a run is: the stages that a job tells of, and bars on a terminal."""

from __future__ import annotations

import contextlib
import contextvars
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

STAGES = ("reading", "segmenting", "writing")
Listener = Callable[[str, int, int], None]
_listener: contextvars.ContextVar[Listener | None] = contextvars.ContextVar(
    "listener", default=None
)


def enter(stage: str) -> None:
    """Tell whoever listens that a stage begins."""
    advance(stage, 0, 0)


def advance(stage: str, done: int, total: int) -> None:
    """Tell whoever listens how many rows of all a stage has done; 0 of 0 where it does not know."""
    listener = _listener.get()
    if listener is not None:
        listener(stage, done, total)


@contextlib.contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Have a function called with each stage that begins within, also on threads started there."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


BY_STAGES = "{desc} {bar} {elapsed}"
BY_ROWS = "{desc} {percentage:3.0f}% {bar} {elapsed}, {remaining} left"
SLOW = 1.0  # seconds that one image takes before a bar is worth while


class NoBar:
    """Shows nothing: stderr goes to a file or a pipe, or the user wants it so."""

    stands_for_lines = False

    def aside(self) -> AbstractContextManager[Any]:
        """Make room for lines of text."""
        return contextlib.nullcontext()

    def count(self, image: str, status: str) -> None:
        """Count an image that came to an end in one way or the other; once for all its pages."""

    def look(self) -> None:
        """Show what has changed since."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class ImagesBar(NoBar):
    """Images done of all, failed, rate and time left.

    Parameters
    ----------
    total : int
        Images of the run.
    """

    stands_for_lines = True

    def __init__(self, total: int) -> None:
        self._bar = _bar(total=total, unit=" images", smoothing=0.1)
        self._failed = 0
        self._last: str | None = None

    def aside(self) -> AbstractContextManager[Any]:
        return type(self._bar).external_write_mode()  # type: ignore[no-any-return]

    def count(self, image: str, status: str) -> None:
        if status == "failed":
            self._failed += 1
            self._bar.set_postfix_str(f"{self._failed} failed", refresh=False)
        self._bar.update(image != self._last)
        self._last = image

    def close(self) -> None:
        self._bar.close()


class StagesBar(NoBar):
    """The stages of one image, shown once it has taken a second.

    A stage that tells how far it is, strip by strip, has a bar of its own with the time it takes.
    """

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._heard = (STAGES[0], 0, 0)
        self._stage = ""
        self._by_rows = False
        self._bar: Any = None

    def enter(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Hear how far a stage is: to be shown by the thread that draws."""
        self._heard = (stage, done, total)

    def look(self) -> None:
        if self._bar is None and time.monotonic() - self._start <= SLOW:
            return
        stage, done, total = self._heard
        if self._bar is None or (total > 0) != self._by_rows:
            self.close()
            self._by_rows = total > 0
            shape = BY_ROWS if self._by_rows else BY_STAGES
            self._bar = _bar(total=total or len(STAGES), bar_format=shape, leave=False)
        elif self._by_rows and stage != self._stage:
            self._bar.reset(total)
        self._stage = stage
        self._bar.n = done if self._by_rows else STAGES.index(stage)
        self._bar.set_description_str(f"{stage:10}")

    def aside(self) -> AbstractContextManager[Any]:
        if self._bar is None:
            return contextlib.nullcontext()
        return type(self._bar).external_write_mode()  # type: ignore[no-any-return]

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _bar(**options: Any) -> Any:
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # its thread is for bars that are rarely updated
    width = {"dynamic_ncols": True} if _columns() else {"ncols": 80, "nrows": 24}
    return tqdm(file=sys.stderr, **width, **options)


def _columns() -> int:
    """Return the width of the terminal; 0 where there is none, or it does not know its width."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError, AttributeError):
        return 0
