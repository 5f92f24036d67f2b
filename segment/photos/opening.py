"""Names to sources of the values that the readers of whole images give, photos' and others'."""

from __future__ import annotations

from pathlib import Path

from segment.photos.photo import in_srgb
from segment.raster.opening import open_source
from segment.raster.source import RasterSource
from segment.reading.reading_options import ReadingOptions


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
        As `open_source`.
    """
    assert options.page != "all"
    source = open_source(path, page=options.page, allow_damaged=options.allow_truncated)
    return in_srgb(source, options)
