"""The spectra of a strip in a file, neighbours in space together: a step reads few of them.

Boxes stand over 256 spectra each. A ball takes those that lie inside as a sum; only boxes that the
surface of a ball passes through are read.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError
from segment.meanshift.tree import Boxes
from segment.writing import write_whole

IN_BOX = 256
CHECKSUM = 4  # bytes
Floats = NDArray[np.float64]


def boxes_over(points: Floats) -> Boxes:
    """Return boxes over each `IN_BOX` points, (n, d); none over none.

    Examples
    --------
    >>> boxes_over(np.array([[1.0, 5.0], [3.0, 4.0]])).sums.tolist()
    [[4.0, 9.0, 2.0]]
    """
    if not len(points):
        return Boxes(points, points, np.empty((0, points.shape[1] + 1)))
    starts = np.arange(0, len(points), IN_BOX)
    sums = np.empty((len(starts), points.shape[1] + 1))
    sums[:, :-1] = np.add.reduceat(points, starts)
    sums[:, -1] = np.diff(starts, append=len(points))
    return Boxes(np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts), sums)


class KeptSpectra:
    """Spectra of the strips of a scene, those that take part, in files.

    That of a strip begins with a checksum of all that follows, and of the file of its boxes: the
    length of a row of low, high and sums, and these rows.

    Parameters
    ----------
    folder : Path
    dtype : dtype
        Of a stored value.
    channels : int
    """

    def __init__(self, folder: Path, dtype: np.dtype[Any], channels: int) -> None:
        self._folder, self._dtype, self._channels = folder, dtype, channels

    def clear(self) -> None:
        """Remove those of strips of any height."""
        with self._told():
            for path in self._folder.glob("spectra-*"):
                path.unlink()

    def keep(self, top: int, bottom: int, values: NDArray[Any], boxes: Boxes) -> None:
        """Keep the spectra of a strip, as they are stored, (n, C); none of it are kept, too."""
        content = np.ascontiguousarray(values, self._dtype).tobytes()
        rows = np.hstack(boxes)
        told = np.append(rows.shape[1], rows).tobytes()
        checksum = zlib.crc32(told, zlib.crc32(content)).to_bytes(CHECKSUM, "little")
        write_whole(self._file(top, bottom), lambda file: file.writelines([checksum, content]))
        write_whole(self._file(top, bottom, "boxes"), lambda file: file.write(told))

    def holds(self, top: int, bottom: int) -> bool:
        """Return whether the spectra of a strip are there as they were written."""
        try:
            content = self._file(top, bottom).read_bytes()
            told = self._file(top, bottom, "boxes").read_bytes()
        except OSError:
            return False
        checksum = zlib.crc32(told, zlib.crc32(content[CHECKSUM:])).to_bytes(CHECKSUM, "little")
        return checksum == content[:CHECKSUM]

    def boxes(self, top: int, bottom: int) -> Boxes:
        """Return the boxes of a strip.

        Raises
        ------
        ImageFileError
            If they are not there.
        """
        # No NPY: Python 3.11 cannot parse its header on several threads at once.
        with self._told():
            kept = np.fromfile(self._file(top, bottom, "boxes"))
            rows = kept[1:].reshape(-1, int(kept[0]))
        width = rows.shape[1] // 3
        return Boxes(*map(np.ascontiguousarray, np.split(rows, (width, 2 * width), axis=1)))

    def values(
        self, top: int, bottom: int, boxes: Boxes, chosen: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Return the stored spectra in some of the boxes of a strip, (n, C); raises as `boxes`."""
        counts = boxes.sums[:, -1].astype(np.intp)
        item, done = self._channels * self._dtype.itemsize, 0
        content = np.empty(int(counts[chosen].sum()) * item, np.uint8)
        ends = np.flatnonzero(np.diff(chosen, prepend=False, append=False)).reshape(-1, 2)
        with self._told(), self._file(top, bottom).open("rb") as file:
            for first, last in ends:  # of each run of boxes
                file.seek(CHECKSUM + int(first) * IN_BOX * item)
                size = int(counts[first:last].sum()) * item
                done += file.readinto(content[done : done + size].data)
            if done < len(content):
                raise OSError(0, "they are cut off")
        return content.view(self._dtype).reshape(-1, self._channels)

    def _file(self, top: int, bottom: int, kind: str = "raw") -> Path:
        return self._folder / f"spectra-{top}-{bottom}.{kind}"

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, IndexError) as error:
            said = getattr(error, "strerror", None) or error
            raise ImageFileError(
                f"lost what it keeps in {self._folder} while it climbs ({said}); start it again"
            ) from None
