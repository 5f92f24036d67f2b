"""The table of regions: where they lie, how large they are, their bands; and its CSV."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segment.errors import InvalidInputError
from segment.regions.table import region_table, to_csv

GOOD = np.ones((2, 3), np.int32)


@st.composite
def maps(draw):
    """A few labels, some pixels without, and an image of any kind."""
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    few = st.integers(0, draw(st.integers(1, min(4, shape[0] * shape[1]))))
    labels = draw(arrays.arrays(np.int32, shape, elements=few))
    channels = draw(st.sampled_from([1, 3, 4, 13]))
    image = draw(arrays.arrays(np.uint8, (*shape, channels), elements=st.integers(0, 255)))
    kind = draw(st.sampled_from(["uint8", "float32", "float64", "tenths"]))
    return labels, image / 10 if kind == "tenths" else image.astype(kind)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 4)])
@pytest.mark.parametrize("channels", [1, 3, 6], ids=["gray", "rgb", "bands"])
def test_nothing_labelled(shape, channels):
    """Without labels the table is empty, whatever the image."""
    table = region_table(np.zeros(shape, np.int32), np.full((*shape, channels), np.nan))
    assert list(table.rows()) == []
    assert table.mean.shape == (0, channels)


def test_labels_up_to_the_number_of_pixels():
    """Ninety thousand regions of one pixel have a row each, in the order of their labels."""
    labels = np.arange(90_000, 0, -1).reshape(300, 300)
    table = region_table(labels, labels)
    np.testing.assert_array_equal(table.label, np.arange(1, 90_001))
    np.testing.assert_array_equal(table.mean[:, 0], table.label)


def test_labels_may_be_few_and_far_apart():
    """Labels beyond the number of pixels and with gaps, as of a model, have a row if they occur."""
    table = region_table(np.array([[900, 0], [7, 900]]), np.array([[1, 2], [3, 5]]))
    assert table.label.tolist() == [7, 900]
    assert table.pixels.tolist() == [1, 2]
    assert table.mean.ravel().tolist() == [3, 3]


def test_what_the_table_does_not_take():
    """Images with NaN in a region are an error."""
    with pytest.raises(InvalidInputError, match="image: contains NaN"):
        region_table(GOOD, GOOD * np.nan)


@given(maps())
@settings(deadline=None, max_examples=200)
def test_table_is_what_numpy_finds_region_by_region(map_and_image):
    """Each row has the label, size, centroid, box and, of each band, the four statistics."""
    labels, image = map_and_image
    table = region_table(labels, image)
    assert table.label.tolist() == [label for label in np.unique(labels) if label]
    for row, label in enumerate(table.label):
        y, x = np.nonzero(labels == label)
        box = table.left[row], table.top[row], table.right[row], table.bottom[row]
        assert box == (x.min(), y.min(), x.max() + 1, y.max() + 1)
        assert table.pixels[row] == len(x)
        assert (table.centroid_x[row], table.centroid_y[row]) == (x.mean(), y.mean())
        values = image[labels == label].astype(np.float64)
        np.testing.assert_allclose(table.mean[row], values.mean(axis=0), rtol=1e-13)
        np.testing.assert_allclose(table.std[row], values.std(axis=0), rtol=1e-12, atol=1e-13)
        np.testing.assert_array_equal(table.min[row], values.min(axis=0))
        np.testing.assert_array_equal(table.max[row], values.max(axis=0))


def test_spread_far_from_zero_is_exact():
    """A standard deviation does not suffer from a large mean."""
    image = 1e9 + np.arange(12.0).reshape(3, 4) % 2
    table = region_table(np.ones((3, 4), np.int32), image)
    assert (table.mean.tolist(), table.std.tolist()) == ([[1e9 + 0.5]], [[0.5]])


@pytest.mark.parametrize("dtype", [bool, np.uint16, np.int64, np.float16, np.float32])
def test_table_of_any_dtype(dtype):
    """Other dtypes give the numbers that their values give in float64."""
    image = (np.arange(24).reshape(2, 4, 3) * 7 % 5).astype(dtype)
    labels = [[1, 1, 2, 2], [1, 3, 3, 2]]
    rows = list(region_table(labels, image).rows())
    assert rows == list(region_table(labels, image.astype(np.float64)).rows())


def test_csv_of_colours():
    """A colour image gives mean, deviation, minimum and maximum for red, green and blue."""
    image = np.array([[[10, 20, 30], [20, 20, 60]], [[0, 0, 0], [7, 8, 9]]], np.uint8)
    file = io.StringIO(newline="")
    to_csv(region_table([[1, 1], [0, 3]], image), file)
    assert file.getvalue() == (
        "label,pixels,centroid_x,centroid_y,left,top,right,bottom,"
        "mean_red,mean_green,mean_blue,std_red,std_green,std_blue,"
        "min_red,min_green,min_blue,max_red,max_green,max_blue\n"
        "1,2,0.5,0.0,0,0,2,1,15.0,20.0,45.0,5.0,0.0,15.0,10.0,20.0,30.0,20.0,20.0,60.0\n"
        "3,1,1.0,1.0,1,1,2,2,7.0,8.0,9.0,0.0,0.0,0.0,7.0,8.0,9.0,7.0,8.0,9.0\n"
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(None, ("mean_band_1", "mean_band_2"), id="by-number"),
        pytest.param(["red", "nir"], ("mean_red", "mean_nir"), id="by-name"),
    ],
)
def test_bands_have_names(names, expected):
    """Bands that are not those of a photo are numbered, or called as the caller says."""
    table = region_table([[1]], np.array([[[4.5, 9]]]), names)
    assert table.header[8:10] == expected
    assert next(table.rows())[8:] == (4.5, 9, 0, 0, 4.5, 9, 4.5, 9)


@pytest.mark.parametrize("names", [["red"], "ab"])
def test_names_that_are_not_one_a_band(names):
    """Too few names, or one text, are an error that says how many bands there are."""
    with pytest.raises(InvalidInputError, match="names: expected one for each of the 2 bands"):
        region_table([[1]], np.zeros((1, 1, 2)), names)


@given(maps())
@settings(deadline=None, max_examples=50)
def test_csv_reads_back_as_the_same_numbers(map_and_image):
    """No digit is lost in a CSV file."""
    table = region_table(*map_and_image)
    file = io.StringIO(newline="")
    to_csv(table, file)
    header, *lines = csv.reader(io.StringIO(file.getvalue()))
    assert tuple(header) == table.header
    assert [tuple(map(float, line)) for line in lines] == list(table.rows())
