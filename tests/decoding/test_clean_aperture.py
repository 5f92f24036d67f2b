"""The part of an AVIF that is to be shown."""

import struct

import numpy as np
import pytest
from PIL import Image, features

from segment.errors import ImageFileError
from tests.decoding.written import by_pillow, picture

pytestmark = pytest.mark.skipif(not features.check("avif"), reason="Pillow has no AVIF here")
SIDES = np.zeros((64, 96, 3), np.uint8)
SIDES[:, :48] = 200, 40, 40
SIDES[:, 48:] = 40, 40, 200
SIDES[:8] = 40, 200, 40


def with_part(content, *numbers, essential=True):
    """The file with a clap box for its main image: boxes grow, and what follows them moves."""
    box = struct.pack(">I4s", 40, b"clap") + struct.pack(">4IiIiI", *numbers)
    iprp, ipco, ipma = (content.index(kind) - 4 for kind in (b"iprp", b"ipco", b"ipma"))
    meta, iloc = content.index(b"meta") - 4, content.index(b"iloc") - 4
    ipco_end = ipco + int.from_bytes(content[ipco : ipco + 4])
    count = 0
    at = ipco + 8
    while at < ipco_end:
        at += int.from_bytes(content[at : at + 4])
        count += 1
    data = bytearray(content)
    links = ipma + 12 + 4 + 2  # number of links of the first item, version 0
    place = links + 1 + data[links]
    data[links] += 1
    data[place:place] = bytes([0x80 * essential | (count + 1)])
    data[ipco_end:ipco_end] = box
    for start, grown in ((ipma, 1), (ipco, 40), (iprp, 41), (meta, 41)):
        start += 40 * (start >= ipco_end)
        size = int.from_bytes(data[start : start + 4]) + grown
        data[start : start + 4] = struct.pack(">I", size)
    _move_data(data, iloc, 41)
    return bytes(data)


def _move_data(data, iloc, by):
    """Add to each offset in iloc, of 4 bytes without a base, as Pillow writes them."""
    assert data[iloc + 8] == 0
    assert data[iloc + 12 : iloc + 14] == b"\x44\x00"
    at = iloc + 16
    for _ in range(int.from_bytes(data[iloc + 14 : iloc + 16])):
        extents = int.from_bytes(data[at + 4 : at + 6])
        at += 6
        for _ in range(extents):
            data[at : at + 4] = (int.from_bytes(data[at : at + 4]) + by).to_bytes(4)
            at += 8


def avif(**options):
    """Sides of two colours under a third."""
    return by_pillow(Image.fromarray(SIDES), "AVIF", quality=100, subsampling="4:4:4", **options)


@pytest.mark.parametrize(
    ("numbers", "part"),
    [
        ((64, 1, 32, 1, 0, 1, 0, 1), (16, 16, 80, 48)),
        ((96, 1, 56, 1, 0, 1, 4, 1), (0, 8, 96, 64)),
        ((95, 1, 63, 1, 1, 2, -1, 2), (1, 0, 96, 63)),
    ],
)
def test_the_part_is_cut_out(tmp_path, numbers, part):
    """Width, height and the shift of the middle, as fractions, give the rectangle."""
    whole = picture(tmp_path, avif()).pixels
    left, upper, right, lower = part
    pixels = picture(tmp_path, with_part(avif(), *numbers)).pixels
    assert np.array_equal(pixels, whole[upper:lower, left:right])


def test_it_is_cut_out_before_it_is_turned(tmp_path):
    """Orientation applies to the part."""
    exif = Image.Exif()
    exif[274] = 6
    content = avif(exif=exif)
    whole = picture(tmp_path, content).pixels
    pixels = picture(tmp_path, with_part(content, 64, 1, 32, 1, 0, 1, 0, 1)).pixels
    assert whole.shape == (96, 64, 3)
    assert np.array_equal(pixels, whole[16:80, 16:48])


@pytest.mark.parametrize(
    "numbers",
    [
        (64, 0, 32, 1, 0, 1, 0, 1),
        (63, 1, 32, 1, 0, 1, 0, 1),
        (200, 1, 32, 1, 0, 1, 0, 1),
        (64, 1, 32, 1, 50, 1, 0, 1),
    ],
)
def test_parts_beside_the_pixels_are_refused(tmp_path, numbers):
    """A part of half pixels or outside of the image cannot be shown."""
    with pytest.raises(ImageFileError, match=r"part to show that is not .*; save it anew"):
        picture(tmp_path, with_part(avif(), *numbers))
