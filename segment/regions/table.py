"""Regions to a table of them: where they lie, how large they are, their bands."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InvalidInputError, shown
from segment.regions._regions import add_squares, add_up, find_extremes, outline
from segment.validation import LARGEST_LABEL, checked_channels, checked_label_map

CHANNELS = {1: ("gray",), 3: ("red", "green", "blue")}  # others are band_1, band_2 and so on
OWN = ("label", "pixels", "centroid_x", "centroid_y", "left", "top", "right", "bottom")


@dataclass(frozen=True, eq=False)
class RegionTable:
    """What is known of each region, a row each, in the order of the labels.

    Attributes
    ----------
    label, pixels : (K,) int64 arrays
        The label, and how many pixels have it.
    centroid_x, centroid_y : (K,) float64 arrays
        Mean place of the pixels; (0, 0) is the centre of the first pixel, y goes down.
    left, top, right, bottom : (K,) int64 arrays
        Bounding box: columns left..right - 1, rows top..bottom - 1.
    mean, std, min, max : (K, C) float64 arrays
        Of each band of the image, in its unit; population standard deviation.
    names : tuple of C str
        What the bands are called.
    """

    label: NDArray[np.int64]
    pixels: NDArray[np.int64]
    centroid_x: NDArray[np.float64]
    centroid_y: NDArray[np.float64]
    left: NDArray[np.int64]
    top: NDArray[np.int64]
    right: NDArray[np.int64]
    bottom: NDArray[np.int64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    min: NDArray[np.float64]
    max: NDArray[np.float64]
    names: tuple[str, ...]

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns: those of places, then mean_red and so on of every band."""
        of_bands = (f"{of}_{name}" for of in ("mean", "std", "min", "max") for name in self.names)
        return (*OWN, *of_bands)

    def rows(self) -> Iterator[tuple[int | float, ...]]:
        """Yield the columns of each region as Python numbers, in the order of the header."""
        own = (getattr(self, name) for name in OWN)
        columns = [*own, *self.mean.T, *self.std.T, *self.min.T, *self.max.T]
        return zip(*(column.tolist() for column in columns), strict=True)


def region_table(
    regions: ArrayLike, image: ArrayLike, names: Sequence[str] | None = None
) -> RegionTable:
    """Measure each region.

    Parameters
    ----------
    regions : (H, W) array-like of whole numbers
        0 for none, else labels; a region need not be connected. Labels that do not occur
        have no row.
    image : (H, W) or (H, W, C) array-like
        Values in any unit, finite where there is a region.
    names : sequence of C str, optional
        What the bands are called. Default: gray for one, red, green and blue for three,
        else band_1, band_2 and so on.

    Raises
    ------
    InvalidInputError
        If an array is not what it should be.

    Examples
    --------
    >>> table = region_table([[1, 1, 2], [1, 1, 0]], [[0, 0, 7], [4, 4, 9]])
    >>> for row in table.rows():
    ...     print(*row)
    1 4 0.5 0.5 0 0 2 2 2.0 2.0 0.0 4.0
    2 1 2.0 0.0 2 0 3 1 7.0 0.0 7.0 7.0
    """
    region_map = checked_label_map("regions", regions)
    values = checked_channels("image", image, region_map.shape)
    bands = _names_of(values.shape[1], names)
    labels = _labels_in(region_map)
    region_map = _places_in(labels, region_map)
    measures = Measures(labels, bands)
    measures.add(region_map, values, 0)
    measures.end_sums()
    measures.add_spread(region_map, values)
    return measures.table()


