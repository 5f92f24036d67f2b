"""NPY and Zarr: arrays that are images, those that are none, damage, and values that are none."""

import numpy as np
import pytest

from segment.errors import ImageFileError
from segment.raster.opening import open_source

zarr = pytest.importorskip("zarr", reason="needs the extra 'zarr'")


def test_grey_and_floats_of_npy(tmp_path):
    """An array (H, W) has one band; NaN and infinity are no values."""
    values = np.arange(30.0).reshape(5, 6)
    values[2, 3], values[4, 5] = np.nan, np.inf
    np.save(tmp_path / "a.npy", values)
    got, visible = open_source(tmp_path / "a.npy").read(1, 5, [0])
    assert np.array_equal(got[:, :, 0], values[1:], equal_nan=True)
    assert np.array_equal(visible, np.isfinite(values[1:]))
    np.save(tmp_path / "b.npy", values > 7)
    assert open_source(tmp_path / "b.npy").read(1, 2, [0])[0][:, :, 0].tolist() == [
        [False, False, True, True, True, True]
    ]


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((3, 4, 2), order="F"), "Fortran's order"),
        (np.zeros(5), r"shape \(5,\), expected \(H, W\)"),
        (np.zeros((2, 2), complex), "expected real numbers"),
    ],
)
def test_arrays_that_are_refused(tmp_path, array, said):
    """Arrays of another order, shape or type are refused by what they are."""
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ImageFileError, match=said):
        open_source(tmp_path / "a.npy")


def test_pickles_and_cut_off_files(tmp_path):
    """Objects are not unpickled, and a file shorter than its header says is refused."""
    np.save(tmp_path / "a.npy", np.array([[{}]]), allow_pickle=True)
    with pytest.raises(ImageFileError, match="it holds objects"):
        open_source(tmp_path / "a.npy")
    np.save(tmp_path / "a.npy", np.zeros((4, 4)))
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[:-1])
    with pytest.raises(ImageFileError, match="is cut off: expected 256 bytes, got 255"):
        open_source(tmp_path / "a.npy")
    (tmp_path / "a.npy").write_bytes(content[:40])
    with pytest.raises(ImageFileError, match="is no NPY file of an image"):
        open_source(tmp_path / "a.npy")


def test_a_damaged_chunk(tmp_path):
    """A damaged chunk is named; where it is allowed, its pixels alone have no value."""
    values = np.random.default_rng(1).integers(0, 200, (40, 30), np.uint8)
    array = zarr.create_array(tmp_path / "a.zarr", shape=values.shape, chunks=(16, 16), dtype="u1")
    array[:] = values
    (tmp_path / "a.zarr" / "c" / "1" / "0").write_bytes(b"damage")
    named = r"block in column 0, row 1 \(pixel rows 16 to 31, columns 0 to 15\)"
    with pytest.raises(ImageFileError, match=f"has a damaged {named}"):
        open_source(tmp_path / "a.zarr").read(10, 40, [0])
    source = open_source(tmp_path / "a.zarr", allow_damaged=True)
    got, visible = source.read(10, 40, [0])
    lost = np.zeros((40, 30), bool)
    lost[16:32, :16] = True
    assert np.array_equal(visible, ~lost[10:])
    assert np.array_equal(got[:, :, 0], np.where(lost, 0, values)[10:])
    assert len(source.warnings) == 1
    assert source.warnings[0].startswith("left out its damaged block in column 0, row 1")


def test_no_data_of_zarr(tmp_path):
    """The attribute _FillValue is the value that means none."""
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=(2, 2), dtype="i2", attributes={"_FillValue": -9, "units": "m"}
    )
    array[:] = [[1, -9], [3, 4]]
    source = open_source(tmp_path / "a.zarr")
    assert (source.bands[0].no_data, source.bands[0].unit) == (-9, "m")
    assert source.read(0, 2, [0])[1].tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize(
    ("shape", "names", "said"),
    [
        ((2, 3, 4, 5), None, "without names of its axes"),
        ((2, 3, 4), ("z", "y", "x"), "expected y, x and c"),
        ((2, 3), ("a", "b"), "expected y, x and c"),
        ((3, 0), None, "expected real numbers"),
    ],
)
def test_axes_that_are_no_image(tmp_path, shape, names, said):
    """Axes that are not known, or have more than one place, are refused."""
    zarr.create_array(tmp_path / "a.zarr", shape=shape, dtype="u1", dimension_names=names)
    with pytest.raises(ImageFileError, match=said):
        open_source(tmp_path / "a.zarr")


@pytest.mark.parametrize("version", [2, 3])
def test_an_array_that_grows(tmp_path, version):
    """An array that gets more rows while it is read is one clear error."""
    options = {"shape": (4, 3), "dtype": "u1", "chunks": (2, 3), "zarr_format": version}
    array = zarr.create_array(tmp_path / "a.zarr", **options)
    source = open_source(tmp_path / "a.zarr")
    assert source.read(0, 4, [0])[0].shape == (4, 3, 1)
    array.resize((8, 3))
    with pytest.raises(ImageFileError, match="has changed while it was read; wait"):
        source.read(0, 4, [0])


def test_groups(tmp_path):
    """A group of one image is that image, of several it is refused by their names."""
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    group.create_array("b2", shape=(2, 3), dtype="u1", dimension_names=("x", "y"))[:] = [
        [1, 2, 3],
        [4, 5, 6],
    ]
    group.create_array("x", shape=(2,), dtype="u1")
    source = open_source(tmp_path / "a.zarr")
    assert source.read(0, 3, [0])[0][:, :, 0].tolist() == [[1, 4], [2, 5], [3, 6]]
    group.create_array("b3", shape=(2, 3), dtype="u1")
    with pytest.raises(ImageFileError, match="a Zarr group of the arrays b2, b3, expected one"):
        open_source(tmp_path / "a.zarr")
