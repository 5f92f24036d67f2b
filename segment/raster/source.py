"""A raster of any size as it is read: strip by strip, each as it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from segment.bands import Band
from segment.tiff.places import GeoTag, Resolution

Colors = Literal["none", "stored", "turned", "made", "inks"]


class RasterSource(Protocol):
    """An image of which any run of rows can be read without the others.

    Attributes
    ----------
    height, width : int
    bands : tuple of Band
        All of the file, alpha among them. All have one type.
    geo : tuple of GeoTag
        GeoTIFF's tags, which put the image in its place on a map; () where there are none.
    resolution : Resolution or None
    profile : bytes or None
        The ICC profile that the file has, whatever it is for; values are not converted.
    preferred_rows : int
        Rows of a strip or a row of tiles in the file: strips that begin and end at multiples
        decompress nothing twice.
    colors : {"none", "stored", "turned", "made", "inks"}
        What grey and colours are to the file: it has none but measurements (Zarr, and what only
        GDAL reads); the bands as they are stored; those, turned round, as its white is 0; made of
        what it stores; or to be made of the bands, which are inks.
    alpha_is_sure : bool
        Whether a band that is called alpha is never meant for a measurement, as in a PNG.
    several : bool
        Whether the file has more pages than one.
    warnings : tuple of str
        What everybody should know, so far: more pages than the one that is read, tiles that are
        damaged and were passed over. It may grow with each `read`.
    """

    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def bands(self) -> tuple[Band, ...]: ...
    @property
    def geo(self) -> tuple[GeoTag, ...]: ...
    @property
    def resolution(self) -> Resolution | None: ...
    @property
    def profile(self) -> bytes | None: ...
    @property
    def preferred_rows(self) -> int: ...
    @property
    def colors(self) -> Colors: ...
    @property
    def alpha_is_sure(self) -> bool: ...
    @property
    def several(self) -> bool: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...

    def read(
        self, top: int, bottom: int, bands: Sequence[int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Return the values of some bands in a strip, and where there are any.

        May be called on several threads at once. Memory: what is returned, and a few strips or
        tiles for each core; of other libraries than our own a row of blocks.

        Parameters
        ----------
        top, bottom : int
            First row, and the one behind the last: 0 <= top < bottom <= height.
        bands : sequence of int
            Places in `bands`, from 0, in any order.

        Returns
        -------
        values : (bottom - top, width, len(bands)) array
            As they are stored, in the file's type and the order of bytes of the machine.
        visible : (bottom - top, width) bool array or None
            Where there is a value; None for everywhere. There is none where the file's own mask
            says so, a tile is left out or damaged, or the bands that are asked for, alpha not
            counted, have no data, are NaN or infinite: in unsigned numbers of up to 16 bits
            all of them, in others one is enough, as `without_data` has it. Alpha of 0 is not
            looked at: it is a band.

        Raises
        ------
        ImageFileError
            If a strip or a tile is damaged, by its column, row and pixels, unless damaged ones
            are allowed; if the file has changed since it was opened.
        """
        ...

    def check(self) -> None:
        """Raise ImageFileError if the file has changed since it was opened, as `read` does."""
        ...

    def close(self) -> None:
        """Give back what is open; nothing can be read any more."""
        ...
