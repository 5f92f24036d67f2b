"""Colours of a PNG without a profile, as browsers show them."""

import io
import struct

import numpy as np
import pytest

from segment.decoding.png import PRIMARIES, SRGB_XY, profile_of
from segment.errors import ImageFileError
from tests.decoding.written import picture, png
from tests.drawn import chunk

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, GREY_ALPHA: 2, RGBA: 4}
LINEAR = chunk(b"gAMA", struct.pack(">I", 100_000))
USUAL = chunk(b"gAMA", struct.pack(">I", 45_455))
P3 = PRIMARIES[12]


def chromaticities(xy):
    """The chunk cHRM."""
    return chunk(b"cHRM", struct.pack(">8I", *(round(part * 100_000) for part in xy)))


def coded(*codes):
    """The chunk cICP."""
    return chunk(b"cICP", bytes(codes))


def ramp(color, bits):
    """Samples over the whole range, (4, 16, C); alpha is there and opaque."""
    values = np.linspace(0, 2**bits - 1, 64).round().astype(np.int64).reshape(4, 16, 1)
    values = values.repeat(CHANNELS[color], axis=2)
    if color in (GREY_ALPHA, RGBA):
        values[..., -1] = 2**bits - 1
    return values


def encoded(light):
    """Linear light to sRGB (IEC 61966-2-1)."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("color", list(CHANNELS))
def test_gamma(tmp_path, color, bits):
    """Linear samples are encoded for sRGB, at full depth; alpha is no colour."""
    values = ramp(color, bits)
    pixels = picture(tmp_path, png(values, bits, color, LINEAR)).pixels
    top = 2**bits - 1
    pixels = pixels.reshape(values.shape) / top
    count = 1 if color in (GREY, GREY_ALPHA) else 3
    tolerance = 1.01 / 255 if bits == 8 else 0.0002
    assert np.abs(pixels[..., :count] - encoded(values[..., :count] / top)).max() <= tolerance
    assert np.all(pixels[..., count:] == 1)


def test_gamma_of_a_palette(tmp_path):
    """Colours of a palette are converted, too."""
    table = np.arange(256)[:, None].repeat(3, axis=1).astype(np.uint8)
    content = png(
        np.arange(256).reshape(4, 64), 8, PALETTE, chunk(b"PLTE", table.tobytes()), LINEAR
    )
    pixels = picture(tmp_path, content).pixels
    expected = encoded(np.arange(256) / 255).reshape(4, 64, 1) * 255
    assert np.abs(pixels - expected).max() <= 1.01


@pytest.mark.parametrize(
    "chunks",
    [
        [USUAL],
        [USUAL, chromaticities(SRGB_XY)],
        [chromaticities(SRGB_XY)],
        [chunk(b"sRGB", b"\0"), LINEAR, chromaticities(P3)],
        [coded(1, 13, 0, 1), LINEAR],
        [chunk(b"gAMA", bytes(4))],
        [chunk(b"gAMA", b"\xff\xff\xff\xff"), chunk(b"cHRM", bytes(32))],
        [chunk(b"cHRM", b"\xff" * 32)],
    ],
)
@pytest.mark.parametrize("color", [GREY, RGB])
def test_what_is_srgb_or_makes_no_sense_stays(tmp_path, color, chunks):
    """A gamma of 45455, sRGB's primaries, the chunk sRGB and damaged ones change nothing."""
    values = ramp(color, 8)
    found = picture(tmp_path, png(values, 8, color, *chunks))
    assert np.array_equal(found.pixels, values.squeeze())
    assert found.warnings == ()


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    "chunks", [[USUAL, chromaticities(P3)], [coded(12, 13, 0, 1)]], ids=["cHRM", "cICP"]
)
def test_primaries(tmp_path, chunks, bits):
    """Display P3's colours within sRGB get sRGB's numbers (CSS Color 4, 10.11: sample values)."""
    p3 = np.array([[[0.5, 0.5, 0.5], [0.4, 0.5, 0.6], [0.62, 0.5, 0.4]]])
    light = np.where(p3 <= 0.04045, p3 / 12.92, ((p3 + 0.055) / 1.055) ** 2.4)
    to_srgb = np.array(
        [
            [1.2249401, -0.2249402, 0],
            [-0.0420569, 1.0420571, 0],
            [-0.0196376, -0.0786361, 1.0982735],
        ]
    )
    top = 2**bits - 1
    content = png(np.rint(p3 * top).astype(np.int64), bits, RGB, *chunks)
    pixels = picture(tmp_path, content).pixels / top
    assert np.abs(pixels - encoded(light @ to_srgb.T)).max() <= 1.6 / 255


@pytest.mark.parametrize("codes", [(9, 16, 0, 1), (9, 18, 0, 1), (1, 13, 1, 1), (2, 2, 0, 1)])
def test_hdr_is_refused(tmp_path, codes):
    """Colours that are not converted are named; --ignore-icc takes them as they are."""
    values = ramp(RGB, 8)
    content = png(values, 8, RGB, coded(*codes))
    with pytest.raises(ImageFileError, match=rf"cICP {codes[0]}, {codes[1]}\), perhaps HDR"):
        picture(tmp_path, content)
    assert np.array_equal(picture(tmp_path, content, ignore_icc=True).pixels, values)


def test_values_stay_where_they_are_to_be_left_alone(tmp_path):
    """--ignore-icc leaves gamma and chromaticities out."""
    values = ramp(RGB, 8)
    content = png(values, 8, RGB, LINEAR, chromaticities(P3))
    assert np.array_equal(picture(tmp_path, content, ignore_icc=True).pixels, values)


def test_a_profile_goes_before_gamma():
    """Beside iCCP nothing else counts; without any word there is nothing to say."""
    profile = chunk(b"iCCP", b"name\0\0")
    assert profile_of(io.BytesIO(png(ramp(RGB, 8), 8, RGB, profile, LINEAR))) is None
    assert profile_of(io.BytesIO(png(ramp(RGB, 8), 8, RGB, chunk(b"sRGB", b"\0")))) == b""
