"""The place of an image on the map, GeoTIFF's tags or a world file's, and its resolution."""

from __future__ import annotations

import dataclasses
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np

from segment.bands import Band
from segment.errors import MissingPackageError
from segment.tiff.no_data import NO_DATA

GeoTag = tuple[int, int, int, Any, bool]  # code, type, count, value, write once: as tifffile has it
DOUBLE, SHORT, ASCII = 12, 3, 2
SCALE, TIE_POINTS, TRANSFORMATION, KEYS = 33550, 33922, 34264, 34735
PLACE = {SCALE: DOUBLE, TIE_POINTS: DOUBLE, TRANSFORMATION: DOUBLE, KEYS: SHORT}
PLACE |= {34736: DOUBLE, 34737: ASCII}
LONGEST = 1 << 20  # values of a tag: tie points of a large grid are fewer
ZERO_IS_NO_DATA: GeoTag = (NO_DATA, ASCII, 0, "0", True)
PIXEL_IS_AREA = (1, 1, 0, 1, 1025, 0, 1, 1)  # a directory of keys with GTRasterType alone
WORLD_FILE = 4096  # bytes; six numbers take less
UNITS: dict[int, Literal["inch", "cm", "none"]] = {1: "none", 2: "inch", 3: "cm"}
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
MODEL_TYPE, RASTER_TYPE, GEOGRAPHIC, PROJECTED = 1024, 1025, 2048, 3072  # keys
GEOCENTRIC = 3  # a model type
POINT = 2  # a raster type: tie points mean centres of pixels
OF_EPSG = range(1024, 32767)  # codes of EPSG's among the values of the two last keys
Affine = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class Place:
    """What GeoTIFF's tags say of where an image lies.

    Attributes
    ----------
    transform : (a, b, c, d, e, f) or None
        x = a column + b row + c and y = d column + e row + f, where the first pixel covers
        [0, 1] x [0, 1]. None where the tags do not say: there are none of that kind, or ground
        control points alone, which no six numbers make up.
    control_points : bool
        Whether there are ground control points in place of a transform.
    model : {0, 1, 2, 3}
        What x and y are: 1 lengths in a projected system, 2 degrees, 3 lengths from the centre of
        the Earth, which no transform of a plane has; 0 not known.
    tags : tuple of GeoTag
    """

    transform: Affine | None
    control_points: bool
    model: int
    tags: tuple[GeoTag, ...]

    @property
    def has_system(self) -> bool:
        """Whether there is a reference system, with or without a transform."""
        return self.model > 0

    @property
    def geographic(self) -> bool:
        """Whether the coordinates are degrees."""
        return self.model == 2

    @property
    def epsg(self) -> str | None:
        """The reference system by EPSG's code, as EPSG:32633; None where there is none."""
        code = _keys(self.tags).get(GEOGRAPHIC if self.geographic else PROJECTED, 0)
        return f"EPSG:{code}" if self.model in (1, 2) and code in OF_EPSG else None

    def system(self) -> str | None:
        """Return the reference system: EPSG's code of it, or WKT; None for none.

        Raises
        ------
        MissingPackageError
            If it has no such code and rasterio, which makes WKT of the tags, is not there.
        """
        return self.epsg or (_by_gdal(self.tags) if self.has_system else None)


def place_of(tags: tuple[GeoTag, ...]) -> Place:
    """Return the place that GeoTIFF's tags give an image.

    As GDAL has it: a pixel scale with a tie point goes before a transformation; rows go down on
    the map whatever the sign of the scale; where a pixel is a point, tie points are its centre.

    Examples
    --------
    >>> scale = (33550, 12, 3, (10.0, 10.0, 0.0), True)
    >>> tie_point = (33922, 12, 6, (0.0, 0.0, 0.0, 500000.0, 4600000.0, 0.0), True)
    >>> keys = (34735, 3, 12, (1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 32633), True)
    >>> place = place_of((scale, tie_point, keys))
    >>> place.transform, place.system()
    ((10.0, 0.0, 500000.0, 0.0, -10.0, 4600000.0), 'EPSG:32633')
    """
    values = {code: value for code, _, _, value, _ in tags}
    keys = _keys(tags)
    scale, points = values.get(SCALE, ()), values.get(TIE_POINTS, ())
    matrix, found = values.get(TRANSFORMATION, ()), None
    if len(scale) >= 2 and scale[0] and scale[1] and len(points) >= 6:
        a, e = float(scale[0]), -abs(float(scale[1]))
        found = (a, 0.0, points[3] - points[0] * a, 0.0, e, points[4] - points[1] * e)
    elif len(matrix) == 16:
        found = (*matrix[0:2], matrix[3], *matrix[4:6], matrix[7])
    if found and keys.get(RASTER_TYPE) == POINT:
        a, b, c, d, e, f = found
        found = (a, b, c - (a + b) / 2, d, e, f - (d + e) / 2)
    if found and (not np.isfinite(found).all() or found[0] * found[4] == found[1] * found[3]):
        found = None
    model = keys.get(MODEL_TYPE, 0)
    flat: Any = None if found is None or model == GEOCENTRIC else tuple(map(float, found))
    control_points = found is None and len(points) > 6
    return Place(flat, control_points, model if model in (1, 2, GEOCENTRIC) else 0, tags)


