"""What the command writes of segments: their outlines on the map, their table, their colours."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

GOLDEN = 0.6180339887498949  # of a turn between two hues: no two of a few are near each other


class Segment(NamedTuple):
    """A segment: its attributes, and its geometry in GeoJSON's form, in pixels."""

    values: dict[str, Any]
    geometry: dict[str, Any]


def segments(polygons: str, table: str) -> Iterator[Segment]:
    """Yield the segments in the order of their labels.

    Parameters
    ----------
    polygons, table : str
        The command's files of polygons, GeoJSON in pixels, and of regions, CSV.
    """
    with Path(polygons).open(encoding="utf-8") as file:
        features = json.load(file)["features"]
    with Path(table).open(encoding="utf-8", newline="") as file:
        for feature, row in zip(features, csv.DictReader(file), strict=True):
            values = {name: _number(text) for name, text in row.items()}
            yield Segment(values, feature["geometry"])


def _number(text: str) -> float | int:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def placed(geometry: dict[str, Any], transform: Sequence[float]) -> list[list[list[Any]]]:
    """Return the polygons of a geometry in the coordinates of the map.

    Parameters
    ----------
    geometry : dict
        A Polygon or a MultiPolygon of GeoJSON, in pixels.
    transform : sequence of 6 float
        GDAL's: x = t0 + column t1 + row t2, y = t3 + column t4 + row t5.

    Returns
    -------
    polygons : list of list of list of (x, y)
        Polygons, their rings, the corners of these.

    Examples
    --------
    >>> square = {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 1], [0, 1], [0, 0]]]}
    >>> placed(square, (500, 10, 0, 80, 0, -10))
    [[[(500, 80), (520, 80), (520, 70), (500, 70), (500, 80)]]]
    """
    x, across_x, down_x, y, across_y, down_y = transform
    several = geometry["type"] == "MultiPolygon"
    parts = geometry["coordinates"] if several else [geometry["coordinates"]]
    return [
        [
            [
                (x + column * across_x + row * down_x, y + column * across_y + row * down_y)
                for column, row in ring
            ]
            for ring in part
        ]
        for part in parts
    ]


def color(values: dict[str, Any]) -> str:
    """Return the colour that a segment is drawn in, as #rrggbb: its mean, or one of its own.

    Examples
    --------
    >>> color({"label": 1, "mean_red": 255.0, "mean_green": 16.4, "mean_blue": 0.0})
    '#ff1000'
    >>> color({"label": 1, "mean_gray": 128.0}), color({"label": 1, "mean_b08": 2410.0})
    ('#808080', '#4a73d9')
    """
    names = ("mean_red", "mean_green", "mean_blue")
    if "mean_gray" in values:
        names = ("mean_gray",) * 3
    if all(0 <= values.get(name, -1) <= 255 for name in names):
        return "#" + "".join(f"{round(values[name]):02x}" for name in names)
    import colorsys

    hue = colorsys.hsv_to_rgb(values["label"] * GOLDEN % 1, 0.66, 0.85)
    return "#" + "".join(f"{round(255 * part):02x}" for part in hue)
