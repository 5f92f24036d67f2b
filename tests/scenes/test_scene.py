"""Scenes by strips: the segmentation that the image has in memory, to the bit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from PIL import Image

from segment import InvalidInputError, fit_modes
from segment.meanshift.modes import Ends
from segment.method import color_clusters
from segment.method.pipeline import segment_pixels
from segment.scenes.scene import segment_scene
from segment.settings import Settings
from segment.strips.remembered import Remembered
from segment.strips.rows import SceneRows
from segment.strips.scratch import Scratch
from segment.strips.strips import Strips, Threads
from tests.scenes.sources import ArraySource

FACTS = ("modes", "means", "colors", "mode_colors", "sizes")
TWO = Threads(2)
KINDS = ("rgb", "gray", "rgba", "sixteen", "gray_sixteen")


def by_strips(
    image, asked, height, folder, *, mask=None, alpha=False, model=None, crew=TWO, kept=0
):
    """Segment an array strip by strip: the segmentation, and its label map read in other strips."""
    source = ArraySource(image, alpha)
    places = [band.number - 1 for band in source.bands if not band.is_alpha]
    chosen = None if mask is None else ArraySource(mask.astype(np.uint8))
    rows = SceneRows(source, places, _points, chosen)
    remembered = Remembered(kept, len(image), height, rows.bytes_of_row)
    rows = replace(rows, remembered=remembered)
    strips = Strips(len(image), height, crew)
    with Scratch(folder / "scene", "key") as scratch:
        found = segment_scene(rows, asked, strips, scratch, memory=1 << 30, model=model)
        other = Strips(len(image), max(1, height // 2 + 1))
        labels = np.concatenate([found.labels(rows, top, bottom) for top, bottom in other])
    assert not (folder / "scene").exists()
    return found, labels


def _points(values):
    return values if values.dtype == np.uint8 else values / 257.0


def check(image, asked, height, folder, **options):
    """Assert that strips give what memory gives."""
    taken = {name: options[name] for name in ("mask", "model") if name in options}
    expected = segment_pixels(image, asked, **taken)
    found, labels = by_strips(image, asked, height, folder, **options)
    assert np.array_equal(labels, expected.labels)
    assert (found.bandwidth, found.n_iter) == (expected.bandwidth, expected.n_iter)
    for name in FACTS:
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name


def drawn(kind, seed, height, width):
    """Squares of colours with some noise."""
    generator = np.random.default_rng(seed)
    shape = -(-height // 4), -(-width // 5), 3
    blocks = generator.integers(0, 235, shape, np.uint8).repeat(4, axis=0).repeat(5, axis=1)
    image = blocks[:height, :width] + generator.integers(0, 20, (height, width, 3), np.uint8)
    if kind == "gray":
        return image[:, :, 0]
    if kind == "rgba":
        return np.dstack([image, image[:, :, 0] // 60])
    if kind == "sixteen":
        return image.astype(np.uint16) * 253 + 3
    return image[:, :, :1].astype(np.uint16) * 77 if kind == "gray_sixteen" else image


def photo():
    """A part of a real photo."""
    path = Path(__file__).parents[2] / "sample_images" / "coffee.png"
    return np.asarray(Image.open(path).convert("RGB"))[:200, :300]


ASKED = st.fixed_dictionaries(
    {},
    optional={
        "bandwidth": st.sampled_from([6.0, 14.0, 40.0]),
        "min_size": st.sampled_from([0, 3, 12, 50]),
        "connected": st.just(True),
        "connectivity": st.sampled_from([4, 8]),
        "assign": st.just("basin"),
        "cluster_all": st.just(False),
        "color_space": st.sampled_from(["lab", "hsv", "gray"]),
        "min_bin_freq": st.just(2),
        "kernel": st.just("gaussian"),
        "max_iter": st.just(2),
        "n_samples": st.sampled_from([1, 7, 40]),
    },
)


@given(
    st.sampled_from(KINDS),
    st.integers(0, 99),
    st.tuples(st.integers(1, 20), st.integers(1, 17)),
    st.sampled_from([1, 3, 7, 16]),
    st.booleans(),
    st.sampled_from([0, 150, 1 << 20]),
    ASKED,
)
@settings(deadline=None, max_examples=40)
def test_strips_of_any_height_give_the_answer_of_memory(
    tmp_path_factory, kind, seed, size, height, masked, kept, options
):
    """Labels, colours, sizes, modes and bandwidth are those in memory, to the bit."""
    image, asked = drawn(kind, seed, *size), Settings(**options)
    mask = np.random.default_rng(seed).random(size) > 0.3 if masked else None
    try:
        segment_pixels(image, asked, mask=mask)
    except InvalidInputError:  # nothing to be seen, or no seed
        reject()
    folder = tmp_path_factory.mktemp("scene")
    check(image, asked, height, folder, mask=mask, alpha=kind == "rgba", kept=kept)


@pytest.mark.parametrize(
    "options",
    [{}, {"min_size": 40, "color_space": "lab"}, {"connected": True, "connectivity": 8}],
)
def test_a_photo_by_strips_is_the_photo_in_memory(tmp_path, options):
    """A real photo gives the same in strips of 37 rows."""
    check(photo(), Settings(**options), 37, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"spatial_radius": 3.0, "range_radius": 20.0},
        {"bandwidth": 20.0, "connected": False, "cluster_all": False},
        {"spatial_radius": 2.5, "range_radius": 9.0, "color_space": "lab", "min_size": 5},
    ],
)
def test_joint_features_by_strips_are_those_in_memory(tmp_path, kind, options):
    """In the joint domain, too, strips give the segments of memory, to the bit."""
    image, mask = drawn(kind, 7, 40, 30), np.random.default_rng(1).random((40, 30)) > 0.1
    asked = Settings(features="joint", **options)
    check(image, asked, 7, tmp_path, mask=mask, alpha=kind == "rgba")


@pytest.mark.parametrize("kind", ["rgb", "sixteen"])
def test_joint_modes_are_climbed_once_and_told_of(tmp_path, kind):
    """A run that goes on where another stopped takes its modes, and finds the same segments."""
    image, asked = drawn(kind, 7, 60, 30), Settings(features="joint", min_size=9)
    rows, told = SceneRows(ArraySource(image), [0, 1, 2], _points), []
    strips = Strips(60, 7, TWO, lambda *step: told.append(step))
    with Scratch(tmp_path / "scene", "key") as scratch:
        found = segment_scene(rows, asked, strips, scratch, memory=1 << 30)
        assert told.count(("climbing", 60, 60)) == 1
        told.clear()
        again = segment_scene(rows, asked, strips, scratch, memory=1 << 30)
        assert not {"counting", "sampling", "climbing"} & {stage for stage, _, _ in told}
        assert np.array_equal(found.labels(rows, 0, 60), again.labels(rows, 0, 60))
    assert (found.bandwidth, found.n_iter) == (again.bandwidth, again.n_iter)
    for name in FACTS:
        assert np.array_equal(getattr(found, name), getattr(again, name)), name


def test_a_model_labels_a_scene_as_it_labels_an_image(tmp_path):
    """Modes that were kept give the labels that they give in memory, grey images among them."""
    model = fit_modes([drawn("rgb", 1, 20, 20)], bandwidth=25)
    check(drawn("rgb", 2, 20, 15), Settings(), 3, tmp_path, model=model)
    check(drawn("gray", 3, 20, 15), Settings(), 3, tmp_path, model=model)


@pytest.mark.parametrize("kind", ["rgb", "sixteen"])
def test_seeds_come_in_scan_order_where_that_matters(tmp_path, monkeypatch, kind):
    """In the rare case that the order of the seeds decides, strips find that of the pixels."""
    seen = []
    monkeypatch.setattr(Ends, "order_matters", True)
    bins = color_clusters.bin_seeds

    def watched(points, weights, *rest):
        seeds = bins(points, weights, *rest)
        seen.append(seeds)
        return seeds

    monkeypatch.setattr(color_clusters, "bin_seeds", watched)
    check(drawn(kind, 4, 20, 30), Settings(bandwidth=9.0), 3, tmp_path)
    assert len(seen) == 4
    assert np.array_equal(seen[1], seen[3])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"level": 1.0}, "level: the hierarchy needs the whole image"),
        ({"segments": 3}, "level: the hierarchy needs the whole image"),
        ({"target_segments": 3}, "target_segments: the search needs the whole image"),
    ],
)
def test_what_needs_the_whole_image_is_refused(tmp_path, options, said):
    """The hierarchy and the search for a number of segments say what to do instead."""
    with pytest.raises(InvalidInputError, match=said):
        by_strips(drawn("rgb", 0, 9, 9), Settings(**options), 3, tmp_path)


def test_colours_beyond_memory_are_refused(tmp_path):
    """More distinct points than the memory holds are an error that says what to do."""
    image = np.random.default_rng(0).integers(0, 65535, (40, 40, 3), np.uint16)
    rows = SceneRows(ArraySource(image), [0, 1, 2], _points)
    with (
        Scratch(tmp_path / "scene", "key") as scratch,
        pytest.raises(InvalidInputError, match=r"at most 35 distinct colours .* raise --memory"),
    ):
        segment_scene(rows, Settings(), Strips(40, 3), scratch, memory=10_000)


def test_regions_beyond_memory_are_refused(tmp_path):
    """More regions than the memory holds are an error that says what to do."""
    image = np.random.default_rng(0).integers(0, 2, (60, 60), np.uint8) * np.uint8(200)
    rows = SceneRows(ArraySource(image), [0])
    asked = Settings(bandwidth=9, connected=True)
    with (
        Scratch(tmp_path / "scene", "key") as scratch,
        pytest.raises(InvalidInputError, match=r"at most \d+ regions .* raise --memory"),
    ):
        segment_scene(rows, asked, Strips(60, 7), scratch, memory=10_000)
