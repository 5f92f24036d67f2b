"""Results that are kept: segmentations and estimators to files and back."""

import json
import os
import pickle
import struct
import subprocess
import zipfile
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from segment import ImageFileError, InvalidInputError, MeanShift, Segmentation, segment_image
from segment.method.segmentation import ARCHIVE
from tests.damage import attempted, mutated


@pytest.mark.parametrize("options", [{}, {"features": "joint", "color_space": "lab"}])
def test_segmentations_come_back_to_the_bit(bundled_photos, tmp_path, options):
    """What is loaded equals what was saved: arrays with their dtypes, numbers, settings."""
    saved = segment_image(bundled_photos["coffee"], quantile=0.07, **options)
    saved.save(tmp_path / "coffee.npz")
    loaded = Segmentation.load(tmp_path / "coffee.npz")
    for name in ARCHIVE.arrays:
        ours, theirs = getattr(loaded, name), getattr(saved, name)
        assert type(ours) is type(theirs)
        assert np.array_equal(ours, theirs)
    assert loaded.settings == saved.settings
    assert loaded.labels.dtype == np.int32
    assert np.array_equal(loaded.recolored(), saved.recolored())


def test_a_half_written_archive_never_appears(tmp_path):
    """Where the folder is missing, saving is an error and leaves nothing."""
    segmentation = segment_image(np.zeros((2, 2), np.uint8), bandwidth=3)
    with pytest.raises(ImageFileError, match="cannot write"):
        segmentation.save(tmp_path / "none" / "a.npz")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def saved(tmp_path):
    segmentation = segment_image(np.arange(6, dtype=np.uint8).reshape(2, 3) * 9, bandwidth=3)
    segmentation.save(tmp_path / "a.npz")
    return tmp_path / "a.npz"


def rewrite(path, **arrays):
    with np.load(path) as file:
        content = {name: file[name] for name in file.files}
    with path.open("wb") as file:
        np.savez(file, **(content | arrays))


@pytest.mark.parametrize(
    "arrays",
    [
        {"labels": np.full((2, 3), 99, np.int32)},
        {"labels": np.full((2, 3), -1, np.int32)},
        {"labels": np.ones((2, 3))},
        {"modes": np.zeros((1, 1))},
        {"about": np.array('{"version": 1}')},
        {"about": np.array('{"version": 1, "settings": [["quantile", 0.1]]}')},
        {"about": np.array('{"version": 1, "settings": {"n_samples": 1' + "0" * 400 + "}}")},
        {"labels": np.ones((2, 3), ">i4")},
        {"bandwidth": np.array(np.nan)},
        {"n_iter": np.array(-1)},
        {"colors": np.zeros((6, 2), np.uint8)},
        {"about": np.array('{"version": 1, "settings": {"quantile": 9}}')},
    ],
)
def test_damaged_archives(saved, arrays):
    """An archive whose parts do not fit each other is refused by name."""
    rewrite(saved, **arrays)
    with pytest.raises(InvalidInputError, match=r"a\.npz: is damaged"):
        Segmentation.load(saved)


@pytest.mark.parametrize("content", [b"", b"words", b"PK\x03\x04 cut", pickle.dumps([1, 2])])
def test_files_that_are_no_archives(tmp_path, content):
    """Any other file is refused, and a pickle is not run."""
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(InvalidInputError, match="is not a segmentation"):
        Segmentation.load(tmp_path / "a.npz")


@pytest.mark.parametrize("compress", [np.savez, np.savez_compressed])
def test_damage_of_any_kind(saved, compress):
    """Whatever bytes are changed, a file gives a segmentation or an error of the two it may."""
    with np.load(saved) as file:
        content = {name: file[name] for name in file.files}
    with saved.open("wb") as file:
        compress(file, **content)
    whole, refused = saved.read_bytes(), 0
    for seed in range(600):
        saved.write_bytes(mutated(whole, seed))
        loaded, said = attempted(
            lambda: Segmentation.load(saved), InvalidInputError, ImageFileError
        )
        if loaded is None:
            refused += 1
            assert said.startswith(f"{saved}: ")
            assert "; " in said
        else:  # what the archive's checksums do not cover: dates, other arrays' names
            assert np.array_equal(loaded.labels, content["labels"])
    assert refused > 300


def archive_of(path, **headers):
    """An archive whose arrays have these headers and no values, or lie about their size, too."""
    about = json.dumps({"version": 1, "settings": {}})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("about.npy", "w") as file:
            np.save(file, np.array(about))
        for name, header in headers.items():
            text = f"{header:<117}\n".encode()
            head = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text
            archive.writestr(f"{name}.npy", head)


