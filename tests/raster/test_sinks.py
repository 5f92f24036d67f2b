"""Sinks: what other programs make of the products, and what is left of those that are not done."""

import errno
import json
import os
import signal
import subprocess
import sys
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("rasterio", reason="needs GDAL as a reader, of the extra 'test'")
pytest.importorskip("zarr", reason="needs the extra 'zarr'")

import rasterio
import zarr

from segment.errors import ImageFileError, InvalidInputError
from segment.raster import tiff_sink
from segment.raster.opening import open_sink, open_source
from segment.raster.sink import label_type
from segment.raster.tiles import Tiles
from segment.reading.picture import Kept
from segment.tiff.places import Resolution, with_no_data

SIZE = 1100, 700  # rows and columns of pixels: three by two tiles
CHANCE = np.random.default_rng(8)
LABELS = CHANCE.integers(0, 200, (138, 88)).repeat(8, 0).repeat(8, 1)[: SIZE[0], : SIZE[1]]
PLACE = rasterio.Affine(10, 0, 500_000, 0, -10, 5_000_000)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """What is kept of a GeoTIFF in UTM zone 33."""
    path = tmp_path_factory.mktemp("kept") / "a.tif"
    size = {"height": 2, "width": 2, "count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", driver="GTiff", crs=32633, transform=PLACE, **size) as file:
        file.write(np.ones((1, 2, 2), np.uint8))
    resolution = Resolution(Fraction(118110, 1000), Fraction(2, 3), "cm")
    return Kept(resolution, None, with_no_data(open_source(path).geo))


def write(path, values, kept=Kept(), step=300, **options):  # noqa: B008
    """Write an image in strips of some rows."""
    channels = values.shape[2] if values.ndim == 3 else 1
    options = {"channels": channels} | options
    with open_sink(path, *values.shape[:2], values.dtype, kept, **options) as sink:
        for top in range(0, len(values), step):
            sink.write(top, values[top : top + step])
        assert not path.exists()
        sink.finish()


KINDS = {
    "uint8": LABELS.astype(np.uint8),
    "uint16": LABELS.astype(np.uint16) * 300,
    "uint32": LABELS.astype(np.uint32) * 100_000,
    "float32": LABELS.astype(np.float32) / 7,
    "rgb": np.dstack([LABELS, LABELS[::-1], LABELS[:, ::-1]]).astype(np.uint8),
    "rgba": np.dstack([LABELS, LABELS[::-1], LABELS, LABELS | 1]).astype(np.uint8),
}


@pytest.mark.parametrize("overviews", [False, True], ids=["plain", "cog"])
@pytest.mark.parametrize("kind", KINDS)
def test_products_are_what_gdal_and_tifffile_read(tmp_path, kept, kind, overviews):
    """GDAL finds values, tiles, place and overviews without a warning; so does tifffile."""
    values, path = KINDS[kind], tmp_path / "a.tif"
    write(path, values, kept, overviews=overviews)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with rasterio.open(path) as file:
            found = np.moveaxis(file.read(), 0, -1)
            assert np.array_equal(found.reshape(values.shape), values)
            assert file.block_shapes[0] == (512, 512)
            assert file.compression.name == "deflate"
            assert (file.crs.to_epsg(), file.transform) == (32633, PLACE)
            assert file.nodata == (None if kind in ("float32", "rgb", "rgba") else 0)
            assert file.overviews(1) == ([2, 4] if overviews else [])
            layout = file.tags(ns="IMAGE_STRUCTURE").get("LAYOUT")
            assert layout == ("COG" if overviews else None)
            names = [name.name for name in file.colorinterp]
    assert names == (
        ["gray"] if values.ndim == 2 else ["red", "green", "blue", "alpha"][: len(names)]
    )
    with tifffile.TiffFile(path) as tiff:
        levels = [page.asarray() for page in tiff.pages]
        tags = tiff.pages[0].tags
        assert (tags["XResolution"].value, tags["YResolution"].value) == ((11811, 100), (2, 3))
        assert tags["Software"].value == "meanshift-segment"
        assert int(tiff.pages[0].predictor) == 1
    expected = [values, values[::2, ::2], values[::4, ::4]] if overviews else [values]
    assert len(levels) == len(expected)
    for level, there in zip(levels, expected, strict=True):
        assert np.array_equal(level, there)
    assert [other.name for other in tmp_path.iterdir()] == ["a.tif"]


