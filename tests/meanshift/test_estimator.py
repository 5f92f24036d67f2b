"""The estimator in scikit-learn's place: its own tests, its answers, its refusals."""

import importlib.util
import types
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn import base, cluster
from sklearn.datasets import make_blobs

from segment import MeanShift, NotFittedError, mean_shift
from tests import oracles

THEIRS = "from sklearn.cluster import MeanShift, estimate_bandwidth, get_bin_seeds, mean_shift\n"
OURS = THEIRS.replace("sklearn.cluster", "segment")


def scikit_learn_tests():
    """The test functions of scikit-learn's mean shift, with our names in place of its own."""
    source = Path(importlib.util.find_spec("sklearn.cluster.tests.test_mean_shift").origin)
    text = source.read_text()
    assert text.count(THEIRS) == 1
    module = types.ModuleType("scikit_learn_tests")
    exec(compile(text.replace(THEIRS, OURS), str(source), "exec"), module.__dict__)
    assert module.MeanShift is MeanShift
    # Their catch_warnings(record=True) expects that warnings are no errors.
    mark = pytest.mark.filterwarnings("ignore:Binning data failed")
    return {
        f"test_scikit_learn_{name.removeprefix('test_')}": mark(function)
        for name, function in vars(module).items()
        if name.startswith("test_")
    }


globals().update(scikit_learn_tests())


def blobs(dtype=np.float64):
    centers = [[1, 1, 0], [-1, -1, 0], [1, -1, 3]]
    return make_blobs(400, centers=centers, cluster_std=0.4, random_state=1)[0].astype(dtype)


@st.composite
def whole_points(draw):
    """At least 12 points, from which on scikit-learn searches with a tree.

    No distance between whole numbers, or means of fewer than 60 of them, equals any of these
    bandwidths. At such ties scikit-learn's tree and its brute force answer differently.
    """
    shape = draw(st.tuples(st.integers(12, 60), st.integers(1, 6)))
    top = draw(st.integers(1, 30))
    points = draw(arrays.arrays(np.int64, shape, elements=st.integers(-top, top)))
    return points, draw(st.integers(0, 40)) + 0.3719


def assert_equal_to_scikit_learn(points, **options):
    """Centres, moves and labels are the same to the bit; labels at ties may be scikit-learn's own.

    Its brute force, for up to three modes, rounds equal distances to different ones.
    """
    try:
        theirs = cluster.MeanShift(**options).fit(points)
    except ValueError:
        with pytest.raises(ValueError, match=r"seeds|any seed"):
            MeanShift(**options).fit(points)
        return
    ours = MeanShift(**options).fit(points)
    np.testing.assert_array_equal(ours.cluster_centers_, theirs.cluster_centers_)
    assert ours.n_iter_ == theirs.n_iter_
    clear = ~oracles.is_tied(points, theirs.cluster_centers_)
    np.testing.assert_array_equal(ours.labels_[clear], theirs.labels_[clear])
    assert ours.labels_.dtype == theirs.labels_.dtype
    assert ours.n_features_in_ == theirs.n_features_in_


@pytest.mark.filterwarnings("ignore:Binning data failed")
@given(
    whole_points(),
    st.booleans(),
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from([0, 1, 2, 300]),
)
@settings(deadline=None, max_examples=150)
def test_whole_numbers_give_the_answer_of_scikit_learn(
    drawn, bin_seeding, min_bin_freq, cluster_all, max_iter
):
    """Over whole numbers, centres and labels are scikit-learn's to the bit, for all parameters."""
    points, bandwidth = drawn
    assert_equal_to_scikit_learn(
        points,
        bandwidth=bandwidth,
        bin_seeding=bin_seeding,
        min_bin_freq=min_bin_freq,
        cluster_all=cluster_all,
        max_iter=max_iter,
    )


@given(whole_points(), st.integers(1, 20), st.integers(0, 100))
@settings(deadline=None, max_examples=80)
def test_seeds_give_the_answer_of_scikit_learn(drawn, count, state):
    """From explicit seeds, on and off the points, centres and labels are scikit-learn's."""
    points, bandwidth = drawn
    low, high = points.min() - 1, points.max() + 2
    seeds = np.random.RandomState(state).randint(low, high, (count, points.shape[1])) + 0.5
    assert_equal_to_scikit_learn(points, bandwidth=bandwidth, seeds=seeds, cluster_all=False)


