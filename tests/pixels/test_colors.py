"""Colour spaces, there and back."""

import numpy as np
import pytest
from skimage import color

from segment import InvalidInputError
from segment.pixels.colors import to_color_space, to_rgb

PALETTE = np.random.RandomState(0).randint(0, 256, (2000, 3)).astype(np.uint8)


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
