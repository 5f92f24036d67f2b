"""Where an image is on its way: told by the job, heard by whoever shows it."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator

STAGES = ("reading", "segmenting", "writing")

_listener: contextvars.ContextVar[Callable[[str], None] | None] = contextvars.ContextVar(
    "listener", default=None
)


def enter(stage: str) -> None:
    """Tell that a stage begins."""
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
