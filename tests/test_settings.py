"""Settings and their ranges."""

import dataclasses
import inspect

import numpy as np
import pytest

from segment import InvalidInputError, segment_image
from segment.ranges import Range
from segment.settings import Settings


@pytest.mark.parametrize(
    ("value", "inside"),
    [
        (0, False),
        (1e-9, True),
        (1, True),
        (1.1, False),
        (np.float32(0.5), True),
        ("1", False),
        (None, False),
        (True, False),
        (np.True_, False),
        (float("nan"), False),
    ],
)
def test_range_above_zero_up_to_one(value, inside):
    """(0, 1] holds the numbers in it, and neither text, truth values nor NaN."""
    assert (value in Range(0, 1, above=True)) is inside


def test_whole_ranges_take_no_fractions():
    """A range of whole numbers takes Python's and NumPy's integers only."""
    assert 3 in Range(1, whole=True)
    assert np.int64(3) in Range(1, whole=True)
    assert 3.0 not in Range(1, whole=True)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("quantile", 0, r"quantile: expected a number in \(0, 1\], got 0"),
        ("quantile", None, r"quantile: expected a number in \(0, 1\], got None"),
        ("bandwidth", 0, r"bandwidth: expected a number in \[1e-06, 1e\+30\], got 0"),
        ("bandwidth", float("nan"), r"bandwidth: expected a number in \[1e-06, 1e\+30\], got nan"),
        ("n_samples", 0, r"n_samples: expected a whole number >= 1, got 0"),
        ("seed", -1, r"seed: expected a whole number in \[0, 4294967295\], got -1"),
        ("color_space", "xyz", r"color_space: expected one of rgb, lab, luv, hsv, gray, got 'xyz'"),
        ("min_bin_freq", 1.5, r"min_bin_freq: expected a whole number >= 1, got 1.5"),
        ("max_iter", -1, r"max_iter: expected a whole number in \[0, .*\], got -1"),
        ("cluster_all", "yes", r"cluster_all: expected True or False, got 'yes'"),
    ],
)
def test_what_is_out_of_range_is_refused(name, value, message):
    """A setting out of range is refused by name, with what it may be and what came."""
    with pytest.raises(InvalidInputError, match=message):
        segment_image(np.zeros((2, 2), np.uint8), **{name: value})


def test_the_library_has_the_defaults_of_the_settings():
    """`segment_image` takes every setting of the colour space under its name and default."""
    parameters = inspect.signature(segment_image).parameters
    single = {"features", "kernel", "assign"}  # one choice each so far
    for field in dataclasses.fields(Settings):
        if field.name not in single:
            assert parameters[field.name].default == field.default
