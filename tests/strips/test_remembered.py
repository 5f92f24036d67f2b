"""Remembered rows: those that were read, whatever is asked for in whatever order."""

import pickle
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segment import ImageFileError
from segment.raster.npy_rows import NpySource
from segment.strips.remembered import Remembered
from segment.strips.rows import SceneRows
from segment.strips.spare_file import SpareFile
from tests.scenes.sources import ArraySource

HEIGHT, WIDTH = 23, 5


def source_of(alpha, hidden):
    """A raster of four bands, the last of which may be alpha, and where it has values."""
    chance = np.random.default_rng(5)
    image = chance.integers(0, 3, (HEIGHT, WIDTH, 4), np.uint8)
    visible = chance.random((HEIGHT, WIDTH)) > 0.2 if hidden else None
    return ArraySource(image, alpha, visible)


def same(one, other):
    """Whether what was read of two is equal, and hidden pixels are where they were."""
    pairs = [np.ones((1, 1), bool) if part is None else part for part in (one[1], other[1])]
    return np.array_equal(one[0], other[0]) and np.array_equal(*pairs)


READS = st.lists(
    st.tuples(st.integers(0, HEIGHT - 1), st.integers(1, HEIGHT)).map(
        lambda pair: (pair[0], min(sum(pair), HEIGHT))
    ),
    min_size=1,
    max_size=12,
)


@given(
    READS,
    st.integers(0, 800),
    st.integers(1, HEIGHT + 1),
    st.booleans(),
    st.booleans(),
    st.integers(0, 800),
    st.sampled_from([None, 0, 200, 1 << 20]),
)
@settings(deadline=None, max_examples=150)
def test_rows_are_those_of_the_file_in_any_order(
    tmp_path_factory, reads, most, block, alpha, hidden, later, spare
):
    """Any reads, with room for any blocks in memory and in a file, give what the source gives."""
    plain = SceneRows(source_of(alpha, hidden), [2, 0], shown=(2, 2, 0))
    source = source_of(alpha, hidden)
    remembered = Remembered(most, HEIGHT, block, plain.bytes_of_row)
    rows = replace(plain, source=source, remembered=remembered)
    if spare is not None:
        remembered.spare = SpareFile(tmp_path_factory.mktemp("spare") / "rows", spare)
    for number, (top, bottom) in enumerate(reads):
        assert same(rows.stored(top, bottom), plain.stored(top, bottom))
        assert np.array_equal(rows.as_shown(top, bottom), plain.as_shown(top, bottom))
        if alpha:
            assert np.array_equal(rows.opacity(top, bottom), plain.opacity(top, bottom))
        if number == 3:
            remembered.keep_within(later)
        assert remembered.taken <= remembered.most <= most


def test_what_there_is_room_for_is_read_once():
    """Rows of a block are read with it, and never again; others are read as they are asked for."""
    source = ArraySource(np.zeros((30, 4, 3), np.uint8))
    rows = SceneRows(source, [0, 1, 2])
    rows = replace(rows, remembered=Remembered(2 * 10 * rows.bytes_of_row, 30, 10, 16))
    for _ in range(3):
        for top in range(0, 30, 5):
            rows.stored(top, top + 5)
    whole, parts = [(0, 10), (10, 20)], 3 * [(20, 25), (25, 30)]
    assert source.reads == whole + parts
    rows.as_shown(0, 20)
    rows.remembered.keep_within(200)
    rows.stored(0, 20)
    assert source.reads[len(whole + parts) :] == [(10, 20)]
    assert rows.remembered.taken <= 200


def test_what_is_shared_cannot_be_written_to():
    """Remembered values are the same array for everybody, so that nobody may change them."""
    rows = SceneRows(source_of(False, True), [0, 1, 2])
    rows = replace(rows, remembered=Remembered(1 << 20, HEIGHT, 4, rows.bytes_of_row))
    values, visible = rows.stored(0, 4)
    assert np.shares_memory(values, rows.stored(0, 4)[0])
    for array in (values, visible):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize("spare", [0, 200, 1 << 20])
def test_threads_share_what_is_remembered(tmp_path, spare):
    """Threads that read all rows at once, in other orders, get those of the file."""
    source = source_of(True, True)
    plain = SceneRows(source, [0, 1, 2])
    rows = replace(plain, remembered=Remembered(300, HEIGHT, 3, plain.bytes_of_row))
    rows.remembered.spare = SpareFile(tmp_path / "rows", spare)
    expected = {top: plain.stored(top, top + 1) for top in range(HEIGHT)}
    wrong = []

    def read(seed):
        for _ in range(20):
            for top in np.random.default_rng(seed).permutation(HEIGHT).tolist():
                if not same(rows.stored(top, top + 1), expected[top]):
                    wrong.append(top)
                assert rows.remembered.taken <= 300

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_failed_read_takes_no_room():
    """After an error there is as much room as before, and what was asked for is read again."""
    source = ArraySource(np.zeros((4, 4, 1), np.uint8))
    rows = SceneRows(source, [0])
    rows = replace(rows, remembered=Remembered(4 * rows.bytes_of_row, 4, 4, rows.bytes_of_row))
    failing, source.read = source.read, lambda *_: (_ for _ in ()).throw(OSError("gone"))
    with pytest.raises(OSError, match="gone"):
        rows.stored(0, 4)
    source.read = failing
    rows.stored(0, 4)
    rows.stored(0, 4)
    assert source.reads == [(0, 4)]


def test_a_file_that_changes_is_told_of(tmp_path):
    """Also rows that need not be read are refused once the file is another."""
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((6, 5), np.uint8))
    rows = SceneRows(NpySource(path), [0], shown=(0,))
    rows = replace(rows, remembered=Remembered(1 << 10, 6, 6, rows.bytes_of_row))
    rows.stored(0, 6)
    np.save(path, np.ones((7, 5), np.uint8))
    for read in (rows.stored, rows.as_shown):
        with pytest.raises(ImageFileError, match="has changed while it was read"):
            read(0, 6)


def test_nothing_that_is_remembered_is_sent_to_workers():
    """In another process rows are read anew."""
    remembered = Remembered(1 << 10, 4, 4, 4)
    remembered.read(0, 4, lambda top, bottom: (np.zeros((bottom - top, 4, 1), np.uint8), None))
    assert remembered.taken
    packed = pickle.dumps(remembered)
    assert len(packed) < 100
    assert pickle.loads(packed).most == 0
