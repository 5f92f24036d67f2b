"""Outlines and a table to files of polygons: GeoJSON, GeoPackage or FlatGeobuf, some at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError, MissingPackageError
from segment.regions.outlines import geometries, simplified
from segment.regions.table import Table
from segment.regions.tracing import Outlines, traced
from segment.results.mapping import WGS84, Coordinates, coordinates_of, on_map
from segment.results.naming import PolygonFormat
from segment.results.outputs import PolygonOptions
from segment.tiff.places import Place
from segment.writing import write_by_name, write_whole

DRIVERS = {"gpkg": "GPKG", "fgb": "FlatGeobuf"}
LAYER = "polygons"
TOGETHER = 8  # batches: to append to a GeoPackage takes 0.05 s, however little it is
# What GDAL calls coordinates of which nothing is known; without a system pyogrio warns everybody.
UNKNOWN = (
    'ENGCRS["Undefined Cartesian SRS with unknown unit",EDATUM["Unknown engineering datum"],'
    'CS[Cartesian,2],AXIS["X",unspecified,ORDER[1],LENGTHUNIT["unknown",0]],'
    'AXIS["Y",unspecified,ORDER[2],LENGTHUNIT["unknown",0]]]'
)


def write_region_polygons(
    path: Path,
    strips: Iterable[NDArray[Any]],
    width: int,
    table: Table,
    place: Place,
    options: PolygonOptions,
) -> None:
    """Write the outlines of a label map that comes in strips of rows, where it lies on the map.

    Parameters
    ----------
    path : Path
    strips : iterable of (h, W) arrays of integers
        Labels from the first row on; 0 for no region.
    width : int
    table : Table
        Of the regions, in pixels; a row for each label that occurs, ascending.
    place : Place
        Of the image.
    options : PolygonOptions

    Raises
    ------
    ImageFileError
        If the image has no place that the options ask for, or the file cannot be written.
    MissingPackageError
        If a package of the extra ``geo`` is needed and not installed.
    """
    coordinates = coordinates_of(place, options.polygon_format, options.polygon_crs)
    folder = str(path.parent)  # which has room for as much; /tmp may be memory
    if options.simplify > 0:
        outlines = simplified(strips, width, options.simplify, folder)
    else:
        moved = coordinates.transform is not None
        outlines = traced(strips, width, junctions=moved, folder=folder)
    write_polygons(path, outlines, on_map(table, place), coordinates, options.polygon_format)


def write_polygons(
    path: Path,
    outlines: Iterable[Outlines],
    table: Table,
    coordinates: Coordinates,
    polygon_format: PolygonFormat = "geojson",
) -> None:
    """Write outlines with the columns of a table as their attributes.

    GeoJSON and GeoPackage take as much memory as the outlines that come at a time. FlatGeobuf,
    which no writer appends to, takes that of all.

    Parameters
    ----------
    path : Path
    outlines : iterable of Outlines
    table : Table
        A row for each outline, in their order; the first column is the label.
    coordinates : Coordinates
        What the corners become.
    polygon_format : {"geojson", "gpkg", "fgb"}

    Raises
    ------
    ImageFileError
        If the file cannot be written.
    MissingPackageError
        If pyogrio or shapely is needed and not installed.
    """
    if polygon_format == "geojson":
        pieces = geojson(outlines, table, coordinates)
        write_whole(path, lambda file: file.writelines(piece.encode() for piece in pieces))
        return
    pyogrio, _ = _libraries()
    features = _features(outlines, table, coordinates)
    whole = polygon_format == "fgb"

    def write(name: Path) -> None:
        try:
            _write_layer(name, features, table.header, coordinates, whole)
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
            said = str(error).replace(str(name), path.name)  # nobody knows the passing name
            raise ImageFileError(
                f"cannot write {path}: {said}; make room, or choose another folder"
            ) from None

    write_by_name(path, write, f".{polygon_format}")


def geojson(outlines: Iterable[Outlines], table: Table, coordinates: Coordinates) -> Iterator[str]:
    """Write outlines as GeoJSON, piece by piece.

    Parameters
    ----------
    outlines, table, coordinates
        As `write_polygons` has them.

    Returns
    -------
    pieces : iterator of str
        Together the text of a FeatureCollection: a line and a feature for each label that
        occurs, ascending, with the columns of the table as its properties. It is RFC 7946 where
        the coordinates are in WGS 84; in another system that has a code of EPSG's it has the
        member ``crs`` of GeoJSON of 2008, as GDAL writes it.

    Examples
    --------
    >>> from segment.regions.table import region_table
    >>> from segment.regions.tracing import traced
    >>> regions = np.array([[1, 1, 2]])
    >>> pieces = geojson(traced([regions], 3), region_table(regions, regions), Coordinates())
    >>> [feature["properties"]["pixels"] for feature in json.loads("".join(pieces))["features"]]
    [2, 1]
    """
    encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode
    rows, separator = table.rows(), "\n"
    yield f'{{"type":"FeatureCollection",{_named(coordinates)}"features":['
    for placed in _placed(outlines, coordinates):
        for (_, geometry), row in zip(
            geometries(placed), islice(rows, len(placed.labels)), strict=True
        ):
            properties = dict(zip(table.header, row, strict=True))
            feature = {"type": "Feature", "properties": properties, "geometry": geometry}
            yield separator + encode(feature)
            separator = ",\n"
    yield "\n]}\n"


def _named(coordinates: Coordinates) -> str:
    """Return the member that names the reference system; none for WGS 84, where none is meant."""
    authority, _, code = (coordinates.system or "").partition(":")
    if authority != "EPSG" or coordinates.system == WGS84:
        return ""
    return f'"crs":{{"type":"name","properties":{{"name":"urn:ogc:def:crs:EPSG::{code}"}}}},'


def _placed(outlines: Iterable[Outlines], coordinates: Coordinates) -> Iterator[Outlines]:
    """Yield outlines with their corners in other coordinates, exterior rings against the clock."""
    for each in outlines:
        corners = coordinates.of(each.corners)
        if coordinates.turns_round:
            counts = np.diff(each.rings)
            ends = np.repeat(each.rings[:-1] + each.rings[1:] - 1, counts)
            corners = corners[ends - np.arange(len(corners))]
        yield Outlines(each.labels, corners, each.rings, each.polygons, each.regions)


@dataclass(frozen=True, eq=False)
class _Features:
    """Some features as pyogrio takes them."""

    shapes: NDArray[Any]  # WKB
    columns: list[NDArray[Any]]


def _features(
    outlines: Iterable[Outlines], table: Table, coordinates: Coordinates
) -> Iterator[_Features]:
    _, shapely = _libraries()
    kind, rows = shapely.GeometryType.MULTIPOLYGON, table.rows()
    for each in _placed(outlines, coordinates):
        nested = each.rings, each.polygons, each.regions
        shapes = shapely.from_ragged_array(kind, each.corners.astype(np.float64), nested)
        columns = zip(*islice(rows, len(each.labels)), strict=True)
        yield _Features(shapely.to_wkb(shapes), [np.array(column) for column in columns])


def _write_layer(
    name: Path,
    features: Iterator[_Features],
    header: tuple[str, ...],
    coordinates: Coordinates,
    whole: bool,
) -> None:
    """Write the features to the layer of a file, all at once or some after the others."""
    pyogrio, _ = _libraries()
    options = {
        "driver": DRIVERS["fgb" if whole else "gpkg"],
        "layer": LAYER,
        "geometry_type": "MultiPolygon",
        "crs": coordinates.system or UNKNOWN,
    }
    none = _Features(np.empty(0, object), [np.empty(0) for _ in header])
    append = False
    while (parts := [*islice(features, None if whole else TOGETHER)]) or not append:
        columns = zip(*(part.columns for part in parts or [none]), strict=True)
        pyogrio.raw.write(
            str(name),
            np.concatenate([part.shapes for part in parts or [none]]),
            [*map(np.concatenate, columns)],
            header,
            append=append,
            **options,
        )
        append = True


def _libraries() -> tuple[Any, Any]:
    try:
        import pyogrio
        import shapely
    except ImportError as error:
        raise MissingPackageError(
            f"{error.name}: expected it for GeoPackage and FlatGeobuf, but it is not installed; "
            "pip install 'meanshift-segment[geo]'"
        ) from None
    return pyogrio, shapely
