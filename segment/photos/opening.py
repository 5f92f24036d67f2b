"""Names to sources of the values that the readers of whole images give, photos' and others'."""

from __future__ import annotations

import contextlib
from pathlib import Path

from segment.errors import ImageFileError
from segment.photos.photo import in_srgb
from segment.raster.opening import open_source
from segment.raster.source import RasterSource
from segment.raster.steady_file import SteadyFile
from segment.reading.formats import BY_STRIPS, kind_of
from segment.reading.reading_options import ReadingOptions
from segment.reading.sources import HEAD
from segment.streams import is_stream
from segment.tiff.places import measured


def open_image(path: Path, options: ReadingOptions) -> RasterSource:
    """Return an image as what its rows can be read of, with the values that it has in memory.

    Parameters
    ----------
    path : Path
    options : ReadingOptions
        With one page.

    Raises
    ------
    ImageFileError
        As `open_source`, and for formats of which other decoders have other values.
    """
    page, kind = options.page, "folder" if path.is_dir() else _kind(path)
    assert page != "all"
    if kind == "PNG" and page in (None, 1):
        from segment.photos.png_source import PngSource

        return PngSource(path, options)
    if kind not in ("folder", *BY_STRIPS) and not (kind == "JPEG2000" and is_measured(path)):
        raise ImageFileError(
            f"is a {kind}, of which readers of strips may have other values; save it as PNG or TIFF"
        )
    return in_srgb(open_source(path, page=page, allow_damaged=options.allow_truncated), options)


def is_measured(path: Path) -> bool:
    """Return whether a file is a JPEG 2000 in which GDAL finds bands, or a place on the map.

    Readers of whole images would take some of the bands, and lose the place.
    """
    try:
        if is_stream(path) or path.is_dir() or _kind(path) != "JPEG2000":
            return False
        with contextlib.closing(open_source(path)) as source:
            return bool(source.geo) or measured(source.bands, source.geo)
    except (OSError, ImageFileError):  # there is no GDAL, or it does not know the file
        return False


def _kind(path: Path) -> str | None:
    with SteadyFile(path).opened() as file:
        return kind_of(file.read(HEAD))
