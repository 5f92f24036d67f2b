"""The density that is climbed, and single climbs up it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segment.meanshift.density import climb_paths, kernel_density
from segment.meanshift.modes import climb_to_ends
from segment.meanshift.tree import build_tree

POINTS = np.random.default_rng(0).normal(size=(80, 2)) * 3
WEIGHTS = np.random.default_rng(1).integers(1, 9, 80).astype(float)


def slow_density(place, bandwidth, kernel):
    """The definition, one point after the other."""
    total = 0.0
    for point, weight in zip(POINTS, WEIGHTS, strict=True):
        d = np.hypot(*(point - place)) / bandwidth
        if kernel == "flat":
            total += weight * max(0.0, 1 - d**2)
        elif d < 3:
            total += weight * (np.exp(-(d**2) / 2) - np.exp(-4.5)) / (1 - np.exp(-4.5))
    return total / WEIGHTS.sum()


@settings(deadline=None)
@given(st.floats(-9, 9), st.floats(-9, 9), st.floats(0.3, 9), st.sampled_from(["flat", "gaussian"]))
def test_density_is_its_definition(x, y, bandwidth, kernel):
    """The density at any place is the weighted mean of the kernel's values."""
    place = np.array([[x, y]])
    found = kernel_density(place, POINTS, WEIGHTS, bandwidth=bandwidth, kernel=kernel)
    assert found[0] == pytest.approx(slow_density(place[0], bandwidth, kernel), abs=1e-12)


def test_density_of_many_places_is_taken_in_parts(monkeypatch):
    """However few distances fit into memory at a time, the densities are the same."""
    expected = kernel_density(POINTS, POINTS, WEIGHTS, bandwidth=2.0)
    monkeypatch.setattr("segment.meanshift.density.AT_ONCE", 1)
    in_parts = kernel_density(POINTS, POINTS, WEIGHTS, bandwidth=2.0)
    np.testing.assert_allclose(in_parts, expected, rtol=1e-14)


def test_no_bandwidth_counts_equal_points():
    """With bandwidth 0 the density of a point is its share."""
    density = kernel_density(POINTS, POINTS, WEIGHTS, bandwidth=0.0)
    np.testing.assert_allclose(density, WEIGHTS / WEIGHTS.sum())


@pytest.mark.parametrize("kernel", ["flat", "gaussian"])
def test_paths_end_where_climbs_end_and_only_rise(kernel):
    """A path ends where the climb of its start ends, and the density never falls along it."""
    tree = build_tree(POINTS, WEIGHTS)
    options = {"bandwidth": 2.0, "kernel": kernel}
    paths = climb_paths(tree, POINTS[:20], **options)
    ends = climb_to_ends(tree, POINTS[:20], **options)
    for start, path, which in zip(POINTS, paths, ends.which, strict=False):
        np.testing.assert_array_equal(path[0], start)
        np.testing.assert_allclose(path[-1], ends.places[which], atol=2e-3 * 2.0)
        heights = kernel_density(path, POINTS, WEIGHTS, **options)
        assert (np.diff(heights) >= -1e-12).all()


def test_paths_stop_at_max_iter():
    """A path has no more moves than climbs may have, and its last one."""
    tree = build_tree(POINTS, WEIGHTS)
    long, short = (
        climb_paths(tree, POINTS[:1], bandwidth=2.0, kernel="gaussian", max_iter=most)[0]
        for most in (300, 2)
    )
    assert len(long) > 4
    np.testing.assert_array_equal(short, long[:4])
