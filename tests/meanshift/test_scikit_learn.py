"""The estimator among scikit-learn's: its checks, its tools, its data frames."""

import functools
import pickle
import subprocess
import sys
import unittest

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn import base, cluster, exceptions
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_blobs
from sklearn.metrics import silhouette_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator
from sklearn.utils.validation import check_is_fitted

import segment
from segment import MeanShift, estimate_bandwidth, get_bin_seeds, mean_shift

pd = pytest.importorskip("pandas", reason="needs pandas, of the extra test")

CENTERS = [[0, 0], [9, 9], [0, 9]]
POINTS = make_blobs(36, centers=CENTERS, cluster_std=1.0, random_state=4)[0]
FRAME = pd.DataFrame(POINTS, columns=["width", "height"])
BOTH = pytest.mark.parametrize("kind", [MeanShift, cluster.MeanShift], ids=["ours", "theirs"])


def full_list():
    """The checks that scikit-learn has for its own mean shift, those for clusterers among them."""
    return [check for _, check in estimator_checks_generator(cluster.MeanShift(bandwidth=1.0))]


def outcome(check, estimator):
    """Whether an estimator passes a check, is skipped by it, or what it is failed for."""
    try:
        check(estimator)
    except unittest.SkipTest:
        return "skipped"
    except Exception as error:
        return repr(error)
    return "passed"


def name_of(check):
    words = [f"{name}={value}" for name, value in check.keywords.items()]
    return "-".join([check.func.__name__, *words])


@pytest.mark.filterwarnings("ignore")  # of those that a check brings about on purpose
@pytest.mark.parametrize("check", full_list(), ids=name_of)
def test_every_check_of_its_own_mean_shift_ends_alike(check):
    """What scikit-learn checks of its own mean shift passes, or ends as it does for its own."""
    ours = outcome(check, MeanShift(bandwidth=1.0))
    assert ours == "passed" or ours == outcome(check, cluster.MeanShift(bandwidth=1.0))


@pytest.mark.filterwarnings("ignore")
def test_check_estimator_finds_no_failure():
    """`check_estimator`, which draws up its own list, passes as a whole."""
    results = check_estimator(MeanShift(bandwidth=1.0))
    assert len(results) > 30
    assert {result["status"] for result in results} <= {"passed", "skipped"}


def test_tags_are_those_of_its_own():
    """To scikit-learn it is a clusterer with the tags, and the routing, of its own mean shift."""
    assert base.is_clusterer(MeanShift())
    assert get_tags(MeanShift()) == get_tags(cluster.MeanShift())
    routing = cluster.MeanShift().get_metadata_routing()
    assert repr(MeanShift().get_metadata_routing()) == repr(routing)


def test_it_is_a_step_of_a_pipeline():
    """Behind a scaler, fitted and predicting as one, it labels as scikit-learn's does there."""
    ours = make_pipeline(StandardScaler(), MeanShift(bandwidth=0.6)).fit(POINTS)
    theirs = make_pipeline(StandardScaler(), cluster.MeanShift(bandwidth=0.6)).fit(POINTS)
    np.testing.assert_array_equal(ours.predict(POINTS), theirs.predict(POINTS))
    np.testing.assert_array_equal(ours.fit_predict(POINTS), theirs[-1].labels_)
    check_is_fitted(ours)


@BOTH
def test_names_go_through_a_pipeline_of_data_frames(kind):
    """Transformers set to give data frames hand on the names of columns."""
    scaler = ColumnTransformer([("both", StandardScaler(), ["height", "width"])])
    pipeline = make_pipeline(scaler, kind(bandwidth=0.6)).set_output(transform="pandas").fit(FRAME)
    assert pipeline[-1].feature_names_in_.tolist() == ["both__height", "both__width"]
    assert pipeline.predict(FRAME).max() == 2


@BOTH
def test_routed_metadata_that_nothing_asked_for_is_refused(kind):
    """With routing on, a weight that no step asked for is a TypeError of the pipeline."""
    weights = np.ones(len(POINTS))
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(StandardScaler(), kind(bandwidth=1))
        with pytest.raises((TypeError, ValueError), match="sample_weight"):
            pipeline.fit(POINTS, sample_weight=weights)


def silhouette(model, X, y=None):
    return silhouette_score(X, model.predict(X))


