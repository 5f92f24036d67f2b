"""Labels as scikit-image has them: its way to call, its conventions, its tools on the result."""

import inspect
import re

import numpy as np
import pytest
from skimage.measure import regionprops
from skimage.segmentation import expand_labels, mark_boundaries, slic

from segment import InvalidInputError, fit_modes, mean_shift_labels, segment_image

STRIPES = np.zeros((6, 8, 3), np.uint8)
STRIPES[:, 3:] = 200, 100, 0
STRIPES[4:, 6:] = 0, 0, 250
MIDDLE = np.zeros((6, 8), bool)
MIDDLE[1:5, 2:7] = True


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"quantile": 0.3, "color_space": "lab"},
        {"features": "joint", "spatial_radius": 4, "range_radius": 60, "min_size": 0},
        {"target_segments": 2, "connected": True, "connectivity": 8},
        {"segments": 2, "threads": 1},
    ],
    ids=str,
)
def test_labels_are_those_of_the_segmentation(settings):
    """For two axes and channels, or grey, the array is the label map of `segment_image`."""
    for image, axis in ((STRIPES, -1), (STRIPES[:, :, 0], None)):
        labels = mean_shift_labels(image, channel_axis=axis, **settings)
        np.testing.assert_array_equal(labels, segment_image(image, **settings).labels)
        assert labels.dtype == np.int32


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3, np.int8(1)])
def test_channels_may_be_on_any_axis(axis):
    """An image with its channels moved to another axis has the labels of the same image."""
    moved = np.moveaxis(STRIPES, -1, axis)
    labels = mean_shift_labels(moved, channel_axis=axis, bandwidth=30)
    np.testing.assert_array_equal(labels, segment_image(STRIPES, bandwidth=30).labels)


@pytest.mark.parametrize("start_label", [0, 1])
def test_numbers_start_as_those_of_slic(start_label):
    """The first segment has the start label, and pixels out of the mask the number before it."""
    ours = mean_shift_labels(STRIPES, mask=MIDDLE, start_label=start_label, bandwidth=30)
    theirs = slic(STRIPES, mask=MIDDLE, start_label=start_label, n_segments=3)
    for labels in (ours, theirs):
        assert set(labels[~MIDDLE]) == {start_label - 1}
        assert labels[MIDDLE].min() == start_label
    whole = mean_shift_labels(STRIPES, start_label=start_label, bandwidth=30)
    assert sorted(set(whole.ravel())) == [start_label, start_label + 1, start_label + 2]


def test_values_out_of_the_mask_do_not_count():
    """Whatever stands out of the mask, not a number for one, the labels in it are the same."""
    image = STRIPES / 255
    expected = mean_shift_labels(image, mask=MIDDLE, quantile=0.3)
    assert expected[MIDDLE].min() == 1
    for value in (np.nan, np.inf, -7.5):
        spoilt = np.where(MIDDLE[:, :, None], image, value)
        found = mean_shift_labels(spoilt, mask=MIDDLE, quantile=0.3)
        np.testing.assert_array_equal(found, expected)


def volumes():
    """Arrays of more axes, the axis of their channels, and all their pixels in one row."""
    colors = np.random.default_rng(3).choice([10, 90, 200], (2, 3, 4, 5, 3)).astype(np.uint8)
    yield pytest.param(colors[0], -1, colors[0].reshape(1, -1, 3), id="volume-of-colours")
    yield pytest.param(colors[0, ..., 0], None, colors[0, ..., 0].reshape(1, -1), id="grey-volume")
    yield pytest.param(np.moveaxis(colors[0], -1, 0), 0, colors[0].reshape(1, -1, 3), id="first")
    yield pytest.param(colors, -1, colors.reshape(1, -1, 3), id="series-of-volumes")


@pytest.mark.parametrize(("image", "axis", "row"), [*volumes()])
def test_volumes_are_clustered_by_colour(image, axis, row):
    """An array of any number of axes has its shape in labels, those of its pixels in a row."""
    labels = mean_shift_labels(image, channel_axis=axis, quantile=0.2, min_size=0)
    expected = segment_image(row, quantile=0.2).labels
    assert labels.shape == tuple(np.delete(image.shape, [] if axis is None else axis))
    np.testing.assert_array_equal(labels.ravel(), expected.ravel())
    half = np.arange(labels.size).reshape(labels.shape) % 2
    masked = mean_shift_labels(image, channel_axis=axis, mask=half, quantile=0.2)
    expected = segment_image(row, mask=half.reshape(1, -1), quantile=0.2).labels
    np.testing.assert_array_equal(masked.ravel(), expected.ravel())


