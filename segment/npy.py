"""Arrays in NumPy's own format: their headers, read without executing anything of them."""

from __future__ import annotations

import math
import re
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"\x93NUMPY"
LONGEST = 1 << 16  # bytes of a header; that of an array without fields takes 128
# What NumPy writes before an array. Its own reader takes more than that, with warnings.
HEADER = re.compile(
    rb"\{'descr': '([<>|]\w+)', 'fortran_order': (True|False), 'shape': \(([0-9, ]*)\), \} *\n"
)


class ObjectsError(ValueError):
    """A file holds pickled objects, which may do anything when they are read."""


def read_header(file: IO[bytes]) -> tuple[np.dtype[Any], tuple[int, ...], int, bool]:
    """Return dtype and shape of an array, where its values begin, and whether columns come first.

    Raises
    ------
    ValueError
        If it is not as NumPy writes it; an ObjectsError if it holds objects, which only pickle
        reads.
    """
    start = file.read(len(MAGIC) + 2)
    wide = {b"\1\0": 2, b"\2\0": 4, b"\3\0": 4}.get(start[len(MAGIC) :])  # by version
    if start[: len(MAGIC)] != MAGIC or wide is None:
        raise ValueError("an array is not as NumPy writes it")
    length = int.from_bytes(file.read(wide), "little")
    match = HEADER.fullmatch(file.read(min(length, LONGEST)))
    if match is None:
        raise ValueError("an array's header is not as NumPy writes it")
    shape = tuple(int(side) for side in match[3].split(b",") if side.strip())
    dtype = np.dtype(match[1].decode("ascii"))
    if dtype.hasobject:
        raise ObjectsError("it holds objects, not numbers")
    return dtype, shape, len(start) + wide + length, match[2] == b"True"


def read_array(file: IO[bytes]) -> NDArray[Any]:
    """Return the array that a file holds, if the file is as large as its header says.

    Raises
    ------
    ValueError
        As `read_header`.
    EOFError
        If values are missing.
    """
    dtype, shape, start, columns_first = read_header(file)
    count = math.prod(shape)
    if file.seek(0, 2) < start + count * dtype.itemsize:
        raise EOFError("values are missing")
    file.seek(start)
    flat = np.empty(count, dtype)
    file.readinto(flat.view(np.uint8))  # type: ignore[attr-defined]
    values = flat.reshape(shape[::-1]).T if columns_first else flat.reshape(shape)
    return np.ascontiguousarray(values, dtype.newbyteorder("="))
