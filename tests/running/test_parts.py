"""Passing names: what is left of them after errors and kills."""

import contextlib
import itertools
import os
import subprocess
import sys
import threading
import time

import pytest

from segment.threads import Started
from segment.writing import abandoning, passing, remove_parts_of, remove_stale_parts, write_whole
from tests.commands import WAIT


def parts_in(folder):
    return sorted(path.name for path in folder.glob(".*.part"))


def test_a_passing_name_lies_beside_the_target_and_is_hidden(tmp_path):
    """The name is in the target's folder, begins with a dot and ends in .part; no two agree."""
    with passing(tmp_path / "a.png") as first, passing(tmp_path / "a.png") as second:
        assert first != second
        assert first.parent == tmp_path
        assert first.name.startswith(".")
        assert first.suffix == ".part"


def test_names_do_not_rest_on_a_clock(tmp_path, monkeypatch):
    """Where the clock stands still, many threads write at once, each under a name of its own."""
    for clock in ("time", "monotonic", "perf_counter"):
        monkeypatch.setattr(time, clock, lambda: 7.0)
        monkeypatch.setattr(time, f"{clock}_ns", lambda: 7)
    names, together = [], threading.Barrier(8)

    def write(number):
        for turn in range(20):
            together.wait()
            with passing(tmp_path / "a.png") as name:
                names.append(name)
            write_whole(tmp_path / f"{number}.txt", lambda file, t=turn: file.write(b"%d" % t))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == len(names) == 160
    assert sorted(path.name for path in tmp_path.glob("*.txt")) == [f"{n}.txt" for n in range(8)]
    assert all(path.read_bytes() == b"19" for path in tmp_path.glob("*.txt"))


def test_a_name_that_is_there_is_left_alone(tmp_path, monkeypatch):
    """What a killed process of the same number left under a name is not written over."""
    with passing(tmp_path / "a.png") as name:
        start, _, _ = name.name.rpartition("-")
        name.unlink()
    monkeypatch.setattr("segment.writing._numbers", itertools.count())
    for number in range(3):
        (tmp_path / f"{start}-{number:x}.part").write_text("theirs")
    with passing(tmp_path / "a.png") as name:
        assert name.name == f"{start}-3.part"
        name.unlink()
    assert [path.read_text() for path in tmp_path.iterdir()] == ["theirs"] * 3


def test_an_error_removes_what_was_written(tmp_path):
    """After any error, Ctrl-C too, nothing is left under the passing name."""

    def write_half(error):
        with passing(tmp_path / "a.png") as name:
            name.write_text("half")
            raise error

    for error in (OSError, KeyboardInterrupt):
        with pytest.raises(error):
            write_half(error)
    assert parts_in(tmp_path) == []


def test_abandon_removes_what_is_under_way(tmp_path):
    """A process that ends now takes away what its threads are writing."""
    with contextlib.ExitStack() as writing, abandoning():
        writing.enter_context(passing(tmp_path / "a.png")).write_text("half")
    assert parts_in(tmp_path) == []


def test_an_abandoned_run_begins_no_part(tmp_path):
    """A thread that outlives its run gets no name to write to, and cannot bring back one it had."""
    ended, said = threading.Event(), []

    def write():
        with contextlib.suppress(FileNotFoundError), passing(tmp_path / "a.png") as name:
            started.set()
            ended.wait(WAIT)
            name.open("r+b")
        try:
            with passing(tmp_path / "b.png"):
                said.append("begun")
        except InterruptedError as error:
            said.append(str(error))

    started = threading.Event()
    with abandoning():
        call = Started(write)
        started.wait(WAIT)
    ended.set()
    call.result(WAIT)
    assert said == ["the run has ended"]
    assert parts_in(tmp_path) == []
    with passing(tmp_path / "c.png") as name:
        assert name.exists()


@pytest.fixture
def left_by_dead(tmp_path):
    """A folder with a part of a process that was killed, and its number."""
    script = (
        "import os, sys, pathlib; from segment.writing import passing\n"
        "with passing(pathlib.Path(sys.argv[1], 'a.png')) as name:\n"
        "    name.write_text('half'); os.kill(os.getpid(), 9)"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
    process.wait()
    assert len(parts_in(tmp_path)) == 1
    return tmp_path, process.pid


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_parts_of_killed_processes_are_stale(left_by_dead):
    """What a killed process left goes; what a living one writes, and files of others, stay."""
    folder, _ = left_by_dead
    (folder / ".mine.part").touch()
    living = parts_in(folder)[0].split("-")
    living[1] = f"{os.getppid():x}"
    (folder / "-".join(living)).touch()
    remove_stale_parts(folder)
    assert parts_in(folder) == sorted([".mine.part", "-".join(living)])


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_parts_of_other_machines_are_stale_after_a_day(tmp_path):
    """In a shared folder what another machine writes stays, unless it is a day old."""
    young, old = tmp_path / ".00000000-1-1.part", tmp_path / ".00000000-1-2.part"
    young.touch()
    old.touch()
    os.utime(old, (0, 0))
    remove_stale_parts(tmp_path)
    assert parts_in(tmp_path) == [young.name]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_parts_of_a_process_can_be_removed(left_by_dead):
    """The parts of a worker that has died go; those of other processes stay."""
    folder, process = left_by_dead
    remove_parts_of(folder, [process + 1])
    assert len(parts_in(folder)) == 1
    remove_parts_of(folder, [process])
    assert parts_in(folder) == []


def test_a_folder_that_is_not_there_has_no_parts(tmp_path):
    """Cleaning where nothing is yet is no error."""
    remove_stale_parts(tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("ending", [".gpkg", ".fgb"])
def test_parts_that_gdal_writes_are_stale_too(left_by_dead, ending):
    """A part has the ending that it must have; it goes with what GDAL has put beside it."""
    folder, process = left_by_dead
    with passing(folder / "a", ending) as name:
        assert name.name.endswith(f".part{ending}")
        stem = parts_in(folder)[0]
        beside = f"{stem}.gpkg-journal" if ending == ".gpkg" else f"{stem}_temp.fgb"
        (folder / beside).touch()
        (folder / f"{stem}{ending}").touch()
        remove_parts_of(folder, [process])
        assert [path.name for path in folder.iterdir()] == [name.name]
