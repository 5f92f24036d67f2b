"""The spectra of a strip in a file, neighbours in space together: a step reads few of them.

Boxes stand over 256 spectra each. A ball takes those that lie inside as a sum; only boxes that the
surface of a ball passes through are read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError
from segment.meanshift.tree import Boxes
from segment.strips.scratch import Scratch
from segment.writing import write_whole

IN_BOX = 256
Floats = NDArray[np.float64]


def boxes_over(points: Floats) -> Boxes:
    """Return boxes over each `IN_BOX` points, (n, d), of which there is one at least.

    Examples
    --------
    >>> boxes_over(np.array([[1.0, 5.0], [3.0, 4.0]])).sums.tolist()
    [[4.0, 9.0, 2.0]]
    """
    starts = np.arange(0, len(points), IN_BOX)
    sums = np.empty((len(starts), points.shape[1] + 1))
    sums[:, :-1] = np.add.reduceat(points, starts)
    sums[:, -1] = np.diff(starts, append=len(points))
    return Boxes(np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts), sums)


class KeptSpectra:
    """Spectra of the strips of a scene, those that take part, in files of its scratch.

    Parameters
    ----------
    scratch : Scratch
    dtype : dtype
        Of a stored value.
    channels : int
    """

    def __init__(self, scratch: Scratch, dtype: np.dtype[Any], channels: int) -> None:
        self._scratch, self._dtype, self._channels = scratch, dtype, channels

    def keep(self, top: int, bottom: int, values: NDArray[Any], boxes: Boxes) -> None:
        """Keep the spectra of a strip, as they are stored, (n, C)."""
        content = np.ascontiguousarray(values, self._dtype).data.cast("B")
        write_whole(self._file(top, bottom), lambda file: file.write(content))
        write_whole(self._file(top, bottom, "npy"), lambda file: np.save(file, np.hstack(boxes)))

    def boxes(self, top: int, bottom: int) -> Boxes | None:
        """Return the boxes of a strip; None if no pixel of it takes part."""
        if not self._file(top, bottom).exists():
            return None
        kept = np.load(self._file(top, bottom, "npy"))
        width = kept.shape[1] // 3
        return Boxes(*map(np.ascontiguousarray, np.split(kept, (width, 2 * width), axis=1)))

    def values(
        self, top: int, bottom: int, boxes: Boxes, chosen: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Return the stored spectra in some of the boxes of a strip, (n, C)."""
        counts = boxes.sums[:, -1].astype(np.intp)
        item, done = self._channels * self._dtype.itemsize, 0
        content = np.empty(int(counts[chosen].sum()) * item, np.uint8)
        ends = np.flatnonzero(np.diff(chosen, prepend=False, append=False)).reshape(-1, 2)
        with self._file(top, bottom).open("rb") as file:
            for first, last in ends:  # of each run of boxes
                file.seek(int(first) * IN_BOX * item)
                size = int(counts[first:last].sum()) * item
                done += file.readinto(content[done : done + size].data)
        if done < len(content):
            raise ImageFileError(f"lost its spectra in {self._scratch.folder}; start again")
        return content.view(self._dtype).reshape(-1, self._channels)

    def _file(self, top: int, bottom: int, kind: str = "raw") -> Path:
        return self._scratch.folder / f"spectra-{top}-{bottom}.{kind}"
