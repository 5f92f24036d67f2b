"""The joint domain: climbs over the pixels of an image, and their nearest modes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segment.errors import InvalidInputError
from segment.meanshift.modes import choose_modes, climb_to_ends
from segment.meanshift.tree import build_tree
from segment.pixels.joint import build_pyramid, label_pixels, pixel_points
from tests import oracles

UNITS = [(7.3, 9.1), (2.6, 60.7), (15.7, 20.3), (40.9, 3.3), (0.63, 11.9), (1e30, 31.7)]
BANDS = [1, 2, 3, 4, 7]
SHAPES = [(1, 1), (1, 3), (4, 4), (5, 1), (17, 33), (1, 70), (65, 2), (16, 16), (15, 31)]


def textured(shape, channels, kind, seed):
    """An image of whole numbers, or of floats with 12 bits behind the point; with a gradient."""
    rng = np.random.default_rng(seed)
    slope = np.add.outer(np.linspace(0, 90, shape[0]), np.linspace(0, 90, shape[1]))
    image = slope[..., None] + rng.integers(0, 70, (*shape, channels))
    return image.astype(np.uint8) if kind == "uint8" else np.rint(image / 1.037 * 2**12) / 2**12


@st.composite
def images(draw, kinds=("uint8", "float64"), units=UNITS):
    """A small image, what of it is visible, and units."""
    seed = draw(st.integers(0, 999))
    shape = draw(st.sampled_from(SHAPES))
    image = textured(shape, draw(st.sampled_from(BANDS)), draw(st.sampled_from(kinds)), seed)
    visible = None
    if draw(st.booleans()):
        visible = np.random.default_rng(seed).random(shape) < draw(st.sampled_from([0.1, 0.6]))
        visible[-1, -1] = True
    return image, visible, draw(st.sampled_from(units))


def some_seeds(points, seed, count=12):
    """Points, and places beside them, some of those with nothing around."""
    rng = np.random.default_rng(seed)
    chosen = points[rng.integers(0, len(points), count)]
    beside = rng.normal(0, [[0], [0.2], [0.6]] * (count // 3), chosen.shape)
    beside[:, np.abs(points).max(axis=0) < 1e-9] = 0  # where a step is 1e30 pixels wide
    return chosen + beside


def climbed(ground, seeds, **options):
    """Where each seed ends, with the weight there; NaN and 0 if there was nothing around it."""
    try:
        ends = climb_to_ends(ground, seeds, **options)
    except InvalidInputError:
        return np.full(np.shape(seeds), np.nan), np.zeros(len(seeds)), 0
    lost = ends.which < 0
    places = np.where(lost[:, None], np.nan, ends.places[ends.which])
    return places, np.where(lost, 0, ends.weights[ends.which]), ends.n_iter


@given(images(), st.sampled_from([0, 1, 300]), st.sampled_from([0.7, 1.0, 1.9]))
@settings(deadline=None, max_examples=150)
def test_climbs_are_those_of_the_oracle(drawn, max_iter, bandwidth):
    """Each climb over a pyramid ends at the mean of the same pixels as the oracle's.

    Pixels on the surface of a ball, but for rounding, are nobody's: such climbs are left out.
    """
    image, visible, units = drawn
    points = pixel_points(image, visible, units)
    options = {"bandwidth": bandwidth, "max_iter": max_iter}
    seeds = some_seeds(points, len(points))
    places, weights, _ = climbed(build_pyramid(image, visible, units), seeds, **options)
    for seed, place, weight in zip(seeds, places, weights, strict=True):
        expected = oracles.kernel_climb(points, seed, **options)
        if oracles.gap_to_surface(points, seed, **options) < 1e-9:
            continue
        assert weight == (expected[1] if expected else 0)
        if expected:
            np.testing.assert_allclose(place, expected[0], rtol=0, atol=1e-8)


@given(images(kinds=["float64"]), st.sampled_from([0, 1, 300]), st.sampled_from([0.4, 1.0]))
@settings(deadline=None, max_examples=100)
def test_gaussian_climbs_are_those_of_the_oracle(drawn, max_iter, bandwidth):
    """With the Gaussian kernel, climbs end within the tolerance of the oracle's ends."""
    image, visible, units = drawn
    points = pixel_points(image, visible, units)
    options = {"bandwidth": bandwidth, "kernel": "gaussian", "max_iter": max_iter}
    seeds = some_seeds(points, len(points))
    places, weights, _ = climbed(build_pyramid(image, visible, units), seeds, **options)
    for seed, place, weight in zip(seeds, places, weights, strict=True):
        expected = oracles.kernel_climb(points, seed, **options)
        if oracles.gap_to_surface(points, seed, **options) < 1e-9:
            continue
        assert weight == pytest.approx(expected[1] if expected else 0, rel=1e-3)
        if expected:
            np.testing.assert_allclose(place, expected[0], rtol=0, atol=1e-3 * bandwidth)


