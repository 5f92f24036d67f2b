"""NPY by strips, read and written.

By plain reads, for pages of a memory map would count as memory that is taken.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.bands import Band, usual_names
from segment.errors import ImageFileError
from segment.npy import read_header
from segment.raster.sink import Contents
from segment.raster.source import Colors
from segment.raster.steady_file import SteadyFile
from segment.raster.tiles import TiledSink
from segment.tiff.no_data import visible_among
from segment.tiff.places import GeoTag, Resolution, place_beside

AT_ONCE = 1 << 21  # bytes read in one go where only some of the bands are asked for


class NpySource:
    """An array in a file, (H, W) or (H, W, C) of numbers; see `segment.raster.source.RasterSource`.

    Pickled objects are refused, and so are arrays in Fortran's order, of which no row stands in
    one piece.

    Parameters
    ----------
    path : Path
    """

    several = False
    colors: Colors = "stored"
    alpha_is_sure = False

    def __init__(self, path: Path) -> None:
        self._file = SteadyFile(path)
        with self._file.opened() as file:
            dtype, shape, self._start = _header(file)
        self.height, self.width = shape[:2]
        self._dtype = dtype
        self._channels = math.prod(shape[2:])
        self._row = self.width * self._channels * dtype.itemsize
        if self._start + self.height * self._row > self._file.size:
            raise ImageFileError(
                f"is cut off: expected {self._start + self.height * self._row:,} bytes, "
                f"got {self._file.size:,}; get a whole copy"
            )
        name, bits = dtype.newbyteorder("=").name, dtype.itemsize * 8
        names = enumerate(usual_names(self._channels), 1)
        self.bands = tuple(Band(number, own, name, bits) for number, own in names)
        self.geo: tuple[GeoTag, ...]
        self.geo, self.warnings = place_beside(path)
        self.resolution: Resolution | None = None
        self.profile: bytes | None = None
        self.preferred_rows = 1

    def read(
        self, top: int, bottom: int, bands: Sequence[int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        shape = (bottom - top, self.width, len(bands))
        whole = list(bands) == list(range(self._channels))
        values = np.empty(shape, self._dtype)
        with self._file.opened() as file:
            file.seek(self._start + top * self._row)
            step = len(values) if whole else max(1, AT_ONCE // self._row)
            for first in range(0, len(values), step):
                part = values[first : first + step]
                if whole:
                    _fill(file, part)
                else:
                    rows = np.empty((len(part), self.width, self._channels), self._dtype)
                    _fill(file, rows)
                    part[...] = rows[:, :, list(bands)]
        if not self._dtype.isnative:
            values = values.byteswap(inplace=True).view(self._dtype.newbyteorder("="))
        return values, visible_among(values, range(len(bands)), None, None)

    def check(self) -> None:
        self._file.check()

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""


def _header(file: Any) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    try:
        dtype, shape, start, fortran = read_header(file)
    except ValueError as error:
        raise ImageFileError(f"is no NPY file of an image: {error}; save it anew") from error
    if dtype.kind not in "buif" or dtype.itemsize > 8:
        raise ImageFileError(f"has {dtype} values, expected real numbers; convert it")
    if len(shape) not in (2, 3) or 0 in shape:
        raise ImageFileError(f"has shape {shape}, expected (H, W) or (H, W, C); reshape it")
    if fortran and len(shape) - shape.count(1) > 1:
        raise ImageFileError(
            "is in Fortran's order, of which no row is in one piece; "
            "save it by numpy.ascontiguousarray"
        )
    return dtype, shape, start


def _fill(file: Any, rows: NDArray[Any]) -> None:
    """Read bytes into rows, which the system may hand out in pieces."""
    rest = memoryview(rows.reshape(-1).view(np.uint8).data)
    while rest:
        got = file.readinto(rest)
        if not got:
            raise ImageFileError("is cut off; get a whole copy")
        rest = rest[got:]


class NpySink(TiledSink):
    """An array in a file under way, as `numpy.save` has it; see `segment.raster.sink.RasterSink`.

    Parameters
    ----------
    path : Path
    contents : Contents
        Of whose keepsakes NPY has no place for any.
    key : str, optional
        As for `TiffSink`.
    """

    def __init__(self, path: Path, contents: Contents, key: str | None = None) -> None:
        super().__init__(path, contents, "npy", key)

    def _begin(self) -> None:
        contents = self._contents
        shape: tuple[int, ...] = (contents.height, contents.width)
        shape += (contents.channels,) if contents.channels > 1 else ()
        descr = np.lib.format.dtype_to_descr(contents.dtype)
        self._unfinished.part.touch()
        self._file = self._unfinished.part.open("r+b")
        header = {"descr": descr, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)
        self._take_over(contents.width * contents.channels * contents.dtype.itemsize)

    def _take_over(self, row: int) -> None:
        """Go on behind the rows that are there and what the journal says they are."""
        end = self._file.tell()
        for number, (check, count) in enumerate(self._unfinished.rows):
            if zlib.crc32(self._file.read(count * row)) != check:
                self._unfinished.keep(number)
                break
            end += count * row
        self._file.seek(end)
        self._file.truncate()

    def _put(self, rows: NDArray[Any]) -> None:
        content = np.ascontiguousarray(rows).data
        self._file.write(content)
        self._file.flush()
        self._unfinished.add([zlib.crc32(content), len(rows)])

    def _complete(self) -> None:
        self._close()
        self._unfinished.finish()

    def _close(self) -> None:
        self._file.close()
