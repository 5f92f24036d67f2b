"""Region map to polygons: the rings of pixel edges around each region, also simplified.

scikit-image's `find_contours` draws lines between pixel centres: they cut corners and leave
gaps between neighbours. Here polygons that share a border share its edges exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import MissingPackageError
from segment.regions.tracing import Outlines, traced
from segment.validation import checked_label_map


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
        If `regions` is not a non-empty 2D array of integers in 0..2^31 - 1, or more than
        2^31 - 1 corners of it are of rings that are not closed in some row.

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

    Traced row by row, see `segment.regions.tracing`, in a tenth of the time that graphs of all
    sides took: 0.6 s for 12 million pixels with 1.3 million corners, without the lists.

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
    outlined = traced([array], array.shape[1])
    return chain.from_iterable(map(geometries, outlined))


def geometries(outlines: Outlines) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each label with its geometry in the form of GeoJSON, of numbers as they are."""
    corners, rings = outlines.corners.tolist(), outlines.rings.tolist()
    polygons, regions = outlines.polygons.tolist(), outlines.regions.tolist()
    for label, first, end in zip(outlines.labels.tolist(), regions, regions[1:], strict=False):
        parts = [
            [corners[rings[i] : rings[i + 1]] for i in range(polygons[j], polygons[j + 1])]
            for j in range(first, end)
        ]
        if len(parts) == 1:
            yield label, {"type": "Polygon", "coordinates": parts[0]}
        else:
            yield label, {"type": "MultiPolygon", "coordinates": parts}


def simplified(
    strips: Iterable[NDArray[Any]], width: int, tolerance: float, folder: str | None = None
) -> Iterator[Outlines]:
    """Yield the outlines of a map with fewer corners; neighbours keep all they share in common.

    The corner that spans the smallest triangle with its neighbours goes first (Visvalingam and
    Whyatt 1993), for both polygons that have it, as long as no two lines cross. Where three meet
    the corner stays, and so does the border of the image; pixels without a label are a neighbour
    as any other. GEOS does it, through shapely.

    Parameters
    ----------
    strips : iterable of (h, W) arrays of integers
        The map, from its first rows on, as `traced` takes it.
    width : int
    tolerance : float, > 0
        In pixels: the root of the area of the triangles that go. From 0.71 on the steps of
        pixels become slopes. Larger: fewer corners.
    folder : str, optional
        For a temporary file, see `OutlineTracer`.

    Raises
    ------
    MissingPackageError
        If shapely is not installed.

    Notes
    -----
    All outlines are held in memory at once, some 100 bytes a corner: whether a corner may go
    depends on both its polygons, and on what lies between.
    """
    shapely = _shapely()
    above = (np.asarray(strip) + np.int64(1) for strip in strips)  # no label is a neighbour, too
    batches = list(traced(above, width, junctions=True, folder=folder))
    labels = np.concatenate([each.labels for each in batches]) - np.int32(1)
    kind = shapely.GeometryType.MULTIPOLYGON
    exact = [
        shapely.from_ragged_array(
            kind, each.corners.astype(np.float64), (each.rings, each.polygons, each.regions)
        )
        for each in batches
    ]
    sizes = [len(each) for each in exact]
    batches.clear()
    fewer = shapely.coverage_simplify(np.concatenate(exact), tolerance, simplify_boundary=False)
    fewer = shapely.orient_polygons(fewer, exterior_cw=False)  # in numbers, whose y goes down
    for some in np.split(np.arange(len(labels)), np.cumsum(sizes)[:-1]):
        kept = some[labels[some] > 0]
        if len(kept):
            yield _as_outlines(labels[kept], fewer[kept])


def _as_outlines(labels: NDArray[np.int32], shapes: NDArray[Any]) -> Outlines:
    """Return polygons of shapely's, of one part or several, whose corners are whole numbers."""
    shapely = _shapely()
    parts, whose = shapely.get_parts(shapes, return_index=True)
    _, corners, bounds = shapely.to_ragged_array(shapely.multipolygons(parts, indices=whose))
    rings, polygons, regions = (np.asarray(each, np.int64) for each in bounds)
    return Outlines(labels, corners.astype(np.int32), rings, polygons, regions)


def _shapely() -> Any:
    try:
        import shapely
    except ImportError:
        raise MissingPackageError(
            "shapely: expected it to simplify polygons, but it is not installed; "
            "pip install 'meanshift-segment[geo]'"
        ) from None
    return shapely
