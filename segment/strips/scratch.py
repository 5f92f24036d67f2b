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
from io import BufferedRandom
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError
from segment.strips.spare_file import SpareFile
from segment.writing import write_whole

Arrays = dict[str, NDArray[Any]]
KEY = "key"
ROWS = "rows.raw"
SPARE = "spare.raw"


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
            self._lock = _locked(folder)
            try:
                if (folder / KEY).read_bytes() != key.encode():
                    os.truncate(folder / KEY, 0)  # what is there is nobody's until it is empty
                    _empty(folder)
                    (folder / KEY).write_text(key)
            except BaseException:
                os.close(self._lock)
                raise

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """Keep what is there after a signal alone: a full disk is not to stay full."""
        with contextlib.ExitStack() as stack:
            if os.name == "posix":  # elsewhere what is open cannot be removed
                stack.callback(os.close, self._lock)
            else:
                os.close(self._lock)
            if kind is None or issubclass(kind, Exception):
                stack.enter_context(contextlib.suppress(OSError))
                _empty(self.folder)
                (self.folder / KEY).unlink()
                self.folder.rmdir()

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

    def rows(self, width: int) -> NumberRows:
        """Return the file of numbers, one for each pixel."""
        with _told(self.folder):
            (self.folder / ROWS).touch()
        return NumberRows(self.folder / ROWS, width)

    def spare(self, most: int) -> SpareFile:
        """Return a file of at most so many bytes for rows that were read."""
        return SpareFile(self.folder / SPARE, most)

    def room(self, size: int) -> Path | None:
        """Return the folder, if so many bytes leave half of what is free on its disk."""
        with _told(self.folder):
            return self.folder if shutil.disk_usage(self.folder).free >= 2 * size else None

    def __getstate__(self) -> dict[str, Path]:
        """Be sent to a worker, which keeps what it makes there; the lock is held here."""
        return {"folder": self.folder}


def forget(folder: Path) -> None:
    """Remove a folder that a run has left, unless another one is at work in it."""
    with contextlib.suppress(ImageFileError), Scratch(folder, ""):
        pass


class Forgetful:
    """In place of a scratch, where nothing is kept: what is needed twice is made twice."""

    def save(self, stage: str, **arrays: NDArray[Any]) -> None:
        """Do nothing."""

    def load(self, stage: str) -> Arrays | None:
        """Return None."""
        return None

    def rows(self, width: int) -> None:
        """Return None: there is no file."""

    def spare(self, most: int) -> None:
        """Return None."""

    def room(self, size: int) -> None:
        """Return None."""


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
        with self._opened(top) as file:
            file.write(content)
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
        with self._opened(top) as file:
            if file.readinto(content) < len(content):
                raise OSError(0, "it is cut off")
        return rows

    def strip(self, scene: object, top: int, bottom: int) -> NDArray[np.int32]:
        """Return rows, as work on the strips of a scene."""
        return self.read(top, bottom)

    @contextlib.contextmanager
    def _opened(self, top: int) -> Iterator[BufferedRandom]:
        with _told(self._path.parent), self._path.open("r+b") as file:
            file.seek(top * self._width * 4)
            yield file

    def holds(self, top: int, bottom: int, checksum: int) -> bool:
        """Return whether rows are there as they were written."""
        try:
            return zlib.crc32(self.read(top, bottom).data.cast("B")) == checksum
        except ImageFileError:
            return False


def _empty(folder: Path) -> None:
    """Remove all but the file of the key, which is held."""
    for path in folder.iterdir():
        if path.name != KEY:
            path.unlink()


def _locked(folder: Path) -> int:
    """Open the file of a folder's key, held against other runs for as long as it is open.

    It may be that of a run that has just ended, which removes it and the folder: then again.
    """
    while True:
        with contextlib.suppress(FileNotFoundError):
            folder.mkdir(parents=True, exist_ok=True)
            number = os.open(folder / KEY, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                _lock(number, folder)
                if os.path.samestat(os.fstat(number), (folder / KEY).stat()):
                    return number
            except BaseException:
                os.close(number)
                raise
            os.close(number)


def _lock(number: int, folder: Path) -> None:
    """Hold an open file for this run alone, where the system can."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ImageFileError(
            f"another run is at work in {folder}; wait for it, or choose another folder with -o"
        ) from None
    except OSError:  # a file system without locks
        return


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ImageFileError(
            f"cannot write into {folder}: {error.strerror or error}; make room, or choose another "
            "folder with -o"
        ) from None
