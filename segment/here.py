"""The pool of one: calls run in this process, one after the other."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from segment.threads import Started


class Here:
    """Does each call on a thread of its own, so that Ctrl-C is heard in the middle of a kernel."""

    window = 1

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Started[Any]:
        """Start a call."""
        return Started(functools.partial(function, *arguments))

    def shutdown(self) -> None:
        """Leave what is under way to the end of the process."""
