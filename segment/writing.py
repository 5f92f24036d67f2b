"""Results to files: each appears under its name only when it is complete."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from segment.errors import ImageFileError, StdoutError
from segment.passing import passing

STDOUT = Path("-")


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write beside the target under a passing name, then rename: all of the file or nothing.

    Parameters
    ----------
    path : Path
        ``-`` is standard output; what is no file, a pipe or a device, is written to as it is.
        Of a link, the file that it points to is replaced.
    write : callable
        Writes to the binary file that it gets.

    Raises
    ------
    ImageFileError
        If the folder takes no file, or the disk is full.
    StdoutError
        If it is standard output that takes no more.
    """
    if path == STDOUT:
        return _to_stdout(_made(write))
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(_made(write))
        else:
            _by_renaming(Path(os.path.realpath(path)), write)
    except OSError as error:
        raise ImageFileError(f"cannot write {path}: {error.strerror or error}") from None


def make_folder(path: Path) -> None:
    """Make a folder for results, and those above it, unless it is there."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageFileError(
            f"cannot make the folder {path}: {error.strerror}; choose another with -o"
        ) from None
    if not os.access(path, os.W_OK):
        raise ImageFileError(f"cannot write into {path}; choose another folder with -o")


def _by_renaming(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    with passing(path) as name:
        with name.open("r+b") as file:
            write(file)
        name.replace(path)


def _made(write: Callable[[IO[bytes]], object]) -> bytes:
    """All bytes before the first is sent; formats such as TIFF also go back in the file."""
    content = io.BytesIO()
    write(content)
    return content.getvalue()


def _to_stdout(content: bytes) -> None:
    if sys.stdout is None:
        raise ImageFileError("standard output is closed; name a file")
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise StdoutError(error.errno, error.strerror) from None