class Measures:
    """What is measured of regions, strip by strip in two passes: the same however rows are cut.

    ``add`` every strip in their order, ``end_sums()``, ``add_spread`` of every strip, ``table()``.

    Parameters
    ----------
    labels : (K,) int array
        Those that occur, ascending.
    names : tuple of C str
        Of the bands.
    """

    def __init__(self, labels: NDArray[np.integer[Any]], names: tuple[str, ...]) -> None:
        self.labels, self.names = labels.astype(np.int64), names
        rows = len(labels) + 1
        self._outlines = np.zeros((rows, 7), dtype=np.int64)
        self._outlines[:, 3:5] = LARGEST_LABEL
        self._sums = np.zeros((rows, len(names) + 1))
        self._low = np.full((rows, len(names)), np.inf)
        self._high = np.full((rows, len(names)), -np.inf)

    def add(self, numbers: NDArray[np.int32], values: NDArray[Any], top: int) -> None:
        """Take a strip: places of its pixels' labels from 1 on, (h, W), and values, (h * W, C)."""
        outline(numbers, top, self._outlines)
        add_up(numbers.ravel(), values, self._sums)
        find_extremes(numbers.ravel(), values, self._low, self._high)

    def end_sums(self) -> None:
        """End the first pass.

        Raises
        ------
        InvalidInputError
            If a region has values that are not finite.
        """
        if not np.isfinite(self._sums[1:]).all():
            raise InvalidInputError(
                "image: contains NaN or infinity in a region; replace it or label it 0"
            )
        self._means = self._sums[:, :-1] / np.maximum(self._sums[:, -1:], 1)
        self._squares = np.zeros_like(self._means)

    def add_spread(self, numbers: NDArray[np.int32], values: NDArray[Any]) -> None:
        """Take a strip again."""
        add_squares(numbers.ravel(), values, self._means, self._squares)

    def table(self) -> RegionTable:
        """Return the table."""
        pixels, sum_x, sum_y, left, top, right, bottom = self._outlines[1:].T
        std = np.sqrt(self._squares[1:] / pixels[:, None])
        own = self.labels, pixels, sum_x / pixels, sum_y / pixels, left, top, right, bottom
        of_bands = self._means[1:], std, self._low[1:], self._high[1:]
        return RegionTable(*own, *of_bands, names=self.names)


def _names_of(count: int, names: Sequence[str] | None) -> tuple[str, ...]:
    """Return a name for each of so many bands."""
    if names is None:
        return CHANNELS.get(count) or tuple(f"band_{number}" for number in range(1, count + 1))
    if isinstance(names, str) or len(names) != count:
        raise InvalidInputError(
            f"names: expected one for each of the {count} bands of the image, got {shown(names)}"
        )
    return tuple(names)


def _labels_in(region_map: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the labels that occur, ascending; those of a model may be few and far apart."""
    if region_map.max() >= region_map.size:
        return np.unique(region_map[region_map > 0])
    counts = np.bincount(region_map.ravel())  # np.unique takes 50 times as long for many labels
    return (np.flatnonzero(counts[1:]) + 1).astype(np.int32)


def _places_in(labels: NDArray[np.int32], region_map: NDArray[np.int32]) -> NDArray[np.int32]:
    """Number the labels that occur from 1 on; 0 stays."""
    if len(labels) and len(labels) == labels[-1]:
        return region_map
    numbers = np.searchsorted(labels, region_map) + 1
    return np.where(region_map > 0, numbers, 0).astype(np.int32)


class Table(Protocol):
    """Rows of numbers, one for each region in the order of the labels, with their names."""

    @property
    def header(self) -> tuple[str, ...]: ...

    def rows(self) -> Iterator[tuple[int | float, ...]]: ...


def to_csv(table: Table, file: TextIO) -> None:
    r"""Write a table as CSV: a header, then a line for each region.

    Lines end in "\n": open the file with ``newline=""``. Floats are written with as many
    digits as it takes to read back the same number.

    Examples
    --------
    >>> import sys
    >>> to_csv(region_table([[1, 1]], [[3, 4]]), sys.stdout)
    label,pixels,centroid_x,centroid_y,left,top,right,bottom,mean_gray,std_gray,min_gray,max_gray
    1,2,0.5,0.0,0,0,2,1,3.5,0.5,3.0,4.0
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.header)
    writer.writerows(table.rows())
