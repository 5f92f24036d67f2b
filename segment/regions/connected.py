"""Cluster labels to connected regions, small ones absorbed; those of strips to those of a scene."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InvalidInputError
from segment.regions._regions import (
    add_up,
    join_rows,
    number_band,
    number_roots,
    replace,
    unite_pairs,
)
from segment.regions.absorbing import (
    SLICE,
    absorbed,
    largest_parts,
    neighbors_in,
    part_keys,
    regions_of,
    unique_pairs,
)
from segment.settings import Range
from segment.threads import equal_slices, on_threads
from segment.validation import LARGEST_LABEL, checked_channels, checked_label_map

Numbers = NDArray[np.int32]
Row = tuple[Numbers, Numbers]  # labels of a row of pixels, and numbers of their regions


class Regions(NamedTuple):
    """Connected regions.

    Attributes
    ----------
    map : (H, W) int32 array
        1..K in scan order of their first pixels; 0 for none.
    clusters : (K,) int32 array
        The label of the largest part of each region before any was absorbed, the first in
        scan order of several; of merged regions that of the largest, likewise.
    """

    map: NDArray[np.int32]
    clusters: NDArray[np.int32]


def connected_regions(
    labels: ArrayLike,
    colors: ArrayLike,
    *,
    connectivity: Literal[4, 8] = 4,
    min_size: int = 0,
) -> Regions:
    """Split labels into connected regions, and let neighbours absorb the small ones.

    Parameters
    ----------
    labels : (H, W) array-like of whole numbers
        0 for no segment, which is never part of a region nor a neighbour; else >= 1.
    colors : (H, W) or (H, W, C) array-like
        Coordinates of each pixel in a colour space, or its bands, in any unit; where regions
        are absorbed, finite wherever there is a label. uint8, float32 and float64 are taken
        as they are.
    connectivity : {4, 8}, default 4
        Whether pixels are connected, and regions adjacent, by a side only, or by a
        corner, too. 8: fewer regions.
    min_size : int, >= 0, default 0
        Regions with fewer pixels are absorbed. Larger: fewer regions.

    Returns
    -------
    regions : Regions

    Raises
    ------
    InvalidInputError
        If an array or a parameter is not what it should be.

    Notes
    -----
    A region is a largest connected set of pixels with the same label. While one is below
    `min_size` and has a neighbour, the smallest such region (at a tie, the one whose first
    pixel in scan order comes first) becomes one with the adjacent region whose mean colour
    is nearest (Euclidean; at a tie, again the first in scan order). The joint region has
    the first pixel, the pixels and the mean colour of both together. So all regions left
    have at least `min_size` pixels, but for those that only the border of the image or
    pixels without label surround.

    Colours are added up in scan order, in float64, and those sums as regions join;
    distances are compared squared. The result does not depend on the number of threads.

    Examples
    --------
    >>> labels = np.array([[1, 1, 2, 1], [1, 1, 0, 1]])
    >>> colors = np.array([[10, 10, 40, 60], [10, 10, 40, 60]], np.uint8)
    >>> connected_regions(labels, colors).map
    array([[1, 1, 2, 3],
           [1, 1, 0, 3]], dtype=int32)
    >>> regions = connected_regions(labels, colors, min_size=2)
    >>> regions.map
    array([[1, 1, 2, 2],
           [1, 1, 0, 2]], dtype=int32)
    >>> regions.clusters
    array([1, 1], dtype=int32)
    """
    label_map = checked_label_map("labels", labels)
    values = checked_channels("colors", colors, label_map.shape)
    if connectivity not in (4, 8):
        raise InvalidInputError(f"connectivity: expected 4 or 8, got {connectivity!r}")
    Range(0, whole=True).check("min_size", min_size)
    diagonal = connectivity == 8
    regions, clusters = components(label_map, diagonal=diagonal)
    if min_size > 1 and len(clusters) > 2:
        largest = min(min_size, regions.size + 1)
        sums = _sums_by_region("colors", regions, values, len(clusters) - 1)
        parts = part_keys(sums[:, -1])
        numbers = absorbed(
            functools.partial(neighbors_in, regions, diagonal=diagonal), sums, largest
        )
        replace_all(regions, numbers)
        clusters = clusters[regions_of(largest_parts(numbers, parts))]
    return Regions(regions, clusters[1:])


def components(
    labels: NDArray[np.int32], *, diagonal: bool
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Number connected pixels of one label in scan order, a band of rows on each thread.

    Parameters
    ----------
    labels : (H, W) int32 array
        0 for none.
    diagonal : bool
        Whether pixels are connected across a corner, too.

    Returns
    -------
    regions : (H, W) int32 array
        1..K; 0 for none.
    clusters : (K + 1,) int32 array
        The label of each; 0 for 0.
    """
    height, width = labels.shape
    regions = np.empty(labels.shape, dtype=np.int32)
    parents = np.empty(labels.size + 1, dtype=np.int32)  # only what is in use becomes memory
    parents[0] = 0
    bands = equal_slices(height, smallest=-(-SLICE // width))
    ends = {}

    def number(band: slice) -> None:
        ends[band.start] = number_band(labels, regions, parents, band.start, band.stop, diagonal)

    on_threads(number, bands)
    for band in bands[1:]:
        join_rows(labels, regions, parents, band.start, diagonal)
    count = 0
    for band in bands:
        count = number_roots(parents, band.start * width + 1, ends[band.start], count)
    replace_all(regions, parents)
    clusters = np.zeros(count + 1, dtype=np.int32)
    clusters[regions.ravel()] = labels.ravel()
    return regions, clusters


def replace_all(regions: NDArray[np.int32], table: NDArray[np.int32]) -> None:
    """Write the table's entry for each number of a region map in its place."""
    numbers = regions.reshape(-1)
    parts = equal_slices(len(numbers), smallest=SLICE)
    on_threads(lambda part: replace(numbers[part], table), parts)


def _sums_by_region(
    name: str, regions: NDArray[np.int32], values: NDArray[Any], count: int
) -> NDArray[np.float64]:
    """Return (count + 1, C + 1): sums of each region, last its pixels; row 0 is for none."""
    sums = np.zeros((count + 1, values.shape[1] + 1))
    add_up(regions.ravel(), values, sums)
    if not np.isfinite(sums[1:]).all():
        raise InvalidInputError(
            f"{name}: contains NaN, infinity or too large a number; replace it or label it 0"
        )
    return sums


def seam_pairs(above: Row, below: Row, *, diagonal: bool) -> Numbers:
    """Return which regions above a seam are connected with which below it, (m, 2), each pair once.

    Parameters
    ----------
    above, below : pair of (W,) int32 arrays
        Labels, 0 for none, and regions of the pixels of two rows.
    diagonal : bool
        Whether pixels are connected across a corner, too.

    Examples
    --------
    >>> above = np.array([[7, 7, 0], [1, 1, 0]], np.int32)
    >>> below = np.array([[7, 5, 5], [1, 2, 2]], np.int32)
    >>> seam_pairs(above, below, diagonal=False).tolist()
    [[1, 1]]
    """
    pairs = []
    for up, down in _across(len(above[0]), diagonal):
        same = (above[0][up] == below[0][down]) & (above[0][up] != 0)
        pairs.append(np.stack([above[1][up][same], below[1][down][same]], axis=1))
    return unique_pairs(np.concatenate(pairs))


def touching_pairs(above: Numbers, below: Numbers, *, diagonal: bool) -> Numbers:
    """Return which regions above a seam touch which below it, (m, 2), each pair once.

    Parameters
    ----------
    above, below : (W,) int32 arrays
        Regions of the pixels of two rows; 0 for none.
    diagonal : bool
        Whether they touch at a corner, too.

    Examples
    --------
    >>> above, below = np.array([[1, 1, 2], [1, 0, 1]], np.int32)
    >>> touching_pairs(above, below, diagonal=False).tolist()
    [[1, 1], [2, 1]]
    """
    pairs = [
        np.stack([above[up], below[down]], axis=1) for up, down in _across(len(above), diagonal)
    ]
    every = np.concatenate(pairs)
    return unique_pairs(every[(every != 0).all(axis=1)])


def _across(width: int, diagonal: bool) -> Iterator[tuple[slice, slice]]:
    """Yield pixels above a seam, and the neighbour below it of each."""
    for shift in (0, -1, 1) if diagonal else (0,):
        yield (
            slice(max(shift, 0), width + min(shift, 0)),
            slice(max(-shift, 0), width - max(shift, 0)),
        )


def joined_numbers(counts: Sequence[int], seams: Sequence[Numbers]) -> Numbers:
    """Return the number in the scene of every region of every strip.

    Parameters
    ----------
    counts : sequence of int
        Regions of each strip, numbered there from 1 on in scan order.
    seams : sequence of (m, 2) int32 arrays
        As `seam_pairs` returns them, one for each seam.

    Returns
    -------
    numbers : (sum of counts + 1,) int32 array
        Of the regions of the first strip, the second and so on: 1..K in scan order of the first
        pixels in the scene; 0 for 0.

    Raises
    ------
    InvalidInputError
        If there are more regions than 32 bits can number.

    Examples
    --------
    >>> joined_numbers([1, 2], [np.array([[1, 2]], np.int32)]).tolist()
    [0, 1, 2, 1]
    """
    total = sum(counts)
    if total > LARGEST_LABEL:
        raise InvalidInputError(
            f"image: expected at most {LARGEST_LABEL} regions, got {total} in its strips; raise "
            "the bandwidth, or cut the image"
        )
    numbers = np.arange(total + 1, dtype=np.int32)
    before = 0
    for count, pairs in zip(counts, seams, strict=False):
        shifts = np.array([before, before + count], np.int32)
        unite_pairs(numbers, pairs + shifts)
        before += count
    number_roots(numbers, 1, total + 1, 0)
    return numbers
