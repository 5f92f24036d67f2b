"""TIFF's header and directories of tags to bytes, little-endian, classic or BigTIFF."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

ASCII, SHORT, LONG, RATIONAL, UNDEFINED, DOUBLE, LONG8 = 2, 3, 4, 5, 7, 12, 16
CODES = {SHORT: "H", LONG: "I", RATIONAL: "I", DOUBLE: "d", LONG8: "Q"}  # others are bytes
Tags = Mapping[int, tuple[int, Any]]  # type and values by code; RATIONAL has two to a value


def header(first: int, big: bool) -> bytes:
    """Return the first 8 bytes of a file, or 16 of BigTIFF, whose first directory is at `first`."""
    if big:
        return b"II" + struct.pack("<HHHQ", 43, 8, 0, first)
    return b"II" + struct.pack("<HI", 42, first)


def directory(tags: Tags, at: int, following: int = 0, big: bool = True) -> bytes:
    """Return a directory with the values that do not fit into it behind it.

    Its length depends on the number of tags and values alone.

    Parameters
    ----------
    tags : {code: (type, values)}
        Values are numbers, or bytes for ASCII and UNDEFINED.
    at : int
        Where it will stand in the file; even.
    following : int
        Where the next directory stands; 0 for none.
    big : bool
        BigTIFF.
    """
    inline, number = (8, "Q") if big else (4, "I")
    count_of = "Q" if big else "H"
    entry = 12 + 8 if big else 12
    end = at + struct.calcsize(f"<{count_of}") + entry * len(tags) + inline
    entries, values = [], []
    for code, (kind, content) in sorted(tags.items()):
        raw = content if kind in (ASCII, UNDEFINED) else _packed(kind, content)
        count = len(content) // 2 if kind == RATIONAL else len(content)
        place = raw.ljust(inline, b"\0")
        if len(raw) > inline:
            place = struct.pack(f"<{number}", end)
            raw += bytes(-len(raw) % 8)
            values.append(raw)
            end += len(raw)
        entries.append(struct.pack(f"<HH{number}", code, kind, count) + place)
    head, last = struct.pack(f"<{count_of}", len(tags)), struct.pack(f"<{number}", following)
    return b"".join([head, *entries, last, *values])


def _packed(kind: int, values: Any) -> bytes:
    return struct.pack(f"<{len(values)}{CODES[kind]}", *values)