@pytest.mark.parametrize("side", [10**6, 10**9, 10**100])
def test_terabytes_that_a_header_claims_are_damage(tmp_path, side):
    """An array said to be larger than the file can hold is damage, and no lack of memory."""
    header = f"{{'descr': '<i4', 'fortran_order': False, 'shape': ({side}, {side}), }}"
    archive_of(tmp_path / "a.npz", labels=header)
    with pytest.raises(InvalidInputError, match="does not fit its size"):
        Segmentation.load(tmp_path / "a.npz")


def test_a_directory_that_lies_about_sizes_is_damage(tmp_path):
    """An array that header and directory give a terabyte to, in a small file, is damage."""
    count = 2**19
    header = f"{{'descr': '<i4', 'fortran_order': False, 'shape': ({count}, {count}), }}"
    path = tmp_path / "a.npz"
    archive_of(path, labels=header)
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("labels.npy")
        true = struct.pack("<L", info.file_size)
    data = path.read_bytes()
    at = data.rindex(b"labels.npy")
    extra = struct.pack("<HHQ", 1, 8, 4 * count**2 + 128)  # of zip64: sizes beyond 32 bits
    entry = bytearray(data[at - 46 : at])
    assert entry[24:28] == true
    entry[24:28], entry[30:32] = b"\xff" * 4, struct.pack("<H", len(extra))
    name = data[at : at + 10]
    end = bytearray(data[at + 10 :])
    end[12:16] = struct.pack("<L", struct.unpack("<L", end[12:16])[0] + len(extra))
    path.write_bytes(data[: at - 46] + entry + name + extra + end)
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("labels.npy").file_size == 4 * count**2 + 128
    with pytest.raises(InvalidInputError, match="does not fit its size"):
        Segmentation.load(path)


@pytest.mark.parametrize("name", ["a\0b", "", "\ud800", 5, None, b"a.npz"])
def test_what_is_no_name_of_a_file(saved, name):
    """What no file can be called is refused by loading and by saving."""
    with pytest.raises(InvalidInputError, match="path: expected the name of a file, got "):
        Segmentation.load(name)
    with pytest.raises(InvalidInputError, match="path: expected the name of a file, got "):
        Segmentation.load(saved).save(name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
def test_an_archive_cannot_come_from_a_pipe(tmp_path):
    """An archive is read from its end, so a pipe is an error of the file."""
    os.mkfifo(tmp_path / "pipe")
    writer = subprocess.Popen(["sh", "-c", "printf PK > pipe"], cwd=tmp_path)
    with writer, pytest.raises(ImageFileError, match="cannot be read"):
        Segmentation.load(tmp_path / "pipe")


def test_settings_of_any_kind_of_number_are_saved(tmp_path):
    """Settings given as NumPy's numbers or as fractions come back equal."""
    given = {"quantile": np.float32(0.25), "n_samples": np.int64(50), "cluster_all": np.True_}
    image = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    segmentation = segment_image(image, **given, spatial_weight=Fraction(1, 4))
    segmentation.save(tmp_path / "a.npz")
    assert Segmentation.load(tmp_path / "a.npz").settings == segmentation.settings


def test_later_versions(saved):
    """An archive of a later version says so."""
    rewrite(saved, about=np.array('{"version": 2, "settings": {}}'))
    with pytest.raises(InvalidInputError, match="expected a segmentation of version 1, got 2"):
        Segmentation.load(saved)


def test_a_missing_archive(tmp_path):
    """An archive that is not there is a file error."""
    with pytest.raises(ImageFileError, match="cannot be read"):
        Segmentation.load(tmp_path / "none.npz")


def test_notebooks_show_the_recoloured_image(bundled_photos):
    """In a notebook a segmentation is its recoloured image, as a PNG."""
    import io

    segmentation = segment_image(bundled_photos["coffee"])
    with Image.open(io.BytesIO(segmentation._repr_png_())) as shown:
        assert np.array_equal(np.asarray(shown), segmentation.recolored())


@pytest.mark.parametrize("fitted", [False, True])
def test_estimators_pickle(fitted):
    """An estimator comes back from a pickle with its parameters and what it learned."""
    X = np.random.default_rng(0).normal(size=(60, 2))
    model = MeanShift(bandwidth=1.5, bin_seeding=True)
    if fitted:
        model.fit(X)
    copy = pickle.loads(pickle.dumps(model))
    assert copy.get_params() == model.get_params()
    assert vars(copy).keys() == vars(model).keys()
    if fitted:
        np.testing.assert_array_equal(copy.predict(X), model.labels_)
        np.testing.assert_array_equal(copy.cluster_centers_, model.cluster_centers_)


def test_segmentations_pickle(bundled_photos):
    """A segmentation comes back from a pickle, as worker processes need it."""
    segmentation = segment_image(bundled_photos["coffee"])
    copy = pickle.loads(pickle.dumps(segmentation))
    np.testing.assert_array_equal(copy.labels, segmentation.labels)
    assert copy.settings == segmentation.settings
