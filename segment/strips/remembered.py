"""Rows of a scene as they were read, kept for the next time, in what memory is left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Read = tuple[NDArray[Any], NDArray[np.bool_] | None]  # values, and where there are any


class Remembered:
    """Blocks of rows, the first ones to come: most of a pass over a scene is inflating its tiles.

    A block that there is room for is read whole, also where only some of its rows are wanted. What
    is returned is shared, and cannot be written to. Any threads may read.

    Parameters
    ----------
    most : int
        Bytes that blocks may take.
    height : int
        Rows of the scene.
    rows : int
        Of a block: those of a strip, or of a row of tiles where strips are lower.
    row : int
        Bytes of a row at most.

    Attributes
    ----------
    most, taken : int
        Bytes that blocks may take, and those that are taken.
    """

    def __init__(self, most: int = 0, height: int = 1, rows: int = 1, row: int = 0) -> None:
        self.most, self.taken = most, 0
        self._height, self._rows, self._row = height, rows, row
        self._lock = threading.Lock()
        self._blocks: dict[int, Read] = {}

    def read(self, top: int, bottom: int, read: Callable[[int, int], Read]) -> Read:
        """Return the rows from `top` to above `bottom`, as `read` has them or once had them."""
        if not self.most:
            return read(top, bottom)
        parts = []
        for number in self._numbers(top, bottom):
            block = self._blocks.get(number) or self._kept(number, read)
            if block is None:
                first, end = self._span(number)
                parts.append(read(max(top, first), min(bottom, end)))
            else:
                parts.append(self._part(number, block, top, bottom))
        return _joined(parts)

    def recall(self, top: int, bottom: int) -> Read | None:
        """Return the same if all of it is there, else None."""
        parts = []
        for number in self._numbers(top, bottom):
            block = self._blocks.get(number)
            if block is None:
                return None
            parts.append(self._part(number, block, top, bottom))
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
                fits = block and self.taken + _size(block) <= self.most
                if block and fits and number not in self._blocks:
                    self._blocks[number] = block
                    self.taken += _size(block)
        return block

    def _numbers(self, top: int, bottom: int) -> range:
        return range(top // self._rows, -(-bottom // self._rows))

    def _span(self, number: int) -> tuple[int, int]:
        first = number * self._rows
        return first, min(first + self._rows, self._height)

    def _part(self, number: int, block: Read, top: int, bottom: int) -> Read:
        first, end = self._span(number)
        rows = slice(max(top, first) - first, min(bottom, end) - first)
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
    values = np.concatenate([values for values, _ in parts])
    if all(visible is None for _, visible in parts):
        return values, None
    shape = values.shape[1]
    return values, np.concatenate(
        [
            np.ones((len(values), shape), np.bool_) if visible is None else visible
            for values, visible in parts
        ]
    )
