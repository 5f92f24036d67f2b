"""Pages of a TIFF: what they hold, and who decodes them, tifffile or Pillow."""

from __future__ import annotations

import dataclasses
import logging
import math
from fractions import Fraction
from typing import IO, Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import UnidentifiedImageError

from segment.errors import ImageFileError
from segment.reading.formats import MOST_PAGES
from segment.reading.picture import Kept, Notes, Picture, ReadingOptions, Resolution, check_size
from segment.reading.pillow_pages import PillowPages
from segment.reading.tiff_tags import geo_tags, interpreted, no_data
from segment.reading.values import ORIENTATION, is_turned, upright

logging.getLogger("tifffile").addHandler(logging.NullHandler())
MOST_SEGMENTS = 1 << 20  # strips or tiles: each costs some microseconds, whatever it holds
OVERVIEW_OR_MASK = 0b101  # bits of the tag NewSubfileType: the same image smaller, or its mask
PILLOWS = {0: {1, 2}, 1: {1, 2}, 2: {3, 4}, 3: {1}, 5: {4}, 6: {3}, 8: {3}, 9: {3}}
UNITS: dict[int, Literal["inch", "cm", "none"]] = {1: "none", 2: "inch", 3: "cm"}


class TiffPages:
    """A TIFF file, page by page; overviews and masks are no pages.

    8-bit pages of the usual kinds are Pillow's, which knows all compressions. The others are
    tifffile's, which keeps any depth; those it cannot decompress are Pillow's again.
    """

    def __init__(self, file: IO[bytes], options: ReadingOptions) -> None:
        self._file = file
        self._options = options
        file.seek(0)
        self._tiff = tifffile.TiffFile(file)
        self._found: list[Any] = []
        self._next = 0

    def has(self, page: int) -> bool:
        """Whether there is a page of that number, from 0."""
        while len(self._found) <= page and self._next < MOST_PAGES:
            try:
                candidate: Any = self._tiff.pages[self._next]
            except IndexError:
                return False
            if not int(candidate.subfiletype) & OVERVIEW_OR_MASK or not self._next:
                self._found.append(candidate)
            self._next += 1
        return len(self._found) > page

    def read(self, page: int, notes: Notes, lenient: bool) -> Picture:
        """Read a page from the file; where `lenient`, what there is of a damaged one."""
        if not self.has(page):
            raise EOFError
        tiff_page = self._found[page]
        _check(tiff_page, self._file, self._options, lenient)
        orientation = int(tiff_page.tags.valueof(ORIENTATION, 1))
        if _is_pillows(tiff_page):
            picture = self._by_pillow(tiff_page, notes, lenient)
        else:
            try:
                values = _decoded(tiff_page, lenient)
            except (ValueError, NotImplementedError, KeyError) as error:
                notes.details.append(f"tifffile: {error}")
                picture = self._by_pillow(tiff_page, notes, lenient)
            else:
                picture = interpreted(values, tiff_page, self._options, notes)
                picture = dataclasses.replace(picture, pixels=upright(picture.pixels, orientation))
        kept = Kept(
            _resolution(tiff_page, is_turned(orientation)) or picture.kept.resolution,
            picture.kept.profile,
            self._geo(tiff_page, orientation, notes),
        )
        return dataclasses.replace(picture, kept=kept)

    def _by_pillow(self, page: Any, notes: Notes, lenient: bool) -> Picture:
        try:
            pages = PillowPages(self._file, ("TIFF",), self._options)
            return pages.read(page.index, notes, lenient, no_data(page))
        except UnidentifiedImageError as error:
            if page.bitspersample <= 8 and page.photometric in PILLOWS:
                raise
            raise ImageFileError(
                f"is a TIFF of a rare kind ({page.samplesperpixel} x {page.bitspersample} bits, "
                f"{getattr(page.compression, 'name', page.compression)}); "
                "pip install 'meanshift-segment[formats]', or save it uncompressed"
            ) from error

    def _geo(self, page: Any, orientation: int, notes: Notes) -> tuple[Any, ...]:
        tags = geo_tags(page)
        if tags and orientation != 1:
            notes.warnings.append("its place on the map is left out, for it is not stored upright")
            return ()
        return tags


def _check(page: Any, file: IO[bytes], options: ReadingOptions, lenient: bool) -> None:
    """Refuse, before any decoding, what would take more memory or time than its size allows."""
    width, height = page.imagewidth, page.imagelength
    check_size(width, height, options)
    if page.imagedepth != 1 or not 1 <= page.samplesperpixel <= 1024:
        raise ImageFileError("is a volume or has too many channels; expected an image, split it")
    counts = np.asarray(page.databytecounts, dtype=np.float64)
    tile = page.tilewidth * page.tilelength if page.is_tiled else width * (page.rowsperstrip or 1)
    tile = min(tile, width * height) if not page.is_tiled else tile
    most = max(4.0 * width * height, float(1 << 22))
    whole = tile * page.samplesperpixel * math.ceil(page.bitspersample / 8)
    at = np.asarray(page.dataoffsets, dtype=np.float64)
    if (
        len(counts) > MOST_SEGMENTS
        or tile > most
        # Compression makes noise larger, but not twice; what is would burst when inflated.
        or (counts.max(initial=0) > 2 * max(whole, 1 << 16) + 4096 and page.compression != 1)
    ):
        raise ImageFileError("is damaged: its strips or tiles do not fit its size; get a new copy")
    if lenient or _is_pillows(page):  # which finds out by itself, and takes sloppy counts
        return
    if not 0 < len(counts) == len(at) or (at + counts).max() > file.seek(0, 2):
        raise EOFError("strips or tiles are missing, or beyond the end of the file")


def _is_pillows(page: Any) -> bool:
    samples = PILLOWS.get(int(page.photometric), ())
    return page.bitspersample <= 8 and page.sampleformat == 1 and page.samplesperpixel in samples


def _decoded(page: Any, lenient: bool) -> NDArray[Any]:
    """Decode a page to (H, W, C)."""
    if lenient:
        values = _what_there_is(page)
    else:
        if math.prod(page.chunked) != len(page.dataoffsets):
            raise EOFError("strips or tiles are missing")  # tifffile would leave them unset
        values = page.asarray(maxworkers=1)
    if page.axes == "SYX":
        return np.moveaxis(values, 0, -1)
    return values if values.ndim == 3 else values[:, :, None]


def _what_there_is(page: Any) -> NDArray[Any]:
    """Decode strip by strip, or tile by tile; 0 where one is damaged or missing."""
    whole = np.zeros(page.shaped, page.dtype)
    file = page.parent.filehandle
    for index, (at, count) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=False)):
        file.seek(at)
        data = file.read(count)
        if page.compression == 1:
            data = data.ljust(count, b"\0")
        try:
            segment, (s, d, h, w, _), shape = page.decode(data, index)
        except Exception:  # whatever its bytes bring about
            continue
        if segment is not None:
            part = whole[s, d : d + shape[0], h : h + shape[1], w : w + shape[2]]
            part[...] = segment[: part.shape[0], : part.shape[1], : part.shape[2]]
    return whole.reshape(page.shape)


def _resolution(page: Any, turned: bool) -> Resolution | None:
    try:
        x, y = (Fraction(*page.tags.valueof(code)) for code in (282, 283))
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    resolution = Resolution(x, y).if_sensible()
    if resolution is None:
        return None
    unit = UNITS.get(int(page.tags.valueof(296, 2)), "none")
    resolution = dataclasses.replace(resolution, unit=unit)
    return resolution.turned() if turned else resolution