@pytest.mark.filterwarnings("ignore:Binning data failed")
@given(whole_points(), st.integers(1, 3), st.booleans())
@settings(deadline=None, max_examples=80)
def test_bin_seeding_gives_the_answer_of_the_oracle(drawn, min_bin_freq, cluster_all):
    """Centres, labels and moves are those of the slow, obvious version, ties included."""
    points, bandwidth = drawn
    options = {"bandwidth": bandwidth, "min_bin_freq": min_bin_freq, "cluster_all": cluster_all}
    model = MeanShift(bin_seeding=True, **options)
    try:
        centers, labels, moves = oracles.mean_shift(points, **options)
    except ValueError:
        with pytest.raises(ValueError, match=r"lower min_bin_freq|increase the bandwidth"):
            model.fit(points)
        return
    model.fit(points)
    np.testing.assert_array_equal(model.cluster_centers_, centers)
    np.testing.assert_array_equal(model.labels_, labels)
    assert model.n_iter_ == moves


@pytest.mark.parametrize("bin_seeding", [False, True], ids=["all-points", "bins"])
@pytest.mark.parametrize("cluster_all", [False, True], ids=["orphans", "cluster-all"])
def test_real_numbers_stay_within_the_tolerance(global_dtype, bin_seeding, cluster_all):
    """Over real numbers, centres are within 1e-3 bandwidth, and 99.9 % of the labels equal."""
    points = blobs(global_dtype)
    options = {"bandwidth": 0.9, "bin_seeding": bin_seeding, "cluster_all": cluster_all}
    ours, theirs = MeanShift(**options).fit(points), cluster.MeanShift(**options).fit(points)
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=0, atol=9e-4)
    assert np.mean(ours.labels_ == theirs.labels_) >= 0.999
    assert ours.cluster_centers_.dtype == theirs.cluster_centers_.dtype == global_dtype


def test_orphans_lie_beyond_the_bandwidth():
    """A point exactly as far from its centre as the bandwidth is no orphan."""
    model = MeanShift(bandwidth=2, seeds=[[-1.5]], max_iter=0, cluster_all=False)
    assert model.fit_predict([[0.0], [2.0], [2.5]]).tolist() == [0, 0, -1]


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "uint64", "float16", "object"])
def test_dtypes_are_those_of_scikit_learn(dtype):
    """Points of other dtypes give scikit-learn's centres, labels and dtypes."""
    points = np.random.RandomState(0).randint(0, 30, (80, 2)).astype(dtype)
    ours = MeanShift(bandwidth=4.3719).fit(points)
    theirs = cluster.MeanShift(bandwidth=4.3719).fit(points)
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-3)
    assert ours.cluster_centers_.dtype == theirs.cluster_centers_.dtype
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)


def test_predict_finds_the_nearest_center():
    """New points, however far away, get scikit-learn's labels; those of the fit theirs again."""
    points, new = blobs(), np.random.RandomState(2).uniform(-50, 50, (300, 3))
    ours, theirs = (
        MeanShift(bandwidth=0.9).fit(points),
        cluster.MeanShift(bandwidth=0.9).fit(points),
    )
    np.testing.assert_array_equal(ours.predict(new), theirs.predict(new))
    np.testing.assert_array_equal(ours.predict(points), ours.labels_)
    np.testing.assert_array_equal(MeanShift(bandwidth=0.9).fit_predict(points), ours.labels_)


def test_the_function_gives_what_the_estimator_does():
    """`mean_shift` returns the centres and labels of `MeanShift` with the same parameters."""
    options = {"bandwidth": 0.9, "bin_seeding": True, "min_bin_freq": 2, "cluster_all": False}
    model = MeanShift(**options).fit(blobs())
    centers, labels = mean_shift(blobs(), **options)
    np.testing.assert_array_equal(centers, model.cluster_centers_)
    np.testing.assert_array_equal(labels, model.labels_)


@pytest.mark.parametrize("n_jobs", [1, 3, -1])
def test_n_jobs_does_not_change_the_answer(n_jobs):
    """Centres and labels are the same to the bit for any number of threads."""
    expected, model = MeanShift().fit(blobs()), MeanShift(n_jobs=n_jobs).fit(blobs())
    np.testing.assert_array_equal(model.cluster_centers_, expected.cluster_centers_)
    np.testing.assert_array_equal(model.labels_, expected.labels_)


def test_parameters_are_those_of_scikit_learn():
    """The parameters, their defaults, and an estimator's repr are scikit-learn's, and two more."""
    own = {"kernel": "flat", "assign": "nearest"}
    assert MeanShift().get_params() == cluster.MeanShift().get_params() | own
    for options in ({}, {"bandwidth": 2, "bin_seeding": True}, {"seeds": [[1, 2]]}):
        assert repr(MeanShift(**options)) == repr(cluster.MeanShift(**options))


def test_scikit_learn_clones_it():
    """`sklearn.base.clone` gives an unfitted copy with the same parameters."""
    model = MeanShift(bandwidth=0.9, min_bin_freq=3).fit(blobs())
    copy = base.clone(model)
    assert copy.get_params() == model.get_params()
    assert copy is not model
    assert not hasattr(copy, "labels_")


