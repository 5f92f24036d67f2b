"""BMP: every whole one is read, or refused as what it is."""

import numpy as np
import pytest

from segment.errors import ImageFileError
from tests.decoding.written import bmp, picture

Y, X = np.mgrid[:5, :7]
CHANCE = np.random.default_rng(7)
FIELDS = {  # bits of a pixel, masks of red, green, blue
    "4, 4, 4": (16, (0xF00, 0xF0, 0xF)),
    "2, 3, 1": (16, (0x30, 0xE, 0x1)),
    "8, 8, 8 with gaps": (32, (0xFF << 18, 0xFF << 9, 0xFF)),
}
PILLOWS = {
    "5, 5, 5": (16, (0x7C00, 0x3E0, 0x1F)),
    "5, 6, 5": (16, (0xF800, 0x7E0, 0x1F)),
    "8, 8, 8": (32, (0xFF0000, 0xFF00, 0xFF)),
}


def expected(values, masks):
    """The colours that masks cut out of numbers, (H, W, 3), exactly."""
    parts = [(values & mask) / mask * 255 for mask in masks]
    return np.stack(parts, axis=2)


@pytest.mark.parametrize("top_down", [False, True])
@pytest.mark.parametrize("name", [*FIELDS, *PILLOWS])
def test_fields_of_any_width(tmp_path, name, top_down):
    """Bits of a pixel are its colours as the masks say; Pillow knows some masks alone."""
    bits, masks = (FIELDS | PILLOWS)[name]
    values = CHANCE.integers(0, 2**bits, Y.shape)
    pixels = picture(tmp_path, bmp(values, bits, masks, top_down)).pixels
    assert np.abs(pixels - expected(values, masks)).max() < 1


def test_fields_of_more_than_8_bits(tmp_path):
    """They come at full depth."""
    values = CHANCE.integers(0, 2**32, Y.shape)
    masks = (0x3FF << 20, 0x3FF << 10, 0x3FF)
    pixels = picture(tmp_path, bmp(values, 32, masks)).pixels
    assert pixels.dtype == np.uint16
    assert np.array_equal(pixels, np.rint(expected(values, masks) * 257))


@pytest.mark.parametrize("top_down", [False, True])
@pytest.mark.parametrize("bits", [24, 32])
def test_plain_colours(tmp_path, bits, top_down):
    """24 and 32 bits without masks are blue, green, red and perhaps nothing."""
    values = CHANCE.integers(0, 2**24, Y.shape)
    pixels = picture(tmp_path, bmp(values, bits, top_down=top_down)).pixels
    assert np.array_equal(pixels, np.stack([values >> 16, values >> 8 & 255, values & 255], axis=2))


@pytest.mark.parametrize(("header", "compression"), [(56, 3), (108, 3), (40, 6)])
def test_alpha_has_a_mask(tmp_path, header, compression):
    """A fourth field, of a long header or by its compression, is alpha."""
    values = CHANCE.integers(0, 2**16, Y.shape)
    masks = (0xF00, 0xF0, 0xF, 0xF000)
    content = bmp(values, 16, masks, header=header, compression=compression)
    assert np.abs(picture(tmp_path, content).pixels - expected(values, masks)).max() < 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bmp(X, 8, compression=4), "8 bits a pixel, compression 4"),
        (bmp(X, 64), "64 bits a pixel"),
        (bmp(X, 16, (7, 56, 448), header=17), "header of 17 bytes"),
    ],
)
def test_what_no_reader_knows_is_named(tmp_path, content, words):
    """Whole files are not called damaged."""
    with pytest.raises(ImageFileError, match=rf"a BMP that no reader here knows \(.*{words}"):
        picture(tmp_path, content)


def test_more_colours_than_numbers(tmp_path):
    """A palette of 300 colours is one of 256."""
    palette = np.zeros((300, 4), np.uint8)
    palette[:256, :3] = CHANCE.integers(0, 256, (256, 3))
    content = bytearray(bmp(X + 7 * Y, 8))
    content[46:50] = (300).to_bytes(4, "little")
    content[10:14] = (54 + palette.nbytes).to_bytes(4, "little")
    content[54:54] = palette.tobytes()
    pixels = picture(tmp_path, bytes(content)).pixels
    assert np.array_equal(pixels, palette[X + 7 * Y][..., 2::-1])


def test_what_is_cut_off_is_damaged(tmp_path):
    """Half a file is no picture, whoever reads it."""
    for bits, masks in (FIELDS["4, 4, 4"], PILLOWS["5, 6, 5"]):
        with pytest.raises(ImageFileError, match="damaged or cut off"):
            picture(tmp_path, bmp(X, bits, masks)[:-20])


def test_what_there_is_of_a_cut_off_one(tmp_path):
    """The rest is black where that is allowed."""
    bits, masks = FIELDS["4, 4, 4"]
    content = bmp(X + 1, bits, masks, top_down=True)
    pixels = picture(tmp_path, content[:-16], allow_truncated=True).pixels
    assert np.array_equal(pixels[:4, :, 2], (X[:4] + 1) * 17)
    assert not pixels[4].any()
