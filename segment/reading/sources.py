"""Where bytes come from: files, and pipes, which are read to their end first."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from segment.errors import ImageFileError, UnknownKindError
from segment.streams import is_standard, is_stream

PIPED = 2 << 30  # bytes that are taken from a pipe; more would not fit beside the pixels
PIECE = 1 << 20  # bytes at a time: all at once would claim the most that there can be
HEAD = 4096  # bytes that tell what kind of file it is


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, a pipe or standard input, ``-``, so that one can go back in it.

    Raises
    ------
    ImageFileError
        If it cannot be opened or nothing is in it.
    """
    try:
        if is_standard(path):
            yield _all_of_stdin()
            return
        if path.is_dir():
            raise UnknownKindError("is a folder; name the image files in it")
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode):
                if not status.st_size:
                    raise ImageFileError("is empty; expected an image")
                yield file
            else:
                yield _all_of(file)
    except FileNotFoundError:
        raise ImageFileError("no such file; check the name") from None
    except PermissionError:
        raise ImageFileError("may not be read; check its permissions") from None
    except OSError as error:
        raise ImageFileError(f"cannot be read: {error.strerror}; check its name") from None


def head_of(path: Path) -> bytes | None:
    """Return how a file begins, of a folder nothing; None for a stream and what is not there."""
    if is_stream(path):
        return None
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError:  # told by those who read it
        return b"" if path.is_dir() else None


def _all_of_stdin() -> io.BytesIO:
    if sys.stdin is None:
        raise ImageFileError("standard input is closed; pipe an image in, or name a file")
    return _all_of(sys.stdin.buffer)


def _all_of(pipe: BinaryIO) -> io.BytesIO:
    from segment.reading.formats import kind_of

    head = pipe.read(HEAD)
    if not head:
        raise ImageFileError("is empty; pipe an image in, or name a file")
    kind_of(head)  # an endless pipe of anything else is refused here
    content = io.BytesIO(head)
    content.seek(0, io.SEEK_END)
    while more := pipe.read(PIECE):
        content.write(more)
        if content.tell() > PIPED:
            raise ImageFileError(
                f"is a pipe of more than {PIPED:,} bytes; save it to a file, and name that"
            )
    content.seek(0)
    return content
