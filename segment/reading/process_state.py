"""What belongs to the whole process and is borrowed while a file is read.

Pillow has its limits in two variables of its modules, Python its filters of warnings in another,
and C libraries write to file descriptor 2. All of it is given back as it was, however many threads
read at once.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from PIL import Image, ImageFile

# Whether each thread has filters of its own; those of a loan are the process's otherwise.
APART = bool(getattr(sys.flags, "context_aware_warnings", False))
LONGEST = 20  # lines; a damaged file can bring forth thousands
_turns = threading.Lock()


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


_STDERR = _is_open(2)  # asked before any file that is read can have got its number


class _Loan:
    """Readers that want the same share it, so that they decode at once; others wait for them.

    Those that come later queue behind one that waits: nobody waits for ever. Not to be entered
    twice by one thread.
    """

    def __init__(self) -> None:
        self._queue = threading.Lock()
        self._returned = threading.Condition()
        self._readers = 0
        self._wanted: tuple[int, bool] | None = None
        self._given_back = contextlib.ExitStack()

    def enter(self, wanted: tuple[int, bool]) -> None:
        with self._queue, self._returned:
            while self._readers and self._wanted != wanted:
                self._returned.wait()
            if not self._readers:
                self._given_back.enter_context(_as_wanted(*wanted))
                self._wanted = wanted
            self._readers += 1

    def leave(self) -> None:
        with self._returned:
            self._readers -= 1
            if not self._readers:
                self._given_back.close()
                self._returned.notify_all()


_loan = _Loan()


@contextmanager
def borrowed(max_pixels: int, *, lenient: bool = False) -> Iterator[None]:
    """Read by Pillow: no words of damaged metadata, no image of more pixels in an image.

    Parameters
    ----------
    max_pixels : int
        An image that has more raises Pillow's DecompressionBombError or its Warning.
    lenient : bool, default False
        Whether what is cut off is taken as far as it goes.
    """
    _loan.enter((max_pixels, lenient))
    try:
        with _quiet() if APART else contextlib.nullcontext():
            yield
    finally:
        _loan.leave()


@contextmanager
def _as_wanted(max_pixels: int, lenient: bool) -> Iterator[None]:
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = max_pixels, lenient
    try:
        with contextlib.nullcontext() if APART else _quiet():
            yield
    finally:
        Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = before


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


@contextmanager
def held_back() -> Iterator[list[str]]:
    """Hold back what is written to file descriptor 2, and give it as a list of lines at the end.

    The descriptor belongs to the whole process: one thread at a time may hold it, and what
    other threads say meanwhile is held back, too. Where Python has no stderr, or
    there was no such descriptor, it may be any file's by now, so nothing is done.
    """
    said: list[str] = []
    if sys.stderr is None or not _STDERR:
        yield said
        return
    with _turns, _passing_file() as file:
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or of its own kind
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
