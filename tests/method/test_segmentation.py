"""Results that are kept: segmentations and estimators to files and back."""

import pickle

import numpy as np
import pytest
from PIL import Image

from segment import ImageFileError, InvalidInputError, MeanShift, Segmentation, segment_image
from segment.method.segmentation import ARCHIVE


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
