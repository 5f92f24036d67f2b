"""The bytes of strips and tiles as they are stored, and those that are damaged or cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError
from segment.tiff.layout import Layout

CUT_OFF = "strips or tiles are missing, or beyond the end of the file"


class DamagedSegmentError(OSError):
    """A strip or a tile cannot be read, or not whole; why is its cause.

    Attributes
    ----------
    segment : int
        Its number in the page.
    """

    def __init__(self, segment: int, reason: Exception) -> None:
        super().__init__(f"strip or tile {segment} is damaged or cut off: {reason}")
        self.segment = segment


class Damage:
    """What of a page, or of a window of it, turns out to be damaged while it is read.

    Attributes
    ----------
    allowed : bool
        Whether reading goes on without.
    segments : list of int
        Numbers in the page of those that are damaged, as they are met.
    """

    def __init__(self, allowed: bool) -> None:
        self.allowed = allowed
        self.segments: list[int] = []
        self._had: dict[int, int] = {}

    def add(self, layout: Layout, segment: int, error: Exception, had: int | None = 0) -> None:
        """Note damage; raise it if it is not allowed.

        Parameters
        ----------
        layout : Layout
        segment : int
            Its number there.
        error : Exception
        had : int or None
            How many of its rows have values all the same; None where that is for a decoder to
            tell, which may have filled in the rest.
        """
        number = layout.number_in_page(segment)
        if not self.allowed:
            raise DamagedSegmentError(number, error) from error
        self.segments.append(number)
        if had is not None:
            self._had[segment] = had

    @contextmanager
    def of(self, layout: Layout, segment: int) -> Iterator[None]:
        """Take what is raised within, whatever its bytes bring about, for damage of a segment."""
        try:
            yield
        except (DamagedSegmentError, ImageFileError, MemoryError):
            raise
        except Exception as error:
            self.add(layout, segment, error)

    def absent(self, layout: Layout) -> NDArray[np.bool_] | None:
        """Return which samples have no value, left out or damaged, (H, W, C); None if all have."""
        rows = np.repeat(layout.left_out()[:, None], layout.rows, axis=1)
        for segment, had in self._had.items():
            rows[segment, had:] = True
        return layout.samples_in(rows)


def stored(file: IO[bytes], layout: Layout, damage: Damage) -> Iterator[bytes]:
    """Yield the bytes of each segment; fewer, or none, of one that is cut off or left out."""
    gone = layout.left_out()
    for segment, (at, count) in enumerate(zip(layout.offsets, layout.counts, strict=True)):
        file.seek(at)
        piece = file.read(count)
        if not gone[segment] and (len(piece) < count or not count):
            damage.add(layout, segment, EOFError(CUT_OFF), None if piece else 0)
        yield piece
