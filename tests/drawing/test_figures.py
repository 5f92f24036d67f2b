"""Figures: what stands on them, and that nothing of the caller's matplotlib changes."""

import subprocess
import sys
import threading

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib", reason="needs the extra plot")

from segment import (  # noqa: E402
    InvalidInputError,
    MeanShift,
    Model,
    NotFittedError,
    fit_modes,
    segment_image,
)
from segment.drawing.points_figure import cluster_figure  # noqa: E402
from tests.commands import WAIT  # noqa: E402

BLOBS = np.concatenate(
    [np.random.default_rng(0).normal(c, 0.6, (60, 3)) for c in ((0, 0, 0), (6, 1, 2), (2, 7, 5))]
)


def pictures(figure):
    """The arrays that a figure shows as images, in order."""
    axes = [axes for part in figure.subfigs for axes in part.axes] or figure.axes
    return [np.asarray(image.get_array()) for each in axes for image in each.images]


def titles(figure):
    axes = [axes for part in figure.subfigs for axes in part.axes] or figure.axes
    return [each.get_title() or each.get_title(loc="left") for each in axes]


def test_figure_of_a_colour_image(bundled_photos):
    """Original, segments and boundaries under one title, then the colours and the climbs."""
    image = bundled_photos["coffee"]
    segmentation = segment_image(image)
    figure = segmentation.figure(image, "coffee.png")
    original, segments, boundaries = pictures(figure)
    assert np.array_equal(original, image)
    assert np.array_equal(segments, segmentation.recolored())
    assert np.array_equal(boundaries, segmentation.boundaries(image))
    title = figure.subfigs[0].get_suptitle()
    count = len(segmentation.sizes)
    assert title == f"coffee.png · bandwidth {segmentation.bandwidth:.4g} · {count} segments"
    assert titles(figure)[:4] == ["original", "segments", "boundaries", "pixels and modes"]
    solid, climbs = figure.subfigs[1].axes
    assert solid.name == "3d"
    points, modes = solid.collections
    assert len(points.get_offsets()) == min(6000, image.shape[0] * image.shape[1])
    assert len(modes.get_offsets()) == count
    for line in climbs.lines:
        walked, density = line.get_data()
        assert (np.diff(walked) >= 0).all()
        assert (np.diff(density) >= -1e-9).all()
    assert len(climbs.lines) >= 4  # two for each climb


def test_figure_of_a_gray_image(bundled_photos):
    """Grey values are one-dimensional: their density stands in place of the cloud."""
    image = bundled_photos["chelsea"][:, :, 1]
    figure = segment_image(image, quantile=0.05).figure(image)
    assert titles(figure)[3].startswith("density of the grey values")
    assert not figure.subfigs[0].get_suptitle().startswith(" ")


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((5, 5, 3), {}),
        ((5, 5), {"bandwidth": 30, "color_space": "gray", "max_iter": 0}),
        ((1, 1, 3), {}),
        ((3, 400, 3), {"color_space": "lab", "kernel": "gaussian"}),
        ((400, 3, 4), {"color_space": "hsv", "min_size": 5}),
        ((40, 40, 3), {"features": "joint"}),
        ((40, 40, 3), {"color_space": "luv", "cluster_all": False, "bandwidth": 5}),
    ],
    ids=str,
)
def test_every_kind_of_image_is_drawn(tmp_path, shape, options):
    """Tiny, thin, transparent, joint, with orphans: the file has the figure's size."""
    image = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    figure = segment_image(image, **options).figure(image, "$a$ <b>.png")
    figure.savefig(tmp_path / "figure.png")
    from PIL import Image

    with Image.open(tmp_path / "figure.png") as saved:
        pixels = np.asarray(saved.convert("L"))
    assert pixels.shape[1] == 1560
    assert (pixels < 128).mean() > 0.001
    assert len(figure.subfigs[1].axes) == (0 if options.get("features") == "joint" else 2)


