"""Connected regions of a scene: numbered in strips, joined at the seams, small ones absorbed."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.pixels.colors import means_of_sums
from segment.regions.absorbing import (
    Neighbors,
    absorbed,
    largest_parts,
    neighbor_pairs,
    neighbors_of_pairs,
    unique_pairs,
)
from segment.regions.connected import (
    Numbers,
    Row,
    components,
    joined_numbers,
    replace_all,
    seam_pairs,
    touching_pairs,
)
from segment.scenes.labelling import is_exact, sums_of
from segment.settings import Settings
from segment.strips.rows import SceneRows
from segment.strips.scratch import Forgetful, NumberRows, Scratch
from segment.strips.strips import Strips, Work

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

    @property
    def labels(self) -> Work[Numbers]:
        """What returns a strip of the region map, (h, W), 0 for none."""
        return self._map.read


class RegionMap:
    """The numbers of regions in their strips, and what they are in the scene.

    Those of strips are read from a file; without one they are made again from the labels.

    Attributes
    ----------
    table : (sum of the strips' regions + 1,) int32 array
        As `joined_numbers` returns it.
    """

    def __init__(
        self, number: Work[Numbers], height: int, counts: Sequence[int], table: Numbers
    ) -> None:
        self._number, self._height, self.table = number, height, table
        self._starts = np.cumsum([0, *counts])

    def own(self, rows: SceneRows, strip: int) -> tuple[Numbers, Numbers]:
        """Return a strip with its own numbers, (h, W), and what they are in the scene; 0 for 0."""
        top, first, end = strip * self._height, self._starts[strip], self._starts[strip + 1]
        numbers = self._number(rows, top, min(top + self._height, rows.height))
        return numbers, np.append(np.int32(0), self.table[first + 1 : end + 1])

    def read(self, rows: SceneRows, top: int, bottom: int) -> Numbers:
        """Return rows with the numbers of the scene, whatever strips they are of."""
        parts = []
        for strip in range(top // self._height, (bottom - 1) // self._height + 1):
            numbers, table = self.own(rows, strip)
            replace_all(numbers, table)
            start = strip * self._height
            parts.append(numbers[max(top - start, 0) : bottom - start])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def strip_of(self, top: int) -> int:
        """Return the number of the strip that a row is in."""
        return top // self._height


def scene_regions(
    rows: SceneRows,
    labels: Work[Numbers],
    settings: Settings,
    strips: Strips,
    scratch: Scratch | Forgetful,
    *,
    pixels: int,
    memory: int,
) -> SceneRegions:
    """Number the connected regions of a scene as `connected_regions` numbers those of a map.

    Parameters
    ----------
    rows : SceneRows
    labels : callable
        Work that returns the labels of clusters of a strip.
    settings : Settings
    strips : Strips
    scratch : Scratch or Forgetful
        Keeps what is known of each strip that is done, and takes the numbers of the pixels.
    pixels : int
        That take part.
    memory : int
        Bytes that what is known of the regions may take.

    Raises
    ------
    InvalidInputError
        If there are too many regions for the memory, or for 32 bits.
    """
    clusters, region_map, touching = _numbered(rows, labels, settings, strips, scratch, memory)
    sums = None
    min_size = settings.smallest_region(pixels)
    if min_size > 1 and len(clusters) > 2:
        sums = sums_of(rows, region_map.read, len(clusters), strips, settings.color_space)
        sizes = sums[:, -1].copy()
        neighbors_of = functools.partial(
            _neighbors_of, rows, strips, region_map, touching, memory // 16, settings
        )
        found = absorbed(neighbors_of, sums, min(min_size, pixels + 1))
        region_map.table = found[region_map.table]
        clusters = clusters[largest_parts(found, sizes)]
        as_points = settings.color_space == "rgb" and is_exact(rows, "rgb")
        sums = sums[_roots(found)] if as_points else None
    if sums is None:
        sums = sums_of(rows, region_map.read, len(clusters), strips)
    means, counts = means_of_sums(sums[1:])
    return SceneRegions(clusters[1:], means, counts, region_map)


def _numbered(
    rows: SceneRows,
    labels: Work[Numbers],
    settings: Settings,
    strips: Strips,
    scratch: Scratch | Forgetful,
    memory: int,
) -> tuple[Numbers, RegionMap, list[Numbers]]:
    """Number the regions of each strip.

    Returns
    -------
    clusters : (K + 1,) int32 array
        Of those of the scene.
    region_map : RegionMap
    touching : list of (m, 2) int32 arrays
        For each seam, what touches across it, in the numbers of `region_map.table`.
    """
    diagonal = settings.connectivity == 8
    number = functools.partial(_numbers, labels_of=labels, diagonal=diagonal)
    file = scratch.rows(rows.width)
    part = functools.partial(_part, number=number, file=file, scratch=scratch)
    parts, seams, touching = [], [], []
    counts: list[int] = []
    above: Row | None = None
    each = PER_REGION + 8 * (rows.channels + 1)
    for _, _, strip in strips.in_order("labelling", rows, part):
        if above is not None:
            below = strip["first"][0], strip["first"][1]
            seams.append(seam_pairs(above, below, diagonal=diagonal))
            shift = np.array([sum(counts[:-1]), sum(counts)], np.int32)
            touching.append(touching_pairs(above[1], below[1], diagonal=diagonal) + shift)
        above = strip["last"][0], strip["last"][1]
        parts.append(strip["clusters"])
        counts.append(len(parts[-1]))
        _check_count(sum(counts), memory // each)
        rows.remembered.keep_within(memory - 2 * each * sum(counts))  # there are strips, too
    table = joined_numbers(counts, seams)
    clusters = np.zeros(int(table.max()) + 1, np.int32)
    clusters[table[1:]] = np.concatenate(parts)
    read = functools.partial(_again, number=number) if file is None else file.strip
    return clusters, RegionMap(read, strips.rows, counts, table), touching


def _numbers(
    rows: SceneRows, top: int, bottom: int, labels_of: Work[Numbers], diagonal: bool
) -> tuple[Numbers, Numbers, Numbers]:
    """Return the labels of a strip, its regions' numbers, and the label of each."""
    labels = labels_of(rows, top, bottom)
    return labels, *components(labels, diagonal=diagonal)


def _again(rows: SceneRows, top: int, bottom: int, number: Work[Any]) -> Numbers:
    """Return the numbers of a strip, made once more."""
    numbers: Numbers = number(rows, top, bottom)[1]
    return numbers


def _part(
    rows: SceneRows,
    top: int,
    bottom: int,
    number: Work[Any],
    file: NumberRows | None,
    scratch: Scratch | Forgetful,
) -> dict[str, NDArray[Any]]:
    """Return what is known of the regions of a strip, which was kept, or is now."""
    known = scratch.load(f"strip-{top}")
    if known is not None and file is not None and file.holds(top, bottom, int(known["checksum"])):
        return known
    labels, numbers, clusters = number(rows, top, bottom)
    made = {
        "checksum": np.asarray(0 if file is None else file.write(top, numbers)),
        "clusters": clusters[1:],
        "first": np.stack([labels[0], numbers[0]]),
        "last": np.stack([labels[-1], numbers[-1]]),
    }
    scratch.save(f"strip-{top}", **made)
    return made


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise InvalidInputError(
            f"image: expected at most {most:,} regions for the memory there may be, got {count:,} "
            "and more; raise --memory or the bandwidth"
        )


def _neighbors_of(
    rows: SceneRows,
    strips: Strips,
    region_map: RegionMap,
    touching: list[Numbers],
    most: int,
    settings: Settings,
    small: NDArray[np.uint8],
) -> Neighbors:
    """Return the neighbours of small regions, in their strips and across the seams."""
    across = region_map.table[np.concatenate([np.empty((0, 2), np.int32), *touching])]
    across = np.concatenate([across, across[:, ::-1]])
    pairs = unique_pairs(across[(small[across[:, 0]] > 0) & (across[:, 0] != across[:, 1])])
    diagonal = settings.connectivity == 8
    meet = functools.partial(_meeting, region_map=region_map, small=small, diagonal=diagonal)
    together = functools.partial(_pairs_together, most=most)
    pairs = together(strips.merged("joining", rows, meet, together), pairs)
    return neighbors_of_pairs(pairs, len(small))


def _pairs_together(one: Numbers, other: Numbers, most: int) -> Numbers:
    """Return the pairs of two sets, each once."""
    pairs = unique_pairs(np.concatenate([one, other]))
    if len(pairs) > most:
        raise InvalidInputError(
            f"image: expected at most {most:,} neighbours of small regions for the memory "
            f"there may be, got {len(pairs):,} and more; raise --memory or the bandwidth"
        )
    return pairs


def _meeting(
    rows: SceneRows,
    top: int,
    bottom: int,
    region_map: RegionMap,
    small: NDArray[np.uint8],
    diagonal: bool,
) -> Numbers:
    """Return the small regions of a strip, each with each of its neighbours there."""
    numbers, table = region_map.own(rows, region_map.strip_of(top))
    return unique_pairs(table[neighbor_pairs(numbers, small[table], diagonal=diagonal)])


def _roots(numbers: Numbers) -> NDArray[np.intp]:
    """Return the first region that has each number: the one whose sums are those of all."""
    first = np.unique(numbers, return_index=True)[1]
    return np.asarray(first)
