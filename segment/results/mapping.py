"""Pixels to the map: the coordinates that polygons and tables of a placed image are written in."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError, MissingPackageError
from segment.results.naming import PolygonCrs, PolygonFormat, Product
from segment.tiff.places import Place, place_of

if TYPE_CHECKING:
    from segment.regions.table import Table
    from segment.results.outputs import PolygonOptions
    from segment.tiff.places import GeoTag

WGS84 = "EPSG:4326"
DECIMALS = 9  # of degrees: a tenth of a millimetre on the ground
TO_BE_PLACED = (
    "gdalwarp makes one of ground control points, and gdal_edit.py -a_ullr or a world file "
    "beside the image says where its corners lie"
)


@dataclass(frozen=True)
class Coordinates:
    """What the corners of polygons become.

    Attributes
    ----------
    transform : (a, b, c, d, e, f) or None
        x = a column + b row + c, y = d column + e row + f; None leaves pixels, y down.
    system : str or None
        The reference system of what is written, EPSG:... or WKT; None where none is known.
    source : str or None
        That of the transform, where it is another.
    warning : str
        What is not as it might be expected.
    """

    transform: tuple[float, float, float, float, float, float] | None = None
    system: str | None = None
    source: str | None = None
    warning: str = ""

    @property
    def turns_round(self) -> bool:
        """Whether a ring that runs clockwise on the screen runs so in numbers, too: y goes up."""
        if self.transform is None:
            return False
        a, b, _, d, e, _ = self.transform
        return a * e < b * d

    def of(self, corners: NDArray[Any]) -> NDArray[Any]:
        """Return the coordinates of corners of pixels; equal ones stay equal.

        Parameters
        ----------
        corners : (n, 2) array
            Column and row.

        Returns
        -------
        coordinates : (n, 2) array
            The corners themselves, or float64.

        Raises
        ------
        ImageFileError
            If the other reference system has none for them.
        """
        if self.transform is None:
            return corners
        a, b, c, d, e, f = self.transform
        column, row = corners.T.astype(np.float64)
        x, y = a * column + b * row + c, d * column + e * row + f
        if self.source is None:
            return np.stack([x, y], axis=1)
        return _degrees(self.source, x, y)


def _degrees(system: str, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[Any]:
    """Return longitude and latitude, as GDAL works them out."""
    from rasterio.warp import transform

    try:
        found = np.stack(transform(system, WGS84, x, y), axis=1)
    except Exception as error:  # GDAL's have no public name in rasterio
        cause: Exception | None = error
    else:
        cause = None
        if np.isfinite(found).all():
            return found.round(DECIMALS)
    raise ImageFileError(
        "expected corners that have a place in WGS 84, got some that have none; "
        "write polygons with --polygon-crs native"
    ) from cause


def coordinates_of(
    place: Place, polygon_format: PolygonFormat, wanted: PolygonCrs | None = None
) -> Coordinates:
    """Decide in what polygons of an image are written.

    Parameters
    ----------
    place : Place
        Of the image.
    polygon_format : {"geojson", "gpkg", "fgb"}
    wanted : {"native", "wgs84", "pixels"}, optional
        The image's own reference system, longitude and latitude on WGS 84, or pixels. Not given,
        GeoJSON is in WGS 84, as RFC 7946 wants it, where that can be worked out, all others are
        in the image's system; and an image without a place, in pixels.

    Raises
    ------
    ImageFileError
        If what is wanted is on a map and the image has no place there.
    MissingPackageError
        If it takes rasterio, of the extra ``geo``.
    """
    if wanted == "pixels":
        return Coordinates()
    if place.transform is None:
        return _unplaced(place, wanted)
    if wanted is None and polygon_format == "geojson":
        return _best_for_geojson(place)
    native = Coordinates(place.transform, place.system())
    if wanted == "wgs84":
        return _in_wgs84(native)
    if polygon_format == "geojson" and not (native.system or "").startswith("EPSG:"):
        return replace(native, warning=_unnamed(native))
    return native


def _unplaced(place: Place, wanted: PolygonCrs | None) -> Coordinates:
    """Leave pixels, or refuse where a map was asked for by name."""
    lacks = missing_transform(place)
    if wanted is None:
        return Coordinates()
    raise ImageFileError(
        f"{lacks or 'has no place on a map'}, which --polygon-crs {wanted} takes; {TO_BE_PLACED}"
    )


def missing_transform(place: Place) -> str:
    """Say what keeps an image that has some place from coordinates; nothing for all others."""
    if place.control_points:
        return "has ground control points but no transform"
    if place.transform is None and place.has_system:
        return "has a reference system but no transform"
    return ""


def _best_for_geojson(place: Place) -> Coordinates:
    """Take WGS 84 unless that cannot be worked out, as for a map of the Moon; then say so."""
    bare = Coordinates(place.transform, place.epsg)
    try:
        native = replace(bare, system=place.system())
        if native.system is None:
            return replace(bare, warning=_unnamed(native))
        best = _in_wgs84(native)
        best.of(np.zeros((1, 2)))
    except MissingPackageError:
        why = "with the extra 'geo' they are in WGS 84, as GeoJSON has it"
    except ImageFileError:
        why = "they have no place in WGS 84, in which GeoJSON would be"
    else:
        return best
    return replace(bare, warning=f"its polygons are in {place.epsg or 'its own system'}; {why}")


def _unnamed(native: Coordinates) -> str:
    if native.system is None:
        return "its place has no reference system; its polygons name none"
    return "its reference system has no code of EPSG's; GeoJSON cannot name it, but GeoPackage can"


def _in_wgs84(native: Coordinates) -> Coordinates:
    if native.system is None:
        raise ImageFileError(
            "has a transform but no reference system, which --polygon-crs wgs84 takes; "
            "gdal_edit.py -a_srs sets one"
        )
    if native.system == WGS84:
        return native
    if find_spec("rasterio") is None:
        raise MissingPackageError(
            "rasterio: expected it for coordinates in WGS 84, but it is not installed; "
            "pip install 'meanshift-segment[geo]', or use --polygon-crs native"
        )
    return replace(native, system=WGS84, source=native.system)


@dataclass(frozen=True, eq=False)
class MapTable:
    """A table of regions with its place on the map beside that in the image.

    Two columns more, map_x and map_y, the centroid in the image's reference system; and in
    systems whose coordinates are lengths a third one, map_area, in the square of their unit. A
    square degree is no area: in geographic systems there is none.
    """

    table: Table
    place: Place

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns."""
        area = () if self.place.geographic else ("map_area",)
        return (*self.table.header, "map_x", "map_y", *area)

    def rows(self) -> Iterator[tuple[int | float, ...]]:
        """Yield the columns of each region as Python numbers, in the order of the header."""
        a, b, c, d, e, f = self.place.transform or (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
        pixels, x, y = map(self.table.header.index, ("pixels", "centroid_x", "centroid_y"))
        side = abs(a * e - b * d)
        for row in self.table.rows():
            column, line = row[x] + 0.5, row[y] + 0.5  # (0, 0) is the centre of the first pixel
            place = a * column + b * line + c, d * column + e * line + f
            yield (*row, *place, *(() if self.place.geographic else (row[pixels] * side,)))


def on_map(table: Table, place: Place) -> Table:
    """Return a table with its columns on the map, if the image has a place there."""
    if place.transform is None:
        return table
    return MapTable(table, place)


def map_warnings(
    tags: tuple[GeoTag, ...], products: Collection[Product], options: PolygonOptions
) -> tuple[str, ...]:
    """Return what is otherwise than expected of polygons and tables; see `coordinates_of`.

    Parameters
    ----------
    tags : tuple of GeoTag
        Of the image.
    products : collection of str
    options : PolygonOptions

    Raises
    ------
    ImageFileError, MissingPackageError
        Likewise, before any work is done.
    """
    vectors = {"polygons", "regions"}.intersection(products)
    said, place = [], place_of(tags)
    lacks = missing_transform(place)
    if lacks and vectors and options.polygon_crs != "pixels":
        said.append(f"{lacks}: its {' and '.join(sorted(vectors))} are in pixels; {TO_BE_PLACED}")
    if "polygons" in vectors:
        coordinates = coordinates_of(place, options.polygon_format, options.polygon_crs)
        said += [coordinates.warning] if coordinates.warning else []
    return tuple(said)
