"""Windows: all rows and all climbs that wait are in one of them, with rows around."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segment.meanshift.modes import Climbs
from segment.windows import planned_windows as module
from segment.windows.planned_windows import least_rows, planned_windows, windows_around


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=60),
    st.floats(0, 9),
    st.integers(0, 60),
    st.sampled_from([1, 2, 7, 50]),
)
def test_planned_windows_follow_each_other(heights, radius, more, parts):
    """Seeds of each row of bins are in one window, which has no more rows than it may."""
    starts = np.append(0, np.cumsum(heights))
    rows = int(least_rows(radius)) + more
    windows = planned_windows(starts, radius, rows, parts)
    assert [windows[0].first, *(window.end for window in windows)] == [
        *(window.first for window in windows),
        starts[-1],
    ]
    for window in windows:
        assert 0 <= window.top <= window.first < window.end <= window.bottom <= starts[-1]
        assert window.bottom - window.top <= rows
        assert {window.first, window.end} <= {*starts}


def test_many_get_windows_of_their_own_down_to_a_few_radii():
    """A crew of many gets as many windows, unless they would hold little but rows around."""
    starts = np.arange(10_001)
    few = planned_windows(starts, 15.0, 9_000, 4)
    assert len(few) == 4
    many = planned_windows(starts, 15.0, 9_000, 1_000)
    assert len(planned_windows(starts, 15.0, 9_000)) < len(few) < len(many)
    assert min(window.end - window.first for window in many[:-1]) >= module.OWN * 15


@given(
    st.lists(st.floats(0, 299), min_size=1, max_size=40),
    st.floats(0, 20),
    st.integers(0, 90),
    st.sampled_from([1, 3, 1 << 16]),
)
def test_each_climb_that_waits_is_led_on_once(rows, radius, more, together):
    """Every climb is in one window, by the order of seeds, and its ball lies in that."""
    places = np.stack([np.zeros(len(rows)), rows], axis=1)
    seeds = np.random.default_rng(0).choice(999, len(rows), replace=False)
    seeds.sort()
    climbs = Climbs(places, np.zeros(len(rows), np.int32), seeds)
    height = int(least_rows(radius)) + more
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TOGETHER", together)
        windows = [*windows_around(climbs, radius, height, 300)]
    assert sorted(np.concatenate([window.waiting.seeds for window in windows])) == [*seeds]
    for window in windows:
        assert 0 <= window.top < window.bottom <= 300
        assert window.bottom - window.top <= height
        assert len(window.waiting.seeds) <= together
        assert (np.diff(window.waiting.seeds) > 0).all()
        at = window.waiting.places[:, 1]
        assert window.first == int(at.min())
        assert window.top == 0 or window.top <= at.min() - radius
        assert window.bottom == 300 or at.max() + radius <= window.bottom - 1
