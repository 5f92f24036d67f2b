"""GeoTIFF's tags: what puts an image in its place on a map."""

from __future__ import annotations

from typing import Any

from segment.picture import GeoTag

DOUBLE, SHORT, ASCII = 12, 3, 2
PLACE = {33550: DOUBLE, 33922: DOUBLE, 34264: DOUBLE, 34735: SHORT, 34736: DOUBLE, 34737: ASCII}
NO_DATA = 42113  # GDAL's, a number as text
LONGEST = 1 << 20  # values of a tag: tie points of a large grid are fewer


def geo_tags(page: Any) -> tuple[GeoTag, ...]:
    """Take GeoTIFF's tags of a page: pixel scale, tie points, transformation and the keys.

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
    if tags and no_data(page) is not None:
        tags.append((NO_DATA, ASCII, 0, "0", True))
    return tuple(tags)


def no_data(page: Any) -> float | None:
    """Tell the value that means that there is none, as GDAL writes it."""
    text = page.tags.valueof(NO_DATA)
    try:
        return float(str(text).strip("\0 ")) if text is not None else None
    except ValueError:
        return None
