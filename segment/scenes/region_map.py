"""The numbers of regions in their strips, and what they are in the scene."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segment.regions.connected import Numbers, replace_all
from segment.strips.rows import SceneRows
from segment.strips.strips import Work


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

    def begun(self) -> NDArray[np.int32]:
        """Return how many regions begin above each strip, and last how many there are: (n + 1,).

        Those are 1 to that number, because regions are numbered in scan order of their first
        pixels.
        """
        ends = zip(self._starts, self._starts[1:], strict=False)
        highest = [self.table[first + 1 : end + 1].max(initial=0) for first, end in ends]
        return np.maximum.accumulate(np.array([0, *highest], np.int32))

    def strip_of(self, top: int) -> int:
        """Return the number of the strip that a row is in."""
        return top // self._height
