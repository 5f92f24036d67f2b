"""The core: climbs, the order and the suppression of modes, the nearest mode."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segment.errors import InvalidInputError
from segment.meanshift.modes import Ends, choose_modes, climb_to_ends
from segment.meanshift.tree import build_tree, nearest_mode
from tests import oracles

GROUP_SIZES = [1, 15, 16, 17, 255, 256, 257, 4097]  # groups of 16, of 16 groups, and so on


def line(*xs):
    return np.array(xs, dtype=float)[:, None]


def ends_of(points, seeds, weights=None, **options):
    tree = build_tree(points, np.ones(len(points)) if weights is None else np.array(weights, float))
    return climb_to_ends(tree, np.array(seeds, dtype=float), **options)


def modes_of(points, seeds, weights=None, **options):
    ends = ends_of(points, seeds, weights, **options)
    return choose_modes(ends, options["bandwidth"]).places, ends.n_iter


def some_seeds(points):
    return st.sampled_from([points, points[::3], points + 0.25, points[:1] - 0.5])


def labels_of(points, modes):
    return nearest_mode(build_tree(points, np.ones(len(points))), modes)


@st.composite
def weighted_points(draw):
    """Whole numbers, few enough values for many ties, with a bandwidth that may equal distances."""
    shape = draw(st.tuples(st.integers(1, 80), st.sampled_from([1, 2, 3, 4, 5, 6, 9, 13])))
    top = draw(st.integers(1, 40))
    points = draw(arrays.arrays(np.int64, shape, elements=st.integers(-top, top)))
    weights = draw(arrays.arrays(np.int64, len(points), elements=st.integers(1, 5)))
    return points, weights, draw(st.sampled_from([0.5, 1, 2, 3.37, 5, 10.1, 50]))


@pytest.mark.parametrize(
    ("points", "seeds", "options", "modes", "moves"),
    [
        pytest.param([0, 2, 9], [0], {"bandwidth": 2}, [1], 1, id="edge-counts"),
        pytest.param([0, 2, 9], [0], {"bandwidth": 1.99}, [0], 0, id="beyond-the-edge"),
        pytest.param([0, 2, 3, 3], [0], {"bandwidth": 2}, [2], 2, id="climbs-on"),
        pytest.param([0, 2, 3, 3], [0], {"bandwidth": 2, "max_iter": 0}, [1], 0, id="no-move"),
        pytest.param([0, 2, 3, 3], [0], {"bandwidth": 2, "max_iter": 1}, [2], 1, id="one-move"),
        pytest.param([0, 9], [50, 9], {"bandwidth": 2}, [9], 0, id="lonely-seed-is-dropped"),
        pytest.param([1, 7, 8], [1, 7], {"bandwidth": 2}, [7.5, 1], 1, id="densest-first"),
        pytest.param([1, 5, 9], [5, 1, 9], {"bandwidth": 1}, [9, 5, 1], 0, id="then-largest-first"),
        pytest.param(
            [0, 0, 2],
            [-1.5, 3.5],
            {"bandwidth": 2, "max_iter": 0},
            [0],
            0,
            id="removed-at-the-edge",
        ),
        pytest.param([0, 3, 3], [0, 3], {"bandwidth": 0}, [3, 0], 0, id="zero-bandwidth"),
        pytest.param([0.1] * 3, [0.1], {"bandwidth": 0}, [0.1], 0, id="three-tenths-by-three"),
        pytest.param([-4, 6], [-4], {"bandwidth": 1e300}, [1], 0, id="square-overflows"),
        pytest.param([0, 1, 1e9], [0, 1e9], {"bandwidth": 2}, [0.5, 1e9], 1, id="far-point"),
    ],
)
def test_climbs_end_where_pencil_and_paper_say(points, seeds, options, modes, moves):
    """A seed moves to the mean of the points within the bandwidth until it stays or may not."""
    found, n_iter = modes_of(line(*points), line(*seeds), **options)
    assert found.ravel().tolist() == modes
    assert n_iter == moves


@pytest.mark.parametrize(("ones", "moves"), [(1, 0), (2, 1)], ids=["0.001", "0.002"])
def test_small_steps_stop_a_climb(ones, moves):
    """A climb ends with the first step of no more than a thousandth of the bandwidth."""
    found, n_iter = modes_of(line(0, 1), line(0), [1000 - ones, ones], bandwidth=1)
    assert (found.tolist(), n_iter) == ([[ones / 1000]], moves)


def test_no_seed_near_any_point_is_an_error():
    """If every seed is dropped, the error names the bandwidth and what to do."""
    with pytest.raises(InvalidInputError, match=r"within bandwidth=2\.0+ .* increase the bandw"):
        modes_of(line(0, 1), line(50, -50), bandwidth=2)


def test_a_removed_mode_removes_none():
    """Of three modes in a chain, the densest removes its neighbour; the third stays."""
    points, weights = line(0, 3, 6), [9, 5, 2]
    for seeds, kept in (([0, 4, 7], [15 / 14, 6]), ([4, 7], [27 / 7])):
        found, _ = modes_of(points, line(*seeds), weights, bandwidth=3, max_iter=0)
        assert found.ravel().tolist() == kept


def test_the_last_of_equal_ends_counts():
    """Where seeds end at the same place with different weights, the last one's weight counts."""
    points = np.array([[9, 0], [-1, 0], [3, 9], [3, -9], [6, 9], [6, -9], [99, 99]])
    weights = [26, 2, 2, 2, 11, 11, 40]
    light, heavy, far = [0, 0], [10, 0], [99, 99]  # weights 32, 48 and 40
    for seeds, first in (((light, heavy, far), [7.625, 0]), ((heavy, light, far), far)):
        found, _ = modes_of(points, seeds, weights, bandwidth=10, max_iter=0)
        assert found[0].tolist() == first
        assert len(found) == 2