@pytest.mark.parametrize("big", [False, True], ids=["classic", "big"])
def test_a_cog_is_in_the_order_that_gdal_asks_for(tmp_path, monkeypatch, kept, big):
    """Directories come first, one after the other; then the smallest overview, the image last."""
    monkeypatch.setattr(tiff_sink, "CLASSIC", 0 if big else 1 << 32)
    write(tmp_path / "a.tif", KINDS["uint16"], kept, overviews=True)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert tiff.is_bigtiff == big
        places = [page.offset for page in tiff.pages]
        first = [page.dataoffsets[0] for page in tiff.pages]
        assert all(page.is_tiled for page in tiff.pages)
        assert [int(page.subfiletype) for page in tiff.pages] == [0, 1, 1]
        offsets = [at for page in reversed(tiff.pages[:]) for at in page.dataoffsets]
        counts = [count for page in reversed(tiff.pages[:]) for count in page.databytecounts]
    content = (tmp_path / "a.tif").read_bytes()
    start = 16 if big else 8
    assert content[start:].startswith(b"GDAL_STRUCTURAL_METADATA_SIZE=")
    assert start < places[0] < start + 250
    assert places == sorted(places) < [first[-1]]
    assert first == sorted(first, reverse=True)
    assert offsets == sorted(offsets)
    for at, count in zip(offsets, counts, strict=True):  # what the ghost area promises
        assert int.from_bytes(content[at - 4 : at], "little") == count
        assert content[at + count : at + count + 4] == content[at + count - 4 : at + count]


def test_a_palette(tmp_path, kept):
    """Colours by their number come with a palette, of 8 bits as of 16."""
    for kind in ("uint8", "uint16"):
        palette = CHANCE.integers(0, 256, (200, 3), np.uint8)
        options = {"palette": palette, "overviews": kind == "uint8"}
        write(tmp_path / kind, LABELS.astype(kind), kept, **options)
        with rasterio.open(tmp_path / kind) as file:
            table = file.colormap(1)
            assert np.array_equal(file.read(1), LABELS)
        assert [table[at][:3] for at in range(200)] == [tuple(row) for row in palette.tolist()]


@settings(max_examples=15)
@given(data=st.data())
def test_strips_of_any_height(tmp_path_factory, data):
    """However an image is cut into strips, the bytes of its file are the same."""
    folder = tmp_path_factory.mktemp("cuts")
    height = data.draw(st.sampled_from([1, 511, 512, 513, 1024, 1100]))
    values = KINDS["uint16"][:height, :600]
    write(folder / "whole.tif", values, step=height)
    with open_sink(folder / "cut.tif", height, 600, np.uint16, Kept()) as sink:
        while sink.next_row < height:
            top = sink.next_row
            sink.write(top, values[top : top + data.draw(st.integers(1, 600))])
        sink.finish()
    assert (folder / "cut.tif").read_bytes() == (folder / "whole.tif").read_bytes()


