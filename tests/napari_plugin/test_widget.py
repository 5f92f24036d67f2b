"""The panel in the real napari, without a screen: what it asks for, and what it shows."""

import numpy as np
import pytest

from segment import hierarchy, segment_image
from segment.settings import Settings
from tests.napari_plugin.viewing import application, their_warnings, viewer_model, wait

pytestmark = their_warnings


@pytest.fixture
def viewer():
    application()
    return viewer_model()


@pytest.fixture
def panel(viewer):
    from segment.napari_plugin.widget import SegmentWidget

    made = SegmentWidget(viewer)
    made.follow.value = False
    yield made
    wait(lambda: not made._latest.busy)
    made.native.deleteLater()


@pytest.fixture
def photo(viewer, bundled_photos):
    """An image layer of a cat."""
    return viewer.add_image(bundled_photos["chelsea"][:60, :80], name="cat", scale=(0.5, 2))


def choose(panel, method, **values):
    panel.method.value = method
    for name, value in values.items():
        panel._controls[name].value = value


def press(panel):
    """Press the button, wait for the labels."""
    panel.run.native.click()
    wait(lambda: not panel._latest.busy)


def segments(viewer):
    """The labels layers."""
    return [layer for layer in viewer.layers if type(layer).__name__ == "Labels"]


@pytest.mark.parametrize(
    ("method", "values", "settings"),
    [
        ("quantile", {"quantile": 0.2}, {"quantile": 0.2}),
        ("bandwidth", {"bandwidth": 15, "min_size": 4}, {"bandwidth": 15, "min_size": 4}),
        (
            "quantile",
            {"features": "joint", "color_space": "lab", "spatial_weight": 0.5, "min_size": 7},
            {"features": "joint", "color_space": "lab", "spatial_weight": 0.5, "min_size": 7},
        ),
        (
            "radii",
            {"spatial_radius": 6, "range_radius": 9},
            {"features": "joint", "spatial_radius": 6, "range_radius": 9},
        ),
    ],
)
def test_labels_are_those_of_the_library(viewer, panel, photo, method, values, settings):
    """The layer that is added has the labels of `segment_image` with what the sliders say."""
    choose(panel, method, **values)
    press(panel)
    (labels,) = segments(viewer)
    assert labels.name == "cat segments"
    np.testing.assert_array_equal(labels.data, segment_image(photo.data, **settings).labels)
    np.testing.assert_array_equal(labels.scale, [0.5, 2])
    assert panel.status.value.startswith(f"{labels.data.max()} segments, bandwidth ")


def test_the_sliders_are_followed(viewer, panel, photo):
    """While they are followed a change alone updates the one layer, as a cut of the hierarchy."""
    panel.follow.value = True
    tree = hierarchy(photo.data)
    for level in (1.5, 0.5, 0.75):
        panel._controls["level"].value = level
        cut = tree.cut(level).labels
        wait(lambda cut=cut: any(np.array_equal(layer.data, cut) for layer in segments(viewer)))
    assert len(segments(viewer)) == 1
    assert panel.status.value.startswith(f"{segments(viewer)[0].data.max()} segments, ")
    assert "bandwidth" not in panel.status.value


def test_of_many_changes_the_last_is_shown(viewer, panel, photo):
    """Whatever is asked for while work is under way, the labels end as the last request's."""
    panel.method.value = "bandwidth"
    for bandwidth in (10, 20, 30, 40):
        panel._controls["bandwidth"].value = bandwidth
        panel.run.native.click()
    wait(lambda: not panel._latest.busy)
    (labels,) = segments(viewer)
    np.testing.assert_array_equal(labels.data, segment_image(photo.data, bandwidth=40).labels)


def test_cancelled_work_shows_nothing(viewer, panel, photo):
    """What is cancelled adds no layer, and the panel is ready for more."""
    panel.run.native.click()
    assert panel.cancel.enabled
    panel.cancel.native.click()
    wait(lambda: not panel._latest.busy)
    assert segments(viewer) == []
    assert panel.status.value == "cancelled"
    assert not panel.cancel.enabled
    press(panel)
    assert len(segments(viewer)) == 1


def test_large_images_wait_for_the_button(viewer, panel, photo, monkeypatch):
    """Beyond a number of pixels the sliders are not followed; the button always works."""
    monkeypatch.setattr("segment.napari_plugin.widget.FOLLOWED", 4000)
    panel.follow.value = True
    panel._controls["level"].value = 0.5
    wait(lambda: panel.status.value == "More than 4,000 pixels: press Segment.")
    assert segments(viewer) == []
    press(panel)
    assert len(segments(viewer)) == 1


