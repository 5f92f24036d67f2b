"""The record by which a run resumes, and what damages it."""

import json
import os

import pytest

from segment.running.journal import NAME, Record, stamp, tidy
from segment.running.plan import Task
from tests.damage import mutated


@pytest.fixture
def done(tmp_path):
    """A task with a finished result, and the record's file."""
    source, result = tmp_path / "a.png", tmp_path / "out" / "a_labels.png"
    result.parent.mkdir()
    source.write_text("image")
    result.write_text("labels")
    task = Task(str(source), str(tmp_path / "out" / "a"), str(source))
    Record("x").add(task, stamp(source), [str(result)])
    return task, result, tmp_path / "out" / NAME


def outputs(task, made_with="x"):
    return Record(made_with).outputs(task, stamp(task.input))


def test_what_was_recorded_is_done(done):
    """An image that was recorded has its results, with these settings and no others."""
    task, result, _ = done
    assert outputs(task) == [str(result)]
    assert outputs(task, "y") is None


def test_the_last_line_counts(done):
    """An image that was done again is known as it is now."""
    task, result, _ = done
    Record("y").add(task, stamp(task.input), [str(result)])
    assert outputs(task, "x") is None
    assert outputs(task, "y") == [str(result)]


@pytest.mark.parametrize(
    "damage",
    [
        b'{"stem": "b", "inp',
        b"\xff\x00\n",
        b"[]\n",
        b"{}\n",
        b"\n\n",
        b"7\n",
        b"[" * 100_000 + b"\n",
        b"9" * 5000 + b"\n",
        b'{"stem": "a", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}\n",
    ],
    ids=lambda damage: str(damage[:12]),
)
def test_damage_costs_no_more_than_its_line(done, damage):
    """A line that was cut off, or is no record, hides no other and is no error."""
    task, result, file = done
    file.write_bytes(damage + (b"" if damage.endswith(b"\n") else b"\n") + file.read_bytes())
    assert outputs(task) == [str(result)]
    with file.open("ab") as end:
        end.write(damage)
    assert outputs(task) == [str(result)]


WRONG = [None, True, 7, 1.5, "x", [], [1], [1, "2"], [True, 1], {}, {"a": 1}, 10**400, [[]]]
SPOILT = [("outputs", {"a\0": [1, 2]}), ("outputs", {"\ud800": [1, 2]}), ("outputs", {"x": 1})]
SPOILT += [
    (name, value) for name in ("stem", "input", "settings") for value in WRONG if value != "x"
]
SPOILT += [(name, value) for name in ("source", "outputs") for value in WRONG if value != {}]


@pytest.mark.parametrize(("name", "value"), SPOILT, ids=str)
def test_a_member_of_another_kind_costs_its_line(done, name, value):
    """A line with anything in the place of one of its members is as good as none."""
    task, result, file = done
    line = json.loads(file.read_text())
    file.write_text(json.dumps(line | {name: value}) + "\n")
    assert outputs(task) is None
    file.write_text(json.dumps(line) + "\n" + json.dumps(line | {"stem": "b", name: value}) + "\n")
    assert outputs(task) == [str(result)]
    tidy(file.parent)
    assert outputs(task) == [str(result)]


def test_damage_of_any_kind(done):
    """Whatever bytes of a line are changed, the lines around it tell what they told."""
    task, result, file = done
    good = file.read_bytes()
    other = json.dumps(json.loads(good) | {"stem": "b"}).encode() + b"\n"
    for seed in range(1000):
        damaged = mutated(other, seed).replace(b"\n", b" ").replace(b'"a"', b'"b"') + b"\n"
        file.write_bytes(damaged + good + damaged)
        assert outputs(task) == [str(result)]
        tidy(file.parent)
        assert outputs(task) == [str(result)]
        found = outputs(Task(task.input, str(file.parent / "b"), task.identity))
        assert found is None or all(isinstance(path, str) for path in found)


def test_a_line_that_was_cut_off_costs_itself_only(done):
    """What is recorded after a full disk cut a line off is found again."""
    task, result, file = done
    file.write_bytes(b'{"stem": "b", "inp')
    Record("x").add(task, stamp(task.input), [str(result)])
    assert outputs(task) == [str(result)]
    assert len(file.read_bytes().splitlines()) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
def test_a_pipe_is_no_record(done):
    """A pipe in the place of the record is neither read nor written to: the run goes on."""
    task, result, file = done
    file.unlink()
    os.mkfifo(file)
    Record("x").add(task, stamp(task.input), [str(result)])
    assert outputs(task) is None
    tidy(file.parent)


def test_a_line_of_another_kind_is_not_done(done):
    """A line that names the stem and lacks the rest is as good as none."""
    task, _, file = done
    file.write_text('{"stem": "a"}\n')
    assert outputs(task) is None


def test_a_record_that_cannot_be_written_is_no_error(done):
    """Where the folder is gone the image will be done again."""
    task, result, file = done
    result.unlink()
    file.unlink()
    file.parent.rmdir()
    Record("x").add(task, stamp(task.input), [])
    assert outputs(task) is None


def test_names_that_are_no_text_are_recorded(tmp_path):
    """A name that is not valid UTF-8 is found again."""
    source, result = tmp_path / "caf\udce9.png", tmp_path / "caf\udce9_labels.png"
    source.touch()
    result.touch()
    task = Task(str(source), str(tmp_path / "caf\udce9"), str(source))
    Record("x").add(task, stamp(source), [str(result)])
    assert outputs(task) == [str(result)]


def test_tidy_keeps_the_last_line_of_each(done):
    """A record that was written over and over shrinks to one line an image."""
    task, result, file = done
    for _ in range(5):
        Record("y").add(task, stamp(task.input), [str(result)])
    tidy(file.parent)
    (line,) = file.read_text().splitlines()
    assert json.loads(line)["settings"] == "y"
    assert outputs(task, "y") == [str(result)]


def test_a_result_that_is_a_folder_has_a_stamp(tmp_path):
    """Zarr, a folder, has a stamp while it is there, another once something in it is replaced."""
    folder = tmp_path / "a.zarr"
    folder.mkdir()
    first = stamp(folder)
    assert first == stamp(folder)
    os.utime(folder, ns=(0, 0))
    assert stamp(folder)[1] == 0 != first[1]
    folder.rmdir()
    assert stamp(folder) is None
