"""The images of a TIFF: which of its pages are ones, and which are masks, overviews, thumbnails."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import tifffile

from segment.errors import ImageFileError

logging.getLogger("tifffile").addHandler(logging.NullHandler())
MOST_PAGES = 10_000  # in a chain of tags: longer ones are circles, or a joke
MOST_SEGMENTS = 1 << 20  # strips or tiles: each costs some microseconds, whatever it holds
REDUCED, MASK = 1, 4  # bits of the tag NewSubfileType: the same image smaller, or its mask


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


class Frames:
    """The images of a TIFF file, found as they are asked for."""

    def __init__(self, file: IO[bytes]) -> None:
        file.seek(0)
        with _tags_of_rare_kinds():
            self._tiff = tifffile.TiffFile(file)
        self._found: list[Frame] = []
        self._rest = self._frames()

    def has(self, number: int) -> bool:
        """Return whether there is an image of that number, from 0."""
        while len(self._found) <= number:
            frame = next(self._rest, None)
            if frame is None:
                return False
            self._found.append(frame)
        return True

    def __getitem__(self, number: int) -> Frame:
        """Return an image by its number, whose tags could be read."""
        if not self.has(number):
            raise EOFError
        frame = self._found[number]
        if frame.error:
            raise frame.error
        return frame

    def mask_of(self, frame: Frame) -> Any:
        """Return the page of an image's mask: one that follows it, as GDAL has it; else None."""
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
            if kind & MASK and not kind & REDUCED and _size(page) == _size(frame.page):
                return page
        return None

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


def check_segments(page: Any) -> None:
    """Refuse, before any decoding, what would take more memory or time than its size allows."""
    width, height = page.imagewidth, page.imagelength
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
