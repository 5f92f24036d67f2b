"""PSD: the composite and nothing but the composite."""

import numpy as np
import pytest

from segment.decoding.psd import PROFILE, TRANSPARENT_INDEX, VERSION
from segment.errors import ImageFileError
from tests.decoding.written import picture, psd, resource

GREY, RGB, CMYK, LAB = 1, 3, 4, 9
CHANCE = np.random.default_rng(3)
PLANES = CHANCE.integers(0, 256, (5, 6, 9)).astype(np.uint8)
DEEP = CHANCE.integers(0, 65536, (5, 6, 9)).astype(np.uint16)
both = pytest.mark.parametrize("packed", [False, True], ids=["raw", "packed"])


@both
@pytest.mark.parametrize("long", [False, True], ids=["psd", "psb"])
@pytest.mark.parametrize("planes", [PLANES, DEEP], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize(("mode", "colors"), [(GREY, 1), (RGB, 3)])
@pytest.mark.parametrize("extra", [0, 1, 2])
def test_channels_beside_the_picture(tmp_path, planes, mode, colors, extra, packed, long):
    """Saved selections and spot colours are left out with a warning, whatever their number."""
    bits = planes.itemsize * 8
    content = psd(planes[: colors + extra], mode, bits, packed, long=long)
    found = picture(tmp_path, content)
    assert np.array_equal(found.pixels, np.moveaxis(planes[:colors], 0, -1).squeeze())
    said = (f"has {colors + extra} channels; took {colors}",) if extra else ()
    assert found.warnings == said


@both
@pytest.mark.parametrize("planes", [PLANES, DEEP], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize(("mode", "colors"), [(GREY, 1), (RGB, 3)])
def test_transparency(tmp_path, planes, mode, colors, packed):
    """A negative count of layers makes the next channel transparency."""
    content = psd(planes[: colors + 1], mode, planes.itemsize * 8, packed, layers=-1)
    found = picture(tmp_path, content)
    assert np.array_equal(found.pixels, np.moveaxis(planes[: colors + 1], 0, -1))
    assert found.warnings == ()


@both
def test_bits(tmp_path, packed):
    """Ones of a bitmap are black."""
    bits = (PLANES[:1] > 128).astype(np.uint8)
    pixels = picture(tmp_path, psd(bits, 0, 1, packed)).pixels
    assert np.array_equal(pixels, (1 - bits[0]) * 255)


@both
@pytest.mark.parametrize("planes", [PLANES, DEEP], ids=["8 bits", "16 bits"])
def test_inks_are_stored_as_light(tmp_path, planes, packed):
    """CMYK without a profile becomes RGB: no ink is the largest value."""
    top = np.iinfo(planes.dtype).max
    light = planes[:4] / top
    pixels = picture(tmp_path, psd(planes[:4], CMYK, planes.itemsize * 8, packed)).pixels
    expected = np.moveaxis(light[:3] * light[3], 0, -1) * top
    assert np.abs(pixels - expected).max() <= 1


def test_transparent_inks(tmp_path):
    """CMYK has its transparency, too."""
    pixels = picture(tmp_path, psd(PLANES, CMYK, layers=-2)).pixels
    assert np.array_equal(pixels[..., 3], PLANES[4])


def test_lab(tmp_path):
    """Lab becomes sRGB: white is white, and a and b are 128 where there is no colour."""
    planes = np.full((3, 2, 2), 128, np.uint8)
    planes[0] = [[255, 0], [128, 128]]
    planes[1, 1, 1] = 200
    pixels = picture(tmp_path, psd(planes, LAB)).pixels.astype(int)
    assert np.abs(pixels[0] - [[255] * 3, [0] * 3]).max() <= 2
    assert np.ptp(pixels[1, 0]) <= 2
    assert pixels[1, 1, 0] > pixels[1, 1, 1] + 50


def test_palettes_and_their_transparent_index(tmp_path):
    """Numbers of an indexed image are its colours, and one may be transparent."""
    palette = CHANCE.integers(0, 256, (3, 256)).astype(np.uint8)
    hidden = int(PLANES[0, 0, 0])
    said = resource(TRANSPARENT_INDEX, hidden.to_bytes(2))
    content = psd(PLANES[:1], 2, palette=palette.tobytes(), resources=said)
    pixels = picture(tmp_path, content).pixels
    assert np.array_equal(pixels[..., :3], palette.T[PLANES[0]])
    assert np.array_equal(pixels[..., 3] == 0, PLANES[0] == hidden)


def test_profiles_are_found(tmp_path):
    """The ICC profile is converted; a damaged one is told and left out."""
    content = psd(PLANES[:3], RGB, resources=resource(PROFILE, b"no profile at all" * 20))
    found = picture(tmp_path, content)
    assert "colour profile" in found.warnings[0]
    assert np.array_equal(found.pixels, np.moveaxis(PLANES[:3], 0, -1))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (psd(DEEP[:3], RGB, 32), "32 bits a channel, expected 8 or 16"),
        (psd(PLANES[:3], 7), "multichannel mode"),
        (psd(DEEP[:3], LAB, 16), "16-bit Lab mode"),
        (psd(PLANES[:3], RGB, resources=resource(VERSION, b"\0\0\0\1\0")), "without a composite"),
        (psd(PLANES[:3], RGB)[:-2], "damaged or cut off"),
        (psd(PLANES[:2], RGB), "damaged or cut off"),
        (psd(PLANES[:3], RGB, packed=True)[:60], "damaged or cut off"),
        (b"8BPS\0\1", "damaged or cut off"),
    ],
)
def test_refusals(tmp_path, content, said):
    """What is not read is named: depth, mode, a missing composite, damage."""
    with pytest.raises(ImageFileError, match=said):
        picture(tmp_path, content)


@both
def test_what_there_is_of_a_cut_off_one(tmp_path, packed):
    """The rest of a file that is cut off is black where that is allowed."""
    content = psd(PLANES[:3], RGB, packed=packed)
    pixels = picture(tmp_path, content[:-40], allow_truncated=True).pixels
    assert np.array_equal(pixels[..., :2], np.moveaxis(PLANES[:2], 0, -1))
    assert not pixels[-1, -1, 2]
