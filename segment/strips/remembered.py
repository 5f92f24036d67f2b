"""Rows of a scene as they were read, kept for the next time, in what memory is left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.strips.spare_file import Read, SpareFile


class Remembered:
    """Blocks of rows, the first ones to come: most of a pass over a scene is inflating its tiles.

    The next ones go to a file, if there is one. A block that is kept is read whole, also where only
    some of its rows are wanted. What is returned may be shared, and cannot be written to then. Any
    threads may read.

    Parameters
    ----------
    most : int
        Bytes that blocks may take.
    height : int
        Rows of the scene.
    rows : int
        Of a block: those of a strip, or of a row of tiles where strips are lower.
    row : int
        Bytes of a row at most; 0 for those of no scene, of which nothing is remembered.

    Attributes
    ----------
    most, taken : int
        Bytes that blocks may take in memory, and those that are taken.
    spare : SpareFile or None
        Takes blocks that the memory has no room for.
    """

    def __init__(self, most: int = 0, height: int = 1, rows: int = 1, row: int = 0) -> None:
        self.most, self.taken = most, 0
        self.spare: SpareFile | None = None
        self._height, self._rows, self._row = height, rows, row
        self._lock = threading.Lock()
        self._turns: dict[int, threading.Lock] = {}  # of threads that want the same block
        self._blocks: dict[int, Read] = {}

    def read(self, top: int, bottom: int, read: Callable[[int, int], Read]) -> Read:
        """Return the rows from `top` to above `bottom`, as `read` has them or once had them."""
        if not self._row:
            return read(top, bottom)
        parts = []
        for number in self._numbers(top, bottom):
            parts.append(self._known(number, top, bottom) or self._anew(number, top, bottom, read))
        return _joined(parts)

    def recall(self, top: int, bottom: int) -> Read | None:
        """Return the same if all of it is there, else None."""
        if not self._row:
            return None
        parts = []
        for number in self._numbers(top, bottom):
            part = self._known(number, top, bottom)
            if part is None:
                return None
            parts.append(part)
        return _joined(parts)

    def keep_within(self, most: int) -> None:
        """Take no more than so many bytes from now on, nor more than before: others need them."""
        with self._lock:
            self.most = max(0, min(self.most, most))
            for number in sorted(self._blocks, reverse=True):
                if self.taken > self.most:
                    self.taken -= _size(self._blocks.pop(number))

    def __reduce__(self) -> tuple[type[Remembered], tuple[()]]:
        """Be sent to another process as what remembers nothing."""
        return Remembered, ()

    def _kept(self, number: int, read: Callable[[int, int], Read]) -> Read | None:
        """Read a block and keep it, if there is room for it."""
        first, end = self._span(number)
        size = (end - first) * self._row
        with self._lock:
            if self.taken + size > self.most:
                return None
            self.taken += size
        block = None
        try:
            block = _shared(*read(first, end))
        finally:
            with self._lock:
                self.taken -= size
                if block and self.taken + _size(block) <= self.most:
                    self._blocks[number] = block
                    self.taken += _size(block)
        return block

    def _numbers(self, top: int, bottom: int) -> range:
        return range(top // self._rows, -(-bottom // self._rows))

    def _span(self, number: int) -> tuple[int, int]:
        first = number * self._rows
        return first, min(first + self._rows, self._height)

    def _known(self, number: int, top: int, bottom: int) -> Read | None:
        """Return what a block that is kept has of some rows."""
        rows = self._rows_in(number, top, bottom)
        block = self._blocks.get(number)
        if block is not None:
            return _cut(block, rows)
        return None if self.spare is None else self.spare.get(number, rows.start, rows.stop)

    def _rows_in(self, number: int, top: int, bottom: int) -> slice:
        """Return which rows of a block lie between two rows of the scene."""
        first, end = self._span(number)
        return slice(max(top, first) - first, min(bottom, end) - first)

    def _anew(self, number: int, top: int, bottom: int, read: Callable[[int, int], Read]) -> Read:
        """Return the same of a block that is not kept, and keep it if there is room."""
        with self._turns.setdefault(number, threading.Lock()):
            known = self._known(number, top, bottom)
            if known is not None:  # of a neighbouring strip, which was first
                return known
            block = self._kept(number, read) or self._spared(number, read)
        if block is not None:
            return _cut(block, self._rows_in(number, top, bottom))
        first, end = self._span(number)
        return read(max(top, first), min(bottom, end))

    def _spared(self, number: int, read: Callable[[int, int], Read]) -> Read | None:
        """Read a block and leave it to the file, if that has room for it."""
        first, end = self._span(number)
        if self.spare is None or not self.spare.has_room((end - first) * self._row):
            return None
        begun = time.perf_counter()
        block = read(first, end)
        self.spare.put(number, block, time.perf_counter() - begun)
        return block


def _cut(block: Read, rows: slice) -> Read:
    values, visible = block
    return values[rows], None if visible is None else visible[rows]


def _shared(values: NDArray[Any], visible: NDArray[np.bool_] | None) -> Read:
    """Return arrays that cannot be written to."""
    values = values.view()
    values.flags.writeable = False
    if visible is not None:
        visible = visible.view()
        visible.flags.writeable = False
    return values, visible


def _size(block: Read) -> int:
    values, visible = block
    return values.nbytes + (0 if visible is None else visible.nbytes)


def _joined(parts: list[Read]) -> Read:
    if len(parts) == 1:
        return parts[0]
    joined = np.concatenate([values for values, _ in parts])
    if all(visible is None for _, visible in parts):
        return joined, None
    return joined, np.concatenate([_visible(*part) for part in parts])


def _visible(values: NDArray[Any], visible: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    return np.ones(values.shape[:2], np.bool_) if visible is None else visible
