"""One piece of work at a time, and always the latest: what a slider asks for while it is moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

Request = TypeVar("Request")


class Work(Protocol):
    """Work under way on a thread."""

    def quit(self) -> None: ...


class Latest(Generic[Request]):
    """Starts work on the latest request as soon as the work before it is done.

    Requests that come while work is under way wait, one of them: a newer one takes its place.
    So results come in the order of their requests, and the last request is never left out.

    Parameters
    ----------
    start : callable
        Starts work on a request and returns it; `done` is to be called when it has ended, in one
        way or the other, on the thread that asks.
    """

    def __init__(self, start: Callable[[Request], Work]) -> None:
        self._start = start
        self._work: Work | None = None
        self._waiting: Request | None = None

    @property
    def busy(self) -> bool:
        """Whether work is under way."""
        return self._work is not None

    def ask(self, request: Request) -> None:
        """Start work on a request, or have it wait in place of the one that waits."""
        if self.busy:
            self._waiting = request
        else:
            self._work = self._start(request)

    def cancel(self) -> None:
        """Leave out what waits, and tell the work under way to end where it can."""
        self._waiting = None
        if self._work is not None:
            self._work.quit()

    def done(self) -> None:
        """Hear that the work has ended; start on what waits."""
        waiting, self._work, self._waiting = self._waiting, None, None
        if waiting is not None:
            self.ask(waiting)
