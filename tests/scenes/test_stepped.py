"""Climbs step by step over points in parts: the ends of climbs over all points at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segment import InvalidInputError
from segment.meanshift.modes import choose_modes, climb_to_ends
from segment.meanshift.tree import add_balls, build_tree
from segment.scenes.stepped import asked, begun, ends_of, stepped


def climbed(points, seeds, parts, bandwidth, max_iter=300):
    """Where climbs end over points of which each part is looked at once in each step."""
    climbs, passes = begun(seeds), 0
    while climbs.going.any():
        places, which = asked(climbs)
        sums = np.zeros((len(places), points.shape[1] + 1))
        for part in np.array_split(points, parts):
            if len(part):
                add_balls(build_tree(part, np.ones(len(part))), places, bandwidth, sums)
        climbs = stepped(climbs, sums[which], bandwidth=bandwidth, max_iter=max_iter)
        passes += 1
    return ends_of(climbs, bandwidth), passes


def or_error(call, *arguments, **options):
    """What a call returns, or what its error says."""
    try:
        return call(*arguments, **options)
    except InvalidInputError as error:
        return str(error)


def around(points, place, bandwidth):
    """The points within the bandwidth of a place, one by one."""
    return [point for point in points if sum((point - place) ** 2) <= bandwidth**2]


@given(
    st.integers(0, 9999),
    st.integers(1, 5),
    st.integers(1, 80),
    st.integers(1, 7),
    st.sampled_from([3.0, 8.0, 40.0]),
    st.sampled_from([0, 1, 3, 300]),
)
@settings(deadline=None, max_examples=80)
def test_parts_give_the_ends_of_all_points(seed, dimensions, count, parts, bandwidth, max_iter):
    """Ends, their weights, the longest climb and the modes are those of one tree, to the bit."""
    generator = np.random.default_rng(seed)
    points = generator.integers(0, 40 << 12, (count, dimensions)) / 4096.0  # sums are exact
    seeds = generator.uniform(-5, 45, (9, dimensions))
    tree = build_tree(points, np.ones(count))
    options = {"bandwidth": bandwidth, "max_iter": max_iter}
    expected = or_error(climb_to_ends, tree, seeds, **options)
    found = or_error(climbed, points, seeds, parts, **options)
    if isinstance(expected, str):
        assert found == expected
        return
    found, passes = found
    assert found.n_iter == expected.n_iter == passes - 1
    assert np.array_equal(found.which < 0, expected.which < 0)
    came = expected.which >= 0
    for name in ("places", "weights"):
        mine, theirs = getattr(found, name), getattr(expected, name)
        assert np.array_equal(mine[found.which[came]], theirs[expected.which[came]])
    modes, others = choose_modes(found, bandwidth), choose_modes(expected, bandwidth)
    assert np.array_equal(modes.places, others.places)


def test_balls_hold_what_lies_within_them():
    """Sums and weights are those of the points within the bandwidth, on the surface among them."""
    points = np.random.default_rng(3).integers(0, 20, (500, 2)).astype(float)
    places, sums = points[:40] + [[0.0, 1.0]], np.ones((40, 3))
    add_balls(build_tree(points, np.ones(500)), places, 4.0, sums)
    for place, own in zip(places, sums, strict=True):
        near = around(points, place, 4.0)
        assert own.tolist() == [
            1 + sum(p[0] for p in near),
            1 + sum(p[1] for p in near),
            1 + len(near),
        ]


def test_climbs_that_meet_ask_once():
    """Climbs at one place need its sums once, and those that have ended need none."""
    climbs = begun(np.array([[1.0], [5.0], [1.0]]))
    places, which = asked(climbs)
    assert (places.ravel().tolist(), which.tolist()) == ([1.0, 5.0], [0, 1, 0])
    sums = np.array([[2.0, 1.0], [5.0, 1.0], [2.0, 1.0]])
    climbs = stepped(climbs, sums, bandwidth=3.0)
    assert (climbs.going.tolist(), climbs.moves) == ([True, False, True], 1)
    assert asked(climbs)[0].ravel().tolist() == [2.0]


def test_climbs_without_seeds_are_refused():
    """No seed is an error, as of climbs in memory."""
    with pytest.raises(InvalidInputError, match="seeds: expected at least one"):
        begun(np.empty((0, 3)))
