"""Photos by strips: the colours that all of them has in memory."""

import base64
import pickle
import struct

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from segment.photos.opening import open_image
from segment.photos.photo import is_photo, kept_of
from segment.reading.files import read_mask, read_pages
from segment.reading.reading_options import MaskReading, ReadingOptions
from tests.reading.test_files import gamma_profile, grey_profile, swapped_profile

GENERATOR = np.random.default_rng(4)
HEIGHT, WIDTH = 43, 30


def ink_profile():
    """A CMYK profile of tables, two steps to an ink, as those of printers are built."""
    steps = np.linspace(255, 0, 2)
    inks = np.stack(np.meshgrid(*[steps] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    light = inks[:, :3].mean(axis=1) * inks[:, 3] / 255
    lab = np.stack([light, inks[:, 0] * 0.6 + 40, inks[:, 2] * 0.7 + 20], axis=1)
    line = np.arange(256, dtype=np.uint8).tobytes()
    table = b"mft1\0\0\0\0\4\3\2\0" + struct.pack(">9i", *(np.eye(3) * 65536).astype(int).flat)
    table += line * 4 + lab.round().astype(np.uint8).tobytes() + line * 3
    head = bytes(8) + b"\2\0\0\0prtrCMYKLab " + bytes(12) + b"acsp" + bytes(28)
    head += struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    entry = struct.pack(">I4sII", 1, b"A2B0", 144, len(table))
    return struct.pack(">I", 144 + len(table)) + head[4:] + entry + table


def table_profile():
    """A profile for RGB that is no curves and matrix: LittleCMS has it in 8 bits."""
    return swapped_profile().replace(b"rTRC", b"A2B0")


def written(path, photometric, kind, *, bits=None, alpha=False, **options):
    """Write noise of all values as a TIFF."""
    count = {"rgb": 3, "separated": 4}.get(photometric, 1) + alpha
    top = (1 << bits) if bits else np.iinfo(kind).max + 1
    values = GENERATOR.integers(0, top, (HEIGHT, WIDTH, count), kind)
    if alpha:
        values[:5, :, -1] = 0
        options["extrasamples"] = ["unassalpha"]
    options |= {"bitspersample": bits} if bits else {}
    options |= {"planarconfig": "contig"} if count > 1 else {}
    tifffile.imwrite(path, values.squeeze(), photometric=photometric, metadata=None, **options)
    return values


def check_same(path, options, step):
    """Assert that strips have what the image has in memory."""
    (picture,) = read_pages(path, options)
    pixels = picture.pixels.reshape(*picture.pixels.shape[:2], -1)
    source = open_image(path, options)
    assert is_photo(source, options)
    count = len(source.bands)
    if picture.stored is not None:  # in the file's own units, which the points are made of
        pixels = picture.stored
        count = pixels.shape[2]
    for top in range(0, HEIGHT, step):
        bottom = min(top + step, HEIGHT)
        values, visible = source.read(top, bottom, range(count))
        assert visible is None
        assert values.dtype == pixels.dtype
        assert np.array_equal(values, pixels[top:bottom])
    assert set(source.warnings) == set(picture.warnings)
    assert kept_of(source, options) == picture.kept
    colors = [band for band in source.bands if not band.is_alpha]
    assert [band.name for band in colors] == [b.name for b in picture.bands]
    assert {(b.bits, b.dtype) for b in colors} == {(b.bits, b.dtype) for b in picture.bands}
    return source


PROFILES = {
    "rgb": [swapped_profile(), gamma_profile(), table_profile(), b"no profile" * 30],
    "minisblack": [grey_profile(), swapped_profile()],
    "miniswhite": [None, grey_profile()],
    "separated": [None, ink_profile(), swapped_profile()],
}
KINDS = [(name, profile) for name, own in PROFILES.items() for profile in own]


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize(("photometric", "profile"), KINDS)
def test_strips_have_the_colours_of_memory(tmp_path, photometric, profile, kind, alpha):
    """Grey, RGB and CMYK of 8 and 16 bits with any profile, or none, are the bytes of memory."""
    written(tmp_path / "a.tif", photometric, kind, alpha=alpha, iccprofile=profile)
    for plain in (False, True)[: 1 + bool(profile)]:
        check_same(tmp_path / "a.tif", ReadingOptions(ignore_icc=plain), 16)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.sampled_from([np.uint8, np.uint16]),
    st.integers(0, HEIGHT - 1),
    st.integers(1, HEIGHT),
    st.permutations([0, 1, 2]),
)
def test_any_rows_and_bands_are_those_of_memory(tmp_path_factory, what, kind, top, count, order):
    """Rows from anywhere, in bands of any order, have the values of the whole image."""
    path = tmp_path_factory.getbasetemp() / "any.tif"
    written(path, what[0], kind, iccprofile=what[1])
    (picture,) = read_pages(path)
    whole = picture.values
    bands = order if whole.shape[2] == 3 else [0]
    values, _ = open_image(path, ReadingOptions()).read(top, min(top + count, HEIGHT), bands)
    assert np.array_equal(values, whole[top : top + count][:, :, bands])


@pytest.mark.parametrize("bits", [2, 4, 12])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_depths_between_are_those_of_memory(tmp_path, photometric, bits):
    """Grey of few bits or 12, from black or white, is brought to its profile's depth alike."""
    rasterio = pytest.importorskip("rasterio")
    kind = "uint8" if bits < 8 else "uint16"
    size = {"height": HEIGHT, "width": WIDTH, "count": 1, "dtype": kind, "nbits": bits}
    size |= {"transform": rasterio.Affine(2, 0, 9, 0, -2, 9), "photometric": photometric.upper()}
    profile = {"SOURCE_ICC_PROFILE": base64.b64encode(grey_profile()).decode()}
    values = GENERATOR.integers(0, 1 << bits, (1, HEIGHT, WIDTH), kind)
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", **size, **profile) as file:
        file.write(values)
    for plain in (False, True):
        source = check_same(tmp_path / "a.tif", ReadingOptions(ignore_icc=plain), 7)
        assert source.profile == (grey_profile() if plain and photometric == "minisblack" else None)


def test_chosen_bands_are_measurements(tmp_path):
    """Bands that are chosen keep their values, unless the file has none such: inks, a palette's."""
    written(tmp_path / "a.tif", "rgb", np.uint8, iccprofile=swapped_profile())
    written(tmp_path / "b.tif", "separated", np.uint8)
    palette = np.asfortranarray(GENERATOR.integers(0, 255, (256, 3), np.uint8).T) * np.uint16(257)
    tifffile.imwrite(
        tmp_path / "c.tif",
        GENERATOR.integers(0, 256, (HEIGHT, WIDTH), np.uint8),
        photometric="palette",
        colormap=palette,
        iccprofile=swapped_profile(),
    )
    options = ReadingOptions(bands=(3, 1))
    for name in "abc":
        (picture,) = read_pages(tmp_path / f"{name}.tif", options)
        source = open_image(tmp_path / f"{name}.tif", options)
        assert is_photo(source, options) == (name != "a")
        assert np.array_equal(source.read(5, 20, [2, 0])[0], picture.pixels[5:20])
        assert kept_of(source, options) == picture.kept


def test_what_is_left_out_is_told(tmp_path):
    """A fifth ink, which is not read, is one warning, as in memory."""
    values = GENERATOR.integers(0, 255, (HEIGHT, WIDTH, 5), np.uint8)
    extras = {"planarconfig": "contig", "extrasamples": ["unspecified"], "metadata": None}
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="separated", **extras)
    source = check_same(tmp_path / "a.tif", ReadingOptions(), 9)
    assert source.warnings == ("has 5 channels; took the first four",)


