"""The judge of folders of damaged files, which must not let anything slip through."""

import json

import numpy as np
import pytest

from benchmarks import readers
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


def test_comparison_with_another_reader(tmp_path, monkeypatch):
    """Each reader's largest difference is told in 8-bit values, and why one has none."""
    (tmp_path / "a.png").write_bytes(png(NOISE))
    other = NOISE.astype(np.uint16) * 257
    other[2, 3, 1] = 0

    def missing(file):
        raise ImportError

    def broken(file):
        raise ValueError("no magic")

    known = {
        "same": lambda file: (NOISE, (8,)),
        "deep": lambda file: (other, (10, 16)),
        "turned": lambda file: (NOISE.swapaxes(0, 1), (8,)),
        "grey": lambda file: (NOISE[:, :, :1], (8,)),
        "missing": missing,
        "broken": broken,
    }
    monkeypatch.setattr(readers, "READERS", known)
    found = readers.compared(tmp_path / "a.png")
    assert found.pop("deep") == NOISE[2, 3, 1]
    assert found.pop("grey") == (np.abs(NOISE - NOISE[:, :, :1].astype(int))).max()
    assert found == {
        "ours": None,
        "same": 0.0,
        "turned": "another size",
        "missing": "not installed",
        "broken": "ValueError: no magic",
    }


def test_transparent_pixels_are_not_compared():
    """What has no colour is not compared, and grey is compared as equal channels."""
    ours = np.dstack([NOISE, np.full(NOISE.shape[:2], 255, np.uint8)])
    ours[0, 0] = 0
    assert readers.difference(ours, NOISE) == 0
    assert readers.difference(NOISE[:, :, 0], NOISE[:, :, :1].repeat(3, axis=2)) == 0


def test_the_worst_files_come_first():
    """Files beyond the tolerance are listed, the largest difference first."""
    found = {
        "a": {"ours": None, "GDAL": 1.0},
        "b": {"ours": None, "GDAL": 9.0, "OpenCV": 0.0},
        "c": {"ours": None, "OpenCV": "another size", "GDAL": 3.0},
        "d": {"ours": "is damaged; get a whole copy"},
    }
    lines = readers.summary(found, 2).splitlines()
    assert lines[0] == "4 files, 3 read, 3 of them by another reader, too"
    assert lines[-3:] == [
        "differ by more than 2: 2",
        "b: 9.0 from GDAL, 0.0 from OpenCV",
        "c: 3.0 from GDAL, another size than by OpenCV",
    ]


def test_comparison_in_a_process_of_its_own(tmp_path):
    """A file is compared where a crash costs nothing; what cannot be read says why."""
    (tmp_path / "a.png").write_bytes(png(NOISE))
    (tmp_path / "b.png").write_bytes(png(NOISE)[:60])
    whole = readers.compared_apart(tmp_path / "a.png", 60)
    assert set(whole) == {"ours", *readers.READERS}
    assert {value for value in whole.values() if isinstance(value, float)} <= {0.0}
    assert "is damaged" in readers.compared_apart(tmp_path / "b.png", 60)["ours"]
    assert "TimeoutExpired" in readers.compared_apart(tmp_path / "a.png", 0.001)["ours"]
