"""Arrays in an ``.npz`` file back to memory, with nothing in the file taken on trust."""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

# What NumPy writes before an array. Its own reader takes more than that, with warnings.
HEADER = re.compile(
    rb"\{'descr': '([<>|]\w+)', 'fortran_order': (?:True|False), 'shape': \(([0-9, ]*)\), \} *\n"
)
MAGIC = b"\x93NUMPY\x01\x00"
MOST_INFLATED = 1032  # bytes that deflate can make of one


def read_arrays(file: IO[bytes], kinds: Mapping[str, tuple[Any, int]]) -> dict[str, NDArray[Any]]:
    """Return the arrays of these names, each of its dtype and number of dimensions.

    Before memory is taken for one, its size is held against what the directory says, and that
    against the size of the file: what claims terabytes is damaged, and no lack of memory.

    Parameters
    ----------
    file : binary file
        As `numpy.savez` and `numpy.savez_compressed` write it.
    kinds : mapping of str to (dtype, int)
        A dtype of text stands for any length of it. Other arrays are not looked at.

    Raises
    ------
    Exception
        Of any class that zipfile, zlib and NumPy know, if the file is damaged.
    """
    size = file.seek(0, 2)
    with zipfile.ZipFile(file) as archive:
        return {
            name: _array(archive, f"{name}.npy", np.dtype(kind), dimensions, size)
            for name, (kind, dimensions) in kinds.items()
        }


def _array(
    archive: zipfile.ZipFile, name: str, kind: np.dtype[Any], dimensions: int, size: int
) -> NDArray[Any]:
    with archive.open(name) as member:
        dtype, shape, start = _header(member)
    fits = dtype.kind == "U" if kind.kind == "U" else dtype == kind
    if not fits or len(shape) != dimensions:
        raise ValueError(f"{name} is of dtype {dtype} and shape {shape}")
    claimed = archive.getinfo(name).file_size
    if start + math.prod(shape) * dtype.itemsize != claimed or claimed > MOST_INFLATED * size:
        raise ValueError(f"{name} is of shape {shape}, which does not fit its size")
    with archive.open(name) as member:
        array: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
        return array


def _header(member: IO[bytes]) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Dtype and shape of an array, and where its values begin."""
    if member.read(len(MAGIC)) != MAGIC:
        raise ValueError("an array is not as NumPy writes it")
    length = int.from_bytes(member.read(2), "little")
    match = HEADER.fullmatch(member.read(length))
    if match is None:
        raise ValueError("an array's header is not as NumPy writes it")
    shape = tuple(int(side) for side in match[2].split(b",") if side.strip())
    return np.dtype(match[1].decode("ascii")), shape, len(MAGIC) + 2 + length
