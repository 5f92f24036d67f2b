"""Connected regions of a scene: numbered in strips, joined at the seams, small ones absorbed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.pixels.colors import means_of_sums
from segment.pixels.image import points_in
from segment.regions._regions import add_up
from segment.regions.absorbing import absorbed, largest_parts
from segment.regions.connected import (
    Numbers,
    Row,
    components,
    joined_numbers,
    replace_all,
    seam_pairs,
)
from segment.scenes.labelling import StripLabels
from segment.scenes.rows import SceneRows, Values
from segment.scenes.scratch import NumberRows, Scratch
from segment.scenes.strips import Strips
from segment.settings import Settings

PER_REGION = 40  # bytes that the graph of regions takes for each, beside its sums


@dataclass(frozen=True, eq=False)
class SceneRegions:
    """Regions of a scene, whose map is in a file.

    Attributes
    ----------
    clusters : (K,) int32 array
        As `Regions.clusters`.
    means : (K, C) float64 array
        Of the points of their pixels.
    sizes : (K,) int64 array
    """

    clusters: Numbers
    means: NDArray[np.float64]
    sizes: NDArray[np.int64]
    _map: RegionMap

    def labels(self, top: int, bottom: int) -> Numbers:
        """Return the rows of the region map from `top` to above `bottom`, (h, W), 0 for none."""
        return self._map.read(top, bottom)


class RegionMap:
    """The numbers of regions in their strips, in a file, and what they are in the scene."""

    def __init__(self, rows: NumberRows, strips: Strips, counts: list[int], table: Numbers) -> None:
        self._rows, self._strips, self.table = rows, strips, table
        self._starts = np.cumsum([0, *counts])

    def read(self, top: int, bottom: int) -> Numbers:
        """Return rows with the numbers of the scene, whatever strips they are of."""
        numbers = self._rows.read(top, bottom)
        height = self._strips.rows
        for strip in range(top // height, (bottom - 1) // height + 1):
            first, end = self._starts[strip], self._starts[strip + 1]
            own = np.append(np.int32(0), self.table[first + 1 : end + 1])
            part = slice(max(strip * height - top, 0), (strip + 1) * height - top)
            replace_all(numbers[part], own)
        return numbers


def scene_regions(
    rows: SceneRows,
    labels: StripLabels,
    settings: Settings,
    strips: Strips,
    scratch: Scratch,
    file: NumberRows,
    *,
    pixels: int,
    memory: int,
) -> SceneRegions:
    """Number the connected regions of a scene as `connected_regions` numbers those of a map.

    Parameters
    ----------
    rows : SceneRows
    labels : callable
        Returns the labels of clusters of a strip.
    settings : Settings
    strips : Strips
    scratch : Scratch
        Keeps what is known of each strip that is done.
    file : NumberRows
        Takes the numbers of the pixels.
    pixels : int
        That take part.
    memory : int
        Bytes that what is known of the regions may take.

    Raises
    ------
    InvalidInputError
        If there are too many regions for the memory, or for 32 bits.
    """
    clusters, region_map = _numbered(rows, labels, settings, strips, scratch, file, memory)
    sums = None
    min_size = settings.smallest_region(pixels)
    if min_size > 1 and len(clusters) > 2:
        sums = sums_of(rows, region_map.read, len(clusters), strips, settings)
        sizes = sums[:, -1].copy()
        found = absorbed(
            lambda: _with_halos(region_map, strips),
            sums,
            min(min_size, pixels + 1),
            diagonal=settings.connectivity == 8,
            most=memory // 4,
        )
        region_map.table = found[region_map.table]
        clusters = clusters[largest_parts(found, sizes)]
        sums = sums[_roots(found)] if rows.in_bytes and settings.color_space == "rgb" else None
    if sums is None:
        sums = sums_of(rows, region_map.read, len(clusters), strips, None)
    means, counts = means_of_sums(sums[1:])
    return SceneRegions(clusters[1:], means, counts, region_map)


def _numbered(
    rows: SceneRows,
    labels_of: StripLabels,
    settings: Settings,
    strips: Strips,
    scratch: Scratch,
    file: NumberRows,
    memory: int,
) -> tuple[Numbers, RegionMap]:
    """Number the regions of each strip; return their clusters, and the map of the scene's."""
    diagonal = settings.connectivity == 8

    def number(top: int, bottom: int) -> dict[str, NDArray[Any]]:
        known = scratch.load(f"strip-{top}")
        if known is not None and file.holds(top, bottom, int(known["checksum"])):
            return known
        labels = labels_of(top, bottom)
        numbers, clusters = components(labels, diagonal=diagonal)
        made = {
            "checksum": np.asarray(file.write(top, numbers)),
            "clusters": clusters[1:],
            "first": np.stack([labels[0], numbers[0]]),
            "last": np.stack([labels[-1], numbers[-1]]),
        }
        scratch.save(f"strip-{top}", **made)
        return made

    parts, seams, counts = [], [], []
    above: Row | None = None
    most = memory // (PER_REGION + 8 * (rows.channels + 1))
    for _, _, strip in strips.in_order("labelling", number):
        parts.append(strip["clusters"])
        counts.append(len(parts[-1]))
        if above is not None:
            below = strip["first"][0], strip["first"][1]
            seams.append(seam_pairs(above, below, diagonal=diagonal))
        above = strip["last"][0], strip["last"][1]
        _check_count(sum(counts), most)
    table = joined_numbers(counts, seams)
    clusters = np.zeros(int(table.max()) + 1, np.int32)
    clusters[table[1:]] = np.concatenate(parts)
    return clusters, RegionMap(file, strips, counts, table)


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise InvalidInputError(
            f"image: expected at most {most:,} regions for the memory there may be, got {count:,} "
            "and more; raise --memory or the bandwidth"
        )


def _with_halos(region_map: RegionMap, strips: Strips) -> Iterator[tuple[Numbers, int]]:
    """Yield the strips of the region map, each below the last row of the one before."""
    for top, _, numbers in strips.in_order(
        "joining", lambda top, bottom: region_map.read(max(top - 1, 0), bottom)
    ):
        yield numbers, int(top > 0)


def sums_of(
    rows: SceneRows, labels: StripLabels, count: int, strips: Strips, settings: Settings | None
) -> NDArray[np.float64]:
    """Return sums of the points of each label in scan order, last its pixels: (count, C + 1).

    In the colour space of the settings; without any as they are. Label 0 has none.
    """

    def read(top: int, bottom: int) -> tuple[Numbers, Values]:
        values, _ = rows.points(top, bottom)
        if settings is not None:
            values = points_in(settings.color_space, values)
        return labels(top, bottom), values.reshape(-1, values.shape[2])

    sums: NDArray[np.float64] | None = None
    for _, _, (numbers, values) in strips.in_order("measuring", read):
        if sums is None:
            sums = np.zeros((count, values.shape[1] + 1))
        add_up(numbers.reshape(-1), values, sums)
    assert sums is not None
    sums[0] = 0
    return sums


def _roots(numbers: Numbers) -> NDArray[np.intp]:
    """Return the first region that has each number: the one whose sums are those of all."""
    first = np.unique(numbers, return_index=True)[1]
    return np.asarray(first)
