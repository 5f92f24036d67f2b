"""PNG by strips: the rows that its reader gives of all of it."""

import pickle
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from segment.errors import ImageFileError
from segment.photos import png_stream
from segment.photos.opening import open_image
from segment.photos.photo import kept_of
from segment.photos.png_stream import CHANNELS
from segment.reading.files import read_mask, read_pages
from segment.reading.reading_options import MaskReading, ReadingOptions
from tests.drawn import chunk
from tests.reading.test_files import grey_profile, swapped_profile

BITS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
KINDS = [(color, bits) for color, all_bits in BITS.items() for bits in all_bits]
CHUNKS = ("none", "gamma", "profile", "srgb", "transparent", "place")


def extra(name, color, bits):
    """A chunk of a kind that changes what the pixels mean."""
    if name == "gamma":
        return chunk(b"gAMA", struct.pack(">I", 100000))
    if name == "profile":
        own = grey_profile() if color in (0, 4) else swapped_profile()
        return chunk(b"iCCP", b"x\0\0" + zlib.compress(own))
    if name == "srgb":
        return chunk(b"sRGB", b"\0")
    if name == "transparent" and color == 3:
        return chunk(b"tRNS", bytes(range(0, 256, 100)[: 1 << bits]))
    if name == "transparent" and color in (0, 2):
        return chunk(b"tRNS", struct.pack(">H", 1) * CHANNELS[color])
    return chunk(b"pHYs", struct.pack(">IIB", 3937, 3937, 1)) if name == "place" else b""


def any_png(color, bits, width, height, what="none", seed=0, cut=900, **header):
    """A PNG of random bytes by random filters, of which all are rows, in chunks of any size."""
    generator = np.random.default_rng(seed)
    row = -(-width * bits * CHANNELS[color] // 8)
    filtered = generator.integers(0, 256, (height, row + 1), np.uint8)
    filtered[:, 0] %= 5
    if what == "transparent":
        filtered[:, 1:] &= 1
    palette = chunk(b"PLTE", generator.bytes(3 << bits)) if color == 3 else b""
    packed = zlib.compress(filtered.tobytes())
    parts = [packed[at : at + cut] for at in range(0, len(packed), cut)]
    head = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, header.get("interlaced", 0))
    return b"".join(
        [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), header.get("before", b"")]
        + [b"" if what == "transparent" else extra(what, color, bits), palette]
        + [extra(what, color, bits) if what == "transparent" else b""]
        + [chunk(b"IDAT", part) for part in (b"", *parts, b"")]
        + [header.get("behind", b""), chunk(b"IEND", b"")]
    )


def whole(path, options=ReadingOptions()):  # noqa: B008
    (picture,) = read_pages(path, options)
    return picture, picture.pixels.reshape(*picture.pixels.shape[:2], -1)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Rows are unfiltered few at a time, places are few, and files are read in small pieces."""
    monkeypatch.setattr(png_stream, "AT_ONCE", 700)
    monkeypatch.setattr(png_stream, "KEPT", 0)
    monkeypatch.setattr(png_stream, "PIECE", 100)


@pytest.mark.parametrize("what", CHUNKS)
@pytest.mark.parametrize(("color", "bits"), KINDS)
def test_rows_are_those_of_memory(tmp_path, color, bits, what):
    """Every kind of PNG, with what its chunks say of colours, has the bytes of memory."""
    (tmp_path / "a.png").write_bytes(any_png(color, bits, 29, 41, what))
    for plain in (False, True)[: 1 + (what in ("gamma", "profile", "srgb"))]:
        check_same(tmp_path / "a.png", ReadingOptions(ignore_icc=plain))


def check_same(path, options):
    """Assert that strips, and what is told, are what they are in memory."""
    picture, pixels = whole(path, options)
    source = open_image(path, options)
    for top, bottom in ((0, 10), (39, 41), (3, 30)):
        values, visible = source.read(top, bottom, range(len(source.bands)))
        assert visible is None
        assert values.dtype == pixels.dtype
        assert np.array_equal(values, pixels[top:bottom])
    assert set(source.warnings) == set(picture.warnings)
    assert kept_of(source, options) == picture.kept
    colors = [band for band in source.bands if not band.is_alpha]
    assert [(b.name, b.bits, b.dtype) for b in colors] == [
        (b.name, b.bits, b.dtype) for b in picture.bands
    ]
    assert len(source.bands) == pixels.shape[2]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 3000),
    st.sampled_from([100, 500, 10**6]),
    st.lists(st.tuples(st.integers(0, 59), st.integers(1, 60)), min_size=1, max_size=5),
)
def test_any_rows_in_any_order(tmp_path_factory, kind, width, height, cut, at_once, asked):
    """Rows from anywhere, in any order, are those of the whole, however the stream is cut."""
    path = tmp_path_factory.getbasetemp() / "any.png"
    path.write_bytes(any_png(*kind, width, height, cut=cut, seed=width))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(png_stream, "AT_ONCE", at_once)
        source = open_image(path, ReadingOptions())
    pixels = whole(path)[1]
    for top, count in asked:
        top, last = min(top, height - 1), len(source.bands) - 1
        bottom = min(top + count, height)
        values, _ = source.read(top, bottom, [last, 0])
        assert np.array_equal(values, pixels[top:bottom][:, :, [last, 0]])


def test_threads_read_at_once(tmp_path):
    """Strips that are read by several threads, the first time and again, are right."""
    (tmp_path / "a.png").write_bytes(any_png(2, 8, 50, 300))
    pixels = whole(tmp_path / "a.png")[1]
    source = open_image(tmp_path / "a.png", ReadingOptions())
    tops = [*range(0, 300, 20), *range(280, -1, -20)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda top: source.read(top, top + 20, [0, 1, 2])[0], tops))
    for top, values in zip(tops, found, strict=True):
        assert np.array_equal(values, pixels[top : top + 20])
    other = pickle.loads(pickle.dumps(source))
    assert np.array_equal(other.read(50, 60, [1])[0], pixels[50:60, :, 1:2])


def test_places_are_bounded(tmp_path):
    """Of a long stream a few places are kept, and where it ends, at most."""
    (tmp_path / "a.png").write_bytes(any_png(2, 8, 50, 300))
    source = open_image(tmp_path / "a.png", ReadingOptions())
    assert source.preferred_rows == 76
    for _ in range(2):
        source.read(0, 300, [0])
        assert len(source._rows._places) == 5


def test_a_mask_is_that_of_memory(tmp_path):
    """A palette's black and transparent pixels are out, by strips too."""
    (tmp_path / "a.png").write_bytes(any_png(3, 2, 40, 50, "transparent"))
    source = open_image(tmp_path / "a.png", MaskReading(ignore_icc=True))
    values, _ = source.read(5, 50, range(4))
    found = (values[:, :, :3] != 0).any(axis=2) & (values[:, :, 3] != 0)
    assert np.array_equal(found, read_mask(tmp_path / "a.png")[5:])