def test_ground_control_points_come_along(tmp_path):
    """An image that is placed by ground control points has results that are."""
    from rasterio.control import GroundControlPoint

    points = [GroundControlPoint(row, row, 10.0 + row, 50.0 - 2 * row) for row in (0, 1, 2)]
    points.append(GroundControlPoint(0, 2, 13, 50))
    size = {"height": 2, "width": 2, "count": 1, "dtype": "uint8"}
    place = {"gcps": points, "crs": "EPSG:4326"}
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", **size, **place) as file:
        file.write(np.ones((1, 2, 2), np.uint8))
    write(tmp_path / "b.tif", KINDS["uint8"], Kept(geo=open_source(tmp_path / "a.tif").geo))
    with rasterio.open(tmp_path / "b.tif") as file:
        found, crs = file.gcps
    assert crs.to_epsg() == 4326
    assert [(at.row, at.col, at.x, at.y) for at in found] == [
        (at.row, at.col, at.x, at.y) for at in points
    ]


@pytest.mark.parametrize("kind", ["uint16", "rgb"])
def test_zarr(tmp_path, kept, kind):
    """A group as OME-Zarr has it: values, chunks, axes, and where the first pixel's centre lies."""
    values, path = KINDS[kind], tmp_path / "a.zarr"
    for _ in range(2):  # the second time in place of the first
        write(path, values, kept, kind="zarr") if not path.exists() else _again(path, values, kept)
    group = zarr.open_group(path, mode="r")
    array = group["0"]
    found = np.moveaxis(array[:], 0, -1) if kind == "rgb" else array[:]
    assert np.array_equal(found, values)
    assert array.chunks[-2:] == (512, 512)
    (scales,) = group.attrs["ome"]["multiscales"]
    assert "".join(axis["name"] for axis in scales["axes"])[-2:] == "yx"
    scale, move = scales["datasets"][0]["coordinateTransformations"]
    assert scale["scale"][-2:] == [-10, 10]
    assert move["translation"][-2:] == [4_999_995, 500_005]
    assert [other.name for other in tmp_path.iterdir()] == ["a.zarr"]
    source = open_source(path)
    assert np.array_equal(
        source.read(3, 1000, [0])[0][:, :, 0], found.reshape(*SIZE, -1)[3:1000, :, 0]
    )


@pytest.mark.parametrize("kind", ["uint8", "float32", "rgb"])
def test_arrays_are_the_bytes_of_numpy(tmp_path, kind):
    """An array that is written by strips is the file that NumPy writes."""
    np.save(tmp_path / "whole.npy", KINDS[kind])
    write(tmp_path / "a.npy", KINDS[kind], kind="npy")
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


def _again(path, values, kept):
    channels = values.shape[2] if values.ndim == 3 else 1
    with open_sink(path, *SIZE, values.dtype, kept, kind="zarr", channels=channels) as sink:
        sink.write(0, values)
        sink.finish()


def write_until(error, path, values, **asked):
    """Write some rows of an image, and raise an error instead of going on."""
    with open_sink(path, **asked) as sink:
        sink.write(0, values)
        raise error


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from segment.raster.opening import open_sink
from segment.reading.picture import Kept
values = np.load(sys.argv[2])
sink = open_sink(Path(sys.argv[1]), *values.shape, values.dtype, Kept(), kind=sys.argv[3], key="a")
sink.write(0, values[:700])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize("kind", ["tiff", "zarr", "npy"])
def test_a_killed_run_is_gone_on_with(tmp_path, kind):
    """After a kill nothing has the final name; the same work goes on at the last row of tiles."""
    values, path = KINDS["uint16"], tmp_path / "out" / "a"
    path.parent.mkdir()
    np.save(tmp_path / "v.npy", values)
    command = [sys.executable, "-c", KILLED, str(path), str(tmp_path / "v.npy"), kind]
    done = subprocess.run(command, check=False)
    assert done.returncode == -signal.SIGKILL
    assert sorted(left.name for left in path.parent.iterdir()) == [".a.part", ".a.rows.part"]
    with open_sink(path, *SIZE, np.uint16, Kept(), kind=kind, key="a") as sink:
        assert sink.next_row == 512
        sink.write(500, values[500:])
        sink.finish()
    write(tmp_path / "whole", values, kind=kind)
    read = [open_source(name).read(0, 1100, [0])[0] for name in (path, tmp_path / "whole")]
    assert np.array_equal(*read)
    assert np.array_equal(read[0][:, :, 0], values)
    if kind != "zarr":
        assert path.read_bytes() == (tmp_path / "whole").read_bytes()
    assert [left.name for left in path.parent.iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("options", "row"),
    [({}, 1024), ({"key": "b"}, 0), ({"width": 699}, 0), ({"dtype": "uint32"}, 0)],
    ids=["same", "key", "size", "type"],
)
def test_only_the_same_work_goes_on(tmp_path, options, row):
    """Another key, size or type starts anew, in place of what was left."""
    values = KINDS["uint16"]
    asked = {"height": 1100, "width": 700, "dtype": "uint16", "kept": Kept(), "key": "a"}
    with pytest.raises(KeyboardInterrupt):
        write_until(KeyboardInterrupt, tmp_path / "a.tif", values[:1099], **asked)
    assert not (tmp_path / "a.tif").exists()
    asked |= options
    sink = open_sink(tmp_path / "a.tif", **asked)
    assert sink.next_row == row
    sink.write(row, values[row:, : asked["width"]].astype(asked["dtype"]))
    sink.finish()
    found = tifffile.imread(tmp_path / "a.tif")
    assert np.array_equal(found, values[:, : asked["width"]])


