"""The same calls on the workers of a Dask cluster."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from segment.errors import SegmentError

WINDOW = 1024  # calls that are handed over at once: enough for some hundred workers
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

    window = WINDOW

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
