"""What a scene keeps while it is under way."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from segment.errors import ImageFileError
from segment.strips.scratch import Scratch


def used(folder, key, error=None):
    """Load a stage, save it, and end by an error if there is one; return what was loaded."""
    with Scratch(folder, key) as scratch:
        known = scratch.load("stage")
        scratch.save("stage", numbers=np.arange(3))
        if error is not None:
            raise error
        return known


def test_stages_are_kept_for_a_run_of_the_same_key(tmp_path):
    """What a stage has found is there after a signal, and only for the same key."""
    folder = tmp_path / "scene"
    with pytest.raises(KeyboardInterrupt):
        used(folder, "one", KeyboardInterrupt())
    assert used(folder, "one")["numbers"].tolist() == [0, 1, 2]
    assert not folder.exists()
    with pytest.raises(KeyboardInterrupt):
        used(folder, "one", KeyboardInterrupt())
    assert used(folder, "two") is None


def test_a_damaged_stage_is_none(tmp_path):
    """A file that is cut off is made again."""
    with Scratch(tmp_path / "scene", "key") as scratch:
        scratch.save("stage", numbers=np.arange(1000))
        path = tmp_path / "scene" / "stage.npz"
        path.write_bytes(path.read_bytes()[:500])
        assert scratch.load("stage") is None


def test_an_error_leaves_nothing(tmp_path):
    """After an error the room is given back."""
    with pytest.raises(ValueError, match="full"):
        used(tmp_path / "scene", "key", ValueError("full"))
    assert not (tmp_path / "scene").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="files are not locked there")
@pytest.mark.parametrize("key", ["key", "another"])
def test_two_runs_do_not_share_a_folder(tmp_path, key):
    """A second run is told of the first, whatever its key, and leaves what that one keeps."""
    with Scratch(tmp_path / "scene", "key") as first:
        first.save("stage", numbers=np.arange(3))
        with (
            pytest.raises(ImageFileError, match="another run is at work"),
            Scratch(tmp_path / "scene", key),
        ):
            pass
        assert first.load("stage")["numbers"].tolist() == [0, 1, 2]
    with Scratch(tmp_path / "scene", key) as second:
        assert second.load("stage") is None


def test_a_folder_that_was_half_emptied_is_emptied(tmp_path):
    """A run that was killed while it emptied a folder leaves nothing to rely on."""
    with pytest.raises(KeyboardInterrupt):
        used(tmp_path / "scene", "one", KeyboardInterrupt())
    (tmp_path / "scene" / "key").write_text("")
    assert used(tmp_path / "scene", "one") is None


def test_rows_come_back_and_are_checked(tmp_path):
    """Numbers of pixels are read in other strips than they were written; damage is noticed."""
    numbers = np.arange(60, dtype=np.int32).reshape(10, 6)
    with Scratch(tmp_path / "scene", "key") as scratch:
        rows = scratch.rows(6)
        first, second = rows.write(0, numbers[:7]), rows.write(7, numbers[7:])
        assert np.array_equal(rows.read(3, 9), numbers[3:9])
        assert rows.holds(0, 7, first)
        assert not rows.holds(7, 10, first)
        assert not rows.holds(7, 11, second)


def test_rows_are_read_as_they_were_written(tmp_path):
    """Threads write and read rows in any order."""
    numbers = np.arange(400 * 7, dtype=np.int32).reshape(400, 7)
    with Scratch(tmp_path / "scene", "key") as scratch:
        rows, tops = scratch.rows(7), range(0, 400, 10)
        with ThreadPoolExecutor(8) as pool:
            sums = [*pool.map(lambda top: rows.write(top, numbers[top : top + 10]), tops)]
            found = [*pool.map(lambda top: rows.read(top, top + 10), tops)]
        assert np.array_equal(np.concatenate(found), numbers)
        assert all(map(rows.holds, tops, range(10, 410, 10), sums))
        assert not rows.holds(0, 10, sums[1])
        with pytest.raises(ImageFileError, match="cut off"):
            rows.read(390, 410)
