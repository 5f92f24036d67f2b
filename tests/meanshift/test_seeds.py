"""Bin seeding: the grid cells that hold enough points."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn import cluster

from segment import InvalidInputError, get_bin_seeds
from segment.meanshift.seeds import bin_seeds
from tests import oracles

ALONE = "Binning data failed with provided bin_size"


@st.composite
def points(draw):
    """Rows near the origin, or so far apart that no table of cells would hold them."""
    shape = draw(st.tuples(st.integers(1, 40), st.integers(1, 6)))
    far = draw(st.sampled_from([3, 30, 1e6, 1e12]))
    halves = arrays.arrays(np.int64, shape, elements=st.integers(-6, 6))
    return draw(halves) * (far / 6), draw(st.sampled_from([0.5, 1.0, 2.0, 3.37, 100.0]))


@given(points(), st.integers(1, 4), st.sampled_from([float, np.float64]))
@settings(deadline=None, max_examples=200)
def test_seeds_are_those_of_scikit_learn(drawn, min_bin_freq, kind):
    """Seeds, their order and their dtype are scikit-learn's, to the bit, for any bin size."""
    rows, bin_size = drawn
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ALONE)
        expected = cluster.get_bin_seeds(rows, kind(bin_size), min_bin_freq)
        seeds = get_bin_seeds(rows, kind(bin_size), min_bin_freq)
    assert seeds.tolist() == expected.tolist()
    assert seeds.dtype == expected.dtype


@given(points(), st.integers(1, 4))
@settings(deadline=None, max_examples=100)
def test_weights_count_as_repeated_points(drawn, min_bin_freq):
    """A point of weight w fills its bin like w equal points."""
    rows, bin_size = drawn
    weights = np.arange(len(rows)) % 3 + 1.0
    repeated = np.repeat(rows, weights.astype(int), axis=0)
    expected = oracles.bin_seeds(repeated, bin_size, min_bin_freq)
    np.testing.assert_array_equal(bin_seeds(rows, weights, bin_size, min_bin_freq), expected)


@pytest.mark.parametrize(
    ("xs", "bin_size", "min_bin_freq", "seeds"),
    [
        pytest.param([1, 1, 3, 5, 5], 2, 1, [0, 4], id="halves-to-even"),
        pytest.param([-1, -3, -5, -5], 2, 1, [0, -4], id="negative-halves-to-even"),
        pytest.param([9, 0, 0, 9, 9], 4, 1, [8, 0], id="in-order-of-first-points"),
        pytest.param([0, 0, 9, 9, 9], 4, 3, [8], id="enough-points"),
        pytest.param([0, 0, 9, 9, 9], 4, 4, [], id="too-few-everywhere"),
    ],
)
def test_drawn_bins(xs, bin_size, min_bin_freq, seeds):
    """Point x lies in bin round(x / bin_size); a bin's seed is its centre."""
    found = get_bin_seeds(np.array(xs)[:, None], bin_size, min_bin_freq)
    assert found.shape == (len(seeds), 1)
    assert found.ravel().tolist() == seeds


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("bin_size", [0.25, 3, np.float64(3)], ids=["small", "int", "float64"])
def test_dtypes_are_treated_like_scikit_learn_does(dtype, bin_size):
    """For every dtype of the points, seeds and their dtype are scikit-learn's."""
    rows = np.random.RandomState(0).randint(0, 250, (300, 2)).astype(dtype)
    seeds, expected = get_bin_seeds(rows, bin_size), cluster.get_bin_seeds(rows, bin_size)
    np.testing.assert_array_equal(seeds, expected)
    assert seeds.dtype == expected.dtype


def test_points_alone_in_their_bins_are_the_seeds():
    """Where every point has a bin of its own, the points themselves come back, with a warning."""
    rows = np.array([[0.1, 0.2], [5.3, 5.4]])
    with pytest.warns(UserWarning, match=ALONE):
        assert get_bin_seeds(rows, 0.5) is rows
    assert bin_seeds(rows, np.ones(2), 0.5).tolist() == rows.tolist()


def test_no_bin_size_keeps_the_points():
    """A bin size of 0 returns the points themselves."""
    rows = np.ones((5, 2))
    assert get_bin_seeds(rows, 0) is rows
    assert bin_seeds(rows, np.ones(5), 0) is rows


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"bin_size": -1}, r"bin_size: expected a number >= 0, got -1"),
        ({"bin_size": float("nan")}, r"bin_size: expected a number >= 0, got nan"),
        ({"bin_size": 1e-320}, r"bin_size: expected a number >= 1e-150, got 1e-320"),
        (
            {"bin_size": 1, "min_bin_freq": -3},
            r"min_bin_freq: expected a whole number >= 1, got -3",
        ),
        ({"bin_size": 0, "min_bin_freq": 0}, r"min_bin_freq: expected a whole number >= 1, got 0"),
        ({"bin_size": 1, "min_bin_freq": 1.5}, r"min_bin_freq: expected a whole number"),
    ],
    ids=str,
)
def test_parameters_out_of_range(options, said):
    """A cell without a size, or one that holds no points at least, is refused by name."""
    with pytest.raises(InvalidInputError, match=said):
        get_bin_seeds(np.ones((3, 2)), **options)


@pytest.mark.parametrize("bin_size", [1e-100, 1e100])
def test_cells_beyond_float32(bin_size):
    """Where float32 does not hold the size of a cell, the seeds are float64, and in the cells."""
    X = np.array([[1.0, 2.0], [1.2, 2.1], [5.0, 0.0]]) * bin_size
    seeds = get_bin_seeds(X, bin_size)
    assert seeds.dtype == np.float64
    np.testing.assert_allclose(seeds, np.array([[1, 2], [5, 0]]) * bin_size, rtol=1e-12)
