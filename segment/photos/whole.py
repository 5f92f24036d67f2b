"""All of an image that only readers of strips know: Zarr, what GDAL reads, JPEG 2000 of bands."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segment.bands import chosen_places, shown_places
from segment.errors import ImageFileError, UnknownKindError
from segment.photos.opening import is_measured
from segment.raster.opening import open_source
from segment.reading.files import mask_from, read_pages
from segment.reading.picture import DamagedPage, Kept, Picture, Scene, check_size
from segment.reading.reading_options import ReadingOptions
from segment.reading.values import nothing_left
from segment.strips.rows import SceneRows, chosen_by


def pages_of(path: Path, options: ReadingOptions) -> Iterator[Picture | DamagedPage]:
    """Yield the pages of a file, or the one image of what only readers of strips know.

    Raises
    ------
    ImageFileError
        As `read_pages`.
    """
    unknown: UnknownKindError | None = None
    if not is_measured(path):
        try:
            yield from read_pages(path, options)
            return
        except UnknownKindError as error:
            unknown = error
    try:
        yield _picture(path, options)
    except UnknownKindError as error:
        raise unknown or error from None


def mask_of(path: Path) -> NDArray[np.bool_]:
    """Return the mask in a file; see `mask_from`. It may be what only readers of strips know."""
    try:
        return mask_from(path)
    except UnknownKindError as unknown:
        try:
            with contextlib.closing(open_source(path)) as source:
                return chosen_by(source, 0, source.height)
        except UnknownKindError:
            raise unknown from None


def _picture(path: Path, options: ReadingOptions) -> Picture:
    page = None if options.page == "all" else options.page
    try:
        source = open_source(path, page=page, allow_damaged=options.allow_truncated)
    except UnknownKindError:
        raise
    except ImageFileError as error:
        if path.exists():
            raise
        raise UnknownKindError(str(error)) from error
    with contextlib.closing(source):
        check_size(source.width, source.height, options)
        rows = SceneRows(source, chosen_places(source.bands, options.bands))
        rows = replace(rows, shown=shown_places(source.bands, options.show_bands, rows.bands))
        values, visible = rows.stored(0, rows.height)
        if visible is not None and not visible.any():
            raise nothing_left(transparent=rows.has_alpha)
        among = set(rows.shown) <= set(rows.bands)
        at = tuple(rows.bands.index(place) for place in rows.shown) if among else None
        return Picture(
            values,
            Kept(source.resolution, source.profile, source.geo),
            warnings=source.warnings,
            bands=tuple(source.bands[place] for place in rows.bands),
            scene=Scene(visible, None if among else rows.as_shown(0, rows.height), at),
            alpha=rows.has_alpha,
        )
