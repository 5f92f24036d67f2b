"""Files to pictures and masks: whatever the format, one way in, and one kind of error out."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from segment.errors import ImageFileError, UnknownKindError
from segment.reading.formats import MOST_PAGES, check_text_header, kind_of, pillow_formats
from segment.reading.picture import DamagedPage, Notes, Picture
from segment.reading.pillow_pages import PillowPages
from segment.reading.process_state import borrowed, held_back
from segment.reading.reading_options import MaskReading, ReadingOptions
from segment.reading.sources import HEAD, opened
from segment.streams import is_stream
from segment.tiff.places import place_beside

MISREAD = ("FITS", "PSD", "JPEG2000", "JXL")  # of which Pillow gives wrong values, or may
UNREADABLE = (
    "is damaged or cut off, or of a kind that no reader here knows; "
    "get a whole copy, or save it as PNG"
)


class Pages(Protocol):
    """A file that has pages, one at least."""

    def has(self, page: int) -> bool: ...

    def read(self, page: int, notes: Notes, lenient: bool) -> Picture: ...


def read_pages(
    path: Path,
    options: ReadingOptions = ReadingOptions(),  # noqa: B008
) -> Iterator[Picture | DamagedPage]:
    """Read a file's pages, those that are asked for, one after the other.

    Parameters
    ----------
    path : Path
        ``-`` is standard input.
    options : ReadingOptions

    Yields
    ------
    page : Picture or DamagedPage

    Raises
    ------
    ImageFileError
        If there is no such file or page, or it is not an image, or too large.
    """
    with opened(path) as file:
        with _one_kind_of_error(options), borrowed(options.max_pixels), held_back():
            pages = _pages(file, options)
            if not pages.has(0):
                raise EOFError("no image in it")
            several = _several(pages)
        if options.page == "all":
            for picture in _all(pages, options, several):
                yield _on_map(picture, path)
            return
        number = (options.page or 1) - 1
        with _one_kind_of_error(options), borrowed(options.max_pixels):
            if not pages.has(number):
                raise ImageFileError(f"has no page {number + 1}; choose another with --page")
        notes = Notes()
        if several and options.page is None:
            notes.warnings.append("has more pages than the first, which was taken; see --page")
        picture = _on_map(_read(pages, number, options, notes), path)
        yield dataclasses.replace(picture, page=options.page if several else None)


def read_image(path: Path, options: ReadingOptions = ReadingOptions()) -> NDArray[Any]:  # noqa: B008
    """Read the pixels of a file's first page, or of the one asked for."""
    page = next(read_pages(path, options))
    if isinstance(page, DamagedPage):
        raise page.error
    return page.pixels


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Read an image as a mask: (H, W), where it is neither black (or 0) nor fully transparent."""
    image = read_image(path, MaskReading(ignore_icc=True))
    values = image if image.ndim == 3 else image[:, :, None]
    if values.shape[2] in (2, 4):
        values = values[:, :, :-1] * (values[:, :, -1:] != 0)
    return np.asarray((values != 0).any(axis=2))


def _on_map(picture: Picture | DamagedPage, path: Path) -> Picture | DamagedPage:
    """Give a picture that no tags place on the map the place of the world file beside its file."""
    if isinstance(picture, DamagedPage):
        return picture
    geo, warnings = picture.kept.geo, picture.warnings
    if not is_stream(path):
        geo, said = place_beside(path, geo)
        warnings += said
    if geo and picture.turned:
        geo = ()
        warnings += ("its place on the map is left out, for it is not stored upright",)
    kept = picture.kept._replace(geo=geo)
    return dataclasses.replace(picture, kept=kept, warnings=warnings)


def _pages(file: IO[bytes], options: ReadingOptions) -> Pages:
    head = file.read(HEAD)
    kind = kind_of(head)
    check_text_header(head)
    if kind == "TIFF":
        from segment.reading.tiff_pages import TiffPages

        return TiffPages(file, options)
    if kind == "NPY":
        from segment.reading.frame_pages import NpyPages

        return NpyPages(file, options)
    if kind in MISREAD and (pages := _frame_pages(kind, file, options)):
        return pages
    formats = pillow_formats(kind)
    try:
        return PillowPages(file, formats, options)
    except UnidentifiedImageError as error:
        if kind not in (None, "BMP"):  # whose mark, "BM", may begin any text
            raise ImageFileError(UNREADABLE) from error
        raise UnknownKindError(
            "is not an image of a kind known here; expected JPEG, PNG, TIFF, WebP, ..."
        ) from None
    except (OSError, ValueError) as error:
        if kind == "BMP" and (pages := _frame_pages(kind, file, options)):
            return pages
        if getattr(error, "errno", None):
            raise
        raise ImageFileError(UNREADABLE) from error


def _frame_pages(kind: str, file: IO[bytes], options: ReadingOptions) -> Pages | None:
    """Return the pages by a decoder of ours, which most files do without; None for Pillow's."""
    from segment.reading.frame_pages import FramePages, frames_of

    frames = frames_of(kind, file)
    return None if frames is None else FramePages(frames, options)


