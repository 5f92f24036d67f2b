"""The place of an image on the map, GeoTIFF's tags or a world file's, and its resolution."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np

from segment.tiff.no_data import NO_DATA

GeoTag = tuple[int, int, int, Any, bool]  # code, type, count, value, write once: as tifffile has it
DOUBLE, SHORT, ASCII = 12, 3, 2
SCALE, TIE_POINTS, TRANSFORMATION, KEYS = 33550, 33922, 34264, 34735
PLACE = {SCALE: DOUBLE, TIE_POINTS: DOUBLE, TRANSFORMATION: DOUBLE, KEYS: SHORT}
PLACE |= {34736: DOUBLE, 34737: ASCII}
LONGEST = 1 << 20  # values of a tag: tie points of a large grid are fewer
PIXEL_IS_AREA = (1, 1, 0, 1, 1025, 0, 1, 1)  # a directory of keys with GTRasterType alone
WORLD_FILE = 4096  # bytes; six numbers take less
UNITS: dict[int, Literal["inch", "cm", "none"]] = {1: "none", 2: "inch", 3: "cm"}
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296


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
        tags.append((NO_DATA, ASCII, 0, "0", True))
    return tuple(tags)


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


def place_beside(image: Path) -> tuple[tuple[GeoTag, ...], tuple[str, ...]]:
    """Return GeoTIFF's tags for the world file beside an image, and a warning if it is none."""
    beside = world_file(image)
    if beside is None:
        return (), ()
    try:
        return world_tags(beside), ()
    except (OSError, ValueError) as error:
        return (), (f"its world file {beside.name} is left out: {error}",)


def world_tags(path: Path) -> tuple[GeoTag, ...]:
    """Return GeoTIFF's tags for what a world file says.

    Its lines are A, D, B, E, C and F: the centre of the pixel in a column and a row, from 0,
    lies at x = A column + B row + C, y = D column + E row + F. Tags name the corner of the first
    pixel. It has no coordinate system, and the tags get none.

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
    keys: GeoTag = (KEYS, SHORT, len(PIXEL_IS_AREA), PIXEL_IS_AREA, True)
    if b == d == 0 and a > 0 > e:
        scale: GeoTag = (SCALE, DOUBLE, 3, (a, -e, 0.0), True)
        return scale, (TIE_POINTS, DOUBLE, 6, (0.0, 0.0, 0.0, x, y, 0.0), True), keys
    matrix = (a, b, 0.0, x, d, e, 0.0, y, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    return (TRANSFORMATION, DOUBLE, 16, matrix, True), keys


@dataclass(frozen=True)
class Resolution:
    """Pixels in a unit of length, along x and y."""

    x: Fraction
    y: Fraction
    unit: Literal["inch", "cm", "none"] = "inch"

    @property
    def dpi(self) -> tuple[float, float] | None:
        """In dots per inch; None where no unit is known."""
        if self.unit == "none":
            return None
        factor = 2.54 if self.unit == "cm" else 1.0
        return float(self.x) * factor, float(self.y) * factor

    def turned(self) -> Resolution:
        """That of the image turned by a quarter."""
        return Resolution(self.y, self.x, self.unit)

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
