"""JPEG 2000: true samples of every component, or a refusal."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from segment.decoding.jpeg2000 import header_of
from segment.errors import ImageFileError
from tests.decoding.written import by_pillow, on_a_plain_install, picture

imagecodecs = pytest.importorskip("imagecodecs")
CHANCE = np.random.default_rng(5)
COLORS = CHANCE.integers(0, 256, (16, 20, 4)).astype(np.uint8)
RARE = r"JPEG 2000 of a rare kind \(.*\); pip install 'meanshift-segment\[formats\]'"


def written(values, **options):
    """A lossless file of any depth."""
    return imagecodecs.jpeg2k_encode(values, level=0, reversible=True, **options)


def deep(bits, channels):
    """Samples of a depth, with black and white among them."""
    values = CHANCE.integers(0, 2**bits, (16, 20, channels)).astype(np.uint16)
    values[0, :2] = np.array([[0], [2**bits - 1]])
    return values


def in_full(values, bits):
    """Whole numbers from 0 to the largest of their type."""
    top = 65535 if bits > 8 else 255
    return np.rint(values * (top / (2**bits - 1)))


def changed(content, box, at, new):
    """The file with other bytes in a box."""
    place = content.index(box) + 4 + at
    return content[:place] + new + content[place + len(new) :]


@pytest.mark.parametrize("kind", ["jp2", "j2k"])
@pytest.mark.parametrize("bits", [9, 10, 12, 14, 16])
def test_deep_colours(tmp_path, monkeypatch, bits, kind):
    """White of every depth is white; a plain install refuses what Pillow would wrap."""
    values = deep(bits, 3)
    content = written(values, bitspersample=bits, codecformat=kind)
    found = picture(tmp_path, content)
    assert np.array_equal(found.pixels, in_full(values, bits))
    assert found.warnings == ()
    on_a_plain_install(monkeypatch)
    with pytest.raises(ImageFileError, match=RARE):
        picture(tmp_path, content)


@pytest.mark.parametrize("bits", [1, 4, 5, 7, 8, 10, 12, 15, 16])
def test_grey_of_every_depth(tmp_path, monkeypatch, bits):
    """Grey is read at full depth by Pillow alone: all bits set are white."""
    values = deep(bits, 1)[..., 0].astype(np.uint8 if bits <= 8 else np.uint16)
    content = written(values, bitspersample=bits)
    on_a_plain_install(monkeypatch)
    assert np.array_equal(picture(tmp_path, content).pixels, in_full(values, bits))


def test_grey_of_9_bits(tmp_path, monkeypatch):
    """Pillow takes 9 bits for 8, and white for black: refused without the extra."""
    values = deep(9, 1)[..., 0]
    content = written(values, bitspersample=9)
    assert np.array_equal(picture(tmp_path, content).pixels, in_full(values, 9))
    on_a_plain_install(monkeypatch)
    with pytest.raises(ImageFileError, match=RARE):
        picture(tmp_path, content)


def test_signed_grey(tmp_path, monkeypatch):
    """Signed values keep their order: the smallest is black, the largest white."""
    values = np.linspace(-5000, 18500, 320).astype(np.int16).reshape(16, 20)
    on_a_plain_install(monkeypatch)
    found = picture(tmp_path, written(values))
    assert found.warnings == ("its values, -5000 to 18500, are stretched from black to white",)
    assert np.allclose(found.pixels, (values + 5000.0) / 23500)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_8_bits_are_pillows(tmp_path, monkeypatch, mode):
    """Grey and colours of 8 bits, with alpha where the file says so, need no extra."""
    values = COLORS[..., : len(mode)].squeeze()
    content = by_pillow(Image.fromarray(values), "JPEG2000")
    on_a_plain_install(monkeypatch)
    assert np.array_equal(picture(tmp_path, content).pixels, values)


@pytest.mark.parametrize("channels", [2, 4])
def test_a_last_channel_is_no_alpha_unless_it_says_so(tmp_path, monkeypatch, channels):
    """Without a channel definition the channels beside the colours are left out, with a warning."""
    content = written(COLORS[..., :channels])
    on_a_plain_install(monkeypatch)
    found = picture(tmp_path, content)
    assert np.array_equal(found.pixels, COLORS[..., : 1 if channels == 2 else 3].squeeze())
    assert found.warnings[0].startswith(f"has {channels} channels; took the first")


def test_channels_in_another_order(tmp_path, monkeypatch):
    """Components are put in the order that the channel definition says."""
    content = by_pillow(Image.fromarray(COLORS), "JPEG2000")
    content = changed(content, b"cdef", 6, struct.pack(">H", 3))  # the first is blue
    content = changed(content, b"cdef", 18, struct.pack(">H", 1))  # the third is red
    assert np.array_equal(picture(tmp_path, content).pixels, COLORS[..., [2, 1, 0, 3]])
    on_a_plain_install(monkeypatch)
    with pytest.raises(ImageFileError, match=RARE):
        picture(tmp_path, content)


def box(kind, content):
    """A box of a JP2."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def in_palette(numbers, table, bits=8):
    """A JP2 of numbers of a palette, (N, 3), of some bits a colour."""
    stream = written(numbers, codecformat="j2k")
    height, width = numbers.shape
    head = box(b"ihdr", struct.pack(">IIHBBBB", height, width, 1, 7, 7, 0, 0))
    head += box(b"colr", struct.pack(">BBBI", 1, 0, 0, 16))
    colors = table.astype(">u2" if bits > 8 else "u1").tobytes()
    head += box(b"pclr", struct.pack(">HB3B", len(table), 3, *[bits - 1] * 3) + colors)
    head += box(b"cmap", b"".join(struct.pack(">HBB", 0, 1, column) for column in range(3)))
    first = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    return first + box(b"jp2h", head) + box(b"jp2c", stream)


