"""PNG by strips: each is a PNG of its own to the reader of whole images, with the same chunks."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.decoding.png import rows_there
from segment.errors import ImageFileError
from segment.photos.photo import bands_of_colors
from segment.photos.png_stream import PngRows, read_chunks
from segment.raster.opening import one_kind_of_error
from segment.raster.source import Colors
from segment.raster.steady_file import SteadyFile, reopened
from segment.reading.picture import Notes, Picture
from segment.reading.pillow_pages import PillowPages
from segment.reading.process_state import borrowed
from segment.reading.reading_options import ReadingOptions
from segment.tiff.places import GeoTag, place_beside

NO_LIMIT = 1 << 40  # pixels: how many there are is for those to judge who open it


class PngSource:
    """A PNG in the colours that its reader gives; see `segment.raster.source.RasterSource`.

    Parameters
    ----------
    path : Path
    options : ReadingOptions
        With `allow_truncated` rows from a damaged place on have no value.

    Raises
    ------
    ImageFileError
        If it is interlaced, an animation or stored turned.
    """

    several = False
    colors: Colors = "made"
    alpha_is_sure = True

    def __init__(self, path: Path, options: ReadingOptions) -> None:
        self._file = SteadyFile(path)
        self._arguments = path.absolute(), options
        self._options = replace(options, max_pixels=NO_LIMIT)
        self._notes = Notes()
        self._lost: int | None = None  # the first row that there is not
        with one_kind_of_error(), self._file.opened() as file:
            self._png = read_chunks(file)
            self._rows = PngRows(self._file, self._png)
        self.height, self.width = self._png.height, self._png.width
        self.preferred_rows = self._rows.preferred
        row = np.zeros((1, self._png.row), np.uint8)
        with one_kind_of_error(), borrowed(NO_LIMIT):
            first = self._picture(self._png.of_rows(row, whole=True), Notes())
        if first.turned:
            raise ImageFileError("is stored turned; save it upright to read it by strips")
        pixels = first.pixels.reshape(1, self.width, -1)
        self.bands = bands_of_colors(pixels, has_alpha=first.visible is not None)
        self.resolution, self.profile = first.kept.resolution, first.kept.profile
        self.geo: tuple[GeoTag, ...]
        self.geo, self._said = place_beside(path)

    @property
    def warnings(self) -> tuple[str, ...]:
        own = tuple(dict.fromkeys(self._notes.warnings))
        lost = f"is damaged or cut off; left out its rows from {self._lost} on"
        return (*own, *self._said, *([] if self._lost is None else [lost]))

    def read(
        self, top: int, bottom: int, bands: Sequence[int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        values = np.zeros((bottom - top, self.width, len(bands)), self.bands[0].dtype)
        lost = self._lost
        end = bottom if lost is None else max(top, min(bottom, lost))

        def put(first: int, rows: NDArray[np.uint8]) -> None:
            pixels = self._picture(self._png.of_rows(rows), self._notes).pixels
            channels = pixels.reshape(len(rows), self.width, -1)
            values[first - top : first - top + len(rows)] = channels[:, :, list(bands)]

        try:
            if end > top:
                with borrowed(NO_LIMIT):
                    self._rows.each(top, end, put)
        except (ImageFileError, MemoryError):
            raise
        except Exception as error:  # whatever a damaged stream brings about
            self._lose(error, known=lost is not None)
            return self.read(top, bottom, bands)
        if end == bottom:
            return values, None
        visible = np.zeros(values.shape[:2], bool)
        visible[: end - top] = True
        return values, visible

    def _lose(self, error: Exception, *, known: bool) -> None:
        """Find out which rows there are, if it is allowed to go on with them."""
        with self._file.opened() as file:
            lost = rows_there(file)
        if known or not self._options.allow_truncated:
            raise ImageFileError(
                f"is damaged or cut off at row {lost}; get a whole copy; --allow-truncated goes on "
                "without the rest"
            ) from error
        self._lost, self._rows.damaged = lost, True

    def _picture(self, png: io.BytesIO, notes: Notes) -> Picture:
        return PillowPages(png, ("PNG",), self._options).read(0, notes, lenient=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return reopened, (PngSource, self._arguments, self._file.size)

    def check(self) -> None:
        self._file.check()

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""
