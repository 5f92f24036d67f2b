"""Which of many requests work is done on."""

import pytest

from segment.napari_plugin.asking import Latest


class Work:
    """Work that a test ends."""

    def __init__(self, request):
        self.request = request
        self.told_to_quit = False

    def quit(self):
        self.told_to_quit = True


@pytest.fixture
def begun():
    """The work that was started."""
    return []


@pytest.fixture
def latest(begun):
    def start(request):
        begun.append(Work(request))
        return begun[-1]

    return Latest(start)


def test_the_last_request_is_done_after_the_first(latest, begun):
    """Of requests that come during work only the last is done, and it always is."""
    for request in "abcd":
        latest.ask(request)
    assert [work.request for work in begun] == ["a"]
    latest.done()
    assert [work.request for work in begun] == ["a", "d"]
    assert latest.busy
    latest.done()
    assert not latest.busy
    assert not any(work.told_to_quit for work in begun)


def test_what_is_cancelled_waits_no_more(latest, begun):
    """Cancelling tells the work under way to quit and drops what waits; later requests count."""
    latest.ask("a")
    latest.ask("b")
    latest.cancel()
    assert begun[0].told_to_quit
    latest.done()
    assert [work.request for work in begun] == ["a"]
    latest.ask("c")
    assert [work.request for work in begun] == ["a", "c"]


def test_there_may_be_nothing_to_cancel(latest, begun):
    """Without work cancelling is of no effect."""
    latest.cancel()
    latest.ask("a")
    assert not begun[0].told_to_quit
