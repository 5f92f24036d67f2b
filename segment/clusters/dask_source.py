"""A Dask array by strips, each of which is an argument of the task that works on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.bands import Band
from segment.raster.source import Colors
from segment.tiff.places import GeoTag, Resolution


class ArrayFacts:
    """What is known of an array without its values; see `segment.raster.source.RasterSource`."""

    geo: tuple[GeoTag, ...] = ()
    resolution: Resolution | None = None
    profile: bytes | None = None
    warnings: tuple[str, ...] = ()
    several = False
    colors: Colors = "stored"
    alpha_is_sure = False

    def __init__(self, height: int, width: int, bands: tuple[Band, ...], rows: int) -> None:
        self.height, self.width, self.bands, self.preferred_rows = height, width, bands, rows

    def read(
        self, top: int, bottom: int, bands: Sequence[int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        raise NotImplementedError("the rows of an array come with the task that needs them")

    def check(self) -> None:
        """Do nothing: arrays stay as they are."""

    def close(self) -> None:
        """Do nothing: nothing is open."""


class DaskSource(ArrayFacts):
    """A Dask array in blocks of full rows.

    Parameters
    ----------
    image : (H, W, C) dask array
    bands : tuple of Band
        One for each channel.
    rows : int
        Of a strip: blocks get that many, but for the last.
    """

    def __init__(self, image: Any, bands: tuple[Band, ...], rows: int) -> None:
        super().__init__(int(image.shape[0]), int(image.shape[1]), bands, rows)
        self.image = image.rechunk((rows, -1, -1))

    def __reduce__(self) -> tuple[Any, ...]:
        return ArrayFacts, (self.height, self.width, self.bands, self.preferred_rows)

    def read(
        self, top: int, bottom: int, bands: Sequence[int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Return rows here, for what is not the work on a strip."""
        return np.ascontiguousarray(self.image[top:bottom][:, :, list(bands)].compute()), None


class Block(ArrayFacts):
    """A strip of an array, whose rows have the numbers that they have there."""

    def __init__(self, facts: Any, top: int, values: NDArray[Any]) -> None:
        super().__init__(facts.height, facts.width, facts.bands, facts.preferred_rows)
        self._top, self._values = top, values

    def read(
        self, top: int, bottom: int, bands: Sequence[int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        rows = slice(top - self._top, bottom - self._top)
        return np.ascontiguousarray(self._values[rows][:, :, list(bands)]), None