def test_grid_search_chooses_the_bandwidth_that_its_own_would():
    """A search over bandwidths by silhouette finds scikit-learn's scores and its best."""
    grid = {"bandwidth": [2.0, 4.0], "bin_seeding": [True]}
    ours, theirs = (
        GridSearchCV(kind(), grid, scoring=silhouette, cv=2).fit(POINTS)
        for kind in (MeanShift, cluster.MeanShift)
    )
    assert ours.best_params_ == theirs.best_params_
    scores = [search.cv_results_["mean_test_score"] for search in (ours, theirs)]
    np.testing.assert_allclose(*scores, atol=1e-3)
    assert isinstance(ours.best_estimator_, MeanShift)


def test_the_error_before_a_fit_is_caught_as_its_own():
    """Handlers of scikit-learn's NotFittedError and of ours catch it, with the same words."""
    with pytest.raises(exceptions.NotFittedError) as theirs:
        cluster.MeanShift().predict(POINTS)
    with pytest.raises(exceptions.NotFittedError) as ours:
        MeanShift().predict(POINTS)
    assert str(ours.value) == str(theirs.value)
    assert isinstance(ours.value, segment.NotFittedError)
    assert f"{type(ours.value).__module__}.{type(ours.value).__name__}" == "segment.NotFittedError"
    again = pickle.loads(pickle.dumps(ours.value))
    assert isinstance(again, segment.NotFittedError)
    assert str(again) == str(ours.value)
    with pytest.raises(exceptions.NotFittedError):
        check_is_fitted(MeanShift())


@BOTH
def test_sparse_points_are_refused(kind):
    """A sparse matrix is a TypeError that says how to make it dense, to `fit` and `predict`."""
    for make in (sparse.csr_matrix, sparse.coo_array):
        for method in (kind(bandwidth=1).fit, kind(bandwidth=1).fit([[0.0, 1.0]]).predict):
            with pytest.raises(TypeError, match=r"Sparse data .* '.toarray\(\)'"):
                method(make(np.eye(2)))


def test_functions_refuse_sparse_points_and_take_frames():
    """Functions take data frames as arrays, and refuse what is sparse with the same error."""
    assert estimate_bandwidth(FRAME) == estimate_bandwidth(POINTS)
    np.testing.assert_array_equal(get_bin_seeds(FRAME, 2.0), get_bin_seeds(POINTS, 2.0))
    for ours, theirs in zip(
        mean_shift(FRAME, bandwidth=2), mean_shift(POINTS, bandwidth=2), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    for refuse in (
        estimate_bandwidth,
        mean_shift,
        functools.partial(get_bin_seeds, bin_size=1),
    ):
        with pytest.raises(TypeError, match="Sparse data"):
            refuse(sparse.csr_matrix(np.eye(2)))


def installed(library):
    return pytest.importorskip(library, reason=f"needs {library}")


def frames():
    """The same table in each library of data frames that is installed."""
    made = {"pandas": lambda: FRAME}
    columns = dict(FRAME.items())
    made["polars"] = lambda: installed("polars").DataFrame(columns)
    made["arrow"] = lambda: installed("pyarrow").table(columns)
    return made


@pytest.mark.parametrize("library", frames())
def test_data_frames_are_points_with_names(library):
    """A data frame gives the labels of its array, and its columns' names; an array forgets them."""
    frame = frames()[library]()
    model, expected = MeanShift(bandwidth=2).fit(frame), MeanShift(bandwidth=2).fit(POINTS)
    np.testing.assert_array_equal(model.labels_, expected.labels_)
    np.testing.assert_array_equal(model.predict(frame), expected.labels_)
    assert model.feature_names_in_.tolist() == ["width", "height"]
    assert model.feature_names_in_.dtype == object
    assert not hasattr(model.fit(POINTS), "feature_names_in_")
    assert model.n_features_in_ == 2


def test_a_figure_of_a_data_frame_warns_of_nothing():
    """A figure takes the frame that the model was fitted on, names included."""
    figure = pytest.importorskip("matplotlib.figure", reason="needs the extra plot")
    drawn = segment.cluster_figure(FRAME, MeanShift(bandwidth=2).fit(FRAME))
    assert isinstance(drawn, figure.Figure)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["width", "depth"], id="another"),
        pytest.param(["height", "width"], id="order"),
        pytest.param([f"x{i}" for i in range(8)], id="many"),
    ],
)
def test_other_names_than_in_the_fit_are_refused_in_its_words(names):
    """Columns that are named or ordered otherwise than in the fit are scikit-learn's ValueError."""
    other = pd.DataFrame(np.zeros((3, len(names))), columns=names)
    said = []
    for kind in (MeanShift, cluster.MeanShift):
        with pytest.raises(ValueError, match="feature names should match") as error:
            kind(bandwidth=2).fit(FRAME).predict(other)
        said.append(str(error.value))
    assert said[0] == said[1]


