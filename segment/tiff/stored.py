"""The bytes of strips and tiles as they are stored, and those that are damaged or cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

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
    """What of a page turns out to be damaged while it is read.

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

    def add(self, segment: int, error: Exception) -> None:
        """Note a segment's number; raise it if damage is not allowed."""
        if not self.allowed:
            raise DamagedSegmentError(segment, error) from error
        self.segments.append(segment)

    @contextmanager
    def of(self, segment: int) -> Iterator[None]:
        """Take what is raised within, whatever its bytes bring about, for damage of a segment."""
        try:
            yield
        except (DamagedSegmentError, ImageFileError, MemoryError):
            raise
        except Exception as error:
            self.add(segment, error)


def stored(file: IO[bytes], layout: Layout, damage: Damage) -> Iterator[bytes]:
    """Yield the bytes of each segment; fewer, or none, of one that is cut off or left out."""
    gone = layout.left_out()
    for segment, (at, count) in enumerate(zip(layout.offsets, layout.counts, strict=True)):
        file.seek(at)
        piece = file.read(count)
        if not gone[segment] and (len(piece) < count or not count):
            damage.add(layout.number_in_page(segment), EOFError(CUT_OFF))
        yield piece
