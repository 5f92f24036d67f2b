"""TIFF, BigTIFF and COG by strips: the samples that are had of whole images, to the bit."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.bands import COLORS, Band
from segment.errors import ImageFileError
from segment.raster.source import Colors
from segment.raster.steady_file import SteadyFile, reopened
from segment.tiff.band_tags import PREMULTIPLIED, bands_of
from segment.tiff.frames import Frames, check_segments
from segment.tiff.no_data import no_data, visible_among
from segment.tiff.places import GeoTag, Resolution, geo_tags, place_beside, resolution_of
from segment.tiff.samples import palette_of
from segment.tiff.stored import DamagedSegmentError
from segment.tiff.window import PageRows

ORIENTATION, ICC_PROFILE = 274, 34675
OLD_JPEG = 6
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, MASK, CMYK, YCBCR = range(7)
LINEAR_RAW = 34892
AS_STORED = {BLACK_IS_ZERO, RGB, LINEAR_RAW}
COLORS_OF: dict[int, Colors] = {
    WHITE_IS_ZERO: "turned",
    PALETTE: "made",
    MASK: "made",
    YCBCR: "made",
    CMYK: "inks",
}
NAMES = {8: "L*a*b*", 9: "L*a*b*", 10: "L*a*b*", 32803: "the mosaic of a raw camera"}


class TiffSource:
    """A page of a TIFF; see `segment.raster.source.RasterSource`.

    A palette's colours are three bands of 8 bits, YCbCr is RGB, and where white is 0 the values of
    one band or three, which are unsigned of up to 16 bits, are turned round: as in memory. Of CMYK
    the inks are read. Other colours that are not stored as such (L*a*b*, multiplied by alpha) and
    pages that are not upright are refused.

    Parameters
    ----------
    path : Path
    page : int or None
        From 1; None for the first, with a warning if there are more.
    allow_damaged : bool
        Go on where a strip or tile is damaged: its pixels have no value.
    """

    alpha_is_sure = False

    def __init__(self, path: Path, page: int | None = None, allow_damaged: bool = False) -> None:
        self._file = SteadyFile(path)
        self._allowed = allow_damaged
        self._arguments = path.absolute(), page, allow_damaged
        self._lock = threading.Lock()
        self._damaged: dict[str, None] = {}
        with self._file.opened() as file:
            frames = Frames(file)
            number = (page or 1) - 1
            if not frames.has(0):
                raise EOFError("no image in it")
            if not frames.has(number):
                raise ImageFileError(f"has no page {number + 1}; choose another with --page")
            frame = frames[number]
            self._page = frame.page
            check_readable(self._page)
            self._rows = PageRows(self._page, self._file.size, frame.offset, allow_damaged)
            mask = frames.mask_of(frame)
            self._mask = None if mask is None else self._rows_of_mask(mask)
            self._describe(path)
            self.several = _has_second(frames)
            if page is None and self.several:
                self._said += ("has more pages than the first, which was taken; see --page",)
        if self._rows.cut_off(self._file.size) and not allow_damaged:
            raise ImageFileError(
                f"is cut off: it has {self._file.size:,} bytes, fewer than its strips or tiles "
                "take; get a whole copy; --allow-truncated takes what there is of it"
            )

    def _rows_of_mask(self, mask: Any) -> PageRows:
        check_segments(mask)
        return PageRows(mask, self._file.size, None, self._allowed)

    def _describe(self, path: Path) -> None:
        page = self._page
        self.height, self.width = int(page.imagelength), int(page.imagewidth)
        self.bands = bands_of(page)
        self._colors: NDArray[np.uint8] | None = None
        if page.photometric == PALETTE:
            self._colors = palette_of(page)
            self.bands = tuple(Band(at + 1, name, "uint8", 8) for at, name in enumerate(COLORS[3]))
        colors = sum(not band.is_alpha for band in self.bands)
        self.colors: Colors = COLORS_OF.get(int(page.photometric), "stored")
        self._is_negative = page.photometric == WHITE_IS_ZERO and colors in COLORS
        self.geo: tuple[GeoTag, ...]
        self._said: tuple[str, ...]
        self.geo, self._said = place_beside(path, geo_tags(page))
        self.resolution: Resolution | None = resolution_of(page)
        profile = page.tags.valueof(ICC_PROFILE)
        self.profile = profile if isinstance(profile, bytes) else None
        self.preferred_rows = self._rows.layout.rows

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._said + tuple(self._damaged)

    def read(
        self, top: int, bottom: int, bands: Sequence[int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        stored = [0] if self._colors is not None else list(bands)
        values, hidden = self._strip(self._rows, top, bottom, stored)
        if self._mask is not None:
            mask, gone = self._strip(self._mask, top, bottom, [0])
            hidden = _either(hidden, gone, mask[:, :, 0] == 0)
        used = [at for at, band in enumerate(stored) if not self.bands[band].is_alpha]
        visible = visible_among(values, used, no_data(self._page, values.dtype), hidden)
        if self._colors is not None:
            index = np.minimum(values[:, :, 0], len(self._colors) - 1)
            values = self._colors[:, list(bands)][index]
        elif self._is_negative:
            top_value = values.dtype.type((1 << int(self._page.bitspersample)) - 1)
            for at in used:
                np.subtract(top_value, values[:, :, at], out=values[:, :, at])
        return values, visible

    def __reduce__(self) -> tuple[Any, ...]:
        return reopened, (TiffSource, self._arguments, self._file.size)

    def check(self) -> None:
        self._file.check()

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""

    def _strip(
        self, rows: PageRows, top: int, bottom: int, channels: Sequence[int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        try:
            strip = rows.read(self._file.opened, top, bottom, channels)
        except DamagedSegmentError as error:
            raise ImageFileError(
                f"has a damaged {rows.named(error.segment)}; get a whole copy; "
                "--allow-truncated goes on without it"
            ) from error
        with self._lock:
            for segment in sorted(set(strip.damaged)):
                self._damaged[f"left out its damaged {rows.named(segment)}"] = None
        return strip.values, strip.hidden


def check_readable(page: Any) -> None:
    """Refuse, before any decoding, what cannot be read by strips as it is read in memory.

    Raises
    ------
    ImageFileError
    """
    if not (page.imagelength and page.imagewidth):
        raise ImageFileError(
            f"has {page.imagewidth} x {page.imagelength} pixels, expected one at least; check it"
        )
    check_segments(page)
    orientation = int(page.tags.valueof(ORIENTATION, 1))
    if orientation in range(2, 9):
        raise ImageFileError(
            f"is stored turned (orientation {orientation}), expected upright to be read by "
            "strips; save it upright, or raise --memory to hold all of it"
        )
    if page.compression == OLD_JPEG:
        raise ImageFileError("is a TIFF with JPEG of the old kind; save it anew")
    photometric = int(page.photometric)
    if photometric not in AS_STORED | COLORS_OF.keys():
        name = NAMES.get(photometric, f"photometric kind {photometric}")
        raise ImageFileError(f"is a TIFF in {name}; save it as RGB to read it by strips")
    if PREMULTIPLIED in map(int, page.extrasamples or ()):
        raise ImageFileError(
            "has colours multiplied by alpha; save it with straight alpha to read it by strips"
        )
    whole = int(np.max(page.bitspersample)) <= 16 and int(page.sampleformat) in (1, 4)
    if photometric == WHITE_IS_ZERO and not whole:
        raise ImageFileError(
            "is a TIFF where white is 0, of more than 16 bits or with a sign; save it with black 0"
        )
    if photometric == CMYK and not whole:
        raise ImageFileError(
            "is a TIFF in CMYK of more than 16 bits or with a sign; save it as RGB"
        )
    if photometric == PALETTE and int(page.samplesperpixel) > 1:
        raise ImageFileError("is a TIFF with a palette and other channels; save it as RGB")


def _either(*hidden: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    found = [part for part in hidden if part is not None]
    return np.logical_or.reduce(found) if found else None


def _has_second(frames: Frames) -> bool:
    """Return whether there is a second image; what is damaged behind the first matters not."""
    try:
        return frames.has(1)
    except Exception:
        return False
