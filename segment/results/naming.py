"""The names of results: what they end in, whose they are, and the format that labels ask for."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from pathlib import Path
from typing import Literal, get_args

OWN_NAME = re.compile(
    r".*_(labels|segmented|boundaries|figure|hierarchy|sweep)\.(png|tiff?)", re.DOTALL
)
Product = Literal[
    "labels",
    "segmented",
    "boundaries",
    "figure",
    "regions",
    "polygons",
    "rois",
    "hierarchy",
    "tree",
    "explorer",
    "sweep",
]
LabelFormat = Literal["png", "tiff", "imagej", "npy", "zarr"]
PolygonFormat = Literal["geojson", "gpkg", "fgb"]  # each is also what its files end in
PolygonCrs = Literal["native", "wgs84", "pixels"]
PRODUCTS: tuple[Product, ...] = get_args(Product)
LABEL_FORMATS: tuple[LabelFormat, ...] = get_args(LabelFormat)
POLYGON_FORMATS: tuple[PolygonFormat, ...] = get_args(PolygonFormat)
POLYGON_CRS: tuple[PolygonCrs, ...] = get_args(PolygonCrs)
SUFFIXES: dict[LabelFormat, str] = {
    "png": ".png",
    "tiff": ".tif",
    "imagej": ".tif",
    "npy": ".npy",
    "zarr": ".zarr",
}
MOST_IN_PNG = 65535  # labels that 16 bits hold
MOST: dict[LabelFormat, int] = {"png": MOST_IN_PNG, "imagej": 2**24}  # that float32 tells apart
PAGE_STEM = re.compile(r"(.+)_page([1-9][0-9]*)", re.DOTALL)  # as `page_stem` writes it
PAGE_NAME = re.compile(rf"{PAGE_STEM.pattern}_[a-z]+\.[a-z]+", re.DOTALL)


def fitting_format(wanted: LabelFormat, segments: int) -> LabelFormat:
    """Return the format that holds so many segments without wrapping: where one cannot, TIFF.

    Examples
    --------
    >>> fitting_format("png", 65535), fitting_format("png", 65536), fitting_format("npy", 65536)
    ('png', 'tiff', 'npy')
    """
    return "tiff" if segments > MOST.get(wanted, segments) else wanted


def suffix(
    product: Product,
    segments: int,
    label_format: LabelFormat = "png",
    polygon_format: PolygonFormat = "geojson",
) -> str:
    """Return what the name of a product ends in.

    Examples
    --------
    >>> suffix("labels", 9), suffix("labels", 70_000), suffix("regions", 9)
    ('_labels.png', '_labels.tif', '_regions.csv')
    >>> suffix("polygons", 9, polygon_format="gpkg")
    '_polygons.gpkg'
    """
    if product == "labels":
        return f"_labels{SUFFIXES[fitting_format(label_format, segments)]}"
    ends = {"regions": ".csv", "tree": ".npz", "explorer": ".html"}
    ends["polygons"] = f".{polygon_format}"
    ends["rois"] = ".zip"
    name = "hierarchy" if product == "tree" else product
    return f"_{name}{ends.get(product, '.png')}"


def page_stem(stem: str, page: int | Literal["*"]) -> str:
    """Return the stem of the results of one page of several.

    Examples
    --------
    >>> page_stem("scan", 2)
    'scan_page2'
    """
    return f"{stem}_page{page}"


def scratch_folder(stem: str, page: int | None) -> Path:
    """Return the hidden folder beside the results of an image, or a page, that is done by strips.

    Examples
    --------
    >>> scratch_folder("out/scan", 2).as_posix()
    'out/.scan_page2.scene'
    """
    place = Path(stem if page is None else page_stem(stem, page))
    return place.with_name(f".{place.name}.scene")


def pages_there(folder: str) -> dict[str, set[int]]:
    """Return of which pages a folder may have results, by what comes before the page's number."""
    there = defaultdict(set)
    try:
        with os.scandir(folder or ".") as entries:
            for entry in entries:
                if match := PAGE_NAME.fullmatch(entry.name):
                    there[match[1]].add(int(match[2]))
    except OSError:  # not there yet
        return {}
    return dict(there)
