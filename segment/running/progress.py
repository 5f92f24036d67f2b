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
_listener: contextvars.ContextVar[Callable[[str], None] | None] = contextvars.ContextVar(
    "listener", default=None
)


def enter(stage: str) -> None:
    """Tell whoever listens that a stage begins."""
    listener = _listener.get()
    if listener is not None:
        listener(stage)


@contextlib.contextmanager
def heard_by(listener: Callable[[str], None]) -> Iterator[None]:
    """Have a function called with each stage that begins within, also on threads started there."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


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
    """The stages of one image, shown once it has taken a second."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._stage = STAGES[0]
        self._bar: Any = None

    def enter(self, stage: str) -> None:
        """Hear of a stage that begins: to be shown by the thread that draws."""
        self._stage = stage

    def look(self) -> None:
        if self._bar is None and time.monotonic() - self._start > SLOW:
            self._bar = _bar(total=len(STAGES), bar_format="{desc} {bar} {elapsed}", leave=False)
        if self._bar is not None:
            self._bar.n = STAGES.index(self._stage)
            self._bar.set_description_str(f"{self._stage:10}")

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
