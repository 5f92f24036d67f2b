"""Photos by strips: rows of a file to the colours in sRGB that the readers of whole images give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.bands import Band, usual_names
from segment.raster.source import Colors, RasterSource
from segment.reading.picture import Kept, Notes
from segment.reading.profiles import array_to_srgb, is_converted, kept_profile
from segment.reading.reading_options import ReadingOptions
from segment.reading.values import in_known_range, with_alpha
from segment.tiff.places import measured

AT_ONCE = 1 << 19  # pixels whose colours are made in one go: at most 30 bytes each


class Photo:
    """A source whose values are made colours in sRGB as they are read; see `RasterSource`.

    The colours of a pixel depend on its values alone, so that strips have those of the whole image.

    Parameters
    ----------
    source : RasterSource
        Of grey, RGB, or the four inks of CMYK, unsigned and of up to 16 bits, beside alpha. Other
        bands are left out, with a warning.
    options : ReadingOptions
    """

    colors: Colors = "made"
    alpha_is_sure = False

    def __init__(self, source: RasterSource, options: ReadingOptions) -> None:
        self._source, self._notes = source, Notes()
        self._icc = source.profile if is_converted(source.profile, options) else None
        alpha = [place for place, band in enumerate(source.bands) if band.is_alpha][:1]
        others = [place for place, band in enumerate(source.bands) if not band.is_alpha]
        count = 4 if len(others) >= 4 else len(others)
        self._count, self._places = count, [*others[:count], *alpha]
        if len(source.bands) > len(self._places):
            which = {1: "the first", 3: "the first three"}.get(count, "the first four")
            self._notes.warnings.append(f"has {len(source.bands)} channels; took {which}")
        self.height, self.width = source.height, source.width
        self.geo, self.resolution = source.geo, source.resolution
        self.preferred_rows, self.several = source.preferred_rows, source.several
        dtype = np.dtype(source.bands[0].dtype)
        pixel = self._colors(np.zeros((1, 1, len(self._places)), dtype), Notes())
        self.bands = bands_of_colors(pixel, has_alpha=bool(alpha))
        own = pixel.shape[2] - len(alpha)
        self.profile = None if self._icc else kept_profile(source.profile, own)

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._source.warnings + tuple(dict.fromkeys(self._notes.warnings))

    def read(
        self, top: int, bottom: int, bands: Sequence[int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        values, visible = self._source.read(top, bottom, self._places)
        found = np.empty((*values.shape[:2], len(bands)), self.bands[0].dtype)
        step = max(1, AT_ONCE // self.width)
        for start in range(0, len(values), step):
            rows = slice(start, start + step)
            found[rows] = self._colors(values[rows], self._notes)[:, :, list(bands)]
        return found, visible

    def _colors(self, values: NDArray[Any], notes: Notes) -> NDArray[Any]:
        """Return colours, and alpha of the same type, (h, W, C), of values as they are stored."""
        bits = self._source.bands[0].bits
        known, _ = in_known_range(values, bits, None, notes)
        colors = np.ascontiguousarray(known[:, :, : self._count])
        if self._icc or self._count == 4:
            colors = array_to_srgb(colors, self._icc, notes)
        alpha = known[:, :, -1] if len(self._places) > self._count else None
        return with_alpha(colors, alpha, None).reshape(*values.shape[:2], -1)

    def check(self) -> None:
        self._source.check()

    def close(self) -> None:
        self._source.close()


def bands_of_colors(pixels: NDArray[Any], *, has_alpha: bool) -> tuple[Band, ...]:
    """Return what the channels of a photo are, (h, W, C), alpha last where there is one."""
    count, dtype = pixels.shape[2], pixels.dtype
    names = (*usual_names(count - has_alpha), *["alpha"] * has_alpha)
    return tuple(
        Band(at, name, dtype.name, dtype.itemsize * 8, is_alpha=name == "alpha")
        for at, name in enumerate(names, 1)
    )


def in_srgb(source: RasterSource, options: ReadingOptions) -> RasterSource:
    """Return a source with the values that an image has when it is read whole.

    Parameters
    ----------
    source : RasterSource
        That of measurements comes back as it is, and so does that of colours in sRGB.
    options : ReadingOptions
        Where bands are chosen they are measurements, unless the file has no such bands, but others
        that its colours are made of.
    """
    known = all(np.dtype(b.dtype).kind in "bu" and b.bits <= 16 for b in source.bands)
    other = is_converted(source.profile, options) or source.colors in ("turned", "inks")
    return Photo(source, options) if known and other and is_photo(source, options) else source


def is_photo(source: RasterSource, options: ReadingOptions) -> bool:
    """Return whether the readers of whole images take a source's bands for colours."""
    if source.colors == "stored":
        chosen = options.bands is not None or options.show_bands is not None
        return not (chosen or measured(source.bands, source.geo))
    if source.colors == "turned":
        return not measured(source.bands, ())
    return source.colors != "none"


def kept_of(source: RasterSource, options: ReadingOptions) -> Kept:
    """Return what of a file goes into its results: the profile where the colours are in it."""
    count = sum(not band.is_alpha for band in source.bands)
    profile = kept_profile(source.profile, count) if is_photo(source, options) else None
    return Kept(source.resolution, profile, source.geo)