@given(weighted_points(), st.sampled_from([0, 1, 2, 300]), st.data())
@settings(deadline=None, max_examples=150)
def test_modes_are_those_of_the_oracle(drawn, max_iter, data):
    """Modes and moves over weighted whole numbers are, to the bit, those of repeated points."""
    points, weights, bandwidth = drawn
    seeds = data.draw(some_seeds(points))
    options = {"bandwidth": bandwidth, "max_iter": max_iter}
    try:
        expected = oracles.find_modes(np.repeat(points, weights, axis=0), seeds, **options)
    except ValueError:
        with pytest.raises(InvalidInputError):
            modes_of(points, seeds, weights, **options)
        return
    modes, n_iter = modes_of(points, seeds, weights, **options)
    np.testing.assert_array_equal(modes, expected[0])
    assert n_iter == expected[1]


@given(weighted_points(), st.sampled_from([0, 1, 2, 300]), st.sampled_from([1, 2, 7]), st.data())
@settings(deadline=None, max_examples=150)
def test_ends_are_those_of_the_oracle_seed_by_seed(drawn, max_iter, threads, data):
    """Each seed's end and weight are the oracle's to the bit, or -1; ends go by last seeds."""
    points, weights, bandwidth = drawn
    seeds = data.draw(some_seeds(points))
    options = {"bandwidth": bandwidth, "max_iter": max_iter}
    repeated = np.repeat(points, weights, axis=0)
    expected = [oracles.climb(repeated, seed, **options) for seed in seeds]
    if not any(expected):
        with pytest.raises(InvalidInputError):
            ends_of(points, seeds, weights, threads=threads, **options)
        return
    ends = ends_of(points, seeds, weights, threads=threads, **options)
    rows = list(zip(map(tuple, ends.places.tolist()), ends.weights.tolist(), strict=True))
    found = [rows[row] if row >= 0 else None for row in ends.which]
    assert found == [each and each[:2] for each in expected]
    last = [np.flatnonzero(ends.which == row)[-1] for row in range(len(rows))]
    assert last == sorted(last)


