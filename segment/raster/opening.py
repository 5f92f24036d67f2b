"""Names to sources and sinks: what a file is by how it begins, and which package reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from segment.errors import ImageFileError, InvalidInputError, SegmentError
from segment.npy import MAGIC
from segment.raster.sink import Contents, Keepsakes, RasterSink
from segment.raster.source import RasterSource
from segment.raster.steady_file import SteadyFile
from segment.zarr_folders import is_zarr

TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def open_source(
    path: Path, *, page: int | None = None, allow_damaged: bool = False
) -> RasterSource:
    """Return a file as what its rows can be read of, without reading any.

    TIFF, BigTIFF, COG and NPY on every install; Zarr and OME-Zarr with the extra `zarr`, and what
    else GDAL reads with the extra `geo`.

    Parameters
    ----------
    path : Path
        A file, or the folder of a Zarr array or group.
    page : int, optional
        Of a TIFF with several, from 1.
    allow_damaged : bool
        Go on where a strip or tile is damaged: its pixels have no value, and a warning names it.

    Raises
    ------
    ImageFileError
        If it is nothing of which parts can be read, is damaged or cut off, or needs an extra.
    """
    with one_kind_of_error():
        if is_zarr(path):
            from segment.raster.zarr_source import ZarrSource

            return ZarrSource(path, allow_damaged)
        head = _head(path)
        if head.startswith(TIFF_MARKS):
            from segment.raster.tiff_source import TiffSource

            return TiffSource(path, page, allow_damaged)
        if page not in (None, 1):
            raise ImageFileError(f"has no page {page}; choose another with --page")
        if head.startswith(MAGIC):
            from segment.raster.npy_rows import NpySource

            return NpySource(path)
        from segment.raster.rasterio_source import RasterioSource

        return RasterioSource(path, allow_damaged)


@contextmanager
def one_kind_of_error() -> Iterator[None]:
    """Make one of all that libraries raise over files; what they say is the error's cause."""
    try:
        yield
    except (SegmentError, MemoryError):
        raise
    except Exception as error:  # whatever a damaged file brings about
        if isinstance(error, OSError) and error.errno:
            raise ImageFileError(f"cannot be read: {error.strerror}; check it") from error
        raise ImageFileError("is damaged or cut off; get a whole copy") from error


def _head(path: Path) -> bytes:
    with SteadyFile(path).opened() as file:
        return file.read(8)


def open_sink(
    path: Path,
    height: int,
    width: int,
    dtype: npt.DTypeLike,
    kept: Keepsakes,
    *,
    kind: Literal["tiff", "zarr", "npy"] = "tiff",
    channels: int = 1,
    overviews: bool = False,
    palette: NDArray[np.uint8] | None = None,
    key: str | None = None,
) -> RasterSink:
    """Return what a raster is written with, strip by strip.

    Parameters
    ----------
    path : Path
        Of the result; what stands there is replaced when it is complete.
    height, width : int
        Of the raster.
    dtype : dtype
        `label_type` has that of a label map.
    kept : Keepsakes
        Of the image: `Kept`, or its source. The place on the map and the resolution go along, and
        to a TIFF of colours the profile. Where the place has GDAL's no-data value, one channel of
        whole numbers gets it, which is 0.
    kind : {"tiff", "zarr", "npy"}
        Tiled and deflated TIFF, or BigTIFF where it may reach 4 GB; or Zarr 3 (extra `zarr`); or
        NPY, with which nothing goes along.
    channels : int
        1, or 3 for RGB, or 4 for RGB and alpha.
    overviews : bool
        Of a TIFF: make it a cloud-optimised GeoTIFF.
    palette : (K, 3) uint8 array, optional
        Of a TIFF: the colours of its values, for uint8 or uint16.
    key : str, optional
        A digest of all that the pixels depend on: the image, the settings, the version. A run with
        the same key goes on where one that was killed or suspended had whole rows of tiles, at
        `next_row`; with another one it starts anew, in its place.

    Raises
    ------
    ImageFileError
        If the result cannot be written, or another run is at it.
    InvalidInputError
        If a result of that kind cannot hold it.
    """
    contents = Contents(height, width, channels, np.dtype(dtype), kept, palette)
    if kind == "tiff":
        from segment.raster.tiff_sink import TiffSink

        return TiffSink(path, contents, overviews, key)
    if overviews or palette is not None:
        raise InvalidInputError(f"expected neither overviews nor a palette in {kind}; write a TIFF")
    if kind == "npy":
        from segment.raster.npy_rows import NpySink

        return NpySink(path, contents, key)
    from segment.raster.zarr_sink import ZarrSink

    return ZarrSink(path, contents, key)
