"""Kernels on several threads."""

import threading

import pytest

from segment.threads import Started, equal_slices, on_threads
from tests.commands import WAIT


def test_every_part_is_worked_on_at_once():
    """All parts run at the same time: each can wait for the others."""
    barrier = threading.Barrier(3, timeout=WAIT)
    seen = []
    on_threads(lambda part: (barrier.wait(), seen.append(part)), [1, 2, 3])
    assert sorted(seen) == [1, 2, 3]


@pytest.mark.parametrize("failing", [1, 2])
def test_an_error_on_any_thread_is_raised(failing):
    """An error reaches the caller from its own thread and from another."""

    def work(part):
        if part == failing:
            raise ValueError(f"part {part}")

    with pytest.raises(ValueError, match=f"part {failing}"):
        on_threads(work, [1, 2])


def test_started_call_gives_its_result():
    """A started call's value is there when it is asked for."""
    assert Started(lambda: 6 * 7).result() == 42


@pytest.mark.parametrize("size", [0, 1, 5, 1000, 1001])
def test_equal_slices_cover_everything_once(size, monkeypatch):
    """The slices are consecutive, cover all items, and are not below the smallest size."""
    monkeypatch.setattr("segment.threads.available_cores", lambda: 4)
    slices = equal_slices(size, smallest=100)
    assert [item for part in slices for item in range(size)[part]] == list(range(size))
    assert len(slices) == max(1, min(4, size // 100))


def test_an_interrupted_caller_waits_for_the_other_threads():
    """Ctrl-C on the caller's thread is raised only when the others have ended."""
    ended = threading.Event()

    def work(part):
        if part == "caller":
            raise KeyboardInterrupt
        ended.wait(0.2)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        on_threads(work, ["other", "caller"])
    assert ended.is_set()