def _keys(tags: tuple[GeoTag, ...]) -> dict[int, int]:
    """Return those of GeoTIFF's keys that are numbers in the directory itself."""
    directory = next((value for code, _, _, value, _ in tags if code == KEYS), ())
    entries = zip(*(directory[start::4] for start in range(4, 8)), strict=False)
    return {key: value for key, location, _, value in entries if location == 0}


def _by_gdal(tags: tuple[GeoTag, ...]) -> str | None:
    """Return the reference system of tags as WKT, by an image of one pixel that has them."""
    try:
        import rasterio
    except ImportError:
        raise MissingPackageError(
            "rasterio: expected it for a reference system without a code of EPSG's, but it is not "
            "installed; pip install 'meanshift-segment[geo]'"
        ) from None
    import tifffile

    file, anywhere = io.BytesIO(), (0.0, 0.0, 0.0, 1.0, 1.0, 0.0)
    placing = (SCALE, DOUBLE, 3, (1.0, 1.0, 0.0), True), (TIE_POINTS, DOUBLE, 6, anywhere, True)
    known = [*placing, *_of_areas(tags)]  # of an image that lies nowhere rasterio warns
    tifffile.imwrite(file, np.zeros((1, 1), np.uint8), extratags=known, metadata=None)
    with rasterio.MemoryFile(file.getvalue()) as memory, memory.open() as image:
        return str(image.crs.to_wkt()) if image.crs else None


def geo_tags(page: Any) -> tuple[GeoTag, ...]:
    """Return GeoTIFF's tags of a page: pixel scale, tie points, transformation and the keys.

    Where the page has a GDAL no-data value, the label map gets one, too: 0, the label of
    the pixels that have it.
    """
    tags: list[GeoTag] = []
    for code, kind in PLACE.items():
        value = page.tags.valueof(code)
        if value is None or not hasattr(value, "__len__") or not 0 < len(value) <= LONGEST:
            continue
        if isinstance(value, str) != (kind == ASCII):
            continue
        count = 0 if kind == ASCII else len(value)
        tags.append((code, kind, count, value, True))
    if tags and NO_DATA in page.tags:
        tags.append(ZERO_IS_NO_DATA)
    return tuple(tags)


def with_no_data(tags: tuple[GeoTag, ...]) -> tuple[GeoTag, ...]:
    """Return the tags of a label map some of whose pixels have none: on a map, 0 is no data."""
    if not tags or any(code == NO_DATA for code, *_ in tags):
        return tags
    return (*tags, ZERO_IS_NO_DATA)


def world_file(image: Path) -> Path | None:
    """Return the world file beside an image; None if there is none.

    Examples
    --------
    `a.tif` may have `a.tfw`, `a.tifw`, `a.wld` and `a.tif.wld`, in small or capital letters.
    """
    kind = image.suffix[1:]
    endings = [f"{kind[:1]}{kind[-1:]}w", f"{kind}w", "wld"] if kind else ["wld"]
    names = [image.with_suffix(f".{ending}") for ending in endings]
    names.append(image.with_name(f"{image.name}.wld"))
    spelt = [
        name.with_suffix(suffix)
        for name in names
        for suffix in (name.suffix, name.suffix.lower(), name.suffix.upper())
    ]
    return next((name for name in spelt if name != image and name.is_file()), None)


def place_beside(
    image: Path, own: tuple[GeoTag, ...] = ()
) -> tuple[tuple[GeoTag, ...], tuple[str, ...]]:
    """Return GeoTIFF's tags of an image, and a warning if the world file beside it is none.

    They are its own where these place it; else those of the world file, if there is one.
    """
    place = place_of(own)
    placed = place.transform is not None or place.control_points
    beside = None if placed else world_file(image)
    if beside is None:
        return own, ()
    try:
        return world_tags(beside, own), ()
    except (OSError, ValueError) as error:
        return own, (f"its world file {beside.name} is left out: {error}",)


