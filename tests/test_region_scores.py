"""Scores of label maps against several people's drawings, and the best of several settings."""

import importlib.util
from collections import Counter
from itertools import combinations
from math import log2
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from scipy.io import savemat
from skimage.measure import label

from benchmarks.region_scores import (
    RegionScores,
    ScoreTable,
    bsds_files,
    pooled,
    read_drawings,
    region_scores,
)

SHARED = Path(__file__).parents[2] / "shared"
ONE = np.array([[7, 7], [7, 7]])
ROWS = np.array([[0, 0], [5, 5]])
COLUMNS = np.array([[1, 2], [1, 2]])
EACH = np.array([[0, 1], [2, 3]])

# The last value lies farther from the others than a small map has pixels.
VALUES = [-2, -1, 0, 1, 2, 3, 10**9]
MAPS = (
    st.tuples(st.integers(1, 5), st.integers(2, 5))
    .map(lambda shape: arrays.arrays(np.int64, shape, elements=st.sampled_from(VALUES)))
    .flatmap(lambda maps: st.tuples(maps, st.lists(maps, min_size=1, max_size=3)))
)


def covered(labels, drawing):
    """Pixels of each region times its best intersection over union, region by region."""
    places = {name: set(np.flatnonzero(drawing == name)) for name in set(drawing.flat)}
    segments = [set(np.flatnonzero(labels == name)) for name in set(labels.flat)]
    return sum(
        len(region) * max(len(region & each) / len(region | each) for each in segments)
        for region in places.values()
    )


def rand_index(labels, drawing):
    """Share of the pairs of pixels on which the two agree, pair by pair."""
    pixels = zip(labels.flat, drawing.flat, strict=True)
    agree = [(a == c) == (b == d) for (a, b), (c, d) in combinations(pixels, 2)]
    return sum(agree) / len(agree)


def conditional_entropy(of, given):
    """Bits that one map still tells once the other is known, pixel by pixel."""
    pixels = list(zip(of.flat, given.flat, strict=True))
    pairs, alone = Counter(pixels), Counter(given.flat)
    return sum(-log2(pairs[pixel] / alone[pixel[1]]) for pixel in pixels) / len(pixels)


@pytest.mark.parametrize(
    ("labels", "drawings", "covering", "pri", "vi"),
    [
        (ROWS, [ROWS * 3 - 1], 1, 1, 0),
        (ONE, [ONE], 1, 1, 0),
        (EACH, [EACH[::-1]], 1, 1, 0),
        (ONE, [ROWS], 1 / 2, 1 / 3, 1),
        (ROWS, [ONE], 1 / 2, 1 / 3, 1),
        (ROWS, [COLUMNS], 1 / 3, 1 / 3, 2),
        (EACH, [ONE], 1 / 4, 0, 2),
        (EACH, [ROWS], 1 / 2, 2 / 3, 1),
        (ONE, [ONE, ROWS], 3 / 4, 2 / 3, 1 / 2),
        (ROWS, [ROWS, ROWS, COLUMNS, ONE], 17 / 24, 2 / 3, 3 / 4),
    ],
)
def test_drawn_examples(labels, drawings, covering, pri, vi):
    """Maps of four pixels score what the definitions give by hand."""
    scores = region_scores(labels, drawings)
    assert scores.covering == pytest.approx(covering, abs=1e-15)
    assert scores.rand_index == pytest.approx(pri, abs=1e-15)
    assert scores.variation == pytest.approx(vi, abs=1e-15)
    assert scores.segments == len(set(labels.flat))
    assert scores.area == 4 * len(drawings)


@given(MAPS)
@settings(deadline=None, max_examples=150)
def test_scores_are_those_of_the_oracle(maps):
    """Every score is that of the definitions, region by region and pair by pair."""
    labels, drawings = maps
    scores, people = region_scores(labels, drawings), len(drawings)
    pri = sum(rand_index(labels, drawing) for drawing in drawings) / people
    vi = sum(
        conditional_entropy(labels, drawing) + conditional_entropy(drawing, labels)
        for drawing in drawings
    )
    assert scores.covered == pytest.approx(sum(covered(labels, each) for each in drawings))
    assert scores.area == people * labels.size
    assert scores.rand_index == pytest.approx(pri, abs=1e-12)
    assert scores.variation == pytest.approx(vi / people, abs=1e-12)
    assert scores.segments == len(set(labels.flat))


@given(MAPS, st.permutations(range(len(VALUES))))
@settings(deadline=None, max_examples=50)
def test_only_the_partition_counts(maps, names):
    """The names of the segments, their integer type and the map's layout do not matter."""
    labels, drawings = maps
    renamed = np.array(names, dtype=np.uint8)[np.searchsorted(VALUES, labels)]
    scores = region_scores(labels, drawings)
    other = region_scores(np.asfortranarray(renamed), [each.astype(np.int32) for each in drawings])
    assert other.segments == scores.segments
    for measure in ("covering", "rand_index", "variation"):
        assert getattr(other, measure) == pytest.approx(getattr(scores, measure), abs=1e-12)


def test_drawings_of_another_shape_are_refused():
    """A drawing that only has as many pixels as the map is refused."""
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        region_scores(ONE, [ONE, np.ones((1, 4), int)])


def test_pooled_covering_is_weighted_by_area():
    """Over several maps covering is the ratio of the sums; the others are plain means."""
    small, large = RegionScores(2, 4, 0.5, 1.0, 3), RegionScores(10, 12, 0.7, 2.0, 4)
    assert pooled([small, large]).covering == 12 / 16
    assert pooled([small, large]) == RegionScores(12, 16, 0.6, 1.5, 3.5)


def test_ods_takes_one_setting_and_ois_one_for_each_image():
    """ODS is the best row over all images, the first at a tie; OIS picks anew for each image."""
    table = ScoreTable()
    table.add("fine", "cat", RegionScores(4, 4, 0.9, 1.0, 8))
    table.add("coarse", "dog", RegionScores(6, 12, 0.8, 1.0, 2))
    table.add("fine", "dog", RegionScores(3, 12, 0.5, 3.0, 8))
    table.add("coarse", "cat", RegionScores(1, 4, 0.6, 3.0, 2))
    assert table.ods() == {
        "covering": (7 / 16, "fine"),
        "rand_index": (0.7, "fine"),
        "variation": (2.0, "fine"),
    }
    assert table.ois() == {
        "covering": 10 / 16,
        "rand_index": pytest.approx(0.85),
        "variation": 1.0,
    }


def test_settings_on_different_images_are_refused():
    """Settings that were not scored on the same images have no ODS and no OIS."""
    table, scores = ScoreTable(), RegionScores(1, 4, 0.5, 1.0, 2)
    table.add("fine", "cat", scores)
    table.add("coarse", "dog", scores)
    for best in (table.ods, table.ois):
        with pytest.raises(ValueError, match="same images"):
            best()


@pytest.mark.parametrize("people", [1, 3])
def test_the_layout_of_bsds_is_read(tmp_path, people):
    """Photos come by name with their drawings, as many as there are, as they were written."""
    truth = tmp_path / "groundTruth" / "val"
    truth.mkdir(parents=True)
    (tmp_path / "images" / "val").mkdir(parents=True)
    for name in ("20", "100"):
        Image.new("RGB", (3, 2)).save(tmp_path / "images" / "val" / f"{name}.jpg")
    drawings = [np.arange(6, dtype=np.uint16).reshape(2, 3) // (k + 1) + 1 for k in range(people)]
    cells = np.empty((1, people), dtype=object)
    cells[0] = [{"Segmentation": each, "Boundaries": each > 1} for each in drawings]
    savemat(truth / "20.mat", {"groundTruth": cells})
    files = bsds_files(tmp_path, "val")
    assert [photo.name for photo, _ in files] == ["100.jpg", "20.jpg"]
    np.testing.assert_array_equal(read_drawings(files[1][1]), drawings)
    assert bsds_files(tmp_path, "test") == []


@pytest.fixture(scope="module")
def reference():
    """Another scorer of the same benchmark, kept beside the data set."""
    path = SHARED / "quality" / "bsds.py"
    if not path.exists():
        pytest.skip(f"needs the reference scorer {path}")
    spec = importlib.util.spec_from_file_location("bsds_reference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def files():
    """Three photos of BSDS500 with their drawings."""
    found = bsds_files(SHARED / "bsds500", "val")[::40]
    if not found:
        pytest.skip(f"needs the photos and drawings of BSDS500 in {SHARED / 'bsds500'}")
    return found


def maps_of(photo):
    """Label maps from two segments to thousands: levels of grey, and their connected parts."""
    grey = np.asarray(Image.open(photo).convert("L"))
    levels = {f"{2**bits} levels": grey >> (8 - bits) for bits in (1, 3)}
    return levels | {"connected": label(grey >> 6, background=-1, connectivity=1)}


def test_scores_are_those_of_the_reference(reference, files):
    """On photos, each score, ODS and OIS equal those of another scorer."""
    ours, theirs = ScoreTable(), reference.Scores()
    for photo, truth in files:
        drawings, same = read_drawings(truth), reference.load_truth(truth)
        for setting, labels in maps_of(photo).items():
            scores = region_scores(labels, drawings)
            ours.add(setting, photo.stem, scores)
            theirs.add(photo.stem, setting, labels, same)
            pri, vi, covered, area = theirs.rows[setting][photo.stem]
            assert scores.area == area
            assert [scores.covering, scores.rand_index, scores.variation] == pytest.approx(
                [covered / area, pri, vi], rel=0, abs=1e-12
            )
    names = {"covering": "covering", "rand_index": "pri", "variation": "vi"}
    for measure, name in names.items():
        value, setting = theirs.ods()[name]
        assert ours.ods()[measure] == (pytest.approx(value, rel=0, abs=1e-12), setting)
        assert ours.ois()[measure] == pytest.approx(theirs.ois()[name], rel=0, abs=1e-12)
