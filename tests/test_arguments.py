"""Whatever a public function is given, it returns what it documents or says what is wrong."""

import inspect
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import segment
from segment import (
    Hierarchy,
    InvalidInputError,
    MeanShift,
    Model,
    Segmentation,
    cluster_figure,
    estimate_bandwidth,
    fit_modes,
    get_bin_seeds,
    hierarchy,
    mean_shift,
    mean_shift_labels,
    segment_image,
)
from segment.errors import shown
from segment.regions.connected import connected_regions
from segment.regions.outlines import region_polygons
from tests.damage import attempted

IMAGE = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)
POINTS = np.random.default_rng(1).normal(size=(12, 2))
FITTED = MeanShift(bandwidth=1.0).fit(POINTS)
SEGMENTATION = segment_image(IMAGE, bandwidth=60)
MODEL = fit_modes([IMAGE], bandwidth=60)
TREE = hierarchy(IMAGE)
ODD = [
    *(float(value) for value in ("nan", "inf", "-inf")),
    *(0, 1, -1, 2, 4, 0.5, -1.5, 1e-320, 1e-200, 1e-7, 1e100, 1e308),
    *(2**31, 2**40, -(2**31), 10**5000),
    *(True, False, np.True_, np.False_, None, "", "x", "rgb", b"x", "a\0b", "\ud800", 1j, object()),
    *(np.float32("nan"), np.float32(0.5), np.float64(1e-320)),
    *(np.int64(-3), np.int8(1), np.str_("lab")),
    *(Fraction(1, 3), Fraction(10**400), Decimal("0.5"), Decimal("nan")),
    *([], [1, 2], [[1], [2, 3]], [[[]]], {}, {"a": 1}, (), set()),
    *(np.array(3.0), np.array([1.0, np.nan]), np.array(["a"]), np.array([None]), np.array([[1j]])),
    *(np.zeros((0, 3)), np.zeros((2, 2, 2, 2)), np.full((6, 5), np.nan), np.ones((6, 5), "M8[s]")),
    *(np.full((12, 2), 1e200), np.full((12, 2), 1e-200), np.zeros((12, 2)), np.zeros((6, 5), "V2")),
    *(np.full((6, 5, 3), -1), np.full((6, 5, 3), 1e9), np.zeros((6, 5, 7)), np.zeros((6, 5), bool)),
]  # fmt: skip


def is_segmentation(result):
    height, width = result.labels.shape
    assert result.labels.dtype == np.int32
    assert result.labels.max() <= len(result.modes)
    assert np.isfinite(result.modes).all()
    return height * width >= result.sizes.sum()


def is_label_array(result):
    return result.dtype == np.int32 and result.ndim >= 2 and -1 <= result.min() <= result.max() > -1


def is_clustering(result):
    centers, labels = result
    assert np.isfinite(centers).all()
    return labels.dtype == np.int64 and -1 <= labels.min() <= labels.max() < len(centers)


def is_model(result):
    return np.isfinite(result.modes).all() and result.bandwidth >= 0


def is_painted(result):
    return result.dtype == np.uint8 and result.shape[-1] == 3


def is_tree(result):
    heights = result.merges[:, 2]
    return result.labels.max() == len(result.sizes) and (np.diff(heights) >= 0).all()


def is_file(result):
    return result is None


def fitted(X=POINTS, y=None, **options):
    model = MeanShift(**options).fit(X, y)
    return model.cluster_centers_, model.labels_


def of(method, *names):
    """A function with these parameters that calls a method."""
    code = f"lambda {', '.join(names)}: method({', '.join(f'{n}={n}' for n in names)})"
    return eval(code, {"method": method})


