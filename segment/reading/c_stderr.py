"""What C libraries print on their own: libtiff writes to file descriptor 2 past Python."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

LONGEST = 20  # lines; a damaged file can bring forth thousands
_turns = threading.Lock()


@contextmanager
def held_back() -> Iterator[list[str]]:
    """Hold back what is written to file descriptor 2, and give it as a list of lines at the end.

    The descriptor belongs to the whole process: one thread at a time may hold it, and what
    other threads say meanwhile is held back, too. Where Python has no stderr the
    descriptor may be any file's, so nothing is done.
    """
    said: list[str] = []
    if sys.stderr is None:
        yield said
        return
    with _turns, _passing_file() as file:
        sys.stderr.flush()
        own = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(own, 2)
            os.close(own)
            file.seek(0)
            said.extend(_lines(file.read(1 << 16)))


def _passing_file() -> IO[bytes]:
    if hasattr(os, "memfd_create"):  # works where no folder can be written to
        return os.fdopen(os.memfd_create("stderr"), "w+b")
    import tempfile  # elsewhere it is not needed

    return tempfile.TemporaryFile()


def _lines(said: bytes) -> list[str]:
    lines = list(dict.fromkeys(said.decode("ascii", "backslashreplace").splitlines()))
    return [line for line in lines[:LONGEST] if line.strip()]
