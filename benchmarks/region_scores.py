"""How well label maps agree with what several people drew: covering, Rand index, variation.

The measures and the protocol (one setting for the whole set, ODS; the best for each image,
OIS) are those of P. Arbelaez, M. Maire, C. Fowlkes and J. Malik, "Contour detection and
hierarchical image segmentation", PAMI 33(5), 2011.
"""

from __future__ import annotations

import operator
import statistics
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.io import loadmat

BETTER = {"covering": max, "rand_index": max, "variation": min}


@dataclass(frozen=True)
class RegionScores:
    """What one label map scores, or several together.

    Attributes
    ----------
    covered, area : float, int
        Pixels of the regions that all people drew: each region times its largest
        intersection over union with a segment, and in full. Kept apart because over
        several maps covering is the ratio of the sums, not the mean of the ratios.
    rand_index : float in [0, 1]
        PRI: share of the pairs of pixels that are together, or apart, as a person has
        them; mean over the people. Larger is better.
    variation : float, >= 0
        VI in bits: what map and drawing do not tell of each other; mean over the people.
        Smaller is better.
    segments : float
        Distinct labels; mean over the maps.
    """

    covered: float
    area: int
    rand_index: float
    variation: float
    segments: float

    @property
    def covering(self) -> float:
        """Share of the drawn area that is covered, in [0, 1]. Larger is better."""
        return self.covered / self.area


class Best(NamedTuple):
    """The best value of a measure, and the setting that has it: the first one at a tie."""

    value: float
    setting: Hashable


def region_scores(labels: np.ndarray, drawings: Sequence[np.ndarray]) -> RegionScores:
    """Score a label map against the drawings of several people.

    Parameters
    ----------
    labels : (H, W) integer array, at least two pixels
        One segment per value, be it connected or not, and be it 0 or not.
    drawings : sequence of (H, W) integer arrays
        One per person, at least one.
    """
    if any(drawing.shape != labels.shape for drawing in drawings):
        raise ValueError(f"drawings: expected each to be of shape {labels.shape}, as the labels")
    numbers = _from_zero(labels)
    sizes = np.bincount(numbers)
    each = [_beside_one(numbers, sizes, _from_zero(drawing)) for drawing in drawings]
    covered, rand_indices, variations = zip(*each, strict=True)
    return RegionScores(
        covered=sum(covered),
        area=labels.size * len(drawings),
        rand_index=statistics.fmean(rand_indices),
        variation=statistics.fmean(variations),
        segments=int(np.count_nonzero(sizes)),
    )


def _from_zero(labels: np.ndarray) -> np.ndarray:
    """Flatten a map and shift its values to start at 0; number them anew if they lie far apart."""
    flat = labels.ravel().astype(np.intp)
    flat -= flat.min()
    if flat.max() < len(flat):
        return flat
    return np.unique(flat, return_inverse=True)[1]  # sorts: 8 ms for a photo, the shift 0.2


def _beside_one(
    labels: np.ndarray, sizes: np.ndarray, regions: np.ndarray
) -> tuple[float, float, float]:
    """Pixels covered, Rand index and variation of information beside one person's regions.

    All three come from the pairs (region, segment) that meet: with 5,000 segments and 50
    regions some 6,000 of 250,000.
    """
    n, areas = len(labels), np.bincount(regions)
    table = np.bincount(regions * len(sizes) + labels)
    pairs = np.flatnonzero(table)
    region, segment = np.divmod(pairs, len(sizes))
    both, area, size = table[pairs], areas[region], sizes[segment]
    overlap = np.zeros(len(areas))
    np.maximum.at(overlap, region, both / (area + size - both))
    disagreeing = areas @ areas + sizes @ sizes - 2 * (both @ both)
    bits = both @ np.log2(area / both * (size / both))
    return float(areas @ overlap), float(1 - disagreeing / (n * (n - 1))), float(bits / n)


def pooled(scores: Sequence[RegionScores]) -> RegionScores:
    """Put the scores of several maps together as the benchmark does."""
    return RegionScores(
        covered=sum(each.covered for each in scores),
        area=sum(each.area for each in scores),
        rand_index=statistics.fmean(each.rand_index for each in scores),
        variation=statistics.fmean(each.variation for each in scores),
        segments=statistics.fmean(each.segments for each in scores),
    )


class ScoreTable:
    """The scores of several settings, all on the same images.

    >>> table = ScoreTable()
    >>> table.add("fine", "photo", RegionScores(30, 60, 0.6, 2.5, segments=9))
    >>> table.add("coarse", "photo", RegionScores(20, 60, 0.7, 1.5, segments=2))
    >>> table.ods()["covering"]
    Best(value=0.5, setting='fine')
    >>> table.ois()["variation"]
    1.5
    """

    def __init__(self) -> None:
        self._scores: dict[Hashable, dict[Hashable, RegionScores]] = {}

    def add(self, setting: Hashable, image: Hashable, scores: RegionScores) -> None:
        self._scores.setdefault(setting, {})[image] = scores

    def by_setting(self) -> dict[Hashable, RegionScores]:
        """Each setting's scores over all images, settings in the order they were added."""
        return {
            setting: pooled([row[image] for image in self._images()])
            for setting, row in self._scores.items()
        }

    def ods(self) -> dict[str, Best]:
        """Each measure with the one setting that is best for the whole set."""
        rows, best = self.by_setting(), {}
        for measure, better in BETTER.items():
            values = {setting: getattr(row, measure) for setting, row in rows.items()}
            winner = better(values, key=values.__getitem__)
            best[measure] = Best(values[winner], winner)
        return best

    def ois(self) -> dict[str, float]:
        """Each measure with the setting that is best for each image."""
        rows = self._scores.values()
        best = {}
        for measure, better in BETTER.items():
            value = operator.attrgetter(measure)
            chosen = [better((row[image] for row in rows), key=value) for image in self._images()]
            best[measure] = value(pooled(chosen))
        return best

    def _images(self) -> list[Hashable]:
        """The images in the order of the first setting, once it is sure that all have them."""
        first, *others = self._scores.values()
        if any(other.keys() != first.keys() for other in others):
            raise ValueError("scores: expected the same images for every setting")
        return list(first)


def bsds_files(root: Path, split: str) -> list[tuple[Path, Path]]:
    """List the photos of a split of BSDS500, each with the file of its drawings, by name."""
    photos = sorted((root / "images" / split).glob("*.jpg"))
    return [(photo, root / "groundTruth" / split / f"{photo.stem}.mat") for photo in photos]


def read_drawings(path: Path) -> list[np.ndarray]:
    """Read every person's regions, (H, W) uint16 from 1, of a photo of BSDS500."""
    people = loadmat(path, struct_as_record=False)["groundTruth"].ravel()
    return [person[0, 0].Segmentation for person in people]
