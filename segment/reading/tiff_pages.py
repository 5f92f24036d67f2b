"""Pages of a TIFF: which images of the file they are, and their pictures."""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import IO, Any, Literal

import numpy as np
import tifffile
from PIL import UnidentifiedImageError

from segment.errors import ImageFileError
from segment.reading.formats import MOST_PAGES
from segment.reading.picture import Kept, Notes, Picture, Resolution, check_size
from segment.reading.pillow_pages import PillowPages
from segment.reading.reading_options import ReadingOptions
from segment.reading.tiff_tags import check_meaning, interpreted
from segment.reading.values import ORIENTATION, Missing, is_turned, upright
from segment.tiff.places import geo_tags
from segment.tiff.samples import read_samples

logging.getLogger("tifffile").addHandler(logging.NullHandler())
MOST_SEGMENTS = 1 << 20  # strips or tiles: each costs some microseconds, whatever it holds
REDUCED, MASK = 1, 4  # bits of the tag NewSubfileType: the same image smaller, or its mask
OLD_JPEG = 6  # whose tables and offsets only libtiff finds, in the file itself
DESCRIPTION = 270  # the tag
LONGEST_UNIT = 40  # characters; ImageJ writes such as micron
UNITS: dict[int, Literal["inch", "cm", "none"]] = {1: "none", 2: "inch", 3: "cm"}


@dataclass(frozen=True)
class Frame:
    """An image of the file.

    Attributes
    ----------
    page : tifffile.TiffPage or None
        Its tags; None if they cannot be read.
    place : int or None
        That of the tags in the file's chain; None where they hang below others.
    offset : int or None
        Where its bytes begin, if several images share the tags.
    error : Exception or None
        Why the tags cannot be read.
    """

    page: Any
    place: int | None = None
    offset: int | None = None
    error: Exception | None = None


class TiffPages:
    """A TIFF file, page by page; overviews, thumbnails and masks are no pages."""

    def __init__(self, file: IO[bytes], options: ReadingOptions) -> None:
        self._file = file
        self._options = options
        file.seek(0)
        with _tags_of_rare_kinds():
            self._tiff = tifffile.TiffFile(file)
        self._found: list[Frame] = []
        self._rest = self._frames()

    def has(self, page: int) -> bool:
        """Return whether there is a page of that number, from 0."""
        while len(self._found) <= page:
            frame = next(self._rest, None)
            if frame is None:
                return False
            self._found.append(frame)
        return True

    def read(self, page: int, notes: Notes, lenient: bool) -> Picture:
        """Read a page from the file; where `lenient`, what there is of a damaged one."""
        if not self.has(page):
            raise EOFError
        frame = self._found[page]
        if frame.error:
            raise frame.error
        tags = frame.page
        _check(tags, self._options)
        orientation = int(tags.tags.valueof(ORIENTATION, 1))
        if tags.compression == OLD_JPEG:
            picture = self._by_pillow(frame, notes, lenient)
        else:
            check_meaning(tags)
            samples = read_samples(tags, self._file, lenient, frame.offset)
            masked = self._masked(frame, lenient)
            picture = interpreted(samples, masked, tags, self._options, notes)
            picture = dataclasses.replace(picture, pixels=upright(picture.pixels, orientation))
        kept = Kept(
            _resolution(tags, is_turned(orientation)) or picture.kept.resolution,
            picture.kept.profile,
            geo_tags(tags),
        )
        return dataclasses.replace(picture, kept=kept, turned=orientation != 1)

    def _frames(self) -> Iterator[Frame]:
        """Find the images that are pages; in a file of nothing but thumbnails the first."""
        first: Frame | None = None
        found = False
        for frame in self._chain():
            if frame.error:
                pages = [frame]
            elif int(frame.page.subfiletype) & (REDUCED | MASK):
                first = first or frame
                pages = [Frame(page) for page in _main_images_below(frame.page)]
            else:
                pages = self._stack(frame)
            found = found or bool(pages)
            yield from pages
        if not found and first:
            yield first

    def _chain(self) -> Iterator[Frame]:
        for place in range(MOST_PAGES):
            try:
                with _tags_of_rare_kinds():
                    page: Any = self._tiff.pages[place]
            except IndexError:
                return
            except ImageFileError as error:
                yield Frame(None, place, error=error)
                continue
            except Exception as error:  # where the next one is nobody knows
                yield Frame(None, place, error=error)
                return
            yield Frame(page, place)

    def _stack(self, frame: Frame) -> list[Frame]:
        """Return the images that share the tags of a page, the only one of its file.

        Programs for microscopes put the bytes one after the other, and their number elsewhere.
        """
        tiff, page = self._tiff, frame.page
        if not (tiff.is_imagej or tiff.is_shaped or tiff.is_stk) or not page.is_contiguous:
            return [frame]
        try:
            tiff.pages[1]
        except IndexError:
            series = tiff.series[0]
            size = math.prod(page.shape)
            number = math.prod(series.shape) // size if series.is_truncated and size else 1
            if number > 1:
                start, step = int(page.dataoffsets[0]), int(page.nbytes)
                return [Frame(page, 0, start + at * step) for at in range(min(number, MOST_PAGES))]
        return [frame]

    def _masked(self, frame: Frame, lenient: bool) -> Missing:
        """Return the pixels that a page's mask leaves out: one that follows it, as GDAL has it."""
        if frame.place is None or frame.offset is not None:
            return None
        for place in range(frame.place + 1, MOST_PAGES):
            try:
                page: Any = self._tiff.pages[place]
            except Exception:  # the end, or one that is damaged: it is told of as a page
                return None
            kind = int(page.subfiletype)
            if not kind & (REDUCED | MASK):
                return None
            same_size = _size(page) == _size(frame.page)
            if kind & MASK and not kind & REDUCED and same_size:
                _check(page, self._options)
                values = read_samples(page, self._file, lenient).values
                return np.asarray((values == 0).all(axis=2))
        return None

    def _by_pillow(self, frame: Frame, notes: Notes, lenient: bool) -> Picture:
        try:
            pages = PillowPages(self._file, ("TIFF",), self._options)
        except UnidentifiedImageError as error:
            raise ImageFileError("is a TIFF with JPEG of the old kind; save it anew") from error
        return pages.read(frame.place or 0, notes, lenient)