def _several(pages: Pages) -> bool:
    try:
        return pages.has(1)
    except Exception:  # what is damaged behind the first page does not matter to it
        return False


def _all(pages: Pages, options: ReadingOptions, several: bool) -> Iterator[Picture | DamagedPage]:
    for number in range(MOST_PAGES):
        page = number + 1 if several else None
        notes = Notes()
        try:
            with _one_kind_of_error(options), borrowed(options.max_pixels):
                if not pages.has(number):
                    return
            yield dataclasses.replace(_read(pages, number, options, notes), page=page)
        except ImageFileError as error:
            yield DamagedPage(page, error)
            if isinstance(pages, PillowPages):  # whose frames build on each other
                return
    yield DamagedPage(None, ImageFileError(f"has more than {MOST_PAGES:,} pages; split it"))


def _read(pages: Pages, number: int, options: ReadingOptions, notes: Notes) -> Picture:
    said: list[str] = []
    try:
        with _one_kind_of_error(options):
            picture = _whole_or_what_there_is(pages, number, options, notes, said)
            picture = picture.with_bands(options)
    except ImageFileError as error:
        for line in said + notes.details:
            error.add_note(line)
        raise
    details = dict.fromkeys((*notes.details, *said))
    return dataclasses.replace(picture, warnings=tuple(notes.warnings), details=tuple(details))


def _whole_or_what_there_is(
    pages: Pages, number: int, options: ReadingOptions, notes: Notes, said: list[str]
) -> Picture:
    """Read a page as it should be; if that fails and it is allowed, once more with less care."""

    def read(notes: Notes, lenient: bool) -> Picture:
        words: list[str] = []
        silent = isinstance(pages, PillowPages) and pages.silent
        hold = nullcontext(words) if silent else held_back()  # which threads take turns at
        try:
            with borrowed(options.max_pixels, lenient=lenient), hold as words:
                return pages.read(number, notes, lenient)
        finally:
            said.extend(words)

    if not options.allow_truncated:
        return read(notes, False)
    try:
        first = Notes()
        picture = read(first, False)
        notes.warnings += first.warnings
        return picture
    except (ImageFileError, MemoryError):
        raise
    except Exception as error:
        notes.details.append(f"{type(error).__name__}: {error}")
    notes.warnings.append("is damaged or cut off; took what there is of it")
    return read(notes, True)


@contextmanager
def _one_kind_of_error(options: ReadingOptions) -> Iterator[None]:
    """Make one of all that libraries raise over files; what they say is the error's cause."""
    try:
        yield
    except (ImageFileError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageFileError(
            f"has more than {options.max_pixels:,} pixels; "
            "split it, scale it down or raise --max-pixels"
        ) from error
    except NotImplementedError as error:
        raise ImageFileError(
            "is of a kind that no reader here knows; save it as PNG or TIFF"
        ) from error
    except Exception as error:  # plug-ins raise anything at all over damaged files
        if isinstance(error, OSError) and error.errno:
            raise ImageFileError(f"cannot be read: {error.strerror}; check it") from error
        way_out = "" if options.allow_truncated else "; --allow-truncated takes what there is of it"
        raise ImageFileError(f"is damaged or cut off; get a whole copy{way_out}") from error


def mask_from(path: Path) -> NDArray[np.bool_]:
    """Return the mask in a file; one from a pipe or standard input, ``-``, is kept.

    Parameters
    ----------
    path : Path

    Returns
    -------
    mask : (H, W) bool array

    Raises
    ------
    ImageFileError
        If it cannot be read.
    """
    try:
        changed = 0 if is_stream(path) else path.stat().st_mtime_ns
    except OSError:
        changed = 0  # reading it tells what is wrong
    return _mask_as_of(path, changed)


@functools.lru_cache(maxsize=1)
def _mask_as_of(path: Path, changed: int) -> NDArray[np.bool_]:
    return read_mask(path)