@pytest.mark.parametrize("kernel", ["flat", "gaussian"])
@pytest.mark.parametrize("kind", ["uint8", "float64"])
@pytest.mark.parametrize("units", UNITS, ids=str)
def test_pyramids_and_trees_lead_to_the_same_ends(units, kind, kernel):
    """On an image of several levels, climbs end as on a tree of its points: places and weights."""
    image = textured((91, 150), 3, kind, 5)
    visible = np.random.default_rng(1).random((91, 150)) < 0.8
    visible[:40, 64:128] = False
    points = pixel_points(image, visible, units)
    if kernel == "gaussian":
        image = image.astype(np.float64)
    seeds = points[:: 20 if kernel == "flat" else 100]
    options = {"bandwidth": 1.0, "kernel": kernel}
    pyramid = climbed(build_pyramid(image, visible, units), seeds, **options)
    tree = climbed(build_tree(points, np.ones(len(points))), seeds, **options)
    if kernel == "flat":
        same = pyramid[1] == tree[1]
        assert same.mean() > 0.99, "but for pixels on a surface"
        np.testing.assert_allclose(pyramid[0][same], tree[0][same], rtol=0, atol=1e-8)
    else:
        np.testing.assert_allclose(pyramid[0], tree[0], rtol=0, atol=1e-6)
        np.testing.assert_allclose(pyramid[1], tree[1], rtol=1e-6)


@pytest.mark.parametrize("kind", ["uint8", "float64"])
@pytest.mark.parametrize(
    ("bandwidth", "weight", "mean"),
    [
        pytest.param(1.0, 2, [0.5, 0, 0], id="edge-counts"),
        pytest.param(1 - 1e-12, 1, [1, 0, 0], id="beyond-the-edge"),
        pytest.param(1.4143, 3, [1, 0, 1 / 3], id="place-and-value"),
        pytest.param(3.7, 5, [2, 0, 0.8], id="whole-image"),
        pytest.param(1e3, 5, [2, 0, 0.8], id="far-beyond-the-image"),
    ],
)
def test_drawn_balls(kind, bandwidth, weight, mean):
    """A ball holds the pixels up to its surface; drawn with units of 1 pixel and 4 grey levels."""
    image = np.array([0, 0, 4, 4, 8])[None, :, None].astype(kind)
    options = {"bandwidth": bandwidth, "max_iter": 0}
    places, weights, _ = climbed(
        build_pyramid(image, None, (1.0, 4.0)), np.array([[1.0, 0, 0]]), **options
    )
    assert weights.tolist() == [weight]
    np.testing.assert_allclose(places, [mean], rtol=0, atol=1e-9 * bandwidth)


