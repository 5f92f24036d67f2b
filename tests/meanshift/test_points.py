"""Rows to distinct points, counted in either way, and values spread back to the rows."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segment.meanshift import points
from segment.meanshift._points import colors_of, count_by_sorting, count_by_table
from segment.meanshift.points import distinct_points
from tests import oracles

COLORS = st.integers(1, 300).flatmap(
    lambda n: arrays.arrays(np.uint8, (n, 3), elements=st.sampled_from([0, 1, 2, 127, 128, 255]))
)
ROWS = st.tuples(st.integers(1, 60), st.sampled_from([1, 2, 3, 4, 6, 20, 70])).flatmap(
    lambda shape: arrays.arrays(
        st.sampled_from([np.float64, np.float32, np.int64, np.uint8]),
        shape,
        elements=st.integers(0, 3),
    )
)
PALETTE = np.random.RandomState(0).randint(0, 256, (2000, 3)).astype(np.uint8)


@given(COLORS)
@settings(deadline=None, max_examples=60)
def test_both_ways_of_counting_agree(pixels):
    """Sorting and the table give the same keys, ascending, and the same counts, all of them."""
    keys, counts, places = count_by_sorting(pixels)
    np.testing.assert_array_equal(colors_of(keys)[places], pixels)
    for found, expected in zip(count_by_table(pixels), (keys, counts), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert (np.diff(keys.astype(np.int64)) > 0).all()
    found = dict(zip(map(tuple, colors_of(keys).tolist()), counts.tolist(), strict=True))
    assert found == oracles.count_rows(pixels)


def test_keys_follow_the_z_order_curve():
    """A key interleaves the bits of red, green and blue, red the highest of each three."""
    keys, _, _ = count_by_sorting(np.array([[0b101, 0b011, 0b110], [255, 255, 255]], np.uint8))
    assert keys.tolist() == [0b101_011_110, 2**24 - 1]


@given(st.one_of(COLORS, ROWS))
@example(np.array([[0.0, 1.0], [-0.0, 1.0]]))
@example(np.array([[-1e308, 5.0], [1e308, 5.0], [-1e308, 5.0]]))
@settings(deadline=None, max_examples=150)
def test_distinct_points_are_the_rows_that_occur(rows):
    """Each row that occurs is one point, weighted by how often, in the dtype of the rows."""
    distinct = distinct_points(rows)
    assert len(distinct.weights) == len(distinct.points)
    found = dict(zip(map(tuple, distinct.points.tolist()), distinct.weights.tolist(), strict=True))
    assert found == oracles.count_rows(rows)
    assert distinct.points.dtype == rows.dtype


@given(st.one_of(COLORS, ROWS), st.sampled_from([-1, 0, 250, 65_530]))
@settings(deadline=None, max_examples=100)
def test_spread_takes_each_value_to_all_rows_of_its_point(rows, first):
    """Numbering the points and spreading the numbers leads back to the rows, at any number."""
    distinct = distinct_points(rows)
    numbers = np.arange(first, first + len(distinct.points), dtype=np.int32)
    spread = distinct.spread(numbers)
    assert spread.dtype == np.int32
    np.testing.assert_array_equal(distinct.points[spread - first], rows)


@pytest.mark.parametrize("table_from", [1, 10**9], ids=["by-table", "by-sorting"])
def test_many_pixels_are_spread_by_all_threads(table_from, monkeypatch):
    """Images large enough for several threads come back whole, counted either way."""
    monkeypatch.setattr(points, "TABLE_FROM", table_from)
    pixels = PALETTE[np.random.RandomState(1).randint(0, len(PALETTE), 2_100_001)]
    distinct = distinct_points(pixels)
    assert distinct.weights.sum() == len(pixels)
    numbers = distinct.spread(np.arange(len(distinct.points), dtype=np.int32))
    np.testing.assert_array_equal(distinct.points[numbers], pixels)
