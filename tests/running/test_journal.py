"""The record by which a run resumes, and what damages it."""

import json

import pytest

from segment.running.journal import NAME, Record, stamp, tidy
from segment.running.plan import Task


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
    "damage", [b'{"stem": "b", "inp', b"\xff\x00\n", b"[]\n", b"{}\n", b"\n\n"]
)
def test_damage_costs_no_more_than_its_line(done, damage):
    """A line that was cut off, or is no record, hides no other and is no error."""
    task, result, file = done
    file.write_bytes(damage + (b"" if damage.endswith(b"\n") else b"\n") + file.read_bytes())
    assert outputs(task) == [str(result)]
    with file.open("ab") as end:
        end.write(damage)
    assert outputs(task) == [str(result)]


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
