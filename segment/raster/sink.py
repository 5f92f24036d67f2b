"""A raster of any size as it is written: strip by strip, and there only when it is complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.tiff.no_data import NO_DATA
from segment.tiff.places import GeoTag, Resolution


class Keepsakes(Protocol):
    """What of an image goes into its results: `segment.reading.picture.Kept`, or a source."""

    @property
    def resolution(self) -> Resolution | None: ...
    @property
    def geo(self) -> tuple[GeoTag, ...]: ...
    @property
    def profile(self) -> bytes | None: ...


@dataclass(frozen=True, eq=False)
class Contents:
    """What a raster holds, and what goes along with it.

    Attributes
    ----------
    height, width, channels : int
        1 channel of anything, 3 of RGB or 4 of RGB and alpha.
    dtype : dtype
    kept : Keepsakes
    palette : (K, 3) uint8 array or None
        Colours of the values, which are unsigned, of 8 or 16 bits, in one channel.
    """

    height: int
    width: int
    channels: int
    dtype: np.dtype[Any]
    kept: Keepsakes
    palette: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        """Raise InvalidInputError if no result can hold it."""
        if self.channels not in (1, 3, 4) or self.height < 1 or self.width < 1:
            raise InvalidInputError(
                f"expected a raster of 1, 3 or 4 channels, got {self.height} x {self.width} x "
                f"{self.channels}"
            )
        if self.dtype.kind not in "uif":
            raise InvalidInputError(f"expected whole numbers or floats, got {self.dtype}")
        if self.palette is not None and not (
            self.channels == 1
            and self.dtype in (np.uint8, np.uint16)
            and 0 < len(self.palette) <= 1 << 8 * self.dtype.itemsize
        ):
            raise InvalidInputError("expected a palette for one channel of 8 or 16 bits")

    @property
    def zero_is_no_data(self) -> bool:
        """Whether 0 is no value: of labels, or colours by their number, where the tags say so."""
        told = any(code == NO_DATA for code, *_ in self.kept.geo)
        return told and self.channels == 1 and self.dtype.kind != "f"


class RasterSink(Protocol):
    """An image that is written from its first row to its last.

    One of `finish`, `suspend` and `abort` ends it; until `finish` nothing stands under its name.
    As a context it is ended by what is raised, and by that alone: by an error aborted, as a full
    disk is not to stay full; by a signal suspended if it has a key.

    Attributes
    ----------
    next_row : int
        The row with which writing goes on: 0, or after an interrupted run of the same key
        as many as that one had written in whole rows of tiles.
    """

    @property
    def next_row(self) -> int: ...

    def write(self, top: int, rows: NDArray[Any]) -> None:
        """Write a strip, of any height; memory: a row of tiles.

        Parameters
        ----------
        top : int
            Its first row, at most `next_row`; rows above that are there already and passed over.
        rows : (h, width) or, with several channels, (h, width, channels) array
            Of the sink's type.
        """
        ...

    def finish(self) -> None:
        """Complete the file and give it its name; all rows must have been written.

        Raises
        ------
        ImageFileError
            If the disk is full, or the file cannot take its name.
        """
        ...

    def suspend(self) -> None:
        """End for now: keep what is written for a later sink of the same key."""
        ...

    def abort(self) -> None:
        """End for good: take away all that was written. Nothing happens if it has ended."""
        ...

    def __enter__(self) -> RasterSink: ...
    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None: ...


def label_type(count: int) -> np.dtype[Any]:
    """Return the smallest unsigned type that holds labels 0..count.

    Examples
    --------
    >>> label_type(255), label_type(256), label_type(65536)
    (dtype('uint8'), dtype('uint16'), dtype('uint32'))
    """
    return np.dtype(np.uint8 if count < 1 << 8 else np.uint16 if count < 1 << 16 else np.uint32)