@pytest.mark.parametrize("kind", ["tiff", "npy"])
def test_bytes_that_are_not_what_the_journal_says(tmp_path, kind):
    """Rows of tiles whose bytes were lost, as when the power fails, are written once more."""
    values = KINDS["uint16"]
    for at, rows in ((200, 0), (-100, 512)):
        sink = open_sink(tmp_path / "a.tif", *SIZE, np.uint16, Kept(), key="a", kind=kind)
        sink.write(sink.next_row, values[sink.next_row : 1099])
        sink.suspend()
        part = tmp_path / ".a.tif.part"
        content = bytearray(part.read_bytes())
        content[at] ^= 255
        part.write_bytes(content)
        assert open_sink_row(tmp_path / "a.tif", kind) == rows
    with (tmp_path / ".a.tif.rows.part").open("a") as journal:
        journal.write("[1, 2")  # a line that was cut off
    assert open_sink_row(tmp_path / "a.tif", kind) == 512
    assert json.loads((tmp_path / ".a.tif.rows.part").read_text().splitlines()[0])["key"]


def open_sink_row(path, kind):
    """The row with which a sink would go on, for a look."""
    sink = open_sink(path, *SIZE, np.uint16, Kept(), key="a", kind=kind)
    row = sink.next_row
    sink.suspend()
    return row


