"""A worker process: calls come in on standard input, what they return goes out on standard output.

It ends when standard input does: when the process that started it is done with it, and as well
when that process was killed. No worker outlives its run.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, BinaryIO

from segment.writing import abandon


class CallFailed(Exception):
    """A call raised, or returned, what cannot be sent to another process."""


def main() -> None:
    """Answer calls until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us decides what it means
    calls, answers = _channels()
    _offer_to_die_first()
    importlib.import_module("segment.running.job")  # while the parent still looks for images
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(calls, waiting), daemon=True).start()
    while True:
        answer = _answer(waiting.get())
        answers.write(answer)
        answers.flush()


def _channels() -> tuple[BinaryIO, BinaryIO]:
    """Return the pipes for calls and answers; a library that prints must not print into them."""
    calls, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return calls, answers


def _offer_to_die_first() -> None:
    """Where memory runs out, Linux should end a worker, which costs an image, not the run."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("500")


def _listen(calls: BinaryIO, waiting: queue.SimpleQueue[bytes]) -> None:
    with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
        while True:
            waiting.put(pickle.load(calls))
    abandon()
    os._exit(0)


def _answer(call: bytes) -> bytes:
    """Do a call; what it returned or raised, in an envelope that can be opened in any case."""
    try:
        function, arguments, keywords = pickle.loads(call)
        answer = _packed(True, function(*arguments, **keywords))
    except Exception as error:  # raised again by the caller's future
        answer = _packed(False, error)
    return pickle.dumps(answer)


def _packed(returned: bool, value: Any) -> bytes:
    """Pickle an answer, if it can be unpickled, too: an exception's constructor may want more."""
    try:
        packed = pickle.dumps((returned, value))
        if not returned:
            pickle.loads(packed)
        return packed
    except Exception as error:
        said = f"returned a {type(value).__qualname__} that cannot be sent back ({error})"
        if not returned:
            said = "".join(traceback.format_exception_only(value)).strip()
        return pickle.dumps((False, CallFailed(said)))