@given(weighted_points(), st.integers(0, 2), st.data())
@settings(deadline=None, max_examples=100)
def test_ends_belong_to_the_nearest_mode(drawn, max_iter, data):
    """Each end has as owner the mode nearest to it, the first of equally near ones."""
    points, weights, bandwidth = drawn
    ends = ends_of(points, points, weights, bandwidth=bandwidth, max_iter=max_iter)
    modes = choose_modes(ends, bandwidth)
    np.testing.assert_array_equal(modes.owner, oracles.nearest_mode(ends.places, modes.places)[0])
    assert modes.owner.dtype == np.int32


def test_climbs_that_meet_share_an_end():
    """Ends are listed once, in the order of the last seeds that came there; the lost have -1."""
    ends = ends_of(line(0, 1, 10), line(10, 0, 50, 1, 0), bandwidth=2, threads=1)
    assert ends.places.tolist() == [[10], [0.5]]
    assert ends.weights.tolist() == [1, 2]
    assert ends.which.tolist() == [0, 1, -1, 1, 1]
    assert ends.n_iter == 1


@pytest.mark.parametrize(
    ("places", "weights", "matters"),
    [([0, 1], [1, 2], False), ([0, 0], [2, 2], False), ([0, 1, 0], [1, 5, 2], True)],
)
def test_the_order_of_ends_matters_where_weights_differ(places, weights, matters):
    """The order of ends matters where equal places have different weights, and only there."""
    which = np.arange(len(places), dtype=np.int32)
    ends = Ends(line(*places), np.array(weights, float), 0, which)
    assert ends.order_matters is matters


@given(weighted_points(), st.sampled_from([0, 1, 3]), st.data())
@settings(deadline=None, max_examples=80)
def test_gaussian_climbs_are_those_of_the_oracle(drawn, max_iter, data):
    """With the Gaussian kernel, ends and weights agree with the oracle's after as many moves."""
    points, weights, bandwidth = drawn
    bandwidth *= 1.00731  # no point exactly three bandwidths from a seed
    seeds = data.draw(some_seeds(points))[:25]
    options = {"bandwidth": bandwidth, "kernel": "gaussian", "max_iter": max_iter}
    repeated = np.repeat(points, weights, axis=0).astype(float)
    expected = [oracles.kernel_climb(repeated, seed, **options) for seed in seeds]
    if not any(expected):
        with pytest.raises(InvalidInputError):
            ends_of(points, seeds, weights, **options)
        return
    ends = ends_of(points, seeds, weights, **options)
    for row, each in zip(ends.which, expected, strict=True):
        assert (row < 0) == (each is None)
        if each is not None:
            np.testing.assert_allclose(ends.places[row], each[0], rtol=0, atol=1e-3 * bandwidth)
            assert ends.weights[row] == pytest.approx(each[1], rel=1e-3)


def test_the_gaussian_is_accurate():
    """The kernel is exp(-d^2 / 2) to 1e-8 up to three bandwidths, and 0 beyond."""
    far = np.append(np.linspace(0, 3, 1000), 3 + np.array([1e-9, 1e-3, 1]))
    firsts = 100.0 * np.arange(len(far))
    points = np.concatenate([firsts, firsts + far])[:, None]
    ends = ends_of(points, firsts[:, None], bandwidth=1, kernel="gaussian", max_iter=0)
    found = ends.weights[ends.which] - 1
    np.testing.assert_allclose(found[:1000], np.exp(-(far[:1000] ** 2) / 2), rtol=0, atol=1e-8)
    assert found[1000:].tolist() == [0, 0, 0]


@given(weighted_points(), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=80)
def test_neither_threads_nor_the_order_of_points_change_modes(drawn, seed):
    """Modes are the same to the bit for any number of threads and any order of the points."""
    points, weights, bandwidth = drawn
    order = np.random.RandomState(seed).permutation(len(points))
    expected, moves = modes_of(points, points, weights, bandwidth=bandwidth, threads=1)
    for threads in (2, 7):
        modes, n_iter = modes_of(
            points[order], points, weights[order], bandwidth=bandwidth, threads=threads
        )
        np.testing.assert_array_equal(modes, expected)
        assert n_iter == moves


@given(weighted_points(), st.data())
@settings(deadline=None, max_examples=100)
def test_nearest_modes_are_those_of_the_oracle(drawn, data):
    """Every point gets its nearest mode, the first of equally near ones, and its distance."""
    points, _, _ = drawn
    shape = (data.draw(st.integers(1, 50)), points.shape[1])
    modes = data.draw(arrays.arrays(np.float64, shape, elements=st.integers(-60, 60))) / 2
    labels, far = labels_of(points, modes)
    expected, expected_far = oracles.nearest_mode(points, modes)
    np.testing.assert_array_equal(labels, expected)
    np.testing.assert_array_equal(far, expected_far)


@pytest.mark.parametrize("dim", [1, 2, 3, 5])
@pytest.mark.parametrize("size", GROUP_SIZES)
def test_sizes_around_group_boundaries(size, dim):
    """Trees whose last groups are full, nearly full or just begun give the oracle's answer."""
    points = np.random.RandomState(size).randint(0, 100, (size, dim))
    seeds = points[: min(size, 25)]
    modes, n_iter = modes_of(points, seeds, bandwidth=20.37)
    expected, moves = oracles.find_modes(points, seeds, 20.37)
    np.testing.assert_array_equal(modes, expected)
    assert n_iter == moves
    labels, far = labels_of(points, modes)
    expected_labels, expected_far = oracles.nearest_mode(points, modes)
    np.testing.assert_array_equal(labels, expected_labels)
    np.testing.assert_array_equal(far, expected_far)


def test_many_modes():
    """Points farther apart than the bandwidth are all modes, and each its own nearest."""
    axis = np.arange(0, 180, 10)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    modes, n_iter = modes_of(points, points, bandwidth=9.5)
    np.testing.assert_array_equal(modes, points[::-1])  # equal weights: coordinates, descending
    assert n_iter == 0
    labels, far = labels_of(points, modes)
    np.testing.assert_array_equal(labels, np.arange(len(points))[::-1])
    assert not far.any()


def test_equally_near_modes_leave_a_point_to_the_first():
    """A point midway between modes takes the one with the lower number, wherever that lies."""
    points = np.tile([[5.0, 5.0]], (40, 1))
    modes = np.array([[20.0, 5.0], [5.0, 8.0], [8.0, 5.0], [2.0, 5.0]])
    assert set(labels_of(points, modes)[0]) == {1}
    assert set(labels_of(points, modes[[0, 3, 2, 1]])[0]) == {1}


@pytest.mark.parametrize("scale", [1e-150, 1e9, 1e150])
def test_scale_does_not_matter(scale):
    """Points, seeds and bandwidth times a factor give modes and distances times that factor."""
    points = np.random.RandomState(0).randint(0, 50, (300, 3)).astype(float)
    modes, n_iter = modes_of(points, points[:40], bandwidth=12.37)
    scaled, scaled_n_iter = modes_of(points * scale, points[:40] * scale, bandwidth=12.37 * scale)
    np.testing.assert_allclose(scaled, modes * scale, rtol=1e-12)
    assert scaled_n_iter == n_iter
    far = labels_of(points * scale, scaled)[1]
    np.testing.assert_allclose(far, labels_of(points, modes)[1] * scale, rtol=1e-9)


def test_real_numbers_agree_with_the_oracle():
    """Over real numbers, sums round by their order: modes agree far within the tolerance."""
    points = np.random.RandomState(1).normal(size=(600, 4)) + 3
    modes, n_iter = modes_of(points, points[:60], bandwidth=1.2)
    expected, moves = oracles.find_modes(points, points[:60], 1.2)
    np.testing.assert_allclose(modes, expected, rtol=0, atol=1e-3 * 1.2)
    assert abs(n_iter - moves) <= 1
