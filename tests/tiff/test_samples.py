"""Samples as they are stored, on layouts and damage that the matrix of files has not."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from segment.tiff import libtiff
from segment.tiff.layout import layout_of
from segment.tiff.samples import read_samples
from segment.tiff.stored import Damage, DamagedSegmentError
from segment.tiff.unpacking import sample_type, undo_differences, unpacked, unpredicted_floats
from tests.drawn import DEEP, NOISE


def read(path, lenient=False):
    with path.open("rb") as file, tifffile.TiffFile(file) as tiff:
        return read_samples(tiff.pages[0], file, lenient)


@pytest.mark.parametrize("bits", range(1, 32))
@pytest.mark.parametrize("count", [1, 5, 16])
@pytest.mark.parametrize("kind", ["u", "i"])
def test_packed_samples(bits, count, kind):
    """Samples of any number of bits are those of the row written out as a string of bits."""
    chance = np.random.default_rng(bits)
    values = chance.integers(0, 1 << bits, (3, count))
    rows = []
    for row in values:
        text = "".join(f"{value:0{bits}b}" for value in row)
        text += "0" * (-len(text) % 8)
        rows.append([int(text[at : at + 8], 2) for at in range(0, len(text), 8)])
    dtype = sample_type({"u": 1, "i": 2}[kind], bits)
    got = unpacked(np.array(rows, np.uint8), count, bits, dtype, ">")
    whole = values.astype(f">u{dtype.itemsize}").astype(dtype.newbyteorder(">")).astype(dtype)
    if kind == "i" and bits not in (8, 16, 32) and bits > 1:
        values = np.where(values >= 1 << (bits - 1), values - (1 << bits), values)
        assert np.array_equal(got, values)
    else:
        assert np.array_equal(got, whole if bits > 1 else values)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "f4", "f8", "u8"])
def test_differences_wrap_in_their_type(dtype):
    """The horizontal predictor is undone modulo the size of a sample, in floats bit by bit."""
    bits = np.random.default_rng(1).integers(0, 256, (4, 7, 3, np.dtype(dtype).itemsize), np.uint8)
    values = bits.view(dtype)[..., 0]
    numbers = values.view(f"u{values.itemsize}")
    stored = np.concatenate([numbers[:, :1], numbers[:, 1:] - numbers[:, :-1]], axis=1)
    undo_differences(stored)
    assert np.array_equal(stored, numbers)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_the_floating_point_predictor(dtype):
    """Bytes in planes, as differences, become the numbers again."""
    values = np.random.default_rng(1).normal(size=(4, 7, 3)).astype(dtype)
    planes = np.moveaxis(values.astype(f">{dtype}").reshape(4, 21, 1).view(np.uint8), 2, 1)
    rows = np.ascontiguousarray(planes).reshape(4, -1, 3)
    rows[:, 1:] -= rows[:, :-1].copy()
    got = unpredicted_floats(rows.reshape(4, -1), 3, np.dtype(dtype))
    assert np.array_equal(got.reshape(values.shape), values)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_reversed_bits(tmp_path, compression):
    """Bytes whose first pixel is in the lowest bit (FillOrder 2) are turned round first."""
    options = {"photometric": "rgb", "metadata": None, "rowsperstrip": 6}
    tag = (65001, 3, 1, 2, True)  # under another number, for tifffile does not write it
    tifffile.imwrite(tmp_path / "a.tif", NOISE, compression=compression, extratags=[tag], **options)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        page = tiff.pages[0]
        place, at, count = page.tags[65001].offset, page.dataoffsets[0], page.databytecounts[0]
    content = np.fromfile(tmp_path / "a.tif", np.uint8)
    content[place : place + 2] = np.frombuffer(np.array(266, "<u2").tobytes(), np.uint8)
    bits = np.unpackbits(content[at : at + count], bitorder="little")
    content[at : at + count] = np.packbits(bits)
    content.tofile(tmp_path / "a.tif")
    assert np.array_equal(read(tmp_path / "a.tif").values, NOISE)


@pytest.mark.parametrize("sampling", [(1, 1), (2, 1), (2, 2)])
@pytest.mark.parametrize("compressed", [False, True])
def test_ycbcr_that_shares_its_hues(tmp_path, sampling, compressed):
    """Uncompressed and deflated YCbCr, whose hues several pixels share, becomes RGB."""
    across, down = sampling
    units = []
    for y in range(0, 8, down):
        for x in range(0, 8, across):
            units += [100 + 4 * (y + j) + x + i for j in range(down) for i in range(across)]
            units += [90 + 3 * (x // across), 160]
    packed = np.array(units, np.uint8)
    tags = [(530, 3, 2, sampling, True)]
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.zeros((8, 8, 3), np.uint8),
        photometric="rgb",
        metadata=None,
        extratags=tags,
    )
    content = packed.tobytes()
    if compressed:
        import zlib

        content = zlib.compress(content)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tiff:
        page = tiff.pages[0].tags
        page["PhotometricInterpretation"].overwrite(6)
        page["Compression"].overwrite(8 if compressed else 1)
        page["StripOffsets"].overwrite((tmp_path / "a.tif").stat().st_size)
        page["StripByteCounts"].overwrite(len(content))
    with (tmp_path / "a.tif").open("ab") as file:
        file.write(content)
    y, x = np.mgrid[:8, :8]
    luma, blue = 100.0 + 4 * y + x, 90.0 + 3 * (x // across) - 128
    red = 160 - 128
    green = luma - 0.344136 * blue - 0.714136 * red
    expected = np.dstack([luma + 1.402 * red, green, luma + 1.772 * blue])
    assert np.abs(read(tmp_path / "a.tif").values - expected).max() < 2


@pytest.mark.parametrize("options", [{"rowsperstrip": 2}, {"tile": (16, 16)}], ids=str)
def test_of_damaged_segments_the_others_are_had(tmp_path, options):
    """One strip or tile that is damaged leaves 0 behind where that is allowed, and all others."""
    values = np.random.default_rng(2).integers(1, 65536, (40, 40), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values, compression="zlib", metadata=None, **options)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        at = tiff.pages[0].dataoffsets[1]
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[at : at + 6] = b"damage"
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(OSError, match=r"decoder error|-2"):
        read(tmp_path / "a.tif")
    samples = read(tmp_path / "a.tif", lenient=True)
    got = samples.values[..., 0]
    lost = np.zeros((40, 40), bool)
    lost[(slice(2, 4), slice(None)) if "rowsperstrip" in options else np.s_[:16, 16:32]] = True
    assert np.array_equal(got, np.where(lost, 0, values))
    assert np.array_equal(samples.absent[..., 0], lost)


@pytest.mark.parametrize("compression", ["jpeg", "tiff_lzw", "tiff_adobe_deflate"])
def test_a_segment_that_is_cut_off_is_damage(tmp_path, compression):
    """Compressed bytes that end too soon are an error, though a decoder would fill in the rest."""
    image = Image.fromarray(NOISE.repeat(9, axis=0).repeat(9, axis=1))
    image.save(tmp_path / "a.tif", compression=compression)
    content = (tmp_path / "a.tif").read_bytes()
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        page = tiff.pages[0]
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tiff:
        offsets = list(tiff.pages[0].dataoffsets)
        offsets[-1] = len(content) - page.databytecounts[-1] // 2
        tiff.pages[0].tags["StripOffsets"].overwrite(offsets)
    with pytest.raises(DamagedSegmentError, match=r"tile 0 .*beyond the end of the file"):
        read(tmp_path / "a.tif")
    assert read(tmp_path / "a.tif", lenient=True).values.shape == (54, 81, 3)


def test_many_segments_are_decompressed_in_lots(tmp_path, monkeypatch):
    """However few bytes are decompressed at once, each lands in its place."""
    monkeypatch.setattr("segment.tiff.samples.AT_ONCE", 100)
    stored = np.ascontiguousarray(np.moveaxis(DEEP, -1, 0))
    options = {"photometric": "rgb", "planarconfig": "separate", "rowsperstrip": 4}
    tifffile.imwrite(tmp_path / "a.tif", stored, compression="zlib", **options)
    assert np.array_equal(read(tmp_path / "a.tif").values, DEEP)


def test_a_libtiff_without_a_compression(monkeypatch):
    """Where Pillow's libtiff was built without a compression it is not asked for it."""
    monkeypatch.setitem(libtiff.MAYBE, 50000, "webp")  # which no wheel of Pillow has
    libtiff.decompresses.cache_clear()
    assert not libtiff.decompresses(50000)
    assert libtiff.decompresses(5)
    libtiff.decompresses.cache_clear()


def test_layout_of_planes_and_tiles(tmp_path):
    """Segments are counted plane by plane, row by row; those without bytes are left out."""
    stored = np.ascontiguousarray(np.moveaxis(DEEP.repeat(4, 0).repeat(4, 1), -1, 0))
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", tile=(16, 16))
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        layout = layout_of(tiff.pages[0])
    assert (layout.planes, layout.samples) == (3, 1)
    assert (layout.down, layout.across, layout.number) == (2, 3, 18)
    assert layout.is_complete()
    assert Damage(False).absent(layout) is None
    joined = layout.joined(np.arange(18).repeat(256).reshape(18, 16, 16, 1))
    assert joined.shape == (24, 36, 3)
    assert joined[20, 35].tolist() == [5, 11, 17]
