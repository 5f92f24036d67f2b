"""Files to sources: what they are by how they begin, and which package reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segment.errors import ImageFileError, SegmentError
from segment.raster.source import RasterSource
from segment.raster.steady_file import SteadyFile

TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ZARR_FILES = ("zarr.json", ".zarray", ".zgroup")


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
        if any((path / name).is_file() for name in ZARR_FILES):
            from segment.raster.zarr_source import ZarrSource

            return ZarrSource(path, allow_damaged)
        head = _head(path)
        if head.startswith(TIFF_MARKS):
            from segment.raster.tiff_source import TiffSource

            return TiffSource(path, page, allow_damaged)
        if page not in (None, 1):
            raise ImageFileError(f"has no page {page}; choose another with --page")
        if head.startswith(b"\x93NUMPY"):
            from segment.raster.npy_source import NpySource

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
