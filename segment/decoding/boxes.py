"""Boxes of the ISO base media format, in which JPEG 2000, JPEG XL, AVIF and HEIC come.

ISO/IEC 14496-12, 4.2; ISO/IEC 15444-1, I.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, NamedTuple

MOST = 10_000  # boxes side by side: each costs a read, whatever it holds
LARGEST = 64 << 20  # bytes of a box that is read at once; the largest are ICC profiles


class Box(NamedTuple):
    """A box: its type, and where its content starts and ends in the file."""

    kind: bytes
    start: int
    end: int


def boxes(file: IO[bytes], start: int, end: int) -> Iterator[Box]:
    """Yield the boxes in a part of a file; what is cut off ends there."""
    for _ in range(MOST):
        file.seek(start)
        head = file.read(16)
        size, kind, header = int.from_bytes(head[:4]), head[4:8], 8
        if size == 1:  # it stands in 64 bits
            size, header = int.from_bytes(head[8:16]), 16
        if size == 0:  # up to the end
            size = end - start
        if len(head) < header or size < header or start >= end:
            return
        yield Box(kind, start + header, min(start + size, end))
        start += size


def inside(file: IO[bytes], *path: bytes) -> list[Box]:
    """Return all boxes of a file that lie at a path of types.

    The children of ``meta`` follow its version and flags.
    """
    found = [Box(b"", 0, file.seek(0, 2))]
    for kind in path:
        parts = [
            part
            for box in found
            for part in boxes(file, box.start + 4 * (box.kind == b"meta"), box.end)
        ]
        found = [box for box in parts if box.kind == kind]
    return found


def content(file: IO[bytes], box: Box) -> bytes:
    """Return the bytes of a box."""
    file.seek(box.start)
    return file.read(min(box.end - box.start, LARGEST))
