"""The judge of folders of damaged files, which must not let anything slip through."""

import json

import pytest

from benchmarks.robustness import judge, report, try_file
from tests.drawn import NOISE, png

OK = {"status": "ok", "outputs": []}
FAILED = {"status": "failed", "outputs": []}
LINE = "error: a.png: is damaged; get a whole copy"


@pytest.mark.parametrize(
    ("code", "lines", "told", "left", "kind"),
    [
        (0, [], [OK], [], "segmented"),
        (0, ["warning: a.tif: has more pages"], [OK], [], "segmented"),
        (1, [LINE], [FAILED], [], "refused"),
        (1, [LINE, "1 done, 1 failed"], [OK, FAILED], [], "segmented"),
        (1, ["Traceback (most recent call last):", "  ..."], [], [], "traceback"),
        (-11, [], [], [], "crash"),
        (3, [], [], [], "crash"),
        (1, [LINE], [FAILED], ["a_labels.png"], "partial output"),
        (0, [], [OK], [".1-2.part"], "partial output"),
        (1, ["error: a.png: is damaged"], [FAILED], [], "stray lines"),
        (1, ["TIFFFetchDirectory: Can not read", LINE], [FAILED], [], "stray lines"),
        (1, [], [FAILED], [], "stray lines"),
        (0, [], [], [], "stray lines"),
        (0, [LINE], [FAILED], [], "stray lines"),
    ],
)
def test_judge(tmp_path, code, lines, told, left, kind):
    """Each way to end has its name, and only a clean end is a good one."""
    out, facts = tmp_path / "out", tmp_path / "facts"
    out.mkdir()
    for name in left:
        (out / name).write_bytes(b"half")
    facts.write_text("".join(json.dumps(outcome) + "\n" for outcome in told))
    assert judge(code, lines, facts, out) == kind


def test_limits_and_report(tmp_path):
    """A file is tried in a process of its own; what goes beyond a limit is listed by name."""
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    good.write_bytes(png(NOISE))
    bad.write_bytes(png(NOISE)[:70])
    ends = [try_file(good, [], 60, 2000), try_file(bad, [], 60, 2000)]
    ends += [try_file(good, [], 0.01, 2000), try_file(good, [], 60, 1)]
    assert [end.kind for end in ends] == ["segmented", "refused", "hang", "over memory"]
    lines = report(ends, show=False).splitlines()
    assert [line.split(": ")[:2] for line in lines[-2:]] == [
        ["hang", str(good)],
        ["over memory", str(good)],
    ]
