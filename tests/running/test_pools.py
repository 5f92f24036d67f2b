"""Worker processes: what they return, and what happens when one dies."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from segment.running import worker
from segment.running.pools import Here, WorkerDied
from segment.running.worker import BLAS, CallFailed, Workers
from tests.commands import WAIT, is_running, wait_until

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
    assert pair.submit(divmod, 7, 3).result(WAIT) == (2, 1)
    with pytest.raises(ZeroDivisionError):
        pair.submit(divmod, 7, 0).result(WAIT)
    assert [pair.submit(abs, -i).result(WAIT) for i in range(20)] == list(range(20))


class Choosy(Exception):
    """An exception whose constructor takes something other than its text."""

    def __init__(self, code, *, name):
        super().__init__(f"{name} has code {code}")


class Secretive(Exception):
    """An exception that cannot be pickled."""

    def __init__(self, text):
        super().__init__(text)
        self.lock = threading.Lock()


class Boomerang:
    """A value that can be sent, and not be read where it arrives."""

    def __reduce__(self):
        return int, ("none",)


def fail(kind, *arguments, **options):
    raise kind(*arguments, **options)


def test_keyword_arguments_arrive(pair):
    """A call is made with its positional and its keyword arguments, in a worker or here."""
    for pool in (pair, Here()):
        assert pool.submit(int, "12", base=3).result(WAIT) == 5
        with pytest.raises(TypeError, match="bass"):
            pool.submit(int, "12", bass=3).result(WAIT)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ((fail, Choosy, 7), r"tests\.running\.test_pools\.Choosy: it has code 7"),
        ((fail, Secretive, "no entry"), r"tests\.running\.test_pools\.Secretive: no entry"),
        ((threading.Lock,), "returned a lock that cannot be sent back .*pickle"),
        ((Boomerang,), "returned what cannot be read here .*invalid literal"),
    ],
    ids=["constructor", "exception", "result", "arrival"],
)
def test_what_cannot_be_sent_is_an_error_of_its_call(pair, call, said):
    """An exception or a result that pickle cannot take is named; later calls are undisturbed."""
    options = {"name": "it"} if Choosy in call else {}
    processes = pair.processes
    for _ in range(3):
        with pytest.raises(CallFailed, match=said):
            pair.submit(*call, **options).result(WAIT)
        assert [pair.submit(abs, -i).result(WAIT) for i in range(5)] == list(range(5))
    assert pair.processes == processes


def test_arguments_that_cannot_be_sent_are_refused(pair):
    """A call whose arguments pickle cannot take fails before any worker hears of it."""
    with pytest.raises(TypeError, match="pickle"):
        pair.submit(abs, threading.Lock()).result(WAIT)
    assert pair.submit(abs, -1).result(WAIT) == 1


def test_a_death_costs_its_own_call_only(pair):
    """The call whose worker is killed fails and says why; calls before, beside and after return."""
    futures = [pair.submit(abs, -i) for i in range(10)]
    futures.insert(5, pair.submit(signal.raise_signal, signal.SIGKILL))
    with pytest.raises(WorkerDied, match="was killed") as died:
        futures.pop(5).result(WAIT)
    assert [future.result(WAIT) for future in futures] == list(range(10))
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
        pair.submit(function, argument).result(WAIT)


def test_a_worker_that_dies_idle_costs_nothing(pair):
    """A worker that is killed between two calls is replaced before the next."""
    pair.submit(abs, 1).result(WAIT)
    for process in pair.processes:
        os.kill(process, signal.SIGKILL)
    wait_until(lambda: not any(map(is_running, pair.processes)))
    assert [pair.submit(abs, i).result(WAIT) for i in (1, 2, 3)] == [1, 2, 3]


def test_workers_that_cannot_start_cost_a_call(monkeypatch):
    """A call that neither a worker nor the one in its place takes says how the last one ended."""
    monkeypatch.setattr(worker, "START", "raise SystemExit(3)")
    with Workers(1, 1) as pool, pytest.raises(WorkerDied, match="ended with exit code 3"):
        pool.submit(abs, 1).result(WAIT)


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for processes")
def test_shutdown_ends_workers_in_the_middle_of_a_call():
    """Shutting down waits for no call, and leaves no process, whatever they are doing."""
    pool = Workers(2, 1)
    for _ in range(2):
        pool.submit(abs, 1).result(WAIT)
    read, write = os.pipe()  # which nobody ever writes to
    calls = [pool.submit(Path(f"/proc/{os.getpid()}/fd/{read}").read_bytes) for _ in range(4)]
    wait_until(lambda: sum(call.running() for call in calls) == 2)
    processes = pool.processes
    pool.shutdown()
    os.close(read)
    os.close(write)
    assert not any(map(is_alive, processes))
    assert not any(call.done() and not call.cancelled() and not call.exception() for call in calls)


def test_printing_does_not_disturb(capfd):
    """What a library prints in a worker goes to stderr, not among the answers."""
    pool = Workers(1, 1)
    try:
        assert pool.submit(print, "hello", flush=True).result(WAIT) is None
        assert pool.submit(abs, -1).result(WAIT) == 1
    finally:
        pool.shutdown()
    assert capfd.readouterr() == ("", "hello\n")


def test_linear_algebra_takes_no_more_cores_than_a_worker_has(monkeypatch):
    """Workers tell the library for linear algebra how many threads, unless the caller did."""
    for name in BLAS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "5")
    pool = Workers(1, 3)
    try:
        limits = [pool.submit(os.getenv, name).result(WAIT) for name in BLAS]
    finally:
        pool.shutdown()
    assert dict(zip(BLAS, limits, strict=True)) == dict.fromkeys(BLAS, "3") | {
        "MKL_NUM_THREADS": "5"
    }
