"""Worker processes, from both sides: calls go in on standard input, what they return comes out.

A worker ends when its standard input does: when the process that started it is done with it, and as
well when that process was killed. No worker outlives its run.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, BinaryIO

from segment.running.pools import WorkerDied
from segment.writing import abandon

# The worker imports what this process would, wherever it was started.
START = "import sys; sys.path[:] = sys.argv[1:]; from segment.running.worker import main; main()"
BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
WINDOW = 32  # calls to a worker that are handed over before the first of them has returned
PATIENCE = 0.3  # seconds for workers to end by themselves; all of an interrupted run takes one


class CallFailed(Exception):
    """A call raised, or returned, what cannot be sent to another process."""


class Workers(Executor):
    """Worker processes that take one call each at a time.

    Parameters
    ----------
    count : int, >= 1
    cores : int, >= 1
        What each may use: the limit for the threads of the linear algebra library.
    """

    def __init__(self, count: int, cores: int) -> None:
        self.window = WINDOW * count
        self._environment = {**dict.fromkeys(BLAS, str(cores)), **os.environ}
        self._closed = False
        self._lock = threading.Lock()
        self._workers = [self._start() for _ in range(count)]
        self._idle: queue.LifoQueue[int] = queue.LifoQueue()
        for place in reversed(range(count)):
            self._idle.put(place)
        self._threads = ThreadPoolExecutor(count)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a module's function called with the arguments in the next idle worker.

        The future raises what the function raises, `WorkerDied`, or where an exception or what
        was returned cannot be sent between processes, `CallFailed`, which names it.
        """
        return self._threads.submit(self._call, function, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End all workers now, at work or not."""
        with self._lock:
            self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            _close(worker.stdin)
        deadline = time.monotonic() + PATIENCE
        for worker in self._workers:
            try:
                worker.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:  # in the middle of a long kernel
                worker.kill()
                worker.wait()
        self._threads.shutdown()
        for worker in self._workers:
            _close(worker.stdout)

    @property
    def processes(self) -> list[int]:
        """The numbers of the processes."""
        return [worker.pid for worker in self._workers]

    def _call(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        call = pickle.dumps(pickle.dumps((function, args, kwargs)))
        place = self._idle.get()
        try:
            packed = self._ask(place, call)
        finally:
            self._idle.put(place)
        try:
            returned, answer = pickle.loads(packed)
        except Exception as error:
            raise CallFailed(f"returned what cannot be read here ({error})") from error
        if not returned:
            raise answer
        return answer

    def _ask(self, place: int, call: bytes, *, last: bool = False) -> bytes:
        """Return the answer to a call; where its worker died before it took that, the next's."""
        worker, taken = self._workers[place], False
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            worker.stdin.write(call)
            worker.stdin.flush()
            taken = pickle.load(worker.stdout)
            answer: bytes = pickle.load(worker.stdout)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            _close(worker.stdin)
            died = WorkerDied(worker.pid, worker.wait())
            self._replace(place)
            if taken or last:  # else it died idle: no call is to blame
                raise died from None
            return self._ask(place, call, last=True)
        return answer

    def _replace(self, place: int) -> None:
        _close(self._workers[place].stdin)
        _close(self._workers[place].stdout)
        with self._lock:
            if self._closed:
                raise CancelledError
            self._workers[place] = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", START, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._environment,
            start_new_session=True,  # Ctrl-C is for the run to hear, not for its workers
        )


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        with contextlib.suppress(OSError):  # what was not yet sent goes nowhere
            pipe.close()


def main() -> None:
    """Answer calls until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us decides what it means
    calls, answers = _channels()
    _offer_to_die_first()
    importlib.import_module("segment.running.job")  # while the parent still looks for images
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(calls, waiting), daemon=True).start()
    while True:
        call = waiting.get()
        _send(answers, pickle.dumps(True))  # it is taken: from now on it may be to blame
        _send(answers, _answer(call))


def _send(answers: BinaryIO, content: bytes) -> None:
    answers.write(content)
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
