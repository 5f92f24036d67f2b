"""Settings and their ranges."""

import dataclasses
import inspect
from fractions import Fraction

import numpy as np
import pytest

from segment import InvalidInputError, segment_image
from segment.settings import Range, Settings


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
        ("features", "xyz", r"features: expected one of color, joint, got 'xyz'"),
        ("spatial_weight", -1, r"spatial_weight: expected a number in \[0, .*\], got -1"),
        ("spatial_radius", 0, r"spatial_radius: expected a number in \[0.001, .*\], got 0"),
        ("range_radius", 0, r"range_radius: expected a number in \[1e-06, .*\], got 0"),
        ("kernel", "cubic", r"kernel: expected one of flat, gaussian, got 'cubic'"),
        ("assign", "all", r"assign: expected one of nearest, basin, got 'all'"),
        ("connected", "yes", r"connected: expected True or False, got 'yes'"),
        ("connected", 0, r"connected: expected True or False, got 0"),
        ("connected", 1.0, r"connected: expected True or False, got 1.0"),
        ("cluster_all", 1, r"cluster_all: expected True or False, got 1"),
        ("connectivity", 4.0, r"connectivity: expected one of 4, 8, got 4.0"),
        (
            "kernel",
            np.array(["flat", "flat"]),
            r"kernel: expected one of flat, gaussian, got array",
        ),
        pytest.param(
            "n_samples",
            10**5000,
            r"n_samples: expected a whole number >= 1, got a value of type int",
            id="digits",
        ),
        ("connectivity", 6, r"connectivity: expected one of 4, 8, got 6"),
        ("min_size", 0.5, r"min_size: expected a whole number in \[0, .*\], got 0.5"),
    ],
)
def test_what_is_out_of_range_is_refused(name, value, message):
    """A setting out of range is refused by name, with what it may be and what was given."""
    with pytest.raises(InvalidInputError, match=message):
        segment_image(np.zeros((2, 2), np.uint8), **{name: value})


def test_the_library_has_the_defaults_of_the_settings():
    """`segment_image` takes every setting under its name and default, and little else."""
    parameters = dict(inspect.signature(segment_image).parameters)
    for field in dataclasses.fields(Settings):
        assert parameters.pop(field.name).default == field.default
    assert set(parameters) == {"image", "mask", "alpha", "model", "threads"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"spatial_radius": 7}, "range_radius: expected both or neither"),
        ({"range_radius": 7}, "range_radius: expected both or neither"),
        ({"spatial_radius": 7, "range_radius": 7, "features": "color"}, "features 'joint' with it"),
        ({"spatial_radius": 7, "range_radius": 7, "bandwidth": 7}, "bandwidth: expected none"),
        ({"connected": False, "min_size": 7}, "min_size: expected 0 without connected regions"),
        ({"connected": np.False_, "min_size": 5}, "min_size: expected 0 without connected regions"),
    ],
    ids=str,
)
def test_settings_that_do_not_go_together_are_refused(given, message):
    """An error names what is missing, or what is one too many."""
    with pytest.raises(InvalidInputError, match=message):
        Settings(**({"features": "joint"} | given))


def test_scalars_of_numpy_are_those_of_python():
    """Truth values, whole numbers and names of NumPy's are taken as Python has them."""
    given = {"connected": np.True_, "min_size": np.int32(5), "kernel": np.str_("gaussian")}
    settings = Settings(**given, quantile=Fraction(1, 4))
    assert settings.connected is True
    assert [type(getattr(settings, name)) for name in given] == [bool, int, str]
    assert (settings.quantile, type(settings.quantile)) == (0.25, float)


@pytest.mark.parametrize(
    ("given", "by_region"),
    [
        ({}, False),
        ({"min_size": 0}, False),
        ({"min_size": 2}, True),
        ({"connected": True}, True),
        ({"connected": False, "min_size": 0}, False),
        ({"features": "joint"}, True),
        ({"features": "joint", "connected": False}, False),
    ],
    ids=str,
)
def test_regions_are_numbered_where_asked_for_or_suggested(given, by_region):
    """Connected regions are the default in the joint domain, and with a minimum size."""
    assert Settings(**given).by_region is by_region


@pytest.mark.parametrize(
    ("given", "pixels", "smallest"),
    [
        ({}, 5000, 0),
        ({"min_size": 7}, 5000, 7),
        ({"features": "joint"}, 5000, 5),
        ({"features": "joint"}, 999, 0),
        ({"features": "joint", "min_size": 0}, 5000, 0),
    ],
    ids=str,
)
def test_smallest_region(given, pixels, smallest):
    """A region has the pixels asked for, or in the joint domain a thousandth of the image's."""
    assert Settings(**given).smallest_region(pixels) == smallest
