"""An image to rows of pixels: depths, alpha, what is refused."""

import numpy as np
import pytest

from segment import InvalidInputError
from segment.pixels.image import pixel_rows


@pytest.mark.parametrize(
    ("image", "pixels", "dtype"),
    [
        pytest.param(np.array([[0, 255]], np.uint8), [0, 255], "uint8", id="uint8"),
        pytest.param(np.array([[0, 255]], np.int64), [0, 255], "uint8", id="whole-numbers"),
        pytest.param(np.array([[False, True]]), [0, 255], "uint8", id="bool"),
        pytest.param(np.array([[257, 65535]], np.uint16), [1, 255], "uint8", id="uint16"),
        pytest.param(np.array([[0, 255]], np.uint16), [0, 255 / 257], "float64", id="dark-uint16"),
        pytest.param(np.array([[0, 0.5]]), [0, 127.5], "float64", id="float64"),
        pytest.param(np.array([[0, 0.5]], np.float32), [0, 127.5], "float64", id="float32"),
    ],
)
def test_every_depth_becomes_0_to_255(image, pixels, dtype):
    """Values are scaled to 0..255 by the range of their dtype; whole ones stay 8-bit."""
    rows, visible = pixel_rows(image)
    assert rows.ravel().tolist() == pixels
    assert rows.dtype == dtype
    assert visible is None


@pytest.mark.parametrize("colors", [1, 3], ids=["gray", "rgb"])
def test_transparent_pixels_are_told_apart(colors):
    """With alpha, pixels are visible where it is not zero; alpha itself is no coordinate."""
    image = np.full((2, 2, colors + 1), 7, np.uint8)
    image[0, 1, -1] = 0
    image[1, 1, -1] = 1
    rows, visible = pixel_rows(image)
    assert rows.shape == (4, colors)
    assert visible.tolist() == [True, False, True, True]


def test_an_opaque_image_has_nothing_to_tell_apart():
    """Where alpha is zero nowhere, all is visible."""
    rows, visible = pixel_rows(np.ones((2, 2, 4), np.uint8))
    assert rows.shape == (4, 3)
    assert visible is None


@pytest.mark.parametrize(
    ("image", "message"),
    [
        pytest.param(np.zeros(5), r"got shape \(5,\)", id="one-axis"),
        pytest.param(np.zeros((2, 2, 5)), r"got shape \(2, 2, 5\)", id="five-channels"),
        pytest.param(np.zeros((0, 4)), r"got shape \(0, 4\)", id="no-rows"),
        pytest.param(np.zeros((2, 2, 2, 3)), "got shape", id="four-axes"),
        pytest.param(np.array([[0, 256]]), "int64 with values from 0 to 256", id="above-255"),
        pytest.param(np.array([[-1, 2]]), "from -1 to 2", id="negative"),
        pytest.param(np.array([[0, 1.5]]), "from 0.0 to 1.5", id="float-above-1"),
        pytest.param(np.array([[0, np.nan]]), "from nan", id="nan"),
        pytest.param(np.array([[1j]]), "complex128", id="complex"),
        pytest.param(np.array([["a"]]), "image: expected uint8", id="text"),
    ],
)
def test_other_arrays_are_refused(image, message):
    """The error says what an image may be and what was got."""
    with pytest.raises(InvalidInputError, match=message):
        pixel_rows(image)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_of_8_bit_values_are_taken_back_and_no_others(dtype):
    """Every k / 255 and k * (1 / 255) becomes k again; values a little off stay as they are."""
    levels = np.arange(256)[None]
    for image in (levels.astype(dtype) / dtype(255), levels.astype(dtype) * dtype(1 / 255)):
        rows, _ = pixel_rows(image)
        assert rows.dtype == np.uint8
        assert np.array_equal(rows.ravel(), levels[0])
    dark = np.array([[0, 1e-7, 2e-7]], dtype)
    assert len(np.unique(pixel_rows(dark)[0])) == 3
