"""Blocks of rows in a file beside the results, while that is quicker than reading them anew."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Read = tuple[NDArray[Any], NDArray[np.bool_] | None]  # values, and where there are any
OF_DISK = 2  # at most half of what is free: results need room, too


class SpareFile:
    """Takes blocks as they are in memory, mostly into the pages that the system has to spare.

    It takes no more once the disk is full, or a block took longer to write than to read: a slow
    disk costs the time of one block. Any threads may use it.

    Parameters
    ----------
    path : Path
        What is in it counts for nothing; whoever empties the folder removes it.
    most : int
        Bytes that it may take.
    """

    def __init__(self, path: Path, most: int) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._blocks: dict[int, tuple[int, tuple[int, ...], np.dtype[Any], bool]] = {}
        self._end = 0
        self._most = min(most, shutil.disk_usage(path.parent).free // OF_DISK)

    def has_room(self, size: int) -> bool:
        """Return whether it would take so many bytes."""
        return self._end + size <= self._most

    def put(self, number: int, block: Read, seconds: float) -> None:
        """Keep a block, which took so many seconds to read, if there is room for it."""
        parts = [np.ascontiguousarray(part) for part in block if part is not None]
        size = sum(part.nbytes for part in parts)
        with self._lock:
            if self._end + size > self._most:
                return
            start, self._end = self._end, self._end + size
        begun = time.perf_counter()
        try:
            self._path.touch()
            with self._path.open("r+b") as file:
                file.seek(start)
                for part in parts:
                    file.write(part.data.cast("B"))
        except OSError:
            self._give_up()
            return
        if time.perf_counter() - begun > seconds:
            self._most = 0
        values, visible = block
        with self._lock:
            self._blocks[number] = start, values.shape, values.dtype, visible is not None

    def get(self, number: int, first: int, end: int) -> Read | None:
        """Return rows of a block, counted from its first; None if they are not there."""
        place = self._blocks.get(number)
        if place is None:
            return None
        start, (height, width, count), dtype, has_hidden = place
        values = np.empty((end - first, width, count), dtype)
        visible = np.empty((end - first, width), np.bool_) if has_hidden else None
        row = width * count * dtype.itemsize
        try:
            with self._path.open("rb", buffering=0) as file:
                _fill(file, start + first * row, values)
                if visible is not None:
                    _fill(file, start + height * row + first * width, visible)
        except OSError:
            return None
        return values, visible

    def _give_up(self) -> None:
        """Give back what the disk needs."""
        with self._lock:
            self._most = 0
            self._blocks.clear()
        with contextlib.suppress(OSError):
            self._path.unlink()


def _fill(file: Any, start: int, part: NDArray[Any]) -> None:
    """Read an array, which the system may hand out in pieces."""
    file.seek(start)
    rest = part.data.cast("B")
    while rest:
        got = file.readinto(rest)
        if not got:
            raise OSError(0, "it is cut off")
        rest = rest[got:]
