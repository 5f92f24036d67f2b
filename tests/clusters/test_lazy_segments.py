"""Dask arrays: the segmentation of the array in memory, to the bit, whatever the chunks."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from PIL import Image

from segment import InvalidInputError, fit_modes, segment_image

dask = pytest.importorskip("dask", reason="needs the extra dask")
array = pytest.importorskip("dask.array", reason="needs the extra dask")

FACTS = ("modes", "means", "colors", "mode_colors", "sizes", "low", "unit")


@pytest.fixture(autouse=True)
def threads():
    """The scheduler of these tests."""
    with dask.config.set(scheduler="threads"):
        yield


def check(image, chunks, **options):
    """Assert that an array in chunks has the segmentation of the array in memory."""
    expected = segment_image(image, **options)
    found = segment_image(array.from_array(image, chunks=chunks), **options)
    assert isinstance(found.labels, array.Array)
    assert (found.labels.dtype, found.labels.shape) == (np.int32, expected.labels.shape)
    assert np.array_equal(found.labels.compute(), expected.labels)
    assert (found.bandwidth, found.n_iter) == (expected.bandwidth, expected.n_iter)
    assert found.settings == expected.settings
    for name in FACTS:
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name


def photo():
    """A part of a real photo."""
    path = Path(__file__).parents[2] / "sample_images" / "coffee.png"
    return np.asarray(Image.open(path).convert("RGB"))[:120, :150]


KINDS = {
    "gray": lambda image: image[:, :, 0],
    "rgb": lambda image: image,
    "rgba": lambda image: np.dstack([image, image[:, :, 0] // 99]),
    "bool": lambda image: image > 99,
    "sixteen": lambda image: image.astype(np.uint16) * 251,
    "eight_in_sixteen": lambda image: image.astype(np.uint16) * 257,
    "floats": lambda image: (image / 255) ** 2,
    "eight_in_floats": lambda image: (image / 255).astype(np.float32),
    "long": lambda image: image.astype(np.int64),
    "bands": lambda image: np.dstack([image, image[:, :, ::-1]])[:, :, :5].astype(np.uint16) * 9,
}
OPTIONS = [
    {},
    {"bandwidth": 14.0, "min_size": 4},
    {"features": "joint", "spatial_radius": 2.0, "range_radius": 20.0},
    {"scale": "2%,98%", "min_size": 4},
]


@given(
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(OPTIONS),
    st.integers(1, 25),
    st.integers(1, 19),
    st.booleans(),
)
@settings(deadline=None, max_examples=10)
def test_any_chunks_give_the_segmentation_of_memory(kind, options, rows, columns, masked):
    """Labels, modes, colours, sizes and scale are those in memory, to the bit."""
    image = KINDS[kind](photo()[10:30, 30:45])
    chunks = (rows, columns, *image.shape[2:])
    mask = np.indices(image.shape[:2]).sum(axis=0) % 5 > 0 if masked else None
    try:
        segment_image(image, mask=mask, **options)
    except InvalidInputError:  # nothing to be seen, or no seed
        reject()
    check(image, chunks, mask=mask, **options)


def test_a_photo_in_chunks_is_the_photo_in_memory():
    """A real photo in 50 x 40 chunks gives the same regions; its labels come in full rows."""
    check(photo(), (50, 40, 3), min_size=20, color_space="lab")
    found = segment_image(array.from_array(photo(), chunks=(50, 40, 3)), bandwidth=20)
    assert found.labels.chunks == ((50, 50, 20), (150,))


def test_joint_climbs_of_chunks_are_those_of_memory():
    """Each window is a task with its own blocks, also one around climbs that left another."""
    options = {"features": "joint", "spatial_radius": 1.5, "range_radius": 30.0}
    check(photo(), (50, 40, 3), **options)
    check(photo().astype(np.uint16) * 251, (50, 40, 3), **options)


def test_a_model_labels_a_lazy_array():
    """Modes that were kept give the labels that they give in memory."""
    check(photo(), (50, 150, 3), model=fit_modes([photo()], bandwidth=25))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"level": 1.0}, "level: the hierarchy needs the whole image"),
        ({"target_segments": 3}, "target_segments: the search needs the whole image"),
        ({"features": "joint", "kernel": "gaussian"}, "kernel: expected 'flat'"),
        ({"features": "joint", "assign": "basin"}, "assign: expected 'nearest'"),
        ({"threads": 2}, "threads: expected None for a Dask array"),
        ({"mask": np.ones((2, 2))}, "mask: expected shape"),
        ({"alpha": 3}, "alpha: expected True"),
    ],
)
def test_what_a_lazy_array_cannot_have_is_refused_by_name(options, said):
    """Settings that need the whole image in memory, and others that do not fit, are one error."""
    with pytest.raises(InvalidInputError, match=said):
        segment_image(array.from_array(photo(), chunks=50), **options)


@pytest.mark.parametrize("wrong", [np.nan, 7.5])
def test_values_that_memory_refuses_are_refused(wrong):
    """What is found only when blocks are computed is the same error."""
    image = photo() / 255
    image[100, 3] = wrong
    with pytest.raises(InvalidInputError) as expected:
        segment_image(image)
    with pytest.raises(InvalidInputError) as found:
        segment_image(array.from_array(image, chunks=50))
    if np.isfinite(wrong):
        assert str(found.value) == str(expected.value)
    assert str(found.value).startswith("image: ")


def test_arrays_in_memory_import_no_dask():
    """Dask is imported by whoever has such an array, not here."""
    script = "import sys, numpy, segment; segment.segment_image(numpy.zeros((2, 2), numpy.uint8),"
    script += " bandwidth=1); sys.exit('dask' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
