"""Layers of the real napari to pictures, and labels to their places."""

import numpy as np
import pytest

from segment.errors import InvalidInputError
from segment.napari_plugin.layers import (
    Slice,
    channels_with,
    picture_of,
    pixels_in,
    place_of,
    shown_slice,
)
from tests.drawn import NOISE
from tests.napari_plugin.viewing import their_warnings, viewer_model

pytestmark = their_warnings


@pytest.fixture
def viewer():
    return viewer_model()


def shown(viewer, layer):
    """The plane of a layer that the viewer shows."""
    return shown_slice(layer, viewer.dims.point, viewer.dims.displayed)


def test_colors_and_bytes_are_taken_as_they_are(viewer):
    """RGB, RGBA and grey of 8 bits go on unchanged, whatever the contrast limits."""
    rgba = np.dstack([NOISE, np.full(NOISE.shape[:2], 9, np.uint8)])
    grey = NOISE[..., 0]
    for data in (NOISE, rgba, grey, grey > 99):
        layer = viewer.add_image(data, rgb=data.ndim == 3)
        picture = picture_of([layer], shown(viewer, layer))
        assert picture.image.dtype == data.dtype
        assert picture.visible is None
        np.testing.assert_array_equal(picture.image, data)


def test_other_grey_is_taken_as_it_is_seen(viewer):
    """Values go from 0 to 1 within the contrast limits; NaN and infinity take no part."""
    data = np.array([[-5.0, 0.0, 10.0], [40.0, np.nan, np.inf]])
    layer = viewer.add_image(data, contrast_limits=(0, 20))
    picture = picture_of([layer], shown(viewer, layer))
    np.testing.assert_array_equal(picture.image, [[0, 0, 0.5], [1, 0, 0]])
    np.testing.assert_array_equal(picture.visible, np.isfinite(data))
    deep = viewer.add_image(np.uint16([[0, 1000, 4000]]), contrast_limits=(0, 2000))
    assert picture_of([deep], shown(viewer, deep)).image.tolist() == [[0, 0.5, 1]]


def test_channels_are_taken_together(viewer):
    """Grey layers of a shape are one image, each as it is seen; hidden ones are left out."""
    data = np.float64([[0, 1], [2, np.nan]])
    layers = [viewer.add_image(data * unit, contrast_limits=(0, 4)) for unit in (1, 2, 4)]
    viewer.add_image(NOISE)
    viewer.add_image(np.zeros((3, 3)))
    found = channels_with(layers[0], list(viewer.layers))
    assert found == layers
    picture = picture_of(found, shown(viewer, layers[0]))
    assert picture.image.tolist() == [
        [[0, 0, 0], [0.25, 0.5, 1]],
        [[0.5, 1, 1], [0, 0, 0]],
    ]
    assert picture.visible.tolist() == [[True, True], [True, False]]
    layers[1].visible = False
    found = channels_with(layers[0], list(viewer.layers))
    assert found == [layers[0], layers[2]]
    picture = picture_of(found, shown(viewer, layers[0]))
    assert picture.image.tolist() == [[[0, 0], [0.25, 1]], [[0.5, 1], [0, 0]]]
    assert picture.alpha is False


def test_of_a_volume_it_is_the_slice_that_is_shown(viewer):
    """One plane of a stack, a time series or a transposed view is taken, where the sliders are."""
    data = np.arange(3 * 4 * 5 * 6, dtype=np.uint8).reshape(3, 4, 5, 6)
    layer = viewer.add_image(data, scale=(2, 3, 1, 1))
    viewer.dims.set_current_step(0, 2)
    viewer.dims.set_current_step(1, 1)
    where = shown(viewer, layer)
    np.testing.assert_array_equal(picture_of([layer], where).image, data[2, 1])
    assert pixels_in(layer, where) == 30
    viewer.dims.order = (0, 2, 3, 1)
    viewer.dims.set_current_step(2, 4)
    where = shown(viewer, layer)
    np.testing.assert_array_equal(picture_of([layer], where).image, data[2, :, 4, :])
    assert where.in_all_axes(np.zeros((4, 6))).shape == (1, 4, 1, 6)


def test_views_without_a_plane_are_refused(viewer):
    """In 3D, and where the sliders are beside the data, it is said what to do."""
    layer = viewer.add_image(np.zeros((3, 4, 5), np.uint8), name="stack")
    viewer.add_image(np.zeros((9, 4, 5), np.uint8))
    viewer.dims.set_current_step(0, 7)
    with pytest.raises(InvalidInputError, match="a slice from 0 to 2 along axis 0, got 7"):
        shown(viewer, layer)
    viewer.dims.ndisplay = 3
    with pytest.raises(InvalidInputError, match="stack: expected a view of two of its axes, got 3"):
        shown(viewer, layer)


def test_of_several_resolutions_it_is_the_finest(viewer):
    """A pyramid is segmented at its base."""
    base = NOISE[..., 0]
    layer = viewer.add_image([base, base[::2, ::2]], multiscale=True)
    where = shown(viewer, layer)
    assert pixels_in(layer, where) == base.size
    np.testing.assert_array_equal(picture_of([layer], where).image, base)


WHOLE = slice(None)


@pytest.mark.parametrize("index", [(2, WHOLE, WHOLE), (WHOLE, 3, WHOLE)], ids=["0", "1"])
def test_labels_lie_where_the_image_lies(viewer, index):
    """Every pixel of the labels is in the world where its pixel of the image is."""
    turn = np.eye(4)
    turn[1:3, 1:3] = [[0.8, -0.6], [0.6, 0.8]]
    layer = viewer.add_image(
        np.zeros((4, 5, 6), np.uint8),
        scale=(3, 0.5, 0.25),
        translate=(1, 20, 30),
        rotate=(0, 0, 15),
        affine=turn,
        units=("um", "um", "um"),
    )
    where = Slice(index)
    plane = np.ones(layer.data[index].shape, int)
    labels = viewer.add_labels(where.in_all_axes(plane), **place_of(layer, where))
    corner = np.array([0 if part == WHOLE else part for part in index])
    for offset in np.argwhere(labels.data):
        seen = labels.data_to_world(offset)
        np.testing.assert_allclose(seen, layer.data_to_world(corner + offset), atol=1e-9)
    assert labels.units == layer.units
