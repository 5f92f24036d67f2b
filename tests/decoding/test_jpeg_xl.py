"""JPEG XL: the frames of animations, and all bits of deep colours."""

import io
import sys

import numpy as np
import pytest

from segment.decoding.jpeg_xl import Header, header_of
from segment.errors import ImageFileError
from tests.decoding.written import picture

imagecodecs = pytest.importorskip("imagecodecs")
pytest.importorskip("pillow_jxl")
CHANCE = np.random.default_rng(6)


def written(values, **options):
    """A lossless JPEG XL."""
    return imagecodecs.jpegxl_encode(values, lossless=True, **options)


@pytest.mark.parametrize("boxes", [False, True])
@pytest.mark.parametrize("shape", [(8, 8), (24, 24, 3), (300, 17, 4), (256, 16, 3), (1, 1, 3)])
@pytest.mark.parametrize("frames", [0, 2])
@pytest.mark.parametrize(
    ("dtype", "bits"), [("u1", None), ("u2", None), ("u2", 10), ("u2", 12), ("f4", None)]
)
def test_header(dtype, bits, frames, shape, boxes):
    """The header says how deep it is and whether there is an animation, bare or in boxes."""
    values = np.zeros((frames, *shape) if frames else shape, dtype)
    content = written(values, usecontainer=boxes, bitspersample=bits)
    depth = bits or values.itemsize * 8
    assert header_of(io.BytesIO(content)) == Header(bool(frames), depth)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_frames_are_pages(tmp_path, channels):
    """The first frame is the picture, with the usual warning, and each is a page."""
    values = CHANCE.integers(0, 256, (3, 9, 12, channels)).astype(np.uint8)
    content = written(values.squeeze())
    first = picture(tmp_path, content)
    assert np.array_equal(first.pixels, values[0].squeeze())
    assert first.warnings == ("has more pages than the first, which was taken; see --page",)
    for page in (1, 2, 3):
        pixels = picture(tmp_path, content, page=page).pixels
        assert np.array_equal(pixels, values[page - 1].squeeze())
    with pytest.raises(ImageFileError, match="has no page 4"):
        picture(tmp_path, content, page=4)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_deep_colours(tmp_path, channels):
    """16-bit samples come whole; the header's 10 bits run from black to white."""
    values = CHANCE.integers(0, 65536, (9, 12, channels)).astype(np.uint16)
    found = picture(tmp_path, written(values.squeeze()), ignore_icc=True)  # it is linear
    assert np.array_equal(found.pixels, values.squeeze())
    assert found.warnings == ()
    white = np.full((9, 12, 3), 1023, np.uint16)
    content = written(white, bitspersample=10)
    assert np.all(picture(tmp_path, content, ignore_icc=True).pixels == 65535)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_linear_light_is_encoded(tmp_path, dtype, channels):
    """Samples that the file calls linear, as this writer does deep ones, become sRGB."""
    light = CHANCE.random((9, 12, channels)).squeeze()
    top = 1 if dtype == np.float32 else 65535
    pixels = picture(tmp_path, written((light * top).astype(dtype))).pixels
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(pixels / 65535 - encoded).max() < 0.001


def test_without_imagecodecs(tmp_path, monkeypatch):
    """Pillow's plug-in alone: 8 bits of deep colours with a warning, and no animations."""
    values = CHANCE.integers(0, 65536, (9, 12, 3)).astype(np.uint16)
    animated = written(np.zeros((2, 9, 12, 3), np.uint8))
    deep = written(values)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    found = picture(tmp_path, deep, ignore_icc=True)
    assert found.warnings == ("read with 8 of its 16 bits a channel",)
    assert np.abs(found.pixels - values / 257).max() <= 1
    with pytest.raises(ImageFileError, match="an animated JPEG XL, which needs imagecodecs; pip"):
        picture(tmp_path, animated)