@pytest.mark.skipif(os.name != "posix", reason="needs locks of files")
def test_one_run_at_a_time(tmp_path):
    """While a run is at a result, another one of the same key is refused."""
    sink = open_sink(tmp_path / "a.tif", 5, 5, np.uint8, Kept(), key="a")
    with pytest.raises(ImageFileError, match="another run is writing it"):
        open_sink(tmp_path / "a.tif", 5, 5, np.uint8, Kept(), key="a")
    sink.abort()
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("kind", ["tiff", "zarr", "npy"])
@pytest.mark.parametrize("key", [None, "a"])
def test_nothing_is_left_of_what_is_aborted(tmp_path, kind, key):
    """What is aborted leaves nothing, nor does an error without a key; what was there stays."""
    (tmp_path / "a").write_text("before")
    sink = open_sink(tmp_path / "a", *SIZE, np.uint16, Kept(), kind=kind, key=key)
    sink.write(0, KINDS["uint16"][:600])
    sink.abort()
    sink.abort()
    assert [name.name for name in tmp_path.iterdir()] == ["a"]
    if key is None:
        asked = {"height": 1100, "width": 700, "dtype": "uint16", "kept": Kept(), "kind": kind}
        with pytest.raises(MemoryError):
            write_until(MemoryError, tmp_path / "a", KINDS["uint16"][:600], **asked)
    assert [name.name for name in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "before"


def test_strips_that_do_not_fit(tmp_path):
    """A gap, another width, type or too many rows is refused; so is an end before the last row."""
    values = KINDS["uint16"]
    with open_sink(tmp_path / "a.tif", *SIZE, np.uint16, Kept()) as sink:
        with pytest.raises(InvalidInputError, match="expected rows from 0 on, of 1100, got 5 to 6"):
            sink.write(5, values[5:6])
        with pytest.raises(InvalidInputError, match="got 0 to 1101"):
            sink.write(0, np.zeros((1101, 700), np.uint16))
        with pytest.raises(InvalidInputError, match=r"expected rows of shape \(700,\)"):
            sink.write(0, values[:2, :5])
        with pytest.raises(InvalidInputError, match=r"got .* of uint32"):
            sink.write(0, values[:2].astype(np.uint32))
        with pytest.raises(InvalidInputError, match="expected all 1100 rows, got 0"):
            sink.finish()
        sink.abort()
    for options in (
        {"channels": 2},
        {"palette": np.zeros((300, 3), np.uint8)},
        {"dtype": bool},
        {"kind": "zarr", "overviews": True},
        {"kind": "npy", "palette": np.zeros((9, 3), np.uint8)},
    ):
        asked = {"height": 5, "width": 5, "dtype": np.uint8, "kept": Kept()} | options
        with pytest.raises(InvalidInputError, match="expected"):
            open_sink(tmp_path / "a.tif", **asked)
    assert [*tmp_path.iterdir()] == []


def test_where_nothing_can_be_written(tmp_path):
    """A folder that is not there, and a name that is no file's, are one kind of error."""
    with pytest.raises(ImageFileError, match=r"cannot write .*No such file"):
        open_sink(tmp_path / "none" / "a.tif", 5, 5, np.uint8, Kept())
    with pytest.raises(ImageFileError, match="it is no file"):
        open_sink(Path(os.devnull), 5, 5, np.uint8, Kept())


@pytest.mark.parametrize("key", [None, "a"])
def test_a_full_disk(tmp_path, monkeypatch, key):
    """A disk that is full is one error, and gets its room back, whether or not there is a key."""
    values = KINDS["uint16"]
    append = Tiles.append

    def full(tiles, rows):
        if tiles.counts:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return append(tiles, rows)

    asked = {"height": 1100, "width": 700, "dtype": "uint16", "kept": Kept(), "key": key}
    monkeypatch.setattr(Tiles, "append", full)
    with pytest.raises(ImageFileError, match=r"cannot write .*a\.tif: No space .*; make room"):
        write_until(AssertionError, tmp_path / "a.tif", values, **asked)
    monkeypatch.setattr(Tiles, "append", append)
    assert not any(tmp_path.iterdir())
    with open_sink(tmp_path / "a.tif", **asked) as sink:
        assert sink.next_row == 0
        sink.write(0, values)
        sink.finish()
    assert np.array_equal(tifffile.imread(tmp_path / "a.tif"), values)


def test_a_link_is_written_through(tmp_path):
    """Of a link, the file that it points to is replaced."""
    (tmp_path / "real.tif").write_text("before")
    (tmp_path / "a.tif").symlink_to(tmp_path / "real.tif")
    sink = open_sink(tmp_path / "a.tif", 5, 5, np.uint8, Kept(), key="a")
    sink.write(0, np.ones((5, 5), np.uint8))
    sink.finish()
    assert (tmp_path / "a.tif").is_symlink()
    assert tifffile.imread(tmp_path / "real.tif").sum() == 25


def test_the_type_of_labels():
    """The smallest unsigned type that holds all labels, 0 among them."""
    assert [label_type(count).name for count in (1, 255, 256, 65535, 65536)] == [
        "uint8", "uint8", "uint16", "uint16", "uint32",
    ]  # fmt: skip
