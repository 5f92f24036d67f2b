"""Region map to polygons: the rings of pixel edges around each region, also as GeoJSON.

scikit-image's `find_contours` draws lines between pixel centres: they cut corners and leave
gaps between neighbours. Here polygons that share a border share its edges exactly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.validation import LARGEST_LABEL, checked_label_map

CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.int32)  # of a pixel: where its sides start


def region_polygons(regions: NDArray[Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Outline each region along the edges of its pixels.

    Parameters
    ----------
    regions : (H, W) array of integers
        0 for no region, else 1..K. A region may consist of several parts.

    Returns
    -------
    outlines : iterator of (int, dict)
        The labels that occur, ascending, each with its geometry in the form of GeoJSON: a
        Polygon, or a MultiPolygon where the region has several 4-connected parts, apart
        or touching at corners only. The parts come in scan order. Each is a list of closed
        rings, first the exterior, then the holes. Corners are [x, y] in whole pixels, y
        downwards: the pixel in row r and column c covers [c, c + 1] x [r, r + 1]. No
        corner lies on a straight line between its neighbours.

    Raises
    ------
    InvalidInputError
        If `regions` is not a non-empty 2D array of integers in 0..2^31 - 1, or has more than
        2^31 - 1 straight sides.

    Notes
    -----
    The right-hand rule of RFC 7946 holds in the numbers: the shoelace formula over x and y
    as they are is positive for exterior rings, negative for holes. As y grows downwards,
    exterior rings run clockwise on the screen.

    A ring starts at the left end of the topmost side, then leftmost, that has the region
    below it; holes come in the scan order of their starts.

    No ring passes a point twice. Where a part touches itself at a corner, what it encloses
    there is a hole, which touches another ring in that point. So each polygon is valid by
    OGC Simple Features.

    25 ms for 154,000 pixels, 3 s and 400 MB for 12 million with 4.6 million corners.

    Examples
    --------
    >>> for label, geometry in region_polygons(np.array([[2, 2, 0], [0, 0, 2]])):
    ...     print(label, geometry["type"])
    ...     print(*geometry["coordinates"], sep="\\n")
    2 MultiPolygon
    [[[0, 0], [2, 0], [2, 1], [0, 1], [0, 0]]]
    [[[2, 1], [3, 1], [3, 2], [2, 2], [2, 1]]]
    """
    array = checked_label_map("regions", regions)
    return _geometries(_rings(array)) if array.any() else iter(())


def geojson(regions: NDArray[Any]) -> Iterator[str]:
    """Write the outlines of the regions as GeoJSON, piece by piece.

    Parameters
    ----------
    regions : (H, W) array of integers
        As for `region_polygons`.

    Returns
    -------
    pieces : iterator of str
        Together the text of a FeatureCollection: a line and a feature for each label that
        occurs, ascending, with the properties "label" and "pixels", their number.

    Raises
    ------
    InvalidInputError
        As `region_polygons` does.

    Examples
    --------
    >>> collection = json.loads("".join(geojson(np.array([[1, 1, 2]]))))
    >>> [feature["properties"] for feature in collection["features"]]
    [{'label': 1, 'pixels': 2}, {'label': 2, 'pixels': 1}]
    """
    outlines = region_polygons(regions)
    labels, sizes = np.unique(regions, return_counts=True)
    return _collection(outlines, sizes[labels > 0].tolist())


def _collection(outlines: Iterator[tuple[int, dict[str, Any]]], sizes: list[int]) -> Iterator[str]:
    encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode
    separator = "\n"
    yield '{"type":"FeatureCollection","features":['
    for (label, geometry), size in zip(outlines, sizes, strict=True):
        properties = {"label": label, "pixels": size}
        feature = {"type": "Feature", "properties": properties, "geometry": geometry}
        yield separator + encode(feature)
        separator = ",\n"
    yield "\n]}\n"


@dataclass(frozen=True, eq=False)
class _Rings:
    """All rings, by label, part and start: ring i is corners[bounds[i] : bounds[i + 1]]."""

    corners: NDArray[np.int32]  # (n, 2): x and y
    bounds: list[int]
    labels: list[int]
    exterior: list[bool]


def _geometries(rings: _Rings) -> Iterator[tuple[int, dict[str, Any]]]:
    spans = zip(rings.labels, rings.exterior, rings.bounds[:-1], rings.bounds[1:], strict=True)
    for label, span in groupby(spans, key=lambda ring: ring[0]):
        parts: list[list[Any]] = []
        for _, exterior, begin, end in span:
            if exterior:
                parts.append([])
            parts[-1].append(rings.corners[begin:end].tolist())
        if len(parts) == 1:
            yield label, {"type": "Polygon", "coordinates": parts[0]}
        else:
            yield label, {"type": "MultiPolygon", "coordinates": parts}


