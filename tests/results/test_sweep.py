"""Sweeps: what each bandwidth gives, and the sheet that shows it."""

import numpy as np
import pytest
from PIL import Image

from segment import segment_image
from segment.drawing.contact_sheet import GAP, Panel, contact_sheet
from segment.drawing.scaling import fit_panel
from segment.results.sweep import sweep
from segment.settings import Settings

QUANTILES = (0.05, 0.1, 0.3)


@pytest.mark.parametrize("options", [{}, {"features": "joint", "color_space": "lab"}])
def test_trials_are_what_single_runs_give(bundled_photos, options):
    """Each quantile of a sweep gives what it gives alone, in both feature spaces."""
    image = bundled_photos["coffee"]
    trials, _ = sweep(image, [Settings(quantile=q, **options) for q in QUANTILES])
    for trial, quantile in zip(trials, QUANTILES, strict=True):
        alone = segment_image(image, quantile=quantile, **options)
        told = (trial.quantile, trial.bandwidth, trial.segments, trial.iterations)
        assert told == (quantile, alone.bandwidth, len(alone.sizes), alone.n_iter)


def test_colours_and_tree_are_built_once(bundled_photos, monkeypatch):
    """A sweep sorts the colours and builds the tree once, however many bandwidths it has."""
    import segment.method.color_clusters
    import segment.method.pipeline

    built = []
    for module, name in (
        (segment.method.color_clusters, "build_tree"),
        (segment.method.color_clusters, "distinct_points"),
        (segment.method.pipeline, "distinct_points"),
    ):
        original = getattr(module, name)

        def counting(*args, original=original, name=name):
            built.append(name)
            return original(*args)

        monkeypatch.setattr(module, name, counting)
    sweep(bundled_photos["coffee"], [Settings(bandwidth=h) for h in (10, 20, 40)])
    assert sorted(built) == ["build_tree", "distinct_points"]


def test_panels_show_the_original_and_each_segmentation():
    """The panels stand in rows, the original first, then the image in its segments' colours."""
    image = np.zeros((300, 300, 3), np.uint8)
    image[:, 150:] = 200, 40, 0
    image[:, 225:] = 220, 60, 0
    _, sheet = sweep(image, [Settings(bandwidth=h) for h in (5, 60)])
    pixels = np.asarray(sheet)
    panel = pixels[GAP : GAP + 300, GAP : GAP + 300]
    assert np.array_equal(panel, image)
    left = GAP + 300 + GAP
    second = pixels[GAP : GAP + 300, left : left + 300]
    assert np.array_equal(second, image)
    third = pixels[GAP : GAP + 300, 2 * left - GAP : 2 * left - GAP + 300]
    assert [*third[0, 200]] == [*third[0, 290]] == [210, 50, 0]


def test_a_bandwidth_without_segments_leaves_its_panel_empty():
    """What gives no segments is an empty frame with its reason; the others are drawn."""
    image = np.arange(25, dtype=np.uint8).reshape(5, 5) * 10
    choices = [Settings(bandwidth=h, min_bin_freq=3) for h in (1, 100)]
    (bad, good), sheet = sweep(image, choices)
    assert (bad.segments, bad.bandwidth) == (None, 1)
    assert "min_bin_freq" in bad.error
    assert bad.caption() == ("bandwidth 1", "no segments")
    assert good.error is None
    assert sheet.width > 3 * 240


@pytest.mark.parametrize(
    ("shape", "fitted"),
    [
        ((5, 5), (240, 240)),
        ((300, 200), (300, 200)),
        ((1000, 3000), (160, 480)),
        ((4, 5000), (1, 480)),
    ],
)
def test_long_sides_are_capped(shape, fitted):
    """Large pictures come down to 480 pixels, tiny ones are enlarged, others stay."""
    assert fit_panel(np.zeros((*shape, 3), np.uint8)).shape == (*fitted, 3)


@pytest.mark.parametrize("shape", [(240, 240), (480, 20), (8, 480)])
def test_captions_have_room(shape):
    """Whatever its picture's shape, a caption is drawn whole and covers no other."""
    words = ("quantile 0.125", "bandwidth 1.235e-05, 12345 segments")
    blank = Panel(np.full((*shape, 3), 250, np.uint8), words)
    one = np.asarray(contact_sheet([blank])) < 200
    two = np.asarray(contact_sheet([blank, blank])) < 200
    assert two.sum() == 2 * one.sum() > 0
    edges = np.concatenate([one[0], one[-1], one[:, 0], one[:, -1]])
    assert not edges.any()


def test_sheet_is_a_picture_of_the_usual_kind(tmp_path):
    """A sheet of many panels is about as wide as a screen, and readable as a file."""
    panel = Panel(np.zeros((320, 480, 3), np.uint8), ("original", "480 x 320"))
    sheet = contact_sheet([panel] * 12)
    assert 0.9 < sheet.width / sheet.height < 2.4
    sheet.save(tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as saved:
        assert saved.size == sheet.size


def test_a_mask_leaves_the_original_whole():
    """A masked sweep shows all of the original, and white where there is no segment."""
    image = np.full((300, 300, 3), 90, np.uint8)
    mask = np.zeros((300, 300), bool)
    mask[:, :150] = True
    _, sheet = sweep(image, [Settings(bandwidth=9)], mask=mask)
    pixels = np.asarray(sheet)
    assert (pixels[GAP : GAP + 300, GAP : GAP + 300] == 90).all()
    after = pixels[GAP : GAP + 300, 2 * GAP + 300 : 2 * GAP + 600]
    assert (after[:, :150] == 90).all()
    assert (after[:, 150:] == 255).all()
