"""What is said of the images, and the exit code."""

import json

import pytest

from segment.report import Outcome, Report

GOOD = Outcome("a.jpg", "ok", None, ["o/a_labels.png"], 4, 3, 29.4849, 1, 7, 0.0123)
BAD = Outcome("b.jpg", "failed", "no such file; check the name")


@pytest.mark.parametrize(
    ("outcomes", "code"), [([], 0), ([GOOD], 0), ([BAD], 1), ([GOOD, BAD, GOOD], 1)]
)
def test_exit_code(outcomes, code):
    """The exit code is 1 as soon as one image has failed."""
    report = Report()
    for outcome in outcomes:
        report.add(outcome)
    assert report.close() == code


def test_lines(capsys):
    """A done image is one line of facts, a failed one a line with its error, on stderr."""
    report = Report()
    report.add(GOOD)
    report.add(BAD)
    report.close()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "a.jpg: o/a_labels.png  4 x 3, bandwidth 29.48, 1 segment, 0.01 s",
        "error: b.jpg: no such file; check the name",
        "1 done, 1 failed",
    ]


def test_interrupted(capsys):
    """An interrupted run says what was done and ends with 130."""
    report = Report(verbosity=-1)
    report.add(GOOD)
    assert report.close(interrupted=True) == 130
    assert capsys.readouterr().err == "interrupted: 1 done\n"


def test_json_holds_any_file_name(capsys):
    """A name that is not text is valid JSON for any parser, its bytes spelt, and one line."""
    name = b'caf\xe9 "x"\n.jpg'.decode("utf-8", "surrogateescape")
    report = Report(as_json=True)
    report.add(Outcome(name, "failed", "is empty; expected an image"))
    captured = capsys.readouterr()
    (line,) = captured.out.splitlines()
    assert json.loads(line)["input"] == 'caf\\xe9 "x"\n.jpg'
    assert captured.err == 'error: caf\\udce9 "x"\\x0a.jpg: is empty; expected an image\n'