def test_figure_of_a_gray_image_by_a_model_of_colours(bundled_photos):
    """Grey pixels are drawn among the colours of a model, whose modes they need not climb to."""
    gray = bundled_photos["chelsea"][:, :, 0]
    model = fit_modes([bundled_photos["coffee"]])
    figure = segment_image(gray, model=model).figure(gray)
    solid, _ = figure.subfigs[1].axes
    assert solid.name == "3d"
    assert len(solid.collections[1].get_offsets()) == len(model.modes)
    far = Model(model.modes + 1000, 1.0, 1, "rgb")
    figure = segment_image(gray, model=far).figure(gray)
    assert "no pixel climbs" in figure.subfigs[1].axes[1].texts[0].get_text()


def test_the_callers_style_stays(bundled_photos):
    """A figure leaves matplotlib's settings as they were, and no figure in pyplot."""
    before = dict(matplotlib.rcParams)
    image = bundled_photos["coffee"]
    segment_image(image).figure(image)
    assert dict(matplotlib.rcParams) == before
    assert (
        "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    )


def test_figures_on_threads_leave_the_callers_style():
    """Eight threads that draw at once leave matplotlib's settings as they were."""
    before, start = dict(matplotlib.rcParams), threading.Barrier(8, timeout=WAIT)
    model = MeanShift(bandwidth=2.0).fit(BLOBS[:, :1])

    def draw():
        start.wait()
        for _ in range(3):
            cluster_figure(BLOBS[:, :1], model)

    threads = [threading.Thread(target=draw) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dict(matplotlib.rcParams) == before


def test_another_image_is_refused(bundled_photos):
    """The image must have the size of the labels."""
    segmentation = segment_image(bundled_photos["coffee"])
    with pytest.raises(InvalidInputError, match="give the image that was segmented"):
        segmentation.figure(bundled_photos["chelsea"])


@pytest.mark.parametrize(("dimensions", "axes"), [(1, ["rectilinear"]), (3, ["3d"])])
def test_clusters_of_one_and_three_dimensions(dimensions, axes):
    """One dimension shows the density with its modes, three the points with their modes."""
    X = BLOBS[:, :dimensions]
    model = MeanShift(bandwidth=2.0).fit(X)
    figure = cluster_figure(X, model)
    assert [each.name for each in figure.axes] == axes
    modes = figure.axes[0].collections[-1]
    assert len(modes.get_offsets()) == len(model.cluster_centers_)


def test_clusters_of_two_dimensions():
    """Two dimensions show the points with their centres, and the density as a surface."""
    X = BLOBS[:, :2]
    model = MeanShift(bandwidth=2.0).fit(X)
    scatter, surface = cluster_figure(X, model).axes
    points, modes = scatter.collections
    np.testing.assert_allclose(points.get_offsets(), X)
    np.testing.assert_allclose(modes.get_offsets(), model.cluster_centers_)
    assert points.get_facecolors().shape == (len(X), 4)
    assert surface.name == "3d"
    assert len(surface.collections[-1].get_offsets()) == len(model.cluster_centers_)


def test_what_cannot_be_drawn():
    """Too many dimensions, no bandwidth, no fit: each says so."""
    wide = np.zeros((4, 4))
    with pytest.raises(InvalidInputError, match="expected 1 to 3 features to draw, got 4"):
        cluster_figure(wide, MeanShift(bandwidth=1).fit(wide))
    X = BLOBS[:, :2]
    with pytest.raises(InvalidInputError, match="give estimate_bandwidth"):
        cluster_figure(X, MeanShift().fit(X))
    with pytest.raises(NotFittedError):
        cluster_figure(X, MeanShift(bandwidth=1))


def test_without_matplotlib():
    """Where matplotlib is missing, the error names the extra that brings it."""
    script = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import numpy as np; from segment import SegmentError, segment_image\n"
        "image = np.zeros((3, 3), np.uint8)\n"
        "try: segment_image(image, bandwidth=3).figure(image)\n"
        "except SegmentError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "pip install 'meanshift-segment[plot]'" in done.stdout