EXIF = b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
XMP = b'XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="8"/>'


def test_what_is_refused(tmp_path):
    """What is not read by strips as in memory is refused, by what it is and what to do."""
    name = tmp_path / "a.png"
    for said, options in (
        ("is an interlaced PNG; save it without", {"interlaced": 1}),
        ("is an animated PNG; save the frame", {"before": chunk(b"acTL", bytes(8))}),
        ("is stored turned; save it upright", {"before": chunk(b"eXIf", EXIF)}),
        ("is stored turned; save it upright", {"behind": chunk(b"eXIf", EXIF)}),
        ("is stored turned; save it upright", {"behind": chunk(b"iTXt", XMP)}),
        ("PNG in rare colours", {"before": chunk(b"cICP", bytes([9, 16, 0, 1]))}),
        ("has 0 x 9 pixels|is damaged", {"width": 0}),
    ):
        name.write_bytes(any_png(2, 8, options.pop("width", 9), 9, **options))
        with pytest.raises(ImageFileError, match=said):
            open_image(name, ReadingOptions())
    Image.new("RGB", (9, 9)).save(tmp_path / "a.jpg")
    with pytest.raises(ImageFileError, match=r"is a JPEG, of which .* other values; save it as"):
        open_image(tmp_path / "a.jpg", ReadingOptions())
    name.write_bytes(any_png(2, 8, 9, 9))
    with pytest.raises(ImageFileError, match="has no page 2"):
        open_image(name, ReadingOptions(page=2))
    name.write_bytes(name.read_bytes()[:30])
    with pytest.raises(ImageFileError, match="is damaged or cut off"):
        open_image(name, ReadingOptions())


@pytest.mark.parametrize(
    ("damage", "cut"),
    [("cut", 900), ("cut", 10**6), ("noise", 10**6), ("filter", 900), ("none", 900)],
)
@pytest.mark.parametrize(("color", "bits"), [(2, 8), (3, 4), (2, 16)])
def test_damage_is_named_and_what_is_there_is_that_of_memory(tmp_path, damage, color, bits, cut):
    """Rows before a damaged place are had, the others have no value, in memory and by strips."""
    content = any_png(color, bits, 50, 200, cut=cut)
    at = len(content) // 2
    if damage == "filter":
        rows = bytearray(bytes(151) * 200)
        rows[151 * 77] = 9
        head = struct.pack(">IIBBBBB", 50, 200, 8, 2, 0, 0, 0)
        start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
        content = start + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")
    elif damage != "none":
        content = content[:at] + (b"" if damage == "cut" else b"\xff" * 40 + content[at + 40 :])
    (tmp_path / "a.png").write_bytes(content)
    options = ReadingOptions(allow_truncated=True)
    picture, pixels = whole(tmp_path / "a.png", options)
    source = open_image(tmp_path / "a.png", options)
    count = len(picture.bands)
    there = np.ones((200, 50), bool) if picture.visible is None else picture.visible
    alpha = [place for place, band in enumerate(source.bands) if band.is_alpha]
    for top, bottom in ((0, 60), (90, 200), (0, 200), (150, 160)):
        values, seen = source.read(top, bottom, [*range(count), *alpha])
        seen = np.ones((bottom - top, 50), bool) if seen is None else seen
        seen = seen & (values[:, :, count:] > 0).all(axis=2)
        assert np.array_equal(seen, there[top:bottom])
        assert np.array_equal(values[seen][:, :count], pixels[top:bottom][seen][:, :count])
    if damage == "none":
        assert there.all() or alpha
        assert not source.warnings
        return
    assert source.warnings[0].startswith("is damaged or cut off; left out its rows from ")
    with pytest.raises(ImageFileError, match=r"cut off at row \d+; get .*--allow-truncated"):
        open_image(tmp_path / "a.png", ReadingOptions()).read(0, 200, [0])
    assert damage != "filter" or "from 77 on" in source.warnings[0]