@contextmanager
def _tags_of_rare_kinds() -> Iterator[None]:
    """Refuse tags that tifffile cannot make sense of together, such as samples of several types."""
    try:
        yield
    except TypeError as error:
        raise ImageFileError(
            "is a TIFF of a kind that is not read here, or damaged: its tags contradict each "
            "other, or its samples are of several types or complex; save it anew"
        ) from error


def _size(page: Any) -> tuple[int, int]:
    return int(page.imagelength), int(page.imagewidth)


def _main_images_below(page: Any) -> list[Any]:
    """Return the images of full size that hang below a thumbnail, as in DNG."""
    below = page.pages or ()
    return [image for image in below if not int(image.subfiletype) & (REDUCED | MASK)]


def _check(page: Any, options: ReadingOptions) -> None:
    """Refuse, before any decoding, what would take more memory or time than its size allows."""
    width, height = page.imagewidth, page.imagelength
    check_size(width, height, options)
    if page.imagedepth != 1 or not 1 <= page.samplesperpixel <= 1024:
        raise ImageFileError("is a volume or has too many channels; expected an image, split it")
    counts = np.asarray(page.databytecounts, dtype=np.float64)
    tile = page.tilewidth * page.tilelength if page.is_tiled else width * (page.rowsperstrip or 1)
    tile = min(tile, width * height) if not page.is_tiled else tile
    most = max(4.0 * width * height, float(1 << 22))
    whole = tile * page.samplesperpixel * math.ceil(np.max(page.bitspersample) / 8)
    if (
        len(counts) > MOST_SEGMENTS
        or not 0 < tile <= most
        # Compression makes noise larger, but not twice; what is would burst when inflated.
        or (counts.max(initial=0) > 2 * max(whole, 1 << 16) + 4096 and page.compression != 1)
    ):
        raise ImageFileError("is damaged: its strips or tiles do not fit its size; get a new copy")


def _resolution(page: Any, turned: bool) -> Resolution | None:
    try:
        x, y = (Fraction(*page.tags.valueof(code)) for code in (282, 283))
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    resolution = Resolution(x, y).if_sensible()
    if resolution is None:
        return None
    unit = UNITS.get(int(page.tags.valueof(296, 2)), "none")
    resolution = dataclasses.replace(resolution, unit=unit, length=_imagej_unit(page))
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
