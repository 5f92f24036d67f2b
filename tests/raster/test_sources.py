"""Sources: every kind of file by any cut of its rows, and what is refused of them."""

import os
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("rasterio", reason="needs GDAL as a writer, of the extra 'test'")
pytest.importorskip("zarr", reason="needs the extra 'zarr'")

from segment.errors import ImageFileError
from segment.raster.opening import open_source
from tests.raster.drawn_files import FILES, MAP, NAMES, VALUES, write_all


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All the files."""
    path = tmp_path_factory.mktemp("sources")
    write_all(path)
    return path


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=8)
@given(data=st.data())
def test_any_rows_of_any_file(folder, name, data):
    """Any run of rows of any bands, in any order, is what stands there in the whole image."""
    top = data.draw(st.integers(0, 69))
    bottom = data.draw(st.integers(top + 1, 70))
    bands = data.draw(st.permutations(range(4)))[: data.draw(st.integers(1, 4))]
    values, visible = open_source(folder / name).read(top, bottom, bands)
    assert values.dtype == np.uint16
    assert np.array_equal(values, VALUES[top:bottom][:, :, bands])
    assert visible is None


@pytest.mark.parametrize("name", FILES)
def test_what_a_source_says_of_itself(folder, name):
    """Size and bands are those of the file, and a strip may begin at each multiple of its rows."""
    source = open_source(folder / name)
    assert (source.height, source.width) == (70, 53)
    assert [band.number for band in source.bands] == [1, 2, 3, 4]
    assert {band.dtype for band in source.bands} == {"uint16"}
    assert {band.bits for band in source.bands} == {12 if name == "packed.tif" else 16}
    rows = {"tiled.tif": 16, "planes.tif": 16, "strips.tif": 7, "packed.tif": 9}
    rows |= {"axes.zarr": 16, "older.zarr": 16, "image.ome.zarr": 16, "lossless.jp2": 32}
    assert source.preferred_rows == rows.get(name, source.preferred_rows)
    assert source.warnings == ()
    source.close()


@pytest.mark.parametrize("name", ["tiled.tif", "older.zarr", "image.ome.zarr"])
def test_bands_have_their_names(folder, name):
    """Names are GDAL's descriptions, OME's labels or those in Zarr's attributes; units GDAL's."""
    bands = open_source(folder / name).bands
    assert tuple(band.name for band in bands) == NAMES
    assert {band.unit for band in bands} == ({"reflectance"} if name == "tiled.tif" else {None})


@pytest.mark.parametrize("name", ["mosaic.vrt", "lossless.jp2"])
def test_the_place_of_what_gdal_reads(folder, name):
    """What GDAL reads lies where a GeoTIFF of the same place on the map lies."""
    assert open_source(folder / name).geo == open_source(folder / "tiled.tif").geo != ()


@pytest.mark.parametrize("name", ["tiled.tif", "mosaic.vrt", "plain.npy", "axes.zarr"])
def test_many_threads_at_once(folder, name):
    """Strips that are read on several threads at once are what they are one by one."""
    source = open_source(folder / name)
    found = {}

    def read(top):
        found[top] = source.read(top, top + 10, [0, 1, 2, 3])[0]

    threads = [threading.Thread(target=read, args=(top,)) for top in range(0, 70, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.array_equal(np.concatenate([found[top] for top in sorted(found)]), VALUES)


@pytest.mark.parametrize("name", ["tiled.tif", "plain.npy", "lossless.jp2"])
def test_a_file_that_changes(tmp_path, folder, name):
    """A file that grows, is written anew or goes while it is read is one clear error."""
    path = tmp_path / name
    path.write_bytes((folder / name).read_bytes())
    source = open_source(path)
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(ImageFileError, match="has changed while it was read; wait"):
        source.read(0, 10, [0])
    source = open_source(path)
    os.utime(path, ns=(1, 1))
    with pytest.raises(ImageFileError, match="has changed while it was read; wait"):
        source.read(0, 10, [0])
    source = open_source(path)
    path.unlink()
    with pytest.raises(ImageFileError, match="was removed while it was read"):
        source.read(0, 10, [0])


def test_files_that_are_none(tmp_path):
    """What is not there, is empty, no image or no file says so."""
    with pytest.raises(ImageFileError, match="no such file"):
        open_source(tmp_path / "none.tif")
    with pytest.raises(ImageFileError, match="is a folder"):
        open_source(tmp_path)
    for content in (b"", b"any text at all"):
        (tmp_path / "a").write_bytes(content)
        with pytest.raises(ImageFileError, match="not an image of a kind that GDAL reads"):
            open_source(tmp_path / "a")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImageFileError, match="is a pipe"):
        open_source(tmp_path / "pipe")
    (tmp_path / "a").write_bytes(b"II*\0\x08\0\0\0")
    with pytest.raises(ImageFileError, match="is damaged or cut off"):
        open_source(tmp_path / "a")


@pytest.mark.parametrize(
    ("package", "name", "extra"), [("rasterio", "mosaic.vrt", "geo"), ("zarr", "axes.zarr", "zarr")]
)
def test_a_package_that_is_not_there(folder, monkeypatch, package, name, extra):
    """Without the package that reads a file the error names the extra that brings it."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImageFileError, match=rf"pip install 'meanshift-segment\[{extra}\]'"):
        open_source(folder / name)


def test_a_page_of_what_has_none(folder):
    """A second page is asked of TIFFs alone."""
    with pytest.raises(ImageFileError, match="has no page 2"):
        open_source(folder / "plain.npy", page=2)


def test_bands_of_one_name_get_their_numbers(tmp_path):
    """Sources name bands as files that are read at once do: no two are alike in any letters."""
    import rasterio
    import zarr

    size = {"height": 9, "width": 9, "count": 3, "dtype": "uint16"}
    size["transform"] = rasterio.Affine(*MAP)
    for driver, name in (("GTiff", "a.tif"), ("HFA", "a.img")):
        with rasterio.open(tmp_path / name, "w", driver=driver, **size) as file:
            file.write(np.ones((3, 9, 9), np.uint16))
            file.descriptions = ("red", "Red", "nir")
    names = {
        "dimension_names": ["y", "x", "band"],
        "attributes": {"band_names": ["red", "Red", "nir"]},
    }
    zarr.create_array(tmp_path / "a.zarr", shape=(9, 9, 3), dtype="u2", **names)[:] = 1
    for name in ("a.tif", "a.img", "a.zarr"):
        found = [band.name for band in open_source(tmp_path / name).bands]
        assert found == ["red_1", "Red_2", "nir"]
