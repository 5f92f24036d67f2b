"""Strips by the windows of another library, block by block where one of them is damaged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError, SegmentError

AT_ONCE = 1 << 24  # bytes asked for in one go, rounded up to a row of blocks
ReadWindow = Callable[[slice, slice], NDArray[Any]]  # rows and columns to (h, w, C)


class Blocks:
    """How a library's file is cut, and which of its blocks have turned out to be damaged.

    Parameters
    ----------
    height, width : int
        Of the image.
    rows, columns : int
        Of a block.
    allowed : bool
        Whether reading goes on where one is damaged.

    Attributes
    ----------
    damaged : dict of {str: None}
        A warning for each, in the order in which they were met.
    """

    def __init__(self, height: int, width: int, rows: int, columns: int, allowed: bool) -> None:
        self._size = height, width
        self.rows, self._columns = min(rows, height), min(columns, width)
        self._allowed = allowed
        self._lock = threading.Lock()
        self.damaged: dict[str, None] = {}

    def fill(self, values: NDArray[Any], top: int, read: ReadWindow) -> NDArray[np.bool_] | None:
        """Fill a strip.

        Parameters
        ----------
        values : (h, W, C) array
        top : int
            Its first row in the image.
        read : callable
            Returns a window by its rows and columns in the image.

        Returns
        -------
        hidden : (h, W) bool array or None
            Pixels of damaged blocks; None if there are none.

        Raises
        ------
        ImageFileError
            If one is damaged and that is not allowed.
        """
        hidden = None
        row = max(1, values[0].nbytes * self.rows)
        step = max(1, AT_ONCE // row) * self.rows
        bottom = top + len(values)
        for start in range(top - top % self.rows, bottom, step):
            rows = slice(max(top, start), min(start + step, bottom))
            into = values[rows.start - top : rows.stop - top]
            try:
                into[...] = read(rows, slice(0, self._size[1]))
            except (SegmentError, MemoryError):
                raise
            except Exception:  # whatever damage brings about
                gone = self._one_by_one(into, rows, read)
                hidden = np.zeros(values.shape[:2], bool) if hidden is None else hidden
                hidden[rows.start - top : rows.stop - top] = gone
        return hidden

    def _one_by_one(self, values: NDArray[Any], rows: slice, read: ReadWindow) -> NDArray[np.bool_]:
        gone = np.zeros(values.shape[:2], bool)
        height, width = self._size
        for top in range(rows.start - rows.start % self.rows, rows.stop, self.rows):
            down = slice(max(top, rows.start), min(top + self.rows, rows.stop))
            inside = slice(down.start - rows.start, down.stop - rows.start)
            for left in range(0, width, self._columns):
                across = slice(left, min(left + self._columns, width))
                try:
                    values[inside, across] = read(down, across)
                except (SegmentError, MemoryError):
                    raise
                except Exception as error:
                    values[inside, across] = 0
                    gone[inside, across] = True
                    end = min(top + self.rows, height)
                    self._note(slice(top, end), across, error)
        return gone

    def _note(self, rows: slice, columns: slice, error: Exception) -> None:
        name = (
            f"block in column {columns.start // self._columns}, row {rows.start // self.rows} "
            f"(pixel rows {rows.start} to {rows.stop - 1}, "
            f"columns {columns.start} to {columns.stop - 1})"
        )
        if not self._allowed:
            raise ImageFileError(
                f"has a damaged {name}; get a whole copy; --allow-truncated goes on without it"
            ) from error
        with self._lock:
            self.damaged[f"left out its damaged {name}"] = None