@pytest.mark.parametrize("bits", [8, 12])
@pytest.mark.parametrize("repeats", [False, True])
def test_palettes(tmp_path, monkeypatch, bits, repeats):
    """Numbers stand for colours of the palette's depth; Pillow cannot have one colour twice."""
    table = CHANCE.integers(0, 2**bits, (200, 3))
    if repeats:
        table[100:] = table[:100]
    numbers = CHANCE.integers(0, 200, (16, 20)).astype(np.uint8)
    content = in_palette(numbers, table, bits)
    expected = in_full(table[numbers], bits)
    assert np.array_equal(picture(tmp_path, content).pixels, expected)
    on_a_plain_install(monkeypatch)
    if bits == 8 and not repeats:
        assert np.array_equal(picture(tmp_path, content).pixels, expected)
    else:
        with pytest.raises(ImageFileError, match=RARE):
            picture(tmp_path, content)


def test_components_of_several_depths_are_refused(tmp_path):
    """What no reader here gives rightly is named."""
    content = by_pillow(Image.fromarray(COLORS[..., :3]), "JPEG2000", no_jp2=True)
    at = content.index(b"\xff\x51") + 43  # the second component's depth
    content = content[:at] + b"\4" + content[at + 1 :]
    with pytest.raises(ImageFileError, match="several depths, one of 8 bits; convert it"):
        picture(tmp_path, content)


def test_rare_colour_spaces_are_refused(tmp_path):
    """An enumerated space that no reader converts is named."""
    content = by_pillow(Image.fromarray(COLORS[..., :3]), "JPEG2000")
    content = changed(content, b"colr", 3, struct.pack(">I", 14))
    with pytest.raises(ImageFileError, match=r"rare colour space \(14\); convert it to sRGB"):
        picture(tmp_path, content)


def test_small_components_are_refused_without_the_extra(tmp_path, monkeypatch):
    """Pillow would take chroma of half the width for full rows."""
    content = by_pillow(Image.fromarray(COLORS[..., :3]), "JPEG2000", no_jp2=True)
    at = content.index(b"\xff\x51") + 40  # behind the size marker's count of components
    content = content[: at + 4] + b"\2\1" + content[at + 6 :]
    on_a_plain_install(monkeypatch)
    with pytest.raises(ImageFileError, match=r"small components"):
        picture(tmp_path, content)


def test_a_profile_in_the_file_is_converted(tmp_path, monkeypatch):
    """The ICC profile of a colr box, which Pillow leaves out, counts."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    other = profile.replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))
    plain = by_pillow(Image.fromarray(COLORS[..., :3]), "JPEG2000")
    start = plain.index(b"colr") - 4
    colr = struct.pack(">I4sBBB", 11 + len(other), b"colr", 2, 0, 0) + other
    head = plain.index(b"jp2h") - 4
    size = int.from_bytes(plain[head : head + 4]) + len(colr) - 15
    content = plain[:head] + struct.pack(">I", size) + plain[head + 4 : start] + colr
    content += plain[start + 15 :]
    assert header_of(io.BytesIO(content)).profile == other
    on_a_plain_install(monkeypatch)
    assert picture(tmp_path, content, ignore_icc=True).kept.profile == other
    assert picture(tmp_path, content).kept.profile is None


@pytest.mark.parametrize("size", [3, 12, 40, 60, 90])
def test_what_is_cut_off_is_damaged(tmp_path, size):
    """A header that ends early is damage."""
    content = by_pillow(Image.fromarray(COLORS[..., :3]), "JPEG2000")[:size]
    with pytest.raises(ImageFileError, match=r"damaged|not an image"):
        picture(tmp_path, content)
