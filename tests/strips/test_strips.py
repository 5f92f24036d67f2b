"""Strips: worked on at once, given back in order."""

import threading
import time

import pytest

from segment.strips.strips import ReadingAhead, Share, Strips, Threads


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


class Numbered:
    """Rows whose points are their numbers; tells which strips were read."""

    height, width = 100, 3

    def __init__(self):
        self.was_read = {top: threading.Event() for top in range(100)}

    def points(self, top, bottom):
        self.was_read[top].set()
        return [*range(top, bottom)], None


def test_the_next_strip_is_read_while_one_is_worked_on():
    """Work gets the points of its strip, and what else the strip has; one more is read by then."""
    rows, strips = Numbered(), [(0, 2, "a"), (1, 4, "b"), (9, 11)]

    def work(here, top, bottom, more=None):
        assert (here.height, here.width) == (100, 3)
        assert rows.was_read[{0: 1, 1: 9, 9: 9}[top]].wait(60)
        assert top or not rows.was_read[9].is_set()
        return sum(here.points(top, bottom)[0]), more

    made = [*ReadingAhead().in_order(rows, work, strips)]
    assert made == [(strips[0], (1, "a")), (strips[1], (6, "b")), (strips[2], (19, None))]


@pytest.mark.parametrize("crew", [ReadingAhead(), Threads(1), Threads(3)])
def test_strips_may_depend_on_what_was_made_of_others(crew):
    """Strips are asked for one by one: when some are done, others can still be added."""
    left = [*range(12)]

    def strips():
        while left:
            yield left.pop(0), 20

    seen = []
    for (top, _), made in crew.in_order(Numbered(), lambda rows, top, bottom: -top, strips()):
        assert made == -top
        if top == 0:
            assert len(left) > 5
            left.append(19)
        seen.append(top)
    assert seen == [*range(12), 19]


def test_a_strip_that_cannot_be_read_is_an_error_and_the_others_are_let_be():
    """What goes wrong while a strip is read is raised where it is worked on."""

    class Broken(Numbered):
        def points(self, top, bottom):
            if top == 4:
                raise ValueError("row 4")
            return super().points(top, bottom)

    found = ReadingAhead().in_order(
        Broken(), lambda here, *strip: here.points(*strip)[0], Strips(9, 2)
    )
    assert [next(found)[1], next(found)[1]] == [[0, 1], [2, 3]]
    with pytest.raises(ValueError, match="row 4"):
        next(found)


def test_those_who_work_at_once_share_the_memory():
    """One at a time takes all of it; several, each their part."""
    assert ReadingAhead().share(1000) == Share(1, 1000)
    assert Threads(4).share(1000) == Share(4, 250)