# Each: a call, arguments that are good, what holds of what it returns.
CALLS = {
    "segment_image": (segment_image, {"image": IMAGE, "bandwidth": 60}, is_segmentation),
    "segment_image joint": (
        segment_image,
        {"image": IMAGE, "features": "joint", "bandwidth": 60, "min_size": 0},
        is_segmentation,
    ),
    "segment_image quantile": (segment_image, {"image": IMAGE}, is_segmentation),
    "segment_image radii": (
        segment_image,
        {"image": IMAGE, "features": "joint", "spatial_radius": 3, "range_radius": 60},
        is_segmentation,
    ),
    "mean_shift_labels": (
        mean_shift_labels,
        {"image": IMAGE, "bandwidth": 60},
        is_label_array,
    ),
    "mean_shift_labels of a volume": (
        mean_shift_labels,
        {"image": np.stack([IMAGE, IMAGE]), "bandwidth": 60},
        is_label_array,
    ),
    "fit_modes": (fit_modes, {"images": [IMAGE], "bandwidth": 60}, is_model),
    "mean_shift": (mean_shift, {"X": POINTS, "bandwidth": 1.0}, is_clustering),
    "mean_shift bins": (
        mean_shift,
        {"X": POINTS, "bandwidth": 1.0, "bin_seeding": True},
        is_clustering,
    ),
    "MeanShift": (fitted, {"bandwidth": 1.0}, is_clustering),
    "MeanShift.predict": (
        of(FITTED.predict, "X"),
        {"X": POINTS},
        lambda labels: 0 <= labels.min() <= labels.max() < len(FITTED.cluster_centers_),
    ),
    "estimate_bandwidth": (
        estimate_bandwidth,
        {"X": POINTS},
        lambda bandwidth: isinstance(bandwidth, np.float64) and 0 <= bandwidth < np.inf,
    ),
    "get_bin_seeds": (
        get_bin_seeds,
        {"X": POINTS, "bin_size": 1.0},
        lambda seeds: np.ndim(seeds) == 2 and np.isfinite(np.asarray(seeds, float)).all(),
    ),
    "Segmentation.recolored": (SEGMENTATION.recolored, {}, is_painted),
    "Segmentation.palette": (SEGMENTATION.palette, {}, is_painted),
    "Segmentation.boundaries": (SEGMENTATION.boundaries, {"image": IMAGE}, is_painted),
    "Segmentation.save": (SEGMENTATION.save, {"path": "a.npz"}, is_file),
    "Segmentation.load": (Segmentation.load, {"path": "saved.npz"}, is_segmentation),
    "hierarchy": (hierarchy, {"image": IMAGE}, is_tree),
    "Hierarchy.cut level": (TREE.cut, {"level": 1.0}, lambda cut: cut.labels.max() >= 1),
    "Hierarchy.cut": (TREE.cut, {"segments": 2}, lambda cut: cut.labels.max() >= 1),
    "Hierarchy.save": (TREE.save, {"path": "a.npz"}, is_file),
    "Hierarchy.load": (Hierarchy.load, {"path": "tree.npz"}, is_tree),
    "Model.save": (MODEL.save, {"path": "a.json"}, is_file),
    "Model.load": (Model.load, {"path": "saved.json"}, is_model),
}
MANY = inspect.signature(mean_shift).parameters.keys() - {"X"}
SETTINGS = inspect.signature(segment_image).parameters.keys() - {"image", "model", "threads"}
MORE = {"fit_modes": SETTINGS - {"mask"}, "MeanShift": MANY, "mean_shift_labels": SETTINGS}
MORE["mean_shift_labels of a volume"] = SETTINGS
SWEPT = [
    (name, parameter)
    for name, (call, _, _) in CALLS.items()
    for parameter in sorted(
        {*inspect.signature(call).parameters, *MORE.get(name, ())} - {"options", "settings"}
    )
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a segmentation, a model and a tree."""
    folder = tmp_path_factory.mktemp("arguments")
    SEGMENTATION.save(folder / "saved.npz")
    MODEL.save(folder / "saved.json")
    TREE.save(folder / "tree.npz")
    return folder


@pytest.mark.filterwarnings("ignore:Binning data failed:UserWarning")
@pytest.mark.parametrize(("name", "parameter"), SWEPT)
def test_any_value_of_any_parameter(name, parameter, folder, monkeypatch):
    """A value gives what the function documents, or an InvalidInputError of one line."""
    monkeypatch.chdir(folder)
    call, good, holds = CALLS[name]
    for value in ODD:
        returned(call, good, parameter, value, holds)


def returned(call, good, parameter, value, holds):
    """What a call with one odd value returns is what it should be, or its error says why not."""
    errors = InvalidInputError, segment.ImageFileError
    try:
        result, said = attempted(lambda: call(**good | {parameter: value}), *errors)
    except Exception as error:
        pytest.fail(f"{parameter}={shown(value)}: {error!r}")
    if said is None:
        assert holds(result), shown(value)
    else:
        assert said
        assert "\n" not in said
        assert len(said) < 1000


def test_every_public_function_is_swept():
    """No public function or class is left out of the sweep but errors."""
    public = {
        name
        for name in segment.__all__
        if inspect.isroutine(getattr(segment, name))
        or (inspect.isclass(getattr(segment, name)) and not name.endswith("Error"))
    }
    assert public <= {name.split()[0].split(".")[0] for name in [*CALLS, *FIGURES]}


FIGURES = {
    "cluster_figure": (cluster_figure, {"X": POINTS, "model": FITTED}),
    "Segmentation.figure": (SEGMENTATION.figure, {"image": IMAGE}),
}


@pytest.mark.parametrize("name", FIGURES)
def test_any_value_of_any_parameter_of_a_figure(name):
    """A value gives a figure, or an InvalidInputError of one line."""
    figure = pytest.importorskip("matplotlib.figure", reason="needs the extra plot")
    call, good = FIGURES[name]
    for parameter in inspect.signature(call).parameters:
        for value in ODD:
            returned(call, good, parameter, value, lambda result: isinstance(result, figure.Figure))


HUGE = np.broadcast_to(np.uint8(1), (46_341, 46_341))


def test_more_pixels_than_32_bits_number():
    """A map of more pixels than 32 bits number is refused before any work, by its shape."""
    message = "expected at most 2147483647 pixels, got 46341 x 46341; split it"
    for refuse in (
        region_polygons,
        lambda regions: connected_regions(regions, regions),
        lambda image: segment_image(image, features="joint"),
        segment_image,
    ):
        with pytest.raises(InvalidInputError, match=message):
            refuse(HUGE)
    rows = np.broadcast_to(np.float32(1), (2**31, 1))
    for refuse in (MeanShift(bandwidth=1).fit, MeanShift(bandwidth=1).fit([[1.0]]).predict):
        with pytest.raises(InvalidInputError, match="expected at most 2147483647 rows"):
            refuse(rows)
