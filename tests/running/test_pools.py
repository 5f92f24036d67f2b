"""Worker processes: what they return, and what happens when one dies."""

import os
import signal
import sys
import time

import pytest

from segment.running.pools import WorkerDied, Workers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def pair():
    """A pool of two workers."""
    pool = Workers(2, 1)
    yield pool
    pool.shutdown()


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_calls_return_or_raise_what_the_function_does(pair):
    """A value comes back, an error is raised again, also one that comes after another call."""
    assert pair.submit(divmod, 7, 3).result(20) == (2, 1)
    with pytest.raises(ZeroDivisionError):
        pair.submit(divmod, 7, 0).result(20)
    assert [pair.submit(abs, -i).result(20) for i in range(20)] == list(range(20))


def test_a_death_costs_its_own_call_only(pair):
    """The call whose worker is killed fails and says why; calls before, beside and after return."""
    futures = [pair.submit(abs, -i) for i in range(10)]
    futures.insert(5, pair.submit(signal.raise_signal, signal.SIGKILL))
    with pytest.raises(WorkerDied, match="was killed") as died:
        futures.pop(5).result(20)
    assert [future.result(20) for future in futures] == list(range(10))
    assert not is_alive(died.value.process)


@pytest.mark.parametrize(
    ("function", "argument", "said"),
    [
        (signal.raise_signal, signal.SIGSEGV, "crashed .SIGSEGV."),
        (os._exit, 3, "ended with exit code 3"),
    ],
)
def test_other_ends_are_told(pair, function, argument, said):
    """A crash is told apart from a kill and from an exit."""
    with pytest.raises(WorkerDied, match=said):
        pair.submit(function, argument).result(20)


def test_a_worker_that_dies_idle_costs_nothing(pair):
    """A worker that is killed between two calls is replaced before the next."""
    pair.submit(abs, 1).result(20)
    for process in pair.processes:
        os.kill(process, signal.SIGKILL)
    time.sleep(0.1)
    assert [pair.submit(abs, i).result(20) for i in (1, 2, 3)] == [1, 2, 3]


def test_shutdown_ends_workers_in_the_middle_of_a_call():
    """Shutting down takes less than a second and leaves no process, whatever they are doing."""
    pool = Workers(2, 1)
    for _ in range(2):
        pool.submit(abs, 1).result(20)
    calls = [pool.submit(time.sleep, 60) for _ in range(4)]
    time.sleep(0.1)
    start = time.monotonic()
    processes = pool.processes
    pool.shutdown()
    assert time.monotonic() - start < 1
    assert not any(map(is_alive, processes))
    assert not any(call.done() and not call.cancelled() and not call.exception() for call in calls)


def test_printing_does_not_disturb(pair, capfd):
    """What a library prints in a worker goes to stderr, not among the answers."""
    assert pair.submit(print, "hello").result(20) is None
    pair.submit(sys.stdout.flush)
    assert pair.submit(abs, -1).result(20) == 1


def test_linear_algebra_takes_no_more_cores_than_a_worker_has(pair):
    """Workers tell the library for linear algebra how many threads it may start."""
    assert pair.submit(os.getenv, "OPENBLAS_NUM_THREADS").result(20) == "1"
