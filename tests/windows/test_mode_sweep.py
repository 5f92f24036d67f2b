"""Modes of ends that come in a sweep: those that are chosen with all of them at hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segment.meanshift.modes import Ends, choose_modes
from segment.windows.mode_sweep import ModeSweep, SweptEnds, TooEarlyError, chosen_between


def ends_of(seed, count):
    """Ends along a sweep, on a grid so that many are equal or exactly as far as the bandwidth."""
    rng = np.random.default_rng(seed)
    places = np.stack(
        [rng.integers(0, 4, count), np.sort(rng.integers(0, count // 4, count)), np.zeros(count)],
        axis=1,
    )
    return places.astype(float), rng.integers(1, 5, count).astype(float)


@given(st.integers(0, 9999), st.sampled_from([8, 40, 200]), st.sampled_from([0.5, 1.0, 2.3]))
@settings(deadline=None, max_examples=40)
def test_a_sweep_chooses_what_is_chosen_of_all_at_once(seed, count, bandwidth):
    """Ends in portions, those behind chosen for good: the modes of `choose_modes`, in its order."""
    places, weights = ends_of(seed, count)
    expected = choose_modes(Ends(places, weights, 0, np.arange(count, dtype=np.int32)), bandwidth)
    sweep = ModeSweep(3, bandwidth)
    for first in range(0, count, 7):
        part = slice(first, min(first + 7, count))
        sweep.add(SweptEnds(places[part], weights[part], np.arange(count)[part]))
        sweep.settle(places[part.stop, 1] - 2 * bandwidth if part.stop < count else np.inf)
    np.testing.assert_array_equal(sweep.modes(), expected.places)


@given(st.integers(0, 9999), st.sampled_from([40, 200]), st.sampled_from([0.5, 1.0, 2.3]))
@settings(deadline=None, max_examples=40)
def test_modes_chosen_apart_are_those_chosen_of_all_at_once(seed, count, bandwidth):
    """Parts of the rows, each with its modes chosen by itself, join in any order to the modes."""
    places, weights = ends_of(seed, count)
    expected = choose_modes(Ends(places, weights, 0, np.arange(count, dtype=np.int32)), bandwidth)
    sweep = ModeSweep(3, bandwidth)
    for first in np.random.default_rng(seed).permutation(range(0, count, 40)):
        part = slice(first, first + 40)
        ends = SweptEnds(places[part], weights[part], np.arange(40))
        low, high = places[part, 1].min(), places[part, 1].max()
        modes, left = chosen_between(ends, bandwidth, low if first else -np.inf, high)
        assert len(modes.places) + len(left.places) < 40
        sweep.add(modes.beside(left).numbered_from(first))
        sweep.settle(-np.inf)
    np.testing.assert_array_equal(sweep.modes(), expected.places)


def test_of_equal_ends_the_last_seed_counts():
    """Whichever comes first, the weight is that of the end with the highest number of a seed."""
    sweep = ModeSweep(2, 1.0)
    sweep.add(SweptEnds(np.array([[0.0, 0.0], [0.9, 0.0]]), np.array([2.0, 5.0]), np.array([7, 1])))
    sweep.add(SweptEnds(np.array([[0.0, 0.0]]), np.array([9.0]), np.array([3])))
    assert sweep.modes().tolist() == [[0.9, 0.0]]


@pytest.mark.parametrize(
    ("place", "weight", "outcome"),
    [
        pytest.param([0.0, 0.5], 1, [[0, 0], [0, 9]], id="removed-by-a-denser-one"),
        pytest.param([0.0, 0.0], 4, [[0, 0], [0, 9]], id="the-same-again"),
        pytest.param([7.0, 0.5], 1, [[0, 0], [0, 9], [7, 0.5]], id="a-mode-of-its-own"),
        pytest.param([0.0, 0.5], 6, None, id="denser"),
        pytest.param([0.0, 0.0], 3, None, id="takes-its-weight"),
    ],
)
def test_an_end_that_comes_late(place, weight, outcome):
    """An end among modes chosen for good changes none of them, or is an error."""
    sweep = ModeSweep(2, 1.0)
    sweep.add(SweptEnds(np.array([[0.0, 0.0], [0.0, 9.0]]), np.array([4.0, 2.0]), np.array([0, 1])))
    sweep.settle(5.0)
    sweep.add(SweptEnds(np.array([place]), np.array([float(weight)]), np.array([2])))
    if outcome is None:
        with pytest.raises(TooEarlyError):
            sweep.modes()
    else:
        assert sweep.modes().tolist() == outcome
