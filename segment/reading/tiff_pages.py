"""Pages of a TIFF: their samples to pictures, upright, with what outlives them."""

from __future__ import annotations

import dataclasses
from typing import IO, Any

import numpy as np
from PIL import UnidentifiedImageError

from segment.errors import ImageFileError
from segment.reading.picture import Kept, Notes, Picture, check_size
from segment.reading.pillow_pages import PillowPages
from segment.reading.reading_options import ReadingOptions
from segment.reading.tiff_tags import check_meaning, interpreted
from segment.reading.values import ORIENTATION, Missing, is_turned, upright
from segment.tiff.frames import Frame, Frames, check_segments
from segment.tiff.layout import layout_of
from segment.tiff.places import Resolution, geo_tags, resolution_of
from segment.tiff.samples import Samples, read_samples
from segment.tiff.stored import DamagedSegmentError

OLD_JPEG = 6  # whose tables and offsets only libtiff finds, in the file itself
DESCRIPTION = 270  # the tag
LONGEST_UNIT = 40  # characters; ImageJ writes such as micron


class TiffPages:
    """A TIFF file, page by page; overviews, thumbnails and masks are no pages."""

    def __init__(self, file: IO[bytes], options: ReadingOptions) -> None:
        self._file = file
        self._options = options
        self._frames = Frames(file)

    def has(self, page: int) -> bool:
        """Return whether there is a page of that number, from 0."""
        return self._frames.has(page)

    def read(self, page: int, notes: Notes, lenient: bool) -> Picture:
        """Read a page from the file; where `lenient`, what there is of a damaged one."""
        frame = self._frames[page]
        tags = frame.page
        _check(tags, self._options)
        orientation = int(tags.tags.valueof(ORIENTATION, 1))
        if tags.compression == OLD_JPEG:
            picture = self._by_pillow(frame, notes, lenient)
        else:
            check_meaning(tags)
            samples = self._samples(frame, lenient)
            masked = self._masked(frame, lenient)
            picture = interpreted(samples, masked, tags, self._options, notes)
            picture = _upright(picture, orientation)
        kept = Kept(
            _resolution(tags, is_turned(orientation)) or picture.kept.resolution,
            picture.kept.profile,
            geo_tags(tags),
        )
        return dataclasses.replace(picture, kept=kept, turned=orientation != 1)

    def _samples(self, frame: Frame, lenient: bool) -> Samples:
        """Return a page's samples, or say which of its strips or tiles is damaged.

        Where it may be, whoever called reads once more.
        """
        try:
            return read_samples(frame.page, self._file, lenient, frame.offset)
        except DamagedSegmentError as error:
            if self._options.allow_truncated:
                raise
            where = layout_of(frame.page, frame.offset).named(error.segment)
            raise ImageFileError(
                f"is damaged or cut off in its {where}; get a whole copy; --allow-truncated takes "
                "what there is of it"
            ) from error

    def _masked(self, frame: Frame, lenient: bool) -> Missing:
        """Return the pixels that a page's mask leaves out."""
        page = self._frames.mask_of(frame)
        if page is None:
            return None
        _check(page, self._options)
        values = read_samples(page, self._file, lenient).values
        return np.asarray((values == 0).all(axis=2))

    def _by_pillow(self, frame: Frame, notes: Notes, lenient: bool) -> Picture:
        try:
            pages = PillowPages(self._file, ("TIFF",), self._options)
        except UnidentifiedImageError as error:
            raise ImageFileError("is a TIFF with JPEG of the old kind; save it anew") from error
        return pages.read(frame.place or 0, notes, lenient)


def _upright(picture: Picture, orientation: int) -> Picture:
    def turned(values: Any) -> Any:
        return None if values is None else upright(values, orientation)

    scene = picture.scene
    if scene:
        scene = dataclasses.replace(scene, visible=turned(scene.visible), shown=turned(scene.shown))
    return dataclasses.replace(
        picture, pixels=turned(picture.pixels), stored=turned(picture.stored), scene=scene
    )


def _check(page: Any, options: ReadingOptions) -> None:
    check_size(page.imagewidth, page.imagelength, options)
    check_segments(page)


def _resolution(page: Any, turned: bool) -> Resolution | None:
    resolution = resolution_of(page)
    if resolution is None:
        return None
    resolution = dataclasses.replace(resolution, length=_imagej_unit(page))
    return resolution.turned() if turned else resolution


def _imagej_unit(page: Any) -> str | None:
    """Return the unit of length that ImageJ writes into its descriptions."""
    description = page.tags.valueof(DESCRIPTION)
    if not isinstance(description, str) or not description.startswith("ImageJ="):
        return None
    lines = description.splitlines()
    named = (line.removeprefix("unit=") for line in lines if line.startswith("unit="))
    unit = next(named, "")
    return unit if unit.isascii() and unit.isprintable() and 0 < len(unit) <= LONGEST_UNIT else None
