"""The search for the bandwidth that gives about so many segments."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segment import InvalidInputError, segment_image
from segment.meanshift.bandwidth import bandwidth_for


def steps(bounds):
    """A count that falls by one at each of the bounds."""
    return lambda h: 1 + sum(h < bound for bound in bounds)


@settings(deadline=None)
@given(st.lists(st.floats(1.5, 900), min_size=1, max_size=12), st.integers(1, 15))
def test_a_falling_count_is_met_or_come_nearest(bounds, target):
    """Where the count falls, no bandwidth of three digits comes nearer to the target."""
    count = steps(bounds)
    bandwidth, tried = bandwidth_for(count, target, 1, 1024)
    others = [float(f"{h:.3g}") for h in np.geomspace(1.01, 1020, 500)]
    nearest = min(abs(count(h) - target) for h in others)
    assert tried[bandwidth] == count(bandwidth)
    assert abs(count(bandwidth) - target) <= nearest
    assert bandwidth == float(f"{bandwidth:.4g}")
    assert len(tried) <= 18


def test_ties_go_to_fewer_segments_then_to_the_widest_bandwidth():
    """Between 4 and 2 segments for a target of 3, the widest bandwidth with 2 is taken."""
    bandwidth, tried = bandwidth_for(lambda h: 4 if h < 10 else 2, 3, 1, 64)
    assert tried[bandwidth] == 2
    assert bandwidth == max(h for h, count in tried.items() if count == 2)


def test_bandwidths_without_segments_count_as_too_narrow():
    """Where a bandwidth gives no seed, the search goes on towards wider ones."""

    def count(bandwidth):
        if bandwidth < 20:
            raise InvalidInputError("no seed")
        return 3

    bandwidth, tried = bandwidth_for(count, 5, 1, 64)
    assert bandwidth >= 20
    assert set(tried.values()) == {3}


def test_no_bandwidth_with_segments_is_the_error_of_the_last():
    """Where nothing gives segments, the reason comes through."""

    def count(bandwidth):
        raise InvalidInputError("no seed at all")

    with pytest.raises(InvalidInputError, match="no seed at all"):
        bandwidth_for(count, 5, 1, 64)


@pytest.mark.parametrize("target", [1, 4, 30])
@pytest.mark.parametrize("options", [{}, {"color_space": "lab", "min_size": 20}])
def test_image_with_a_target(bundled_photos, target, options):
    """The bandwidth that is told gives the same segmentation again."""
    image = bundled_photos["coffee"]
    found = segment_image(image, target_segments=target, **options)
    again = segment_image(image, bandwidth=found.bandwidth, **options)
    assert abs(len(found.sizes) - target) <= max(1, 0.1 * target)
    np.testing.assert_array_equal(found.labels, again.labels)
    assert found.settings.target_segments == target


def test_target_in_the_joint_domain(bundled_photos):
    """Connected regions are what is counted where they are what is numbered."""
    image = bundled_photos["astronaut"]
    found = segment_image(image, features="joint", target_segments=12, min_size=40)
    again = segment_image(image, features="joint", bandwidth=found.bandwidth, min_size=40)
    assert abs(len(found.sizes) - 12) <= 3
    np.testing.assert_array_equal(found.labels, again.labels)


def test_more_segments_than_colours_are_all_colours():
    """A target beyond the number of colours gives each colour a segment of its own."""
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert len(segment_image(image, target_segments=1000).sizes) == 12


@pytest.mark.parametrize(
    "other", [{"bandwidth": 9}, {"features": "joint", "spatial_radius": 5, "range_radius": 9}]
)
def test_target_beside_a_bandwidth(other):
    """A target and a bandwidth exclude each other."""
    with pytest.raises(InvalidInputError, match="target_segments: expected none beside"):
        segment_image(np.zeros((3, 3), np.uint8), target_segments=2, **other)


@pytest.mark.parametrize(("low", "high"), [(8.0, 8.0), (8.0, 8.0001)])
def test_a_range_of_one_bandwidth(low, high):
    """Where there is only one bandwidth to try, it is tried, and is the answer."""
    assert bandwidth_for(lambda h: 3, 5, low, high) == (8.0, {8.0: 3})


@pytest.mark.parametrize(("low", "high"), [(9.0, 8.0), (0.0, 8.0), (float("nan"), 8.0)])
def test_a_range_that_is_none(low, high):
    """A range without a bandwidth in it is refused."""
    with pytest.raises(InvalidInputError, match="low and high: expected 0 < low <= high"):
        bandwidth_for(lambda h: 3, 5, low, high)