def test_kept_labels_stay(viewer, panel, photo):
    """After Keep, or where the layer was removed, the next labels go to a new layer."""
    press(panel)
    (first,) = segments(viewer)
    before = first.data.copy()
    panel.keep.native.click()
    choose(panel, "level", level=0.5)
    press(panel)
    assert len(segments(viewer)) == 2
    np.testing.assert_array_equal(first.data, before)
    viewer.layers.remove(segments(viewer)[1])
    press(panel)
    assert len(segments(viewer)) == 2


def test_slices_of_a_volume_one_by_one(viewer, panel, bundled_photos):
    """The slice that is shown is segmented, and its labels lie on it."""
    panel.follow.value = True
    volume = np.stack([bundled_photos["chelsea"][:40, :50, channel] for channel in range(3)])
    viewer.add_image(volume, scale=(5, 1, 1))
    choose(panel, "quantile", quantile=0.2)
    for step in (2, 0):
        viewer.dims.set_current_step(0, step)
        expected = segment_image(volume[step], quantile=0.2).labels[None]
        wait(
            lambda expected=expected: any(
                np.array_equal(layer.data, expected) for layer in segments(viewer)
            )
        )
        (labels,) = segments(viewer)
        assert labels.translate.tolist() == [5 * step, 0, 0]


def test_channels_make_one_image(viewer, panel, bundled_photos):
    """Channels that are layers of their own are segmented together where that is asked for."""
    photo = bundled_photos["chelsea"][:60, :80]
    viewer.add_image(photo, channel_axis=2, contrast_limits=[(0, 255)] * 3)
    panel.together.value = True
    choose(panel, "quantile", quantile=0.2)
    press(panel)
    (labels,) = segments(viewer)
    np.testing.assert_array_equal(labels.data, segment_image(photo, quantile=0.2).labels)


@pytest.mark.parametrize("count", [2, 4, 5])
@pytest.mark.parametrize("method", ["quantile", "level"])
def test_any_number_of_channels_makes_an_image(viewer, panel, bundled_photos, count, method):
    """Each channel is a band, and none is alpha."""
    photo = bundled_photos["chelsea"][:60, :80]
    bands = np.dstack([photo, photo[::-1]])[..., :count] / 255
    viewer.add_image(bands, channel_axis=2, contrast_limits=[(0, 1)] * count)
    panel.together.value = True
    values = {"quantile": 0.05} if method == "quantile" else {"level": 0.2}
    choose(panel, method, **values)
    press(panel)
    (labels,) = segments(viewer)
    expected = segment_image(bands, alpha=False, **values).labels
    np.testing.assert_array_equal(labels.data, expected)
    assert expected.max() > 1


def test_a_colour_space_of_other_than_colours_is_told_in_the_panel(viewer, panel):
    """Bands that are no colours are refused in Lab, as everywhere."""
    bands = np.random.default_rng(0).random((9, 9, 4))
    viewer.add_image(bands, channel_axis=2, contrast_limits=[(0, 1)] * 4)
    panel.together.value = True
    choose(panel, "quantile", color_space="lab")
    press(panel)
    assert "expected 'rgb' for 4 bands, got 'lab'" in panel.status.value


def test_errors_are_told_in_the_panel(viewer, panel):
    """Without an image, in 3D, and where nothing can be segmented it says why."""
    panel.run.native.click()
    assert panel.status.value == "There is no image layer; add one."
    layer = viewer.add_image(np.full((4, 4), np.nan), contrast_limits=(0, 1))
    press(panel)
    assert panel.status.value == "Image: expected some values, got NaN or infinity alone"
    viewer.layers.remove(layer)
    viewer.add_image(np.zeros((4, 4, 4), np.uint8))
    viewer.dims.ndisplay = 3
    panel.run.native.click()
    assert "show it in 2D" in panel.status.value


def test_controls_are_those_of_the_method(panel, photo):
    """A method shows the settings that it has, and starts as the library does."""
    assert panel.settings() == Settings(level=1.0)
    choose(panel, "quantile")
    assert panel.settings() == Settings(min_size=0)
    panel._controls["features"].value = "joint"
    assert panel.settings() == Settings(features="joint", min_size=60 * 80 // 1000)
    shown = {name for name, control in panel._controls.items() if not control._explicitly_hidden}
    assert shown == {"features", "color_space", "quantile", "spatial_weight", "min_size"}


def test_radii_go_with_the_color_space(panel, photo):
    """In HSV, whose channels span 1, the slider ends at 0.4, and stands at the same share."""
    choose(panel, "bandwidth", bandwidth=50)
    panel._controls["color_space"].value = "hsv"
    assert panel._controls["bandwidth"].max == pytest.approx(0.4)
    assert panel.settings().bandwidth == pytest.approx(0.2)
    panel._controls["color_space"].value = "rgb"
    assert panel.settings().bandwidth == pytest.approx(50)
