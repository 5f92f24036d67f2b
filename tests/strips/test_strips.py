"""Strips: worked on at once, given back in order."""

import threading
import time

import pytest

from segment.strips.strips import Strips, Threads


def test_strips_come_in_order_whoever_is_done_first():
    """However long each takes, strips come from the first to the last, a bounded number at once."""
    under_way, most, lock = [0], [0], threading.Lock()

    def work(rows, top, bottom):
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.002 * (top % 3))
        with lock:
            under_way[0] -= 1
        return top * 2

    heard = []
    strips = Strips(10, 3, Threads(2), lambda *told: heard.append(told))
    assert [*strips.in_order("x", None, work)] == [(0, 3, 0), (3, 6, 6), (6, 9, 12), (9, 10, 18)]
    assert most[0] <= 2
    assert heard == [("x", done, 10) for done in (0, 3, 6, 9, 10)]


def test_as_many_strips_are_worked_on_at_once_as_may_be():
    """Each strip is under way together with another: none of them has to wait in vain."""
    together = threading.Barrier(2, timeout=60)
    found = Strips(12, 3, Threads(2)).in_order("x", None, lambda *_: together.wait())
    assert sum(number for _, _, number in found) == 2  # a 0 and a 1 of each pair


def test_work_begins_with_the_strip_that_a_row_lies_in():
    """Strips that were done before are passed over."""
    assert [top for top, _, _ in Strips(10, 4).in_order("x", None, lambda *_: 0, 4)] == [4, 8]
    assert [top for top, _, _ in Strips(10, 4).in_order("x", None, lambda *_: 0, 5)] == [4, 8]
    assert not [*Strips(10, 4).in_order("x", None, lambda *_: 0, 10)]


def test_an_error_in_a_strip_is_raised():
    """What goes wrong with a strip ends the whole."""

    def work(rows, top, bottom):
        raise ValueError(f"row {top}")

    with pytest.raises(ValueError, match="row 0"):
        [*Strips(9, 2, Threads(3)).in_order("x", None, work)]
