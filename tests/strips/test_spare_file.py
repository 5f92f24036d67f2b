"""Blocks of rows in a file: as they were, or not there."""

import shutil

import numpy as np
import pytest

from segment.strips import spare_file
from segment.strips.spare_file import SpareFile

BLOCK = np.arange(24, dtype=np.uint16).reshape(4, 3, 2), np.arange(12).reshape(4, 3) % 5 > 0
SIZE = 24 * 2 + 12
LONG = 1e9  # seconds that reading took: writing is quicker


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rows"


def test_rows_of_a_block_come_back_as_they_were(path):
    """Any rows of any block have their values, types, and hidden pixels, if there are any."""
    file = SpareFile(path, 1 << 10)
    file.put(7, BLOCK, LONG)
    file.put(2, (BLOCK[0] + 1, None), LONG)
    for first, end in ((0, 4), (1, 3), (3, 4)):
        values, visible = file.get(7, first, end)
        assert values.dtype == np.uint16
        assert np.array_equal(values, BLOCK[0][first:end])
        assert np.array_equal(visible, BLOCK[1][first:end])
        values, visible = file.get(2, first, end)
        assert np.array_equal(values, BLOCK[0][first:end] + 1)
        assert visible is None
    assert file.get(0, 0, 4) is None


def test_no_more_than_there_is_room_for_is_taken(path):
    """A block beyond the limit is not kept, a smaller one still is; the file grows no further."""
    file = SpareFile(path, SIZE + 48)
    file.put(0, BLOCK, LONG)
    file.put(1, BLOCK, LONG)
    assert (file.has_room(48), file.has_room(49)) == (True, False)
    file.put(2, (BLOCK[0], None), LONG)
    assert [file.get(number, 0, 4) is None for number in range(3)] == [False, True, False]
    assert path.stat().st_size == SIZE + 48


def test_half_of_a_disk_is_left(path, monkeypatch):
    """What is free on the disk is for results, too."""
    free = shutil.disk_usage(path.parent)._replace(free=2 * SIZE)
    monkeypatch.setattr(spare_file.shutil, "disk_usage", lambda folder: free)
    assert [SpareFile(path, 1 << 20).has_room(size) for size in (SIZE, SIZE + 1)] == [True, False]


def test_a_slow_disk_is_written_to_once(path):
    """After a block that took longer to write than to read no other is written."""
    file = SpareFile(path, 1 << 20)
    file.put(0, BLOCK, 0.0)
    file.put(1, BLOCK, LONG)
    assert file.get(0, 0, 4) is not None
    assert file.get(1, 0, 4) is None
    assert not file.has_room(1)


def test_a_full_disk_gets_its_room_back(path):
    """When a block cannot be written the file goes, and with it what was in it."""
    file = SpareFile(path, 1 << 20)
    file.put(0, BLOCK, LONG)
    path.unlink()
    path.mkdir()  # which nobody can write into
    file.put(1, BLOCK, LONG)
    assert [file.get(number, 0, 4) for number in (0, 1)] == [None, None]
    assert not file.has_room(1)


def test_what_was_cut_off_is_not_there(path):
    """Of a file that somebody has cut off nothing wrong is read."""
    file = SpareFile(path, 1 << 20)
    file.put(0, BLOCK, LONG)
    path.write_bytes(path.read_bytes()[:-1])
    assert file.get(0, 0, 4) is None