def test_parameters_can_be_set():
    """`set_params` changes the parameters by name and returns the estimator; others it refuses."""
    model = MeanShift()
    assert model.set_params(bandwidth=3, cluster_all=False) is model
    assert (model.bandwidth, model.cluster_all) == (3, False)
    with pytest.raises(ValueError, match="Invalid parameter 'radius'"):
        model.set_params(radius=3)


@pytest.mark.parametrize(
    "options",
    [
        *({"bandwidth": value} for value in (0, -1, np.nan, np.inf, "wide")),
        *({"min_bin_freq": value} for value in (0, 1.5, None)),
        *({"max_iter": value} for value in (-1, 2.5, None)),
        *({"cluster_all": value} for value in (1, None, "yes")),
        *({"bin_seeding": value} for value in (1, None, "yes")),
        *({"n_jobs": value} for value in (1.5, "all")),
        *({"bandwidth": 1, "seeds": value} for value in ([1, 2], [[1]], [], [["a", "b"]])),
        *({"bandwidth": 1, "seeds": [[1, 1], [0, value]]} for value in (np.nan, np.inf)),
        {"bandwidth": 1, "seeds": [[50, 50]]},
        {"bandwidth": 1, "bin_seeding": True, "min_bin_freq": 9},
    ],
    ids=str,
)
def test_parameters_that_scikit_learn_refuses_are_refused(options):
    """A parameter out of range is a ValueError, here as in scikit-learn."""
    for estimator in (cluster.MeanShift, MeanShift):
        with pytest.raises(ValueError):  # noqa: PT011  # the words are each one's own
            estimator(**options).fit([[1, 1], [1, 2], [2, 1]])


@pytest.mark.parametrize(
    "points",
    [
        pytest.param([1.0, 2.0], id="one-axis"),
        pytest.param(np.zeros((2, 2, 2)), id="three-axes"),
        pytest.param(np.empty((0, 2)), id="no-points"),
        pytest.param(np.empty((2, 0)), id="no-coordinates"),
        pytest.param([[1, np.nan]], id="nan"),
        pytest.param([[1, -np.inf]], id="infinity"),
        pytest.param([[1, None]], id="none"),
        pytest.param([["a", "b"]], id="text"),
        pytest.param([["1", "2"]], id="numbers-as-text"),
        pytest.param([[1j]], id="complex"),
        pytest.param([[1, 2], [3]], id="ragged"),
    ],
)
def test_arrays_that_scikit_learn_refuses_are_refused(points):
    """An array that is no matrix of finite numbers is a ValueError, to `fit` and `predict`."""
    fitted = MeanShift(bandwidth=1).fit([[0, 0]])
    for method in (cluster.MeanShift(bandwidth=1).fit, MeanShift(bandwidth=1).fit, fitted.predict):
        with pytest.raises(ValueError):  # noqa: PT011  # the words are each one's own
            method(points)


def test_predict_needs_a_fit_and_as_many_coordinates():
    """Predicting before a fit, or on points of another dimension, is an error that says so."""
    with pytest.raises(NotFittedError, match=r"Call .fit. with"):
        MeanShift().predict([[1, 2]])
    with pytest.raises(ValueError, match=r"X has 3 features, .* expecting 2"):
        MeanShift(bandwidth=1).fit([[1, 2]]).predict([[1, 2, 3]])


def test_values_whose_squares_overflow_are_refused():
    """Values beyond 1e150 are refused: their distances would not be numbers."""
    points = np.r_[np.arange(257) * 10.0, 1.7e308, 1.7e308][:, None]
    with pytest.raises(ValueError, match=r"X: expected values up to 1e\+150, got 1.7e\+308"):
        MeanShift(bandwidth=1, max_iter=0).fit(points)


@pytest.mark.parametrize(
    ("dimensions", "kind"),
    [*((count, "whole") for count in (2, 4, 5, 8, 13)), (4, "floats"), (13, "floats")],
)
def test_points_of_any_dimension_have_the_modes_of_scikit_learn(dimensions, kind):
    """Bands of a scene, 2 to 13: modes and labels to the bit where they are whole numbers."""
    rng = np.random.default_rng(dimensions)
    centers = rng.integers(100, 3000, (6, dimensions))
    X = centers[rng.integers(0, 6, 500)] + rng.normal(0, 150, (500, dimensions))
    X = np.rint(X).astype(np.uint16) if kind == "whole" else X / 4095
    bandwidth = 220 * dimensions**0.5 / (1 if kind == "whole" else 4095)
    theirs = cluster.MeanShift(bandwidth=bandwidth, bin_seeding=True).fit(X)
    ours = MeanShift(bandwidth=bandwidth, bin_seeding=True).fit(X)
    np.testing.assert_allclose(
        ours.cluster_centers_, theirs.cluster_centers_, rtol=0 if kind == "whole" else 1e-12
    )
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    assert ours.n_iter_ == theirs.n_iter_