@pytest.mark.parametrize("kind", ["uint8", "float64"])
def test_pixels_that_are_not_visible_are_not_there(kind):
    """A masked pixel counts nowhere, whatever its value."""
    image = np.array([[[10], [255], [30]]]).astype(kind)
    visible = np.array([[True, False, True]])
    places, weights, _ = climbed(
        build_pyramid(image, visible, (9.0, 99.0)), np.zeros((1, 3)), bandwidth=9.0
    )
    assert weights.tolist() == [2]
    np.testing.assert_allclose(places, [[1 / 9, 0, 20 / 99]], atol=1e-9)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_ends_do_not_depend_on_threads(monkeypatch, threads):
    """Each seed's end and weight, and the modes, are the same to the bit on any threads."""
    image, units = textured((70, 90), 3, "float64", 3), (8.3, 17.9)
    points = pixel_points(image, None, units)
    ground = build_pyramid(image, None, units)
    expected = climb_to_ends(ground, points, bandwidth=1.0, threads=1)
    monkeypatch.setattr("segment.threads.available_cores", lambda: threads)
    monkeypatch.setattr("segment.meanshift.modes.available_cores", lambda: threads)
    ground = build_pyramid(image, None, units)
    found = climb_to_ends(ground, points, bandwidth=1.0, threads=threads)
    for ends in ("places", "weights"):
        for_each = [getattr(each, ends)[each.which] for each in (found, expected)]
        np.testing.assert_array_equal(*for_each)
    assert found.n_iter == expected.n_iter
    np.testing.assert_array_equal(
        choose_modes(found, 1.0).places, choose_modes(expected, 1.0).places
    )


def brute_labels(points, modes, limit):
    """The number of the nearest mode from 1 on, 0 beyond the limit; and by how little it won."""
    table = np.stack([oracles.distances(points, mode) for mode in modes])
    nearest = table.min(axis=0)
    close = np.sort(np.concatenate([table, np.full((1, len(points)), np.inf)]), axis=0)
    gap = np.minimum(close[1] - nearest, abs(nearest - limit))
    return np.where(nearest <= limit, table.argmin(axis=0) + 1, 0), gap


@given(
    images(units=UNITS[:-1]),
    st.integers(1, 40),
    st.sampled_from([np.inf, 0.6, 1.0]),
    st.integers(0, 99),
)
@settings(deadline=None, max_examples=150)
def test_labels_are_those_of_brute_force(drawn, count, limit, seed):
    """Each visible pixel gets the number of its nearest mode, 0 beyond the limit; others get 0."""
    image, visible, units = drawn
    points = pixel_points(image, visible, units)
    modes = np.random.default_rng(seed).permutation(points)[:count] * 0.999
    bandwidth = 1.3
    labels = label_pixels(
        build_pyramid(image, visible, units), modes, bandwidth=bandwidth, limit=limit
    )
    assert (labels.shape, labels.dtype) == (image.shape[:2], np.int32)
    shown = np.ones(labels.shape, bool) if visible is None else visible
    assert not labels[~shown].any()
    expected, gap = brute_labels(points, modes, limit * bandwidth)
    sure = gap > 1e-9 * (1 + np.abs(points).max())
    np.testing.assert_array_equal(labels[shown][sure], expected[sure])


@pytest.mark.parametrize("kind", ["uint8", "float64"])
@pytest.mark.parametrize(
    ("modes", "limit", "labels"),
    [
        pytest.param([[0, 0, 0], [4, 0, 0]], np.inf, [1, 1, 1, 2, 2], id="tie-to-the-first"),
        pytest.param([[4, 0, 0], [0, 0, 0]], np.inf, [2, 2, 1, 1, 1], id="whichever-that-is"),
        pytest.param([[1, 0, 0], [1, 0, 0]], np.inf, [1, 1, 1, 1, 1], id="equal-modes"),
        pytest.param([[0, 0, 0], [4, 0, 0]], 0.5, [1, 1, 0, 2, 2], id="up-to-the-limit"),
        pytest.param([[0, 0, 0.5]], 1.0, [1, 1, 0, 0, 0], id="values-count"),
    ],
)
def test_drawn_labels(kind, modes, limit, labels):
    """Drawn rows of pixels of value 0, with a bandwidth of 2 pixels: what is nearest, and ties."""
    image = np.zeros((1, 5, 1), kind)
    pyramid = build_pyramid(image, None, (1.0, 4.0))
    found = label_pixels(pyramid, np.array(modes, float), bandwidth=2.0, limit=limit)
    assert found.tolist() == [labels]


