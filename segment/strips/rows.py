"""A scene as points, strip by strip: chosen bands in comparable units, and what takes part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError
from segment.pixels.bands import BandScale, View, check_reach
from segment.raster.source import RasterSource
from segment.strips.remembered import Remembered
from segment.strips.spare_file import Read

Values = NDArray[Any]
Visible = NDArray[np.bool_] | None


def as_stored(values: Values) -> Values:
    """Return 8-bit values as the points that they are."""
    return values


@dataclass(frozen=True, eq=False)
class SceneRows:
    """The rows of a scene.

    Attributes
    ----------
    source : RasterSource
    bands : sequence of int
        Places in the source's bands of those that are coordinates of the points.
    scaled : callable
        Turns stored values, (..., C), into points: uint8 or float64, in units of 8 bits. A
        function of each value alone.
    mask : RasterSource or None
        Pixels where all of its bands but alpha are 0, or that are transparent, take no part.
    scale : BandScale or None
        Which is what `scaled` does; None for 8-bit values as they are.
    shown : tuple of int
        Places in the source's bands of those that pictures show, where they are not the points.
    look : View or None
        How those are shown; None where the points are, those of a photo.
    remembered : Remembered
        What was read of the points' bands, and of alpha.
    """

    source: RasterSource
    bands: Sequence[int]
    scaled: Callable[[Values], Values] = as_stored
    mask: RasterSource | None = None
    scale: BandScale | None = None
    shown: tuple[int, ...] = ()
    look: View | None = None
    remembered: Remembered = field(default_factory=Remembered)

    def __post_init__(self) -> None:
        mask, source = self.mask, self.source
        if mask is not None and (mask.height, mask.width) != (source.height, source.width):
            raise ImageFileError(
                f"has {source.width} x {source.height} pixels, but its mask {mask.width} x "
                f"{mask.height}; expected one of the same size"
            )

    @property
    def height(self) -> int:
        return self.source.height

    @property
    def width(self) -> int:
        return self.source.width

    @property
    def channels(self) -> int:
        return len(self.bands)

    @property
    def names(self) -> tuple[str, ...]:
        """What the bands are called."""
        return tuple(self.source.bands[place].name for place in self.bands)

    @property
    def has_alpha(self) -> bool:
        """Whether pixels can be transparent by a band of the file."""
        return bool(self._alpha)

    @property
    def _alpha(self) -> list[int]:
        """Places of the bands that say how opaque a pixel is; none where one is chosen."""
        places = [place for place, band in enumerate(self.source.bands) if band.is_alpha]
        return [] if set(places) & set(self.bands) else places

    @property
    def in_bytes(self) -> bool:
        """Whether points are 8-bit values."""
        return self.points_of(np.zeros((1, 1, self.channels), self.dtype)).dtype == np.uint8

    @property
    def is_tabled(self) -> bool:
        """Whether there are so few possible points that a table holds all: one byte, or three."""
        return self.in_bytes and self.channels in (1, 3)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of stored values."""
        return np.dtype(self.source.bands[self.bands[0]].dtype)

    @property
    def bytes_of_row(self) -> int:
        """Bytes of a row as it is read, and of where there are values."""
        return self.width * (len(self._places) * self.dtype.itemsize + 1)

    def stored(self, top: int, bottom: int) -> tuple[Values, Visible]:
        """Return values as the file has them, (h, W, C), and where pixels take part; None for all.

        Parameters
        ----------
        top, bottom : int
            First row, and the one behind the last.
        """
        values, there = self.unmasked(top, bottom)
        return values, self.chosen(there, top, bottom)

    def unmasked(self, top: int, bottom: int) -> tuple[Values, Visible]:
        """Return the same whatever the mask: where there is a value that can be seen."""
        values, visible = self.remembered.read(top, bottom, self._read)
        self.source.check()  # it may be that nothing was read
        if self.has_alpha:
            opaque = (values[:, :, self.channels :] > 0).all(axis=2)
            visible = np.asarray(opaque if visible is None else visible & opaque)
            values = np.ascontiguousarray(values[:, :, : self.channels])
        return values, None if visible is None or visible.all() else visible

    def chosen(self, there: Visible, top: int, bottom: int) -> Visible:
        """Return which pixels of `unmasked` the mask lets take part."""
        if self.mask is None:
            return there
        chosen = chosen_by(self.mask, top, bottom)
        if there is not None:
            chosen &= there
        return None if chosen.all() else chosen

    def as_shown(self, top: int, bottom: int) -> Values:
        """Return the bands of a strip that pictures show, as they are stored, (h, W, 1 or 3)."""
        return self._some(top, bottom, self.shown)

    def opacity(self, top: int, bottom: int) -> NDArray[np.uint8]:
        """Return the alpha of a strip of a scene that has one, (h, W), in 8 bits.

        What is visible stays so.
        """
        alpha: NDArray[Any] = self._some(top, bottom, self._alpha[:1])[:, :, 0]
        if alpha.dtype == np.uint8:
            return alpha
        most = 1 if alpha.dtype.kind == "f" else np.iinfo(alpha.dtype).max
        return np.ceil(alpha * (255 / most)).astype(np.uint8)

    def _read(self, top: int, bottom: int) -> Read:
        return self.source.read(top, bottom, self._places)

    @property
    def _places(self) -> list[int]:
        """Places of the bands that say what a point is, and whether it is one."""
        return [*self.bands, *self._alpha]

    def _some(self, top: int, bottom: int, wanted: Sequence[int]) -> Values:
        """Return some bands of a strip, (h, W, n), whether or not they are those of points."""
        places = self._places
        known = self.remembered.recall(top, bottom) if set(wanted) <= set(places) else None
        if known is None:
            return self.source.read(top, bottom, wanted)[0]
        self.source.check()
        return known[0][:, :, [places.index(place) for place in wanted]]

    def points(self, top: int, bottom: int) -> tuple[Values, Visible]:
        """Return points, (h, W, C) uint8 or float64 in units of 8 bits, and where they take part.

        What hidden pixels have for points is not said, but is finite.

        Raises
        ------
        InvalidInputError
            If a point is too far out to be one; see `check_reach`.
        """
        values, visible = self.stored(top, bottom)
        if visible is not None and values.dtype.kind == "f":
            values = np.where(visible[:, :, None], values, values.dtype.type(0))
        points = self.points_of(values)
        check_reach(points)
        return points, visible

    def points_of(self, values: Values) -> Values:
        """Return the points of stored values, (..., C), that are finite."""
        return np.ascontiguousarray(self.scaled(values))

    def told_apart(self, top: int, bottom: int) -> tuple[Values, Visible]:
        """Return values that are equal only where points are, and where they take part.

        They are points where these are 8-bit colours; else as stored, which are fewer bytes.
        """
        return self.points(top, bottom) if self.is_tabled else self.stored(top, bottom)


def chosen_by(mask: RasterSource, top: int, bottom: int) -> NDArray[np.bool_]:
    """Return which pixels a strip of a mask lets take part, (h, W)."""
    values, visible = mask.read(top, bottom, range(len(mask.bands)))
    color = [place for place, band in enumerate(mask.bands) if not band.is_alpha]
    alpha = [place for place, band in enumerate(mask.bands) if band.is_alpha]
    chosen = (values[:, :, color] != 0).any(axis=2) & (values[:, :, alpha] != 0).all(axis=2)
    return np.asarray(chosen if visible is None else chosen & visible)
