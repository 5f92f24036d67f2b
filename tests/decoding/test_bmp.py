"""BMP: every whole one is read, or refused as what it is."""

import numpy as np
import pytest

from segment.errors import ImageFileError
from tests.decoding.written import bmp, on_a_plain_install, picture

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
def test_fields_of_any_width(tmp_path, monkeypatch, name, top_down):
    """Bits of a pixel are its colours as the masks say; Pillow knows some masks alone."""
    bits, masks = (FIELDS | PILLOWS)[name]
    values = CHANCE.integers(0, 2**bits, Y.shape)
    content = bmp(values, bits, masks, top_down)
    if name in PILLOWS:
        on_a_plain_install(monkeypatch)
    else:
        pytest.importorskip("imagecodecs")
    pixels = picture(tmp_path, content).pixels
    assert np.abs(pixels - expected(values, masks)).max() < 1
    if name in FIELDS:
        on_a_plain_install(monkeypatch)
        words = r"BMP of a rare kind \(\d+ bits a pixel, .* bits\); pip install"
        with pytest.raises(ImageFileError, match=words):
            picture(tmp_path, content)


@pytest.mark.parametrize("top_down", [False, True])
@pytest.mark.parametrize("bits", [24, 32])
def test_plain_colours(tmp_path, bits, top_down):
    """24 and 32 bits without masks are blue, green, red and perhaps nothing."""
    values = CHANCE.integers(0, 2**24, Y.shape)
    pixels = picture(tmp_path, bmp(values, bits, top_down=top_down)).pixels
    assert np.array_equal(pixels, np.stack([values >> 16, values >> 8 & 255, values & 255], axis=2))


def test_alpha_has_a_mask(tmp_path):
    """A fourth field of a long header is alpha."""
    pytest.importorskip("imagecodecs")
    values = CHANCE.integers(0, 2**16, Y.shape)
    masks = (0xF00, 0xF0, 0xF, 0xF000)
    pixels = picture(tmp_path, bmp(values, 16, masks, header=56)).pixels
    assert np.abs(pixels - expected(values, masks)).max() < 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bmp(X, 32, (0x3FF << 20, 0x3FF << 10, 0x3FF)), "fields of 10, 10, 10 bits"),
        (bmp(X, 32, compression=6), "32 bits a pixel, compression 6"),
        (bmp(X, 64), "64 bits a pixel"),
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
    pytest.importorskip("imagecodecs")
    for bits, masks in (FIELDS["4, 4, 4"], PILLOWS["5, 6, 5"]):
        with pytest.raises(ImageFileError, match="damaged or cut off"):
            picture(tmp_path, bmp(X, bits, masks)[:-20])
