"""Connected regions of a scene: numbered in strips, joined at the seams, small ones absorbed."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.pixels.colors import means_of_sums
from segment.regions.connected import (
    Numbers,
    Row,
    components,
    joined_numbers,
    seam_pairs,
    touching_pairs,
)
from segment.scenes.labelling import is_exact, sums_of
from segment.scenes.region_map import RegionMap
from segment.scenes.small_regions import SmallRegions, most_regions
from segment.settings import Settings
from segment.strips.rows import SceneRows
from segment.strips.scratch import Forgetful, NumberRows, Scratch
from segment.strips.strips import Strips, Work


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
        space, diagonal = settings.color_space, settings.connectivity == 8
        sums = sums_of(rows, region_map.read, len(clusters), strips, space)
        regions = SmallRegions(rows, strips, region_map, touching, sums, diagonal)
        sums, parts = regions.absorb(min(min_size, pixels + 1), memory)
        clusters = clusters[parts]
        if not (space == "rgb" and is_exact(rows, "rgb")):
            sums = None
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
    most = most_regions(memory, rows.channels)
    for _, _, strip in strips.in_order("labelling", rows, part):
        if above is not None:
            below = strip["first"][0], strip["first"][1]
            seams.append(seam_pairs(above, below, diagonal=diagonal))
            shift = np.array([sum(counts[:-1]), sum(counts)], np.int32)
            touching.append(touching_pairs(above[1], below[1], diagonal=diagonal) + shift)
        above = strip["last"][0], strip["last"][1]
        parts.append(strip["clusters"])
        counts.append(len(parts[-1]))
        _check_count(sum(counts), most)
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
