"""What the names of results end in, and the format that a number of labels asks for."""

from __future__ import annotations

from typing import Literal, get_args

Product = Literal["labels", "segmented", "boundaries", "figure", "regions", "polygons", "sweep"]
LabelFormat = Literal["png", "tiff", "npy"]
PRODUCTS: tuple[Product, ...] = get_args(Product)
LABEL_FORMATS: tuple[LabelFormat, ...] = get_args(LabelFormat)
SUFFIXES: dict[LabelFormat, str] = {"png": ".png", "tiff": ".tif", "npy": ".npy"}
MOST_IN_PNG = 65535  # labels that 16 bits hold


def fitting_format(wanted: LabelFormat, segments: int) -> LabelFormat:
    """Tell the format that holds so many segments without wrapping: PNG, beyond 65,535 TIFF.

    Examples
    --------
    >>> fitting_format("png", 65535), fitting_format("png", 65536), fitting_format("npy", 65536)
    ('png', 'tiff', 'npy')
    """
    return "tiff" if wanted == "png" and segments > MOST_IN_PNG else wanted


def suffix(product: Product, segments: int, label_format: LabelFormat = "png") -> str:
    """Tell what the name of a product ends in.

    Examples
    --------
    >>> suffix("labels", 9), suffix("labels", 70_000), suffix("regions", 9)
    ('_labels.png', '_labels.tif', '_regions.csv')
    """
    if product == "labels":
        return f"_labels{SUFFIXES[fitting_format(label_format, segments)]}"
    ends = {"regions": ".csv", "polygons": ".geojson"}
    return f"_{product}{ends.get(product, '.png')}"
