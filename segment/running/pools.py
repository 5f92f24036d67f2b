"""Who does the calls of a run: this process, worker processes, or the workers of a Dask cluster.

Worker processes are in `worker`, which imports what a single image does without.
"""

from __future__ import annotations

import functools
import logging
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from segment.errors import SegmentError
from segment.threads import Started

if TYPE_CHECKING:
    from concurrent.futures import Future

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


class Cluster:
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

    def shutdown(self) -> None:
        """Leave the cluster; calls that have not begun are taken back."""
        self._executor.shutdown(wait=False)
        self._client.close(timeout=1)

    @property
    def workers(self) -> int:
        """How many there are now."""
        return len(self._client.scheduler_info(n_workers=-1)["workers"])
