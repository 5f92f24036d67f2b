"""Distinct rows by hashing: those that occur, in the order they came in, however often it grows."""

from collections import Counter

import numpy as np
import pytest

from segment.meanshift.points import LEAST, RowTable


@pytest.mark.parametrize(
    ("columns", "kind"), [(1, np.uint8), (4, np.uint8), (4, np.uint16), (13, np.uint16), (3, "f8")]
)
def test_rows_are_counted_in_the_order_in_which_they_came(columns, kind):
    """Rows of any width, added in parts, have the places and counts that a dictionary gives."""
    rows = np.random.default_rng(0).integers(0, 9, (5 * LEAST, columns)).astype(kind)
    table = RowTable(columns, kind)
    places = np.concatenate([table.add(rows[:100]), table.add(rows[100:])])
    expected = Counter(map(bytes, rows))
    assert [*map(bytes, table.rows)] == [*expected]
    assert table.counts.tolist() == [*expected.values()]
    assert np.array_equal(table.rows[places], rows)
    assert np.array_equal(table.find(rows), places)


def test_tables_add_up():
    """Distinct rows of parts, added with their counts, count as all rows do."""
    rows = np.random.default_rng(0).integers(0, 50, (3000, 2)).astype(np.uint16)
    whole, added = RowTable(2, np.uint16), RowTable(2, np.uint16)
    whole.add(rows)
    for part in np.split(rows, 3):
        one = RowTable(2, np.uint16)
        one.add(part)
        added.add(one.rows, one.counts)
    assert np.array_equal(added.rows, whole.rows)
    assert np.array_equal(added.counts, whole.counts)


def test_rows_that_never_came_are_not_found():
    """A row that was not added has the place -1, in an empty table, too."""
    table = RowTable(1, np.uint16)
    assert table.find(np.zeros((2, 1), np.uint16)).tolist() == [-1, -1]
    table.add(np.array([[3]], np.uint16))
    assert table.find(np.array([[0], [3], [4], [4]], np.uint16)).tolist() == [-1, 0, -1, -1]
    assert len(table.add(np.empty((0, 1), np.uint16))) == 0
