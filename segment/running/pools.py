"""Who does the calls of a run: this process, worker processes, or the workers of a Dask cluster."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from typing import IO, Any, Protocol

from segment.errors import SegmentError
from segment.running.worker import CallFailed
from segment.threads import Started

LOOK_UP = 0.05  # seconds between two looks at whether a call has ended or is to be given up


class Call(Protocol):
    """A call under way, as `concurrent.futures.Future` is one."""

    def done(self) -> bool: ...
    def result(self, timeout: float | None = None) -> Any: ...


class Pool(Protocol):
    """Whoever takes calls, as `concurrent.futures.Executor` does.

    `window` calls are handed to it at once: enough to keep it busy while one image takes
    longer than those after it, and few enough for memory not to grow with the images.
    """

    @property
    def window(self) -> int: ...
    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Call: ...
    def shutdown(self) -> None: ...


class Here:
    """Does each call on a thread of its own, so that Ctrl-C is heard in the middle of a kernel."""

    window = 1

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Started[Any]:
        """Start a call."""
        return Started(functools.partial(function, *args, **kwargs))

    def shutdown(self) -> None:
        """Leave what is under way to the end of the process."""


class Coordinator(Here):
    """Does a call here, which shares its work out over a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def shutdown(self) -> None:
        """Leave the cluster; what has not begun is taken back."""
        self._cluster.shutdown()


# The worker imports what this process would, wherever it was started.
START = "import sys; sys.path[:] = sys.argv[1:]; from segment.running.worker import main; main()"
BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
WINDOW = 32  # calls to a worker that are handed over before the first of them has returned
PATIENCE = 0.3  # seconds for workers to end by themselves; all of an interrupted run takes one


class WorkerDied(Exception):
    """A worker ended in the middle of a call.

    Attributes
    ----------
    process : int
        Its number.
    """

    def __init__(self, process: int, code: int) -> None:
        super().__init__(f"its worker process {_ending(code)}")
        self.process = process


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

    def _ask(self, place: int, call: bytes) -> bytes:
        if self._workers[place].poll() is not None:  # it died while idle: no call is to blame
            self._replace(place)
        worker = self._workers[place]
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            worker.stdin.write(call)
            worker.stdin.flush()
            answer: bytes = pickle.load(worker.stdout)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            _close(worker.stdin)
            died = WorkerDied(worker.pid, worker.wait())
            self._replace(place)
            raise died from None
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


def _ending(code: int) -> str:
    if code == -getattr(signal, "SIGKILL", 9):
        return "was killed, by hand or because memory ran out; use fewer --jobs or scale it down"
    if code < 0:
        return f"crashed ({signal.Signals(-code).name}); please report it with the image"
    return f"ended with exit code {code}; please report it with the image"


CLUSTER_WINDOW = 1024  # calls that are handed over at once: enough for some hundred workers
ANSWERS_WITHIN = 10.0  # seconds for a scheduler


class ClusterError(SegmentError):
    """There is no cluster to work on."""


class Cluster(Executor):
    """The workers that a scheduler knows, now and later.

    A worker that is lost has its calls done again by others: the scheduler sees to it, and gives
    up on a call that three workers died of.

    Parameters
    ----------
    address : str
        Of the scheduler: ``tcp://host:port``.

    Raises
    ------
    ClusterError
        If `distributed` is not installed, or nothing answers.
    """

    window = CLUSTER_WINDOW

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise ClusterError(
                "Dask is not installed; pip install 'meanshift-segment[dask]'"
            ) from None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            self._client = Client(address, timeout=ANSWERS_WITHIN, set_as_default=False)
        except (OSError, ValueError, ImportError) as error:
            raise ClusterError(
                f"no scheduler answers ({error}); start one: dask scheduler"
            ) from None
        self._executor = self._client.get_executor(pure=False)

    @property
    def client(self) -> Any:
        """The `distributed.Client`."""
        return self._client

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a function called with the arguments on the next idle worker."""
        future: Future[Any] = self._executor.submit(function, *args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; calls that have not begun are taken back."""
        self._executor.shutdown(wait=False)
        self._client.close(timeout=1)

    @property
    def workers(self) -> int:
        """How many there are now."""
        return len(self._client.scheduler_info(n_workers=-1)["workers"])
