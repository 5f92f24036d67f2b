"""What Pillow's plug-ins leave out: alpha that is none, ink, padding, tables of colours."""

import struct

import numpy as np
import pytest
from PIL import Image

from segment.errors import ImageFileError
from tests.decoding.written import by_pillow, picture, tga

CHANCE = np.random.default_rng(9)
BGRA = CHANCE.integers(0, 256, (4, 5, 4)).astype(np.uint8)
BGRA[0, 0, 3] = 0


@pytest.mark.parametrize("top_down", [False, True])
def test_alpha_of_a_tga_is_told_by_its_bits(tmp_path, top_down):
    """32 bits with 8 of alpha are transparent, with none of alpha opaque."""
    rgba = BGRA[..., [2, 1, 0, 3]]
    assert np.array_equal(picture(tmp_path, tga(BGRA, 8, top_down=top_down)).pixels, rgba)
    pixels = picture(tmp_path, tga(BGRA, 0, top_down=top_down)).pixels
    assert np.array_equal(pixels, rgba[..., :3])


@pytest.mark.parametrize(("bits", "channels"), [(8, 2), (0, 1)])
def test_grey_and_alpha_of_a_tga(tmp_path, bits, channels):
    """Grey of 16 bits is grey and alpha where bits are alpha, else grey alone."""
    pixels = picture(tmp_path, tga(BGRA[..., :2], bits, kind=3)).pixels
    assert np.array_equal(pixels, BGRA[..., :channels].squeeze())


@pytest.mark.parametrize(("bits", "opaque"), [(1, False), (0, True)])
def test_16_bits_of_a_tga(tmp_path, bits, opaque):
    """One bit of 16 is alpha only where the header says so."""
    values = np.array([[[0xFF, 0x7F], [0x1F, 0x80]]], np.uint8).repeat(9, axis=0)
    pixels = picture(tmp_path, tga(values, bits)).pixels
    assert pixels[0, :, :3].tolist() == [[255, 255, 255], [0, 0, 255]]
    assert pixels.shape[2] == (3 if opaque else 4)


def test_ink_of_an_xbm_is_black(tmp_path):
    """A set bit is ink, the lowest the leftmost."""
    content = b"#define a_width 8\n#define a_height 1\nstatic char a_bits[] = {\n 0x01 };\n"
    assert picture(tmp_path, content).pixels.tolist() == [[0] + [255] * 7]


def sun(depth, kind, data, table=b""):
    """A Sun raster, 2 x 1."""
    head = struct.pack(">8I", 0x59A66A95, 2, 1, depth, len(data), kind, bool(table), len(table))
    return head + table + data


@pytest.mark.parametrize(("kind", "order"), [(1, (2, 1, 0)), (3, (0, 1, 2))])
def test_32_bits_of_a_sun_raster(tmp_path, kind, order):
    """The byte that means nothing comes first."""
    colors = [(10, 100, 200), (20, 120, 220)]
    data = b"".join(bytes([7, *(color[at] for at in order)]) for color in colors)
    assert picture(tmp_path, sun(32, kind, data)).pixels[0].tolist() == list(map(list, colors))


def test_bits_of_a_sun_raster_in_colours(tmp_path):
    """A bilevel raster with a table of colours is not taken for black and white."""
    assert picture(tmp_path, sun(1, 1, b"\x40\0")).pixels.tolist() == [[255, 0]]
    with pytest.raises(ImageFileError, match="a bilevel Sun raster in colours; save it as PNG"):
        picture(tmp_path, sun(1, 1, b"\x40\0", b"\xff\0\0\xff\0\0"))


def test_colour_numbers_of_an_sgi(tmp_path):
    """An SGI image of numbers in a table is refused; deep ones tell what is lost."""
    grey = Image.fromarray(BGRA[..., 0])
    content = bytearray(by_pillow(grey, "SGI"))
    assert np.array_equal(picture(tmp_path, bytes(content)).pixels, BGRA[..., 0])
    content[107] = 1
    with pytest.raises(ImageFileError, match="an SGI image of colour numbers"):
        picture(tmp_path, bytes(content))
    deep = picture(tmp_path, by_pillow(grey, "SGI", bpc=2))
    assert deep.warnings == ("read with 8 of its 16 bits a channel",)


@pytest.mark.parametrize(
    ("masks", "said"),
    [
        ((0x3FF, 0x3FF << 10, 0x3FF << 20), ("read with 8 of its 10 bits a channel",)),
        ((0xFF, 0xFF00, 0xFF0000), ()),
    ],
)
def test_deep_masks_of_a_dds(tmp_path, masks, said):
    """Colours of more than 8 bits say what is lost."""
    content = bytearray(by_pillow(Image.fromarray(BGRA[..., :3]).convert("RGBA"), "DDS"))
    content[80:84] = struct.pack("<I", 0x40)
    content[92:104] = struct.pack("<3I", *masks)
    assert picture(tmp_path, bytes(content)).warnings == said


def test_hdr_of_a_dds(tmp_path):
    """Half floats that Pillow would cut at white are refused."""
    content = bytearray(by_pillow(Image.fromarray(BGRA[..., :3]), "DDS", pixel_format="BC5"))
    content[128:132] = struct.pack("<I", 95)  # BC6H_UF16
    with pytest.raises(ImageFileError, match=r"HDR colours \(BC6H\)"):
        picture(tmp_path, bytes(content))
