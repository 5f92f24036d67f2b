"""Bars are for people who watch: they are whole, they count, and pipes never see them."""

import io
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from segment import progress
from segment.progress import STAGES, enter, heard_by
from segment.running.outcomes import Console, Outcome
from segment.threads import Started
from tests.commands import COMMAND, photos, plain_environment, run, shown_on

pty = pytest.importorskip("pty", reason="needs a terminal of POSIX")
termios = pytest.importorskip("termios", reason="needs a terminal of POSIX")


def on_terminal(*arguments, command=COMMAND, size=(24, 100)):
    """Run the command with a terminal as stderr; return what it shows, and its exit code."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, size)
    command = [*command, *map(str, arguments)]
    environment = plain_environment() | {"TERM": "xterm"}
    process = subprocess.Popen(command, stderr=theirs, stdin=theirs, env=environment)
    os.close(theirs)
    return shown_on(ours), process.wait()


def test_a_terminal_gets_a_bar_and_whole_lines(tmp_path):
    """On a terminal a bar counts the images and the failed ones; errors have lines of their own."""
    photos(tmp_path / "in", 8, size=16)
    (tmp_path / "in" / "003.png").write_bytes(b"damaged")
    shown, code = on_terminal(tmp_path / "in", "-o", tmp_path / "out", "-j", "2")
    assert code == 1
    assert "8/8" in shown
    assert "1 failed" in shown
    lines = shown.replace("\r\n", "\n").split("\n")
    (error,) = [line for line in lines if "error:" in line]
    said = error.split("\r")[-1].removeprefix("\x1b[A")
    assert said.startswith(f"\x1b[31merror:\x1b[0m {tmp_path / 'in'}")
    assert not any("000_labels.png" in line for line in lines), "the bar stands for these lines"


def test_a_terminal_that_does_not_know_its_size_gets_a_bar(tmp_path):
    """Where the system says 0 x 0, as serial lines and some containers do, the bar is there."""
    photos(tmp_path / "in", 2, size=8)
    shown, code = on_terminal(tmp_path / "in", "-o", tmp_path / "out", size=(0, 0))
    assert code == 0
    assert "2/2" in shown


def test_a_pipe_gets_no_bar_unless_it_is_asked_for(tmp_path):
    """Piped, nothing but lines; --progress shows the bar all the same, --quiet hides it."""
    photos(tmp_path / "in", 2, size=8)
    command = (tmp_path / "in", "-o", tmp_path / "out")
    assert "\r" not in run(*command).stderr
    assert "2/2" in run(*command, "--progress").stderr
    assert on_terminal(*command, "--quiet") == ("", 0)
    assert "2/2" not in on_terminal(*command, "--no-progress")[0]


def test_a_small_image_gets_no_bar(tmp_path):
    """One image that takes less than the time after which a bar appears is one line."""
    photos(tmp_path, 1, size=8)
    script = "from segment.command.cli import main; from segment import progress\n"
    script += "progress.SLOW = 1e9\nmain()"
    shown, _ = on_terminal(
        tmp_path / "000.png", "-o", tmp_path / "out", command=[sys.executable, "-c", script]
    )
    assert shown.count("\n") == 1
    assert "\r" not in shown.replace("\r\n", "")


def test_a_large_image_shows_its_stages(monkeypatch):
    """After a second the bar names the stage that the image is in, and is gone at the end."""
    now = [7.0]
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now[0]))
    bar = progress.StagesBar()
    for now[0] in (7.0, 7.5, 8.0):
        bar.look()
        assert sys.stderr.getvalue() == ""
    now[0] = 8.1
    for stage in STAGES:
        bar.enter(stage)
        bar.look()
    shown = sys.stderr.getvalue()
    assert [stage for stage in STAGES if stage in shown] == list(STAGES)
    with bar.aside():
        print("a line", file=sys.stderr)
    bar.close()
    assert "a line\n" in sys.stderr.getvalue()


def test_a_scene_shows_its_strips(monkeypatch):
    """A stage that tells how many rows are done has a bar of its own, with the time left."""
    now = [7.0]
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now[0]))
    bar = progress.StagesBar()
    now[0] = 9.0
    bar.enter("reading")
    bar.look()
    for stage, done in (("counting", 0), ("counting", 300), ("writing", 100)):
        bar.enter(stage, done, 400)
        bar.look()
        bar._bar.refresh()
    shown = sys.stderr.getvalue()
    assert "counting    75%" in shown
    assert "writing     25%" in shown
    assert shown.count(" left") >= 3
    bar.close()


def test_stages_are_heard_from_threads_and_by_nobody_else():
    """A listener hears stages from threads that are started within, and none afterwards."""
    heard = []
    with heard_by(lambda *heard_of: heard.append(heard_of)):
        enter("reading")
        Started(lambda: enter("segmenting")).wait()
    enter("writing")
    assert heard == [("reading", 0, 0), ("segmenting", 0, 0)]


def test_the_bar_counts_what_is_reported(monkeypatch):
    """Every image moves the bar by one, whatever became of it and however many pages it has."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    console = Console(bar=progress.ImagesBar(3))
    for number, status in enumerate(["ok", "failed", "skipped"]):
        for page in (1, 2):
            console.add(Outcome(f"{number}.tif", status, "reason", page=page))
    console.close()
    assert "3/3" in sys.stderr.getvalue()
    assert "2 failed" in sys.stderr.getvalue()
