"""What is said of the images, and the exit code."""

import json
import re

import pytest

from segment.running.outcomes import Console, Outcome

SKIPPED = Outcome("c.jpg", "skipped", outputs=["o/c_labels.png"])
GOOD = Outcome("a.jpg", "ok", None, ["o/a_labels.png"], 4, 3, 29.4849, 1, 7, 0.0123)
BAD = Outcome("b.jpg", "failed", "no such file; check the name")


@pytest.mark.parametrize(
    ("outcomes", "code"), [([], 0), ([GOOD], 0), ([BAD], 1), ([GOOD, BAD, GOOD], 1)]
)
def test_exit_code(outcomes, code):
    """The exit code is 1 as soon as one image has failed."""
    console = Console()
    for outcome in outcomes:
        console.add(outcome)
    assert console.close() == code


def test_lines(capsys):
    """A done image is one line of facts, a failed one a line with its error, on stderr."""
    console = Console()
    console.add(GOOD)
    console.add(BAD)
    console.close()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "a.jpg: o/a_labels.png  4 x 3, bandwidth 29.48, 1 segment, 0.01 s",
        "error: b.jpg: no such file; check the name",
        "1 done, 1 failed",
    ]


def test_interrupted(capsys):
    """An interrupted run says what was done and ends with 130."""
    console = Console(verbosity=-1)
    console.add(GOOD)
    assert console.close(interrupted=True) == 130
    assert capsys.readouterr().err == "interrupted: 1 done\n"


def test_json_holds_any_file_name(capsys):
    """A name that is not text is valid JSON for any parser, its bytes spelt, and one line."""
    name = b'caf\xe9 "x"\n.jpg'.decode("utf-8", "surrogateescape")
    console = Console(as_json=True)
    console.add(Outcome(name, "failed", "is empty; expected an image"))
    captured = capsys.readouterr()
    (line,) = captured.out.splitlines()
    assert json.loads(line)["input"] == 'caf\\xe9 "x"\n.jpg'
    assert captured.err == 'error: caf\\xe9 "x"\\x0a.jpg: is empty; expected an image\n'


def test_summary_counts_what_became_of_the_images(capsys):
    """The summary of several images counts done, skipped and failed, and tells the rate."""
    console = Console(verbosity=0)
    for outcome in (GOOD, SKIPPED, BAD, GOOD):
        console.add(outcome)
    assert console.close() == 1
    *lines, summary = capsys.readouterr().err.splitlines()
    assert not any("c.jpg" in line for line in lines)
    assert re.fullmatch(r"2 done, 1 skipped, 1 failed, [\d.e+]+ images/s", summary)


def test_failures_are_named_again_when_they_are_out_of_sight(capsys):
    """After a screenful of lines the summary names each image that failed, with its reason."""
    console = Console()
    for outcome in [BAD] + 20 * [GOOD]:
        console.add(outcome)
    console.close()
    assert capsys.readouterr().err.splitlines()[-2] == "failed: b.jpg: no such file; check the name"


def test_very_many_failures_are_not_all_named_again(capsys):
    """Of more than a hundred failures the summary names the first and counts the others."""
    console = Console()
    for number in range(130):
        console.add(Outcome(f"{number}.jpg", "failed", "is empty; expected an image"))
    console.close()
    said = capsys.readouterr().err.splitlines()[130:]
    assert len(said) == 102
    assert said[-2:] == ["failed: and 30 more", "0 done, 130 failed"]


def test_skipped_images_are_told_to_programs_and_with_v(capsys):
    """A skipped image is a JSON line, and with -v a line that says so."""
    Console(as_json=True).add(SKIPPED)
    assert json.loads(capsys.readouterr().out)["status"] == "skipped"
    Console(verbosity=1).add(SKIPPED)
    assert "c.jpg: skipped" in capsys.readouterr().err


def test_a_plan_is_a_result(capsys):
    """What would be written goes to stdout."""
    Console().add(Outcome("a.jpg", "planned", outputs=["o/a_labels.png"]))
    assert capsys.readouterr().out == "a.jpg: o/a_labels.png\n"