def world_tags(path: Path, own: tuple[GeoTag, ...] = ()) -> tuple[GeoTag, ...]:
    """Return GeoTIFF's tags for what a world file says.

    Its lines are A, D, B, E, C and F: the centre of the pixel in a column and a row, from 0,
    lies at x = A column + B row + C, y = D column + E row + F. Tags name the corner of the first
    pixel. It has no reference system, and the tags get none.

    Parameters
    ----------
    path : Path
    own : tuple of GeoTag
        Those of the image, which may have a reference system and lack a transform.

    Raises
    ------
    ValueError
        If it is no world file.
    """
    with path.open("rb") as file:
        words = file.read(WORLD_FILE).decode("ascii").replace(",", ".").split()
    if len(words) < 6:
        raise ValueError("expected six numbers")
    a, d, b, e, c, f = map(float, words[:6])
    if not np.isfinite([a, d, b, e, c, f]).all() or a * e == b * d:
        raise ValueError("expected the sides of a pixel")
    x, y = c - (a + b) / 2, f - (d + e) / 2
    if b == d == 0 and a > 0 > e:
        scale: GeoTag = (SCALE, DOUBLE, 3, (a, -e, 0.0), True)
        tie_point: GeoTag = (TIE_POINTS, DOUBLE, 6, (0.0, 0.0, 0.0, x, y, 0.0), True)
        return scale, tie_point, *_of_areas(own)
    matrix = (a, b, 0.0, x, d, e, 0.0, y, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    return (TRANSFORMATION, DOUBLE, 16, matrix, True), *_of_areas(own)


def _of_areas(tags: tuple[GeoTag, ...]) -> Iterator[GeoTag]:
    """Yield those of an image's tags that do not place it, its pixels areas: as corners want it."""
    if all(code != KEYS for code, *_ in tags):
        yield (KEYS, SHORT, len(PIXEL_IS_AREA), PIXEL_IS_AREA, True)
    for code, kind, count, value, once in tags:
        if code == KEYS:
            entries = [list(value[start : start + 4]) for start in range(0, len(value), 4)]
            for entry in entries[1:]:
                entry[3:] = [1] if entry[0] == RASTER_TYPE else entry[3:]
            yield code, kind, count, tuple(itertools.chain(*entries)), once
        elif code not in (SCALE, TIE_POINTS, TRANSFORMATION):
            yield code, kind, count, value, once


@dataclass(frozen=True)
class Resolution:
    """Pixels in a unit of length, along x and y.

    Attributes
    ----------
    x, y : Fraction
    unit : {"inch", "cm", "none"}
    length : str or None
        The unit where it is none that TIFF knows: what ImageJ calls it, such as micron.
    """

    x: Fraction
    y: Fraction
    unit: Literal["inch", "cm", "none"] = "inch"
    length: str | None = None

    @property
    def dpi(self) -> tuple[float, float] | None:
        """In dots per inch; None where no unit is known."""
        if self.unit == "none":
            return None
        factor = 2.54 if self.unit == "cm" else 1.0
        return float(self.x) * factor, float(self.y) * factor

    def turned(self) -> Resolution:
        """That of the image turned by a quarter."""
        return dataclasses.replace(self, x=self.y, y=self.x)

    def tiff_options(self) -> dict[str, Any]:
        """Return it as tifffile's writer takes it."""
        return {
            "resolution": (self.x.as_integer_ratio(), self.y.as_integer_ratio()),
            "resolutionunit": {"none": 1, "inch": 2, "cm": 3}[self.unit],
        }

    def if_sensible(self) -> Resolution | None:
        """Itself, unless it is damage or a joke: what writers take, and scanners reach."""
        return self if 0 < self.x < 1_000_000 and 0 < self.y < 1_000_000 else None


def resolution_of(page: Any) -> Resolution | None:
    """Return the resolution that a page, a tifffile.TiffPage, tells; None for none or damage."""
    try:
        x, y = (Fraction(*page.tags.valueof(code)) for code in (X_RESOLUTION, Y_RESOLUTION))
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    resolution = Resolution(x, y).if_sensible()
    if resolution is None:
        return None
    unit = UNITS.get(int(page.tags.valueof(RESOLUTION_UNIT, 2)), "none")
    return dataclasses.replace(resolution, unit=unit)


def measured(bands: tuple[Band, ...], tags: tuple[GeoTag, ...]) -> bool:
    """Return whether bands are measurements, to be scaled, and no photo's grey or colours.

    They are where there are neither one nor three; and where values of more than 8 bits lie in a
    reference system of the map: sensors fill seldom all of 16 bits, and heights are no grey.
    """
    deep = any(band.bits > 8 for band in bands)
    count = sum(not band.is_alpha for band in bands)
    return count not in (1, 3) or (deep and place_of(tags).has_system)
