"""The quality benchmark: from photos and drawings on disk to the table it prints."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from benchmarks.quality import (
    CUTS,
    PEERS,
    PUBLISHED,
    SETTINGS,
    USUAL,
    Outcome,
    report,
    score_peers,
    score_photo,
    score_tree,
)
from benchmarks.region_scores import RegionScores

HALVES = np.repeat([[1, 2]], 12, axis=1).repeat(16, axis=0)
QUARTERS = HALVES + np.repeat([[0], [2]], 8, axis=0)


def write_bsds(folder, names, drawings):
    """Photos of two halves, each drawn by as many people as there are drawings."""
    for kind in ("images", "groundTruth"):
        (folder / kind / "train").mkdir(parents=True)
    colors = np.array([[0, 0, 0], [220, 30, 30], [30, 60, 200]], np.uint8)
    cells = np.empty((1, len(drawings)), dtype=object)
    cells[0] = [{"Segmentation": drawing.astype(np.uint16)} for drawing in drawings]
    for name in names:
        photo = folder / "images" / "train" / f"{name}.jpg"
        Image.fromarray(colors[HALVES]).save(photo, quality=95)
        truth = folder / "groundTruth" / "train" / f"{name}.mat"
        savemat(truth, {"groundTruth": cells})
    return photo, truth


def run(*arguments):
    command = [sys.executable, "-m", "benchmarks.quality", *map(str, arguments)]
    root = Path(__file__).parents[1]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


def test_a_photo_is_scored_with_each_setting(tmp_path):
    """The right segments score 1, 1 and 0; one segment for all is worth half of each half."""
    files = write_bsds(tmp_path, ["1"], [HALVES, HALVES])
    settings = {"right": {"bandwidth": 60, "connected": True}, "one": {"bandwidth": 900}}
    right, one = score_photo(files, settings)
    assert (right.setting, one.setting, right.photo) == ("right", "one", "1")
    assert right.scores == RegionScores(2 * HALVES.size, 2 * HALVES.size, 1.0, 0.0, 2)
    assert (one.scores.covering, one.scores.variation, one.scores.segments) == (0.5, 1.0, 1)
    assert one.seconds > 0


def test_the_tree_of_a_photo_is_scored_at_every_level(tmp_path):
    """Two flat halves are two segments at all levels but the highest, which makes them one."""
    found = {
        outcome.setting: outcome for outcome in score_tree(write_bsds(tmp_path, "1", [HALVES]))
    }
    assert {*found} == {*CUTS}
    assert found[USUAL].scores == RegionScores(HALVES.size, HALVES.size, 1.0, 0.0, 2)
    assert found["hierarchy, 8 segments"].scores.segments == 2


def test_peers_are_scored_at_each_of_their_settings(tmp_path):
    """Each peer gives a score for each value of its parameter; felzenszwalb finds two halves."""
    found = {o.setting: o.scores for o in score_peers(write_bsds(tmp_path, "1", [HALVES]))}
    assert len(found) == sum(len(values) for _, values, _ in PEERS.values())
    assert found["felzenszwalb, scale 300"].covering == 1


def test_a_peer_has_one_row_with_the_best_of_its_settings():
    """A peer's row tells the best of its settings for each measure, and is no setting of ours."""
    tried = {"slic, n_segments 8": (60, 3.0, 8), "slic, n_segments 4": (40, 2.0, 4)}
    outcomes = [
        Outcome(name, "a", RegionScores(covered, 100, 0.5, variation, segments), 0.25)
        for name, (covered, variation, segments) in tried.items()
    ]
    (row,) = [line for line in report(outcomes).splitlines() if line.startswith("slic")]
    assert row.split()[-5:] == ["0.600", "0.500", "2.000", "8.0", "0.250"]
    assert "setting " not in report(outcomes).replace("settings", "")


def test_the_report_lists_levels_apart():
    """Of the levels a row is shown for 1 only; the best of all are told beside it."""
    names = ["hierarchy, level 0.5", USUAL, "hierarchy, 8 segments"]
    covered = dict(zip(names, (60, 40, 99), strict=True))
    outcomes = [Outcome(n, "a", RegionScores(c, 100, 0.5, 1.0, 3), 0.1) for n, c in covered.items()]
    lines = [re.split(r"\s{2,}", line.strip()) for line in report(outcomes).splitlines()]
    rows = {line[0]: line[1:] for line in lines}
    assert names[0] not in rows
    assert rows[USUAL] == ["0.400", "0.500", "1.000", "3.0", "0.100"]
    assert rows["ODS, the best level"] == ["0.600", "0.500", "1.000"]
    assert rows["hierarchy, 8 segments"][0] == "0.990"
    assert ["best covering", names[0]] in [
        re.split(r"\s+(?=hier)", " ".join(line)) for line in lines
    ]


def test_the_report_lists_settings_the_best_and_what_is_published():
    """Rows give covering, PRI, VI, segments and seconds; then ODS and OIS; then others' numbers."""
    scores = {
        ("fine", "a"): RegionScores(60, 100, 0.9, 1.0, 8),
        ("fine", "b"): RegionScores(10, 100, 0.5, 4.0, 6),
        ("coarse", "a"): RegionScores(30, 100, 0.6, 2.0, 2),
        ("coarse", "b"): RegionScores(60, 100, 0.7, 2.0, 3),
    }
    outcomes = [Outcome(*key, each, seconds=0.25) for key, each in scores.items()]
    lines = [re.split(r"\s{2,}", line.strip()) for line in report(outcomes).splitlines()]
    rows = {line[0]: line[1:] for line in lines}
    assert rows["fine"] == ["0.350", "0.700", "2.500", "7.0", "0.250"]
    assert rows["coarse"] == ["0.450", "0.650", "2.000", "2.5", "0.250"]
    assert rows["ODS, the best setting"] == ["0.450", "0.700", "2.000"]
    assert rows["OIS, the best setting for each photo"] == ["0.600", "0.800", "1.500"]
    for name, values in PUBLISHED.items():
        assert rows[name] == [f"{value:.2f}" for value in values]


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_command_prints_a_row_for_each_setting(tmp_path, jobs):
    """From a folder laid out as BSDS500, every setting is scored on the photos asked for."""
    write_bsds(tmp_path, ["3", "20", "100"], [HALVES, QUARTERS])
    done = run("--bsds", tmp_path, "--split", "train", "--count", 2, "--jobs", jobs)
    assert done.returncode == 0, done.stderr
    assert "train, 2 photos" in done.stdout
    lines = done.stdout.splitlines()
    for name in [*SETTINGS, USUAL, "hierarchy, 8 segments", *PUBLISHED]:
        (row,) = [line for line in lines if line.startswith(name + "  ")]
        values = [float(value) for value in row[len(name) :].split()]
        assert 0 < values[0] <= 1
        assert 0 < values[1] <= 1
        assert values[2] >= 0


def test_photos_that_are_not_there_are_named(tmp_path):
    """A folder without photos, or with fewer than asked for, ends the run in one line."""
    done = run("--bsds", tmp_path / "none")
    assert done.returncode == 1
    assert re.fullmatch(r".*val: expected at least 1 \.jpg files, found 0\n", done.stderr)
    write_bsds(tmp_path, ["3"], [HALVES])
    done = run("--bsds", tmp_path, "--split", "train", "--count", 2)
    assert re.fullmatch(r".*train: expected at least 2 \.jpg files, found 1\n", done.stderr)
