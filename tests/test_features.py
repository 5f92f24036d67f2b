"""Pixels to points: distinct rows, colour spaces, alpha, dtypes."""

import numpy as np
import oracles
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage import color

from segment import InvalidInputError, features
from segment._colors import colors_of, count_by_sorting, count_by_table
from segment.features import distinct_points, pixel_rows, to_color_space, to_rgb

COLORS = st.integers(1, 300).flatmap(
    lambda n: arrays.arrays(np.uint8, (n, 3), elements=st.sampled_from([0, 1, 2, 127, 128, 255]))
)
ROWS = st.tuples(st.integers(1, 60), st.sampled_from([1, 2, 3, 4, 6, 20, 70])).flatmap(
    lambda shape: arrays.arrays(
        st.sampled_from([np.float64, np.float32, np.int64, np.uint8]),
        shape,
        elements=st.integers(0, 3),
    )
)
PALETTE = np.random.RandomState(0).randint(0, 256, (2000, 3)).astype(np.uint8)


@given(COLORS)
@settings(deadline=None, max_examples=60)
def test_both_ways_of_counting_agree(pixels):
    """Sorting and the table give the same keys, ascending, and the same counts, all of them."""
    keys, counts, places = count_by_sorting(pixels)
    np.testing.assert_array_equal(colors_of(keys)[places], pixels)
    for found, expected in zip(count_by_table(pixels), (keys, counts), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert (np.diff(keys.astype(np.int64)) > 0).all()
    found = dict(zip(map(tuple, colors_of(keys).tolist()), counts.tolist(), strict=True))
    assert found == oracles.count_rows(pixels)


def test_keys_follow_the_z_order_curve():
    """A key interleaves the bits of red, green and blue, red the highest of each three."""
    keys, _, _ = count_by_sorting(np.array([[0b101, 0b011, 0b110], [255, 255, 255]], np.uint8))
    assert keys.tolist() == [0b101_011_110, 2**24 - 1]


@given(st.one_of(COLORS, ROWS))
@example(np.array([[0.0, 1.0], [-0.0, 1.0]]))
@example(np.array([[-1e308, 5.0], [1e308, 5.0], [-1e308, 5.0]]))
@settings(deadline=None, max_examples=150)
def test_distinct_points_are_the_rows_that_occur(rows):
    """Each row that occurs is one point, weighted by how often, in the dtype of the rows."""
    distinct = distinct_points(rows)
    assert len(distinct.weights) == len(distinct.points)
    found = dict(zip(map(tuple, distinct.points.tolist()), distinct.weights.tolist(), strict=True))
    assert found == oracles.count_rows(rows)
    assert distinct.points.dtype == rows.dtype


@given(st.one_of(COLORS, ROWS), st.sampled_from([-1, 0, 250, 65_530]))
@settings(deadline=None, max_examples=100)
def test_spread_takes_each_value_to_all_rows_of_its_point(rows, first):
    """Numbering the points and spreading the numbers leads back to the rows, at any number."""
    distinct = distinct_points(rows)
    numbers = np.arange(first, first + len(distinct.points), dtype=np.int32)
    spread = distinct.spread(numbers)
    assert spread.dtype == np.int32
    np.testing.assert_array_equal(distinct.points[spread - first], rows)


@pytest.mark.parametrize("table_from", [1, 10**9], ids=["by-table", "by-sorting"])
def test_many_pixels_are_spread_by_all_threads(table_from, monkeypatch):
    """Images large enough for several threads come back whole, counted either way."""
    monkeypatch.setattr(features, "TABLE_FROM", table_from)
    pixels = PALETTE[np.random.RandomState(1).randint(0, len(PALETTE), 2_100_001)]
    distinct = distinct_points(pixels)
    assert distinct.weights.sum() == len(pixels)
    numbers = distinct.spread(np.arange(len(distinct.points), dtype=np.int32))
    np.testing.assert_array_equal(distinct.points[numbers], pixels)


@pytest.mark.parametrize("space", ["lab", "luv", "hsv"])
def test_color_spaces_are_those_of_scikit_image(space):
    """Coordinates are scikit-image's of the same colours, 8-bit or float, and of grey as RGB."""
    convert = getattr(color, f"rgb2{space}")
    expected = convert(PALETTE[None])[0]
    for pixels in (PALETTE, PALETTE.astype(float)):
        np.testing.assert_allclose(to_color_space(pixels, space), expected, rtol=0, atol=1e-10)
    gray = PALETTE[:, :1]
    expected = convert(np.broadcast_to(gray, (len(gray), 3))[None])[0]
    np.testing.assert_allclose(to_color_space(gray, space), expected, rtol=0, atol=1e-10)


def test_gray_is_the_luminance_of_scikit_image():
    """Grey points are scikit-image's luminance in 0..255; grey pixels stay as they are."""
    expected = color.rgb2gray(PALETTE[None])[0] * 255
    found = to_color_space(PALETTE, "gray")
    np.testing.assert_allclose(found, expected[:, None], rtol=0, atol=1e-10)
    gray = to_color_space(PALETTE[:, :1], "gray")
    assert (gray.tolist(), gray.dtype) == (PALETTE[:, :1].tolist(), np.float64)


def test_rgb_keeps_the_pixels():
    """RGB points are the pixels themselves."""
    assert to_color_space(PALETTE, "rgb") is PALETTE


@pytest.mark.parametrize("space", ["rgb", "lab", "luv", "hsv"])
def test_colors_survive_the_way_there_and_back(space):
    """Every colour that goes to a colour space comes back from it as the same 8-bit colour."""
    np.testing.assert_array_equal(to_rgb(to_color_space(PALETTE, space), space), PALETTE)


def test_gray_comes_back_as_gray():
    """A luminance comes back as the grey of the nearest whole value, within 0..255."""
    points = np.array([[-3.0], [99.4], [99.6], [300.0]])
    assert to_rgb(points, "gray").tolist() == [[0] * 3, [99] * 3, [100] * 3, [255] * 3]


def test_an_unknown_color_space_is_refused():
    """The error lists the colour spaces there are."""
    with pytest.raises(InvalidInputError, match=r"rgb, lab, luv, hsv, gray, got 'cmyk'"):
        to_color_space(PALETTE, "cmyk")


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
    """The error says what an image may be and what came."""
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