def test_a_mask_in_inks_is_that_of_memory(tmp_path):
    """A mask in CMYK is where its colours are not black, by strips too."""
    values = written(tmp_path / "a.tif", "separated", np.uint8)
    values[:20, :, 3] = 255
    tifffile.imwrite(
        tmp_path / "a.tif", values, photometric="separated", planarconfig="contig", metadata=None
    )
    source = open_image(tmp_path / "a.tif", MaskReading(ignore_icc=True))
    found = (source.read(3, 40, [0, 1, 2])[0] != 0).any(axis=2)
    assert np.array_equal(found, read_mask(tmp_path / "a.tif")[3:40])
    assert not found.all()


LOSSES = {
    "plain": {},
    "low strips": {"rowsperstrip": 5},
    "tiles": {"tile": (16, 16)},
    "deflate": {"rowsperstrip": 5, "compression": "zlib"},
    "planes": {"tile": (16, 16), "compression": "lzw", "planarconfig": "separate"},
    "jpeg": {"tile": (16, 16), "compression": "jpeg"},
    "pictures": {"rowsperstrip": 10, "compression": "png"},
}


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("share", [None, 0.55, 0.8])
def test_what_is_damaged_has_no_value_in_memory_and_by_strips(tmp_path, kind, share):
    """Pixels of damaged segments, and rows behind the end, are the same ones, and so are others."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    image = np.dstack([y * 5, x * 8, 90 + GENERATOR.integers(0, 9, y.shape)]).astype(np.uint8)
    stored = np.moveaxis(image, -1, 0) if kind == "planes" else image
    options = {"photometric": "rgb", "metadata": None, "iccprofile": swapped_profile()}
    tifffile.imwrite(tmp_path / "a.tif", stored, **options | LOSSES[kind])
    content = bytearray((tmp_path / "a.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        at, counts = tiff.pages[0].dataoffsets, tiff.pages[0].databytecounts
    if share is None:  # of samples as they are no byte is wrong
        content[at[-1] : at[-1] + 8] = b"\xffdamage\xff"
    else:
        share = 0.9 + share / 20 if kind == "planes" else share  # of each pixel all are needed
        del content[at[0] + int(share * (at[-1] + counts[-1] - at[0])) :]
    (tmp_path / "a.tif").write_bytes(content)
    lenient = ReadingOptions(allow_truncated=True)
    (picture,) = read_pages(tmp_path / "a.tif", lenient)
    values, visible = open_image(tmp_path / "a.tif", lenient).read(0, HEIGHT, [0, 1, 2])
    seen = np.ones((HEIGHT, WIDTH), bool) if visible is None else visible
    there = picture.visible
    assert np.array_equal(np.ones_like(seen) if there is None else there, seen)
    assert np.array_equal(picture.values[seen], values[seen])
    assert seen[:8].all()
    assert seen.all() == (share is None and not LOSSES[kind].get("compression"))


def test_photos_go_to_workers(tmp_path):
    """A pickled photo reads the same, and tells the same, where it comes to."""
    written(tmp_path / "a.tif", "rgb", np.uint16, iccprofile=table_profile())
    source = open_image(tmp_path / "a.tif", ReadingOptions())
    other = pickle.loads(pickle.dumps(source))
    assert np.array_equal(other.read(2, 9, [1])[0], source.read(2, 9, [1])[0])
    assert other.warnings == source.warnings != ()