def _rings(regions: NDArray[np.int32]) -> _Rings:
    from skimage.measure import label

    parts = np.pad(label(regions, background=0, connectivity=1), 1)
    pixels, corners, following = _sides(parts)
    starts = _starts(following)
    owners = parts.ravel()[pixels[starts]]
    labels = np.pad(regions, 1).ravel()[pixels[starts]]
    order = np.lexsort((starts, owners, labels))  # a part's first side in scan order is outside
    path, begins = _walk(following, starts[order])
    ends = np.append(begins[1:], len(path))
    closed = np.insert(path, ends, path[begins])
    bounds = np.append(0, ends + np.arange(1, len(ends) + 1))
    exterior = np.diff(owners[order], prepend=0) != 0
    return _Rings(corners[closed], bounds.tolist(), labels[order].tolist(), exterior.tolist())


def _sides(
    parts: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[np.int32], NDArray[np.int32]]:
    """Find the straight sides of the parts, each walked with the part on its right on screen.

    Parameters
    ----------
    parts : (H + 2, W + 2) array
        4-connected parts 1..P; 0 for none, and all around.

    Returns
    -------
    pixels : (n,) array of integers
        The first pixel along each side, as an index into `parts.ravel()`. Sides with the
        part below them come first, in scan order.
    corners : (n, 2) int32 array
        x and y where each side starts.
    following : (n,) int32 array
        The side that starts where each one ends.

    Raises
    ------
    InvalidInputError
        If there are more sides than SciPy's graphs have nodes.
    """
    kind = _index_kind(parts.size)
    indices = np.arange(parts.size, dtype=kind).reshape(parts.shape)
    turned = [_top_sides(np.rot90(parts, turn), np.rot90(indices, turn)) for turn in range(4)]
    turns = np.repeat(np.arange(4, dtype=np.int8), [len(first) for first, _, _ in turned])
    if len(turns) > LARGEST_LABEL:
        raise InvalidInputError(
            f"regions: expected outlines of at most {LARGEST_LABEL} sides, got {len(turns)}; "
            "merge regions, or outline parts of the map"
        )
    pixels, lasts, aheads = map(np.concatenate, zip(*turned, strict=True))
    rows, columns = np.divmod(pixels, kind(parts.shape[1]))
    corners = np.stack([columns, rows], axis=1).astype(np.int32) - np.int32(1) + CORNERS[turns]

    # A side turns left also where its part goes on across a corner only. As the part is
    # 4-connected, it encloses one side of that corner, and this gives that a ring of its own.
    starting = np.empty((4, parts.size), np.int32)  # read only where it is written
    starting[turns, pixels] = np.arange(len(pixels), dtype=np.int32)
    left = parts.ravel()[aheads] == parts.ravel()[lasts]
    following = starting[np.where(left, turns - 1, turns + 1) % 4, np.where(left, aheads, lasts)]
    return pixels, corners, following


def _index_kind(size: int) -> type[np.int32 | np.int64]:
    """Return the smallest type that numbers so many pixels with a border around them.

    >>> _index_kind(46_340**2), _index_kind(46_342**2)
    (<class 'numpy.int32'>, <class 'numpy.int64'>)
    """
    return np.int32 if size <= LARGEST_LABEL else np.int64


def _top_sides(
    parts: NDArray[Any], indices: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return first and last pixel below each upper side of a part, and the one up right of it."""
    here = parts[1:]
    edge = (here != parts[:-1]) & (here != 0)
    goes_on = edge[:, :-1] & edge[:, 1:] & (here[:, :-1] == here[:, 1:])
    first, last = edge[:, 1:] > goes_on, edge[:, :-1] > goes_on
    return indices[1:, 1:][first], indices[1:, :-1][last], indices[:-1, 1:][last]


def _starts(following: NDArray[np.int32]) -> NDArray[np.intp]:
    """Return the first side of each ring."""
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    count, rings = connected_components(_graph(following), connection="strong")
    starts = np.empty(count, np.intp)
    starts[rings[::-1]] = np.arange(len(rings) - 1, -1, -1)  # the last one written stays
    return starts


def _walk(
    following: NDArray[np.int32], starts: NDArray[np.intp]
) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Order the sides ring after ring, in linear time; and where in that each ring begins."""
    from scipy.sparse.csgraph import depth_first_order

    before = np.empty_like(following)
    before[following] = np.arange(len(following), dtype=np.int32)
    chain = following.copy()
    chain[before[starts]] = np.roll(starts, -1)  # from the end of each ring on to the next
    path = depth_first_order(_graph(chain), starts[0], return_predecessors=False)
    starting = np.zeros(len(path), np.bool_)
    starting[starts] = True
    return path, np.flatnonzero(starting[path])


def _graph(following: NDArray[np.int32]) -> Any:
    from scipy.sparse import csr_array  # type: ignore[import-untyped]

    count = len(following)
    return csr_array((np.ones(count), following, np.arange(count + 1)), shape=(count, count))
