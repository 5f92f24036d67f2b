"""The bandwidth: the sample and the mean distance to a k-th neighbour."""

import collections.abc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn import cluster

from segment import InvalidInputError, estimate_bandwidth
from segment.meanshift._sample import first_targets, head_of_shuffle
from segment.meanshift.bandwidth import kth_neighbor_distance, sample_indices
from tests import oracles

WHOLE = st.tuples(st.integers(1, 60), st.integers(1, 6)).flatmap(
    lambda shape: arrays.arrays(np.int64, shape, elements=st.integers(-300, 300))
)


@given(WHOLE, st.floats(0, 1), st.one_of(st.none(), st.integers(1, 70)), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=150)
def test_whole_numbers_give_the_bandwidth_of_scikit_learn(rows, quantile, n_samples, seed):
    """Over whole numbers the bandwidth is scikit-learn's, to the bit, for any sample of them."""
    options = {"quantile": quantile, "n_samples": n_samples, "random_state": seed}
    expected = cluster.estimate_bandwidth(rows, **options)
    assert estimate_bandwidth(rows, **options) == expected


@given(WHOLE, st.floats(0, 1))
@settings(deadline=None, max_examples=100)
def test_kth_neighbor_distance_is_that_of_the_oracle(rows, quantile):
    """The bandwidth is the mean distance to the k-th nearest, k = max(1, int(quantile n))."""
    found = kth_neighbor_distance(rows.astype(float), quantile)
    assert found == pytest.approx(oracles.kth_neighbor_distance(rows, quantile), rel=1e-12)


@pytest.mark.parametrize("n", [12, 499, 500, 501, 1001])
@pytest.mark.parametrize("quantile", [0.01, 0.3, 1])
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64"])
def test_sizes_around_the_blocks_of_distances(n, quantile, dtype):
    """The bandwidth is scikit-learn's for every dtype and number of points."""
    rows = (np.random.RandomState(n).random_sample((n, 3)) * 255).astype(dtype)
    expected = cluster.estimate_bandwidth(rows, quantile=quantile)
    exact = np.issubdtype(dtype, np.integer)
    rtol = 0 if exact else 1e-12 if dtype == "float64" else 1e-6
    np.testing.assert_allclose(estimate_bandwidth(rows, quantile=quantile), expected, rtol=rtol)


def test_squares_beyond_single_precision_are_not_rounded():
    """Distances that float32 cannot hold are still exact."""
    assert estimate_bandwidth([[0, 0], [4096, 1]], quantile=1) == np.sqrt(2**24 + 1)


POWERS = sorted({2**power + step for power in range(4, 21, 2) for step in (-1, 0, 1)})


@pytest.mark.parametrize("n", POWERS)
def test_the_sample_is_the_head_of_a_permutation(n):
    """The indices are the first of RandomState's permutation, on both sides of the shortcut."""
    for seed in (0, 1, n, 2**32 - 1):
        permutation = np.random.RandomState(seed).permutation(n)
        for k in {1, 2, 7, n // 16 - 1, n // 16, n // 16 + 1, min(n, 500)} - {-1, 0}:
            np.testing.assert_array_equal(sample_indices(n, k, seed), permutation[:k])


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=300)
def test_any_sample_is_the_head_of_a_permutation(n, k, seed):
    """For all n, k and seeds the indices are those of RandomState(seed).permutation(n)[:k]."""
    expected = np.random.RandomState(seed).permutation(n)[:k]
    np.testing.assert_array_equal(sample_indices(n, k, seed), expected)


@pytest.mark.parametrize("n", [3, 100_000], ids=["few", "many"])
def test_more_samples_than_points_take_all(n):
    """A sample larger than the points is all of them, shuffled."""
    assert sorted(sample_indices(n, n + 5, 3)) == list(range(n))


def test_a_generator_is_drawn_from():
    """A RandomState is used and moves on, as if permutation were called on it."""
    ours, theirs = np.random.RandomState(5), np.random.RandomState(5)
    for _ in range(2):
        expected = theirs.permutation(10_000)[:20]
        np.testing.assert_array_equal(sample_indices(10_000, 20, ours), expected)


def test_no_seed_draws_differently_each_time():
    """None draws distinct indices afresh at each call."""
    first, second = sample_indices(10_000, 20, None), sample_indices(10_000, 20, None)
    assert first.tolist() != second.tolist()
    for drawn in (first, second):
        assert len(set(drawn.tolist())) == 20
        assert 0 <= min(drawn) <= max(drawn) < 10_000


def test_the_bandwidth_is_a_numpy_scalar():
    """The bandwidth is a float64 scalar, also of narrow points."""
    for dtype in (np.uint8, np.float32):
        assert type(estimate_bandwidth(np.eye(4, dtype=dtype))) is np.float64


@pytest.mark.parametrize(
    "options",
    [
        {"quantile": 1.5},
        {"quantile": -0.1},
        {"quantile": "half"},
        {"quantile": np.nan},
        {"n_samples": 0},
        {"n_samples": 1.5},
        {"n_samples": 2, "random_state": "seed"},
        {"n_samples": 2, "random_state": -1},
        {"n_samples": 2, "random_state": 1.5},
    ],
    ids=str,
)
def test_parameters_out_of_range_are_refused(options):
    """What scikit-learn refuses is refused with a ValueError that names the parameter."""
    name = list(options)[-1]
    with pytest.raises(ValueError, match=name):
        cluster.estimate_bandwidth(np.eye(4), **options)
    with pytest.raises(InvalidInputError, match=name):
        estimate_bandwidth(np.eye(4), **options)


@pytest.mark.parametrize("size", [2**32 + 100, 2**33 + 7, 10**11, 2**31 + 5])
def test_targets_of_a_shuffle_beyond_32_bits_are_those_of_numpy(size):
    """Draws of places beyond 32 bits take two words each, as NumPy's shuffle takes them."""
    swapped = []

    class Watched(collections.abc.MutableSequence):
        def __len__(self):
            return size

        def __getitem__(self, place):
            if len(swapped) == 2 * 500:
                raise StopIteration
            swapped.append(place)
            return 0

        def __setitem__(self, place, value):
            pass

        def __delitem__(self, place):
            pass

        def insert(self, place, value):
            pass

    with pytest.raises(StopIteration):
        np.random.RandomState(3).shuffle(Watched())
    targets = np.zeros(500, np.int64)
    first_targets(3, size, targets)
    assert targets[::-1].tolist() == swapped[::2]


@pytest.mark.parametrize("block", [1 << 12, 1 << 16, 1 << 18])
@pytest.mark.parametrize(("size", "count"), [(1_500_000, 500), ((1 << 20) + 3, 2000)])
def test_samples_of_many_are_the_head_of_a_permutation(size, count, block):
    """Where most draws are only counted, or pass a filter, no one that matters is lost."""
    head = np.empty(count, np.int64)
    head_of_shuffle(size, size, block, head)
    assert head.tolist() == np.random.RandomState(size).permutation(size)[:count].tolist()


@pytest.mark.parametrize("block", [7, 64, 999, 1000, 5000])
def test_the_head_of_a_shuffle_does_not_depend_on_its_blocks(block):
    """However few draws are held at a time, the sample is the head of the permutation."""
    head = np.empty(6, np.int64)
    head_of_shuffle(5, 1000, block, head)
    assert head.tolist() == np.random.RandomState(5).permutation(1000)[:6].tolist()
