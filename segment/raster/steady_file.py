"""A file that must stay as it is while it is read piece by piece."""

from __future__ import annotations

import os
import platform
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from segment.errors import ImageFileError

CHANGED = "has changed while it was read; wait until it is written, and start again"


class SteadyFile:
    """Opens a file as often as it is asked to, and refuses it once it is another.

    Attributes
    ----------
    path : Path
    size : int
        Bytes.

    Raises
    ------
    ImageFileError
        If there is no such file, or it is none of which parts can be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            status = path.stat()  # to open a pipe would wait for its writer
        except FileNotFoundError:
            raise ImageFileError("no such file; check the name") from None
        except OSError as error:
            raise ImageFileError(f"cannot be read: {error.strerror}; check it") from None
        if stat.S_ISDIR(status.st_mode):
            raise ImageFileError("is a folder, expected an image; name the files in it")
        if not stat.S_ISREG(status.st_mode):
            raise ImageFileError("is a pipe or a device, expected a file; save it to one")
        self.size = status.st_size
        self._seen = _identity(status)

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open it for one thread; check before and after that it is what it was.

        Raises
        ------
        ImageFileError
            If it has changed, whatever reading it brought about.
        """
        try:
            with self.path.open("rb", buffering=0) as file:
                self._check(os.fstat(file.fileno()))
                try:
                    yield file
                finally:
                    self._check(os.fstat(file.fileno()))
        except FileNotFoundError:
            raise ImageFileError("was removed while it was read; start again") from None
        except OSError as error:
            if not error.errno:  # of a decoder, about bytes that it got
                raise
            raise ImageFileError(f"cannot be read: {error.strerror}; check it") from error

    def __reduce__(self) -> tuple[Any, ...]:
        return reopened, (SteadyFile, (self.path.absolute(),), self.size)

    def check(self) -> None:
        """Raise ImageFileError if it has changed: for those that open it by themselves."""
        try:
            self._check(self.path.stat())
        except FileNotFoundError:
            raise ImageFileError("was removed while it was read; start again") from None

    def _check(self, status: os.stat_result) -> None:
        if _identity(status) != self._seen:
            raise ImageFileError(CHANGED)


def reopened(kind: Any, arguments: tuple[Any, ...], size: int | None = None) -> Any:
    """Return a source, or a file, as another process or machine has it under the same path.

    Parameters
    ----------
    kind : type
    arguments : tuple
        Its own; the first is the path.
    size : int, optional
        Bytes that the file must have.

    Raises
    ------
    ImageFileError
        If it is not there, or another file.
    """
    path = arguments[0]
    if not path.exists():
        raise ImageFileError(
            f"is not there for a worker ({platform.node()}: no file {path}); workers need the same "
            "folders under the same paths: a shared file system"
        )
    if size is not None and path.stat().st_size != size:
        raise ImageFileError(
            f"is another file for a worker ({platform.node()}: {path} has {path.stat().st_size:,} "
            f"bytes, expected {size:,}); workers need the same folders under the same paths"
        )
    return kind(*arguments)


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns
