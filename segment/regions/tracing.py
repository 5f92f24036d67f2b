"""Strips of a label map to the rings of pixel edges around its parts, in bounded memory.

rasterio.features.shapes (GDAL's polygonize) asks for the whole map, gives parts in the order in
which they end, and has no corner where neighbours meet beside a straight side, without which they
come apart as soon as corners move. shapely's coverage functions take polygons that are there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError, InvalidInputError
from segment.regions._tracing import Tracer
from segment.validation import LARGEST_LABEL, checked_label_map

RING = np.dtype([("start", "=i8"), ("count", "=i8"), ("label", "=i4"), ("part", "=i4")])
IN_MEMORY = 1 << 26  # bytes of corners beyond which they go to a temporary file
BLOCK = 1 << 20  # pixels that are traced before what has closed is put away
BATCH = 1 << 17  # corners of the regions that are given out at a time, if these are several
GAP = 1 << 13  # corners that are read and not used rather than sought past
POINT = 8  # bytes


@dataclass(frozen=True, eq=False)
class Outlines:
    """The outlines of some regions, nested as GeoArrow nests them; shapely takes them as they are.

    Attributes
    ----------
    labels : (K,) int32 array
        Ascending.
    corners : (n, 2) int32 array
        x and y of all rings, one after the other, the first corner again at the end of each;
        float64 once they are put elsewhere.
    rings : (R + 1,) int64 array
        Ring i is ``corners[rings[i] : rings[i + 1]]``.
    polygons : (P + 1,) int64 array
        Polygon j has the rings ``polygons[j] .. polygons[j + 1] - 1``, the first its exterior.
    regions : (K + 1,) int64 array
        Region k has the polygons ``regions[k] .. regions[k + 1] - 1``.
    """

    labels: NDArray[np.int32]
    corners: NDArray[Any]
    rings: NDArray[np.int64]
    polygons: NDArray[np.int64]
    regions: NDArray[np.int64]


class OutlineTracer:
    """Takes a label map strip by strip and gives the outlines of its regions.

    What it keeps: of the rings that are not closed their corners, 20 bytes each; of the closed
    ones 24 bytes each, and their corners, 8 bytes each, in memory up to a bound, then in a
    temporary file; and 4 bytes for each part that began. The outlines are the same however the
    rows are cut. Use it in a ``with``.

    400 million pixels with 1.2 million regions and 63 million corners take 15 s to trace and 3 s to
    give out on one core, in a process of 190 MB; 500 MB of corners lie in the file meanwhile.

    Parameters
    ----------
    width : int
        Of all strips.
    junctions : bool, default False
        Have a corner also where a straight side passes the corners of others: all that share a
        side of a pixel then have its ends in common, which stays so whatever is done to the
        corners. shapely calls such polygons a valid coverage.
    in_memory : int, default 64 MiB
        Bytes of corners of closed rings; beyond it they go to a file.
    folder : str, optional
        Of that file; where temporary files go if not given.

    Examples
    --------
    >>> with OutlineTracer(3) as tracer:
    ...     tracer.add([[7, 7, 0]])
    ...     tracer.add([[0, 7, 7]])
    ...     (outlines,) = tracer.outlines()
    >>> outlines.labels.tolist(), outlines.corners.tolist()
    ([7], [[0, 0], [2, 0], [2, 1], [3, 1], [3, 2], [1, 2], [1, 1], [0, 1], [0, 0]])
    """

    def __init__(
        self,
        width: int,
        *,
        junctions: bool = False,
        in_memory: int = IN_MEMORY,
        folder: str | None = None,
    ) -> None:
        self._width, self._folder = width, folder
        self._tracer = Tracer(width, LARGEST_LABEL, junctions)
        self._corners = tempfile.SpooledTemporaryFile(in_memory, dir=folder)  # noqa: SIM115
        self._rings: list[NDArray[Any]] = []

    def __enter__(self) -> OutlineTracer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._corners.close()

    def add(self, strip: NDArray[Any]) -> None:
        """Trace the next rows.

        Parameters
        ----------
        strip : (h, W) array of integers
            0 for no region, else a label; of any height.

        Raises
        ------
        InvalidInputError
            If it is something else, or has another width, or if more corners are open, or more
            parts there, than 32 bits number.
        ImageFileError
            If the temporary file cannot be written.
        """
        rows = checked_label_map("regions", strip)
        if rows.shape[1] != self._width:
            raise InvalidInputError(
                f"regions: expected strips {self._width} wide, got one {rows.shape[1]} wide"
            )
        height = max(1, BLOCK // self._width)
        for top in range(0, len(rows), height):
            try:
                self._tracer.add(rows[top : top + height])
            except OverflowError as error:
                raise InvalidInputError(
                    f"regions: expected at most {LARGEST_LABEL} {error}; merge regions, or "
                    "outline parts of the map"
                ) from None
            self._put_away()

    def outlines(self) -> Iterator[Outlines]:
        """Yield the outlines of all regions after the last strip, by label, some at a time.

        A region comes whole: what is yielded takes as much memory as the largest outline.
        """
        self._tracer.finish()
        self._put_away()
        rings = np.concatenate(self._rings)
        self._rings.clear()
        if not len(rings):
            return
        ends = np.cumsum(rings["count"])
        parts = self._tracer.parts()[rings["part"]]
        order = np.lexsort((rings["start"], parts, rings["label"]))
        labels, parts = rings["label"][order], parts[order]
        lasts = np.append(np.flatnonzero(np.diff(labels)), len(labels) - 1)  # rings of regions
        batch = np.cumsum(rings["count"][order])[lasts] // BATCH
        cuts = lasts[np.append(np.flatnonzero(np.diff(batch)), len(batch) - 1)] + 1
        for begin, end in zip(np.append(0, cuts[:-1]), cuts, strict=True):
            some = slice(begin, end)
            counts = rings["count"][order[some]]
            corners = self._read(ends[order[some]] - counts, counts)
            yield _nested(labels[some], parts[some], counts, corners)

    def _put_away(self) -> None:
        corners, rings = self._tracer.take()
        self._rings.append(rings.view(RING))
        try:
            self._corners.write(corners.data)
        except OSError as error:
            folder = self._folder or tempfile.gettempdir()
            raise ImageFileError(
                f"cannot write a temporary file in {folder}: {error.strerror or error}; make room"
            ) from None

    def _read(self, begins: NDArray[Any], counts: NDArray[Any]) -> NDArray[np.int32]:
        """Return the corners of rings in their order, read in that of the file."""
        order = np.argsort(begins)
        first, end = begins[order], (begins + counts)[order]
        far = np.flatnonzero(first[1:] - end[:-1] > GAP) + 1
        firsts, ends = first[np.append(0, far)], end[np.append(far - 1, -1)]
        spans = np.cumsum(np.append(0, ends - firsts))
        read = np.empty((int(spans[-1]), 2), np.int32)
        for begin, start, stop in zip(firsts, spans, spans[1:], strict=False):
            self._corners.seek(int(begin) * POINT)
            self._corners.readinto(read[start:stop].data.cast("B"))
        span = np.searchsorted(firsts, begins, side="right") - 1
        places = begins - firsts[span] + spans[span]
        before = np.cumsum(counts) - counts
        found: NDArray[np.int32] = read[
            np.repeat(places - before, counts) + np.arange(counts.sum())
        ]
        return found


def _nested(
    labels: NDArray[np.int32],
    parts: NDArray[np.int32],
    counts: NDArray[np.int64],
    corners: NDArray[np.int32],
) -> Outlines:
    """Return outlines by the label, the part and the number of corners of each ring."""
    new_label = np.diff(labels, prepend=0) != 0
    exterior = new_label | (np.diff(parts, prepend=-1) != 0)
    polygons = np.append(np.flatnonzero(exterior), len(labels))
    regions = np.append(np.flatnonzero(new_label[exterior]), len(polygons) - 1)
    rings = np.append(0, np.cumsum(counts))
    return Outlines(labels[new_label], corners, rings, polygons, regions)


def traced(
    strips: Iterable[NDArray[Any]],
    width: int,
    *,
    junctions: bool = False,
    folder: str | None = None,
) -> Iterator[Outlines]:
    """Yield the outlines of a map that comes in strips of rows, as `OutlineTracer` gives them."""
    with OutlineTracer(width, junctions=junctions, folder=folder) as tracer:
        for strip in strips:
            tracer.add(strip)
        yield from tracer.outlines()