@BOTH
def test_names_on_one_side_only_are_a_warning(kind):
    """Names that only the fit or only the prediction has are scikit-learn's UserWarning."""
    with pytest.warns(UserWarning, match="X has feature names, but MeanShift was fitted without"):
        kind(bandwidth=2).fit(POINTS).predict(FRAME)
    with pytest.warns(UserWarning, match="X does not have valid feature names, but MeanShift was"):
        kind(bandwidth=2).fit(FRAME).predict(POINTS)


@BOTH
def test_names_that_are_no_text_are_none(kind):
    """Numbered columns have no names; some with text and some without are a TypeError."""
    numbered = FRAME.set_axis([0, 1], axis=1)
    assert not hasattr(kind(bandwidth=2).fit(numbered), "feature_names_in_")
    pairs = FRAME.set_axis(pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]), axis=1)
    assert not hasattr(kind(bandwidth=2).fit(pairs), "feature_names_in_")
    with pytest.raises(TypeError, match=r"\['int', 'str'\] as feature name"):
        kind(bandwidth=2).fit(FRAME.set_axis([0, "width"], axis=1))


def test_it_says_what_its_own_says_of_its_parameters():
    """Its text and its error for a wrong parameter name parameters as scikit-learn's do."""
    options = {"n_jobs": 2, "max_iter": 5, "cluster_all": False, "bandwidth": 2.0}
    assert repr(MeanShift(**options)) == repr(cluster.MeanShift(**options))
    with pytest.raises(ValueError, match="Invalid parameter") as theirs:
        cluster.MeanShift(bandwidth=2).set_params(radius=1)
    with pytest.raises(ValueError, match="Invalid parameter") as ours:
        MeanShift(bandwidth=2).set_params(radius=1)
    start = str(theirs.value).partition("[")[0]
    assert start == "Invalid parameter 'radius' for estimator MeanShift(bandwidth=2). " + (
        "Valid parameters are: "
    )
    assert str(ours.value) == f"{start}{[*MeanShift().get_params()]}."


def test_a_copy_and_a_pickle_label_alike():
    """A fitted estimator comes back from a pickle with what it learned; a clone without it."""
    model = MeanShift(bandwidth=2).fit(FRAME)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(FRAME), model.labels_)
    assert again.feature_names_in_.tolist() == ["width", "height"]
    with pytest.raises(exceptions.NotFittedError):
        check_is_fitted(base.clone(again))


def test_a_notebook_shows_its_diagram():
    """It is drawn as scikit-learn draws estimators, alone and in a pipeline; or not at all."""
    model = MeanShift(bandwidth=2)
    assert "sk-estimator" in model._repr_html_()
    assert "MeanShift" in model._repr_html_()
    assert "Not fitted" in model._repr_html_()
    assert "Not fitted" not in model.fit(POINTS)._repr_html_()
    pipeline = make_pipeline(StandardScaler(), model)._repr_html_()
    assert pipeline.index("StandardScaler") < pipeline.index("MeanShift")
    with sklearn.config_context(display="text"):
        assert model._repr_html_() is None


def test_without_scikit_learn_it_is_the_same_but_for_diagrams():
    """Where scikit-learn is not there, nothing asks for it: text for a diagram, our own error."""
    script = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from segment import MeanShift, NotFittedError\n"
        "model = MeanShift(bandwidth=2)\n"
        "assert model._repr_html_() is None\n"
        "try: model.predict([[0.0]])\n"
        "except NotFittedError as error: assert type(error) is NotFittedError\n"
        "assert model.fit([[0.0], [1.0]]).predict([[3.0]]).tolist() == [0]\n"
        "assert not any(name.startswith('sklearn.') for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)