def test_a_model_labels_volumes():
    """A model that was fitted on planes labels a volume: a label means the same in all of it."""
    volume = np.stack([STRIPES, STRIPES[:, ::-1]])
    model = fit_modes([*volume], bandwidth=30)
    labels = mean_shift_labels(volume, model=model)
    for plane, expected in zip(labels, volume, strict=True):
        np.testing.assert_array_equal(plane, segment_image(expected, model=model).labels)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"features": "joint"}, "features: expected its default .* 3 axes .*, got 'joint'"),
        ({"connected": True}, "connected: .* got True"),
        ({"min_size": 5}, "min_size: .* got 5; leave it out"),
        ({"level": 0.0}, "level: .* got 0.0"),
        ({"segments": 2}, "segments: .* got 2"),
        ({"quantile": 2}, r"quantile: expected a number in \(0, 1\]"),
    ],
    ids=str,
)
def test_what_asks_where_pixels_stand_is_refused_for_volumes(settings, said):
    """Positions, regions and the hierarchy, which have two axes, are refused for three."""
    with pytest.raises(InvalidInputError, match=said):
        mean_shift_labels(np.zeros((2, 3, 4), np.uint8), channel_axis=None, **settings)


@pytest.mark.parametrize(
    ("image", "options", "said"),
    [
        (STRIPES[..., 0], {}, "channel_axis: expected None for an image of 2 axes, got -1"),
        (STRIPES, {"channel_axis": 3}, "channel_axis: expected one of the 3 axes .* got 3"),
        (STRIPES, {"channel_axis": True}, "channel_axis: expected one of the 3 axes .* got True"),
        (STRIPES, {"channel_axis": 1.0}, "channel_axis: expected one of the 3 axes .* got 1.0"),
        (STRIPES[0, :, 0], {"channel_axis": None}, r"image: expected a grey one .* \(8,\)"),
        (STRIPES, {"start_label": 2}, "start_label: expected 0 or 1, got 2"),
        (STRIPES, {"start_label": False}, "start_label: expected 0 or 1, got False"),
        (STRIPES, {"mask": MIDDLE[1:]}, r"mask: expected shape \(6, 8\) .* got \(5, 8\)"),
        (STRIPES, {"mask": MIDDLE & False}, "mask: expected something selected"),
        (STRIPES[:0], {}, "image: expected a non-empty"),
        ([[[1, 2], [3]]], {}, "image: expected an array, got a list"),
    ],
    ids=repr,
)
def test_arguments_that_make_no_sense_are_refused(image, options, said):
    """An axis, a mask or a start that is none is an error that says what was expected."""
    with pytest.raises(InvalidInputError, match=said):
        mean_shift_labels(image, **options)


def test_a_setting_that_there_is_not_is_a_type_error():
    """A parameter of another function, `n_segments` of slic, is a TypeError that names it."""
    for image in (STRIPES, STRIPES[None]):
        with pytest.raises(TypeError, match="n_segments"):
            mean_shift_labels(image, n_segments=100)


def test_the_documentation_names_every_setting():
    """The parameters that are handed on are those of `segment_image`, all of them named."""
    text = re.search(r"\*\*settings\n(.*?)\n\n", mean_shift_labels.__doc__, re.DOTALL)[1]
    handed_on = inspect.signature(segment_image).parameters.keys() - {"image", "mask"}
    assert set(re.findall(r"`(\w+)`", text)) - {"segment_image"} == handed_on


def test_tools_of_scikit_image_take_the_labels():
    """Regions are measured, outlined and grown by scikit-image as its own label maps are."""
    labels = mean_shift_labels(STRIPES, mask=MIDDLE, bandwidth=30)
    areas = {region.label: region.area for region in regionprops(labels)}
    assert areas == {1: 15, 2: 4, 3: 1}
    marked = mark_boundaries(STRIPES, labels, color=(1, 1, 1), mode="inner")
    assert (marked[1:5, 2] == 1).all()
    assert (marked[0, 7] == STRIPES[0, 7] / 255).all()
    grown = expand_labels(labels, distance=9)
    assert grown.min() == 1
    np.testing.assert_array_equal(grown[MIDDLE], labels[MIDDLE])