@pytest.mark.parametrize("range_unit", [1e-2, 1e-4, 1e-6])
def test_labels_of_floats_that_single_precision_cannot_tell_apart(range_unit):
    """However narrow the range radius, boxes pass on the nearest mode of every pixel."""
    image, units = textured((30, 40), 3, "float64", 3), (5.3, range_unit)
    points = pixel_points(image, None, units)
    modes = np.random.default_rng(3).permutation(points)[:300] + 0.3
    labels = label_pixels(build_pyramid(image, None, units), modes, bandwidth=1.0)
    expected, gap = brute_labels(points, modes, np.inf)
    sure = gap > 1e-9 * np.abs(points).max()
    assert sure.mean() > 0.9
    np.testing.assert_array_equal(labels.ravel()[sure], expected[sure])


@pytest.mark.parametrize("radius", [5, 10, 13, 20, 26, 37])
def test_the_limit_is_the_surface_of_the_ball(radius):
    """A pixel that is as far from its mode as the radius is within it, as in a climb."""
    image = np.full((1, 2 * radius + 1, 1), 90, np.uint8)
    units = float(radius), 7.0
    mode = pixel_points(image, None, units)[radius : radius + 1]
    labels = label_pixels(build_pyramid(image, None, units), mode, bandwidth=1.0, limit=1.0)
    assert labels.all()


@pytest.mark.parametrize("count", [1, 2, 500, 4000])
def test_labels_with_any_number_of_modes(count):
    """One mode or as many as pixels, in a corner or everywhere: the nearest wins."""
    image, units = textured((50, 80), 3, "float64", 8), (9.7, 21.3)
    points = pixel_points(image, None, units)
    modes = points[:count] if count < 500 else points[:: 4000 // count]
    labels = label_pixels(build_pyramid(image, None, units), modes, bandwidth=1.0)
    expected, gap = brute_labels(points, modes, np.inf)
    np.testing.assert_array_equal(labels.ravel()[gap > 1e-9], expected[gap > 1e-9])
    assert (gap > 1e-9).mean() > 0.99


def test_labels_without_weight_for_position():
    """Where position counts for nothing, a pixel still has a nearest mode."""
    image = textured((64, 64), 3, "float64", 4)[::4, ::4].repeat(4, axis=0).repeat(4, axis=1)
    pyramid = build_pyramid(image, None, (1e30, 31.7))
    modes = pixel_points(image, None, (1e30, 31.7))[::300] * 0.999
    assert label_pixels(pyramid, modes, bandwidth=1.3).all()


@pytest.mark.parametrize("kind", ["uint8", "float64"])
@pytest.mark.parametrize("channels", [5, 33, 300])
def test_hundreds_of_bands(channels, kind):
    """However many bands, balls hold the pixels, and labels name the modes, of the definition."""
    image = textured((12, 19), channels, kind, 7)
    units = 4.3, 14.7 * np.sqrt(channels)
    points, pyramid = pixel_points(image, None, units), build_pyramid(image, None, units)
    options = {"bandwidth": 2.6, "max_iter": 3}
    places, weights, _ = climbed(pyramid, points[::9], **options)
    for seed, place, weight in zip(points[::9], places, weights, strict=True):
        expected = oracles.kernel_climb(points, seed, **options)
        assert weight == expected[1] > 1
        np.testing.assert_allclose(place, expected[0], rtol=0, atol=1e-9)
    modes = points[::31]
    expected, gap = brute_labels(points, modes, 1.3 * 2.6)
    assert gap.min() > 1e-9
    labels = label_pixels(pyramid, modes, bandwidth=2.6, limit=1.3)
    np.testing.assert_array_equal(labels.ravel(), expected)
    assert len(np.unique(expected)) > 2
