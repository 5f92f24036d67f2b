"""Colour spaces, there and back."""

import numpy as np
import pytest
from skimage import color

from segment import InvalidInputError
from segment.pixels.colors import GRIDS, to_color_space, to_rgb

PALETTE = np.random.RandomState(0).randint(0, 256, (2000, 3)).astype(np.uint8)


@pytest.mark.parametrize("space", ["lab", "luv", "hsv"])
def test_color_spaces_are_those_of_scikit_image(space):
    """Coordinates are scikit-image's on the grid, of bytes or floats, and of grey as RGB."""
    convert = getattr(color, f"rgb2{space}")
    for pixels in (PALETTE, PALETTE.astype(float)):
        assert_on_grid(to_color_space(pixels, space), convert(PALETTE[None])[0], space)
    gray = PALETTE[:, :1]
    expected = convert(np.broadcast_to(gray, (len(gray), 3))[None])[0]
    assert_on_grid(to_color_space(gray, space), expected, space)


def assert_on_grid(found, expected, space):
    """Whole multiples of the grid of the colour space, the nearest ones to what is expected."""
    np.testing.assert_array_equal(found / GRIDS[space] % 1, 0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=GRIDS[space] / 2 + 1e-10)


@pytest.mark.parametrize("space", ["gray", "lab", "luv", "hsv"])
def test_no_color_is_near_to_the_middle_between_two_grid_points(space):
    """What processors differ by, some 1e-13, cannot take an 8-bit colour to another grid point."""
    channel = np.arange(0, 256, 3)
    cube = np.stack(np.meshgrid(channel, channel, channel), axis=-1).reshape(-1, 3) / 255
    convert = color.rgb2gray if space == "gray" else getattr(color, f"rgb2{space}")
    steps = convert(cube[None])[0] * (255 if space == "gray" else 1) / GRIDS[space]
    assert (0.5 - np.abs(steps - np.rint(steps))).min() * GRIDS[space] > 9e-13


def test_gray_is_the_luminance_of_scikit_image():
    """Grey points are scikit-image's luminance on the grid; grey pixels stay as they are."""
    expected = color.rgb2gray(PALETTE[None])[0] * 255
    assert_on_grid(to_color_space(PALETTE, "gray"), expected[:, None], "gray")
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
