"""What a scene needs while it is segmented: a file of numbers of its pixels, results of stages.

All lies in one folder beside the results, under a name that begins with a dot, and goes when the
results are there. A run that was killed leaves it; the next one goes on with what is in it, if it
does the same with the same image.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError
from segment.writing import write_whole

Arrays = dict[str, NDArray[Any]]
KEY = "key"
ROWS = "rows.raw"
BINARY = getattr(os, "O_BINARY", 0)  # Windows
AT_A_PLACE = hasattr(os, "preadv") and hasattr(os, "pwrite")  # Windows has neither


class Scratch:
    """The folder of a scene under way.

    Parameters
    ----------
    folder : Path
        Made if it is missing, emptied if it is that of another key.
    key : str
        A digest of all that the results depend on.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder
        with _told(folder):
            if not _is_of(folder, key):
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                write_whole(folder / KEY, lambda file: file.write(key.encode()))
            self._lock = _locked(folder / KEY)

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """Keep what is there after a signal alone: a full disk is not to stay full."""
        os.close(self._lock)
        if kind is None or issubclass(kind, Exception):
            shutil.rmtree(self.folder, ignore_errors=True)

    def save(self, stage: str, **arrays: NDArray[Any]) -> None:
        """Keep the result of a stage."""
        write_whole(
            self.folder / f"{stage}.npz", lambda file: np.savez(file, allow_pickle=False, **arrays)
        )

    def load(self, stage: str) -> Arrays | None:
        """Return the result of a stage; None if there is none that is whole."""
        try:
            with (self.folder / f"{stage}.npz").open("rb") as file:
                return dict(np.load(file, allow_pickle=False))
        except Exception:  # not there, cut off, damaged: it is made again
            return None

    def forget(self, stage: str) -> None:
        """Remove the result of a stage that later ones have taken up."""
        (self.folder / f"{stage}.npz").unlink(missing_ok=True)

    def rows(self, width: int) -> NumberRows:
        """Return the file of numbers, one for each pixel."""
        with _told(self.folder):
            os.close(os.open(self.folder / ROWS, os.O_RDWR | os.O_CREAT | BINARY))
        return NumberRows(self.folder / ROWS, width)

    def __getstate__(self) -> dict[str, Path]:
        """Be sent to a worker, which keeps what it makes there; the lock is held here."""
        return {"folder": self.folder}


class Forgetful:
    """In place of a scratch, where nothing is kept: what is needed twice is made twice."""

    def save(self, stage: str, **arrays: NDArray[Any]) -> None:
        """Do nothing."""

    def load(self, stage: str) -> Arrays | None:
        """Return None."""
        return None

    def rows(self, width: int) -> None:
        """Return None: there is no file."""


class NumberRows:
    """Numbers of the pixels of a scene, 4 bytes each, row by row in a file; for any threads.

    No memory map: its pages would count as the memory of the process. The file is opened each time:
    what another machine of a shared file system has written is sure to be seen by whoever opens it
    after that.
    """

    def __init__(self, path: Path, width: int) -> None:
        self._path, self._width = path, width

    def write(self, top: int, rows: NDArray[np.int32]) -> int:
        """Write rows from `top` on; return a checksum of them."""
        content = np.ascontiguousarray(rows).data.cast("B")
        with self._opened(os.O_WRONLY) as number:
            done = 0
            while done < len(content):
                done += _put(number, content[done:], top * self._width * 4 + done)
        return zlib.crc32(content)

    def read(self, top: int, bottom: int) -> NDArray[np.int32]:
        """Return the rows from `top` to above `bottom`, (h, W).

        Raises
        ------
        ImageFileError
            If they are not there.
        """
        rows = np.empty((bottom - top, self._width), np.int32)
        content = rows.data.cast("B")
        with self._opened(os.O_RDONLY) as number:
            done = 0
            while done < len(content):
                got = _take(number, content[done:], top * self._width * 4 + done)
                if not got:
                    raise OSError(0, "it is cut off")
                done += got
        return rows

    def strip(self, scene: object, top: int, bottom: int) -> NDArray[np.int32]:
        """Return rows, as work on the strips of a scene."""
        return self.read(top, bottom)

    @contextlib.contextmanager
    def _opened(self, flags: int) -> Iterator[int]:
        with _told(self._path.parent):
            number = os.open(self._path, flags | BINARY)
            try:
                yield number
            finally:
                os.close(number)

    def holds(self, top: int, bottom: int, checksum: int) -> bool:
        """Return whether rows are there as they were written."""
        try:
            return zlib.crc32(self.read(top, bottom).data.cast("B")) == checksum
        except ImageFileError:
            return False


def _is_of(folder: Path, key: str) -> bool:
    try:
        return (folder / KEY).read_text(errors="replace") == key
    except OSError:
        return False


def _locked(path: Path) -> int:
    """Open the key's file, held against other runs for as long as it is open."""
    number = os.open(path, os.O_RDWR)
    if os.name == "posix":
        import fcntl

        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(number)
            raise ImageFileError(
                f"another run is at work in {path.parent}; wait for it, or choose another folder"
            ) from None
    return number


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ImageFileError(
            f"cannot write into {folder}: {error.strerror or error}; make room, or choose another "
            "folder with -o"
        ) from None


def _put(number: int, content: memoryview, place: int) -> int:
    """Write some of the bytes at a place of an open file of one's own; return how many."""
    if AT_A_PLACE:
        return os.pwrite(number, content, place)
    os.lseek(number, place, os.SEEK_SET)
    return os.write(number, content)


def _take(number: int, content: memoryview, place: int) -> int:
    """Read some of the bytes likewise; return how many."""
    if AT_A_PLACE:
        return os.preadv(number, [content], place)
    os.lseek(number, place, os.SEEK_SET)
    got = os.read(number, len(content))
    content[: len(got)] = got
    return len(got)
