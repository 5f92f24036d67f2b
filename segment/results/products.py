"""A segmentation to files: what can be written of it."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segment.errors import InvalidInputError
from segment.method.segmentation import Segmentation
from segment.pixels.bands import BandImage
from segment.pixels.image import pixel_rows
from segment.reading.picture import Kept
from segment.results.naming import LabelFormat, Product, suffix
from segment.results.rasters import (
    SIGNED,
    partial_alpha,
    png_options,
    write_heights,
    write_labels,
    write_segmented,
)
from segment.writing import MADE_HERE, write_whole

if TYPE_CHECKING:
    from segment.method.hierarchy import Hierarchy


@dataclass(frozen=True)
class Result:
    """An image and what became of it.

    Attributes
    ----------
    image : (H, W) or (H, W, C) array
        A photo; what pictures show of bands, with alpha last where not all of it is visible.
    segmentation : Segmentation
    recolor : {"mean", "mode"}
    label_format : {"png", "tiff", "npy"}
        Of the label map; it must hold the segments, see `fitting_format`.
    kept : Kept
        What of the image's file goes into the results'.
    name : str
        Of the image, for titles.
    hierarchy : Hierarchy or None
        Of which the segmentation is a cut.
    command : str
        What reads the image again.
    values : (H, W, C) array or None
        The bands that took part, in the units of the file; None for those of a photo.
    bands : tuple of str
        Their names.
    scene : BandImage or None
        What was segmented, where that is no photo.
    """

    image: NDArray[Any]
    segmentation: Segmentation
    recolor: Literal["mean", "mode"]
    label_format: LabelFormat = "png"
    kept: Kept = Kept()
    name: str = ""
    hierarchy: Hierarchy | None = None
    command: str = ""
    values: NDArray[Any] | None = None
    bands: tuple[str, ...] = ()
    scene: BandImage | None = None

    @property
    def transparent(self) -> bool:
        """Whether label 0 is to be seen through."""
        has_alpha = self.image.ndim == 3 and self.image.shape[2] in (2, 4)
        return has_alpha or not self.segmentation.labels.all()


def write(product: Product, result: Result, path: Path) -> None:
    """Write one product of a segmentation, the whole file or nothing."""
    labels = result.segmentation.labels
    if product == "labels":
        write_labels(labels, path, result.label_format, result.kept)
    elif product == "segmented":
        palette = result.segmentation.palette(result.recolor)
        write_segmented(
            labels,
            palette,
            path,
            transparent=result.transparent,
            alpha=partial_alpha(result.image),
            kept=result.kept,
        )
    elif product == "boundaries":
        write_whole(path, lambda file: _draw_boundaries(result, file))
    elif product == "figure":
        figure = result.segmentation.figure(result.scene or result.image, result.name)
        software = {"Software": MADE_HERE.decode()}
        write_whole(path, lambda file: figure.savefig(file, format="png", metadata=software))
    elif product == "hierarchy":
        write_heights(_tree_of(result).boundaries(), path, result.kept)
    elif product == "tree":
        _tree_of(result).save(path)
    elif product == "explorer":
        write_whole(path, lambda file: file.write(_explorer(result, path).encode()))
    elif product == "regions":
        write_whole(path, lambda file: _write_table(result, file))
    else:
        from segment.regions.outlines import geojson  # most runs write none

        pieces = geojson(labels)
        write_whole(path, lambda file: file.writelines(piece.encode() for piece in pieces))


def _tree_of(result: Result) -> Hierarchy:
    if result.hierarchy is None:
        raise InvalidInputError(
            "hierarchy: expected a segmentation that is a cut of one; set level"
        )
    return result.hierarchy


def _explorer(result: Result, path: Path) -> str:
    from segment.drawing.explorer import explorer_page  # most runs write none

    tree, settings = _tree_of(result), result.segmentation.settings
    return explorer_page(
        result.image,
        tree,
        name=result.name,
        stem=path.name.removesuffix(suffix("explorer", 1)),
        command=result.command,
        segments=len(tree.sizes) - tree.merged(settings),
        keep=settings.keep or (),
    )


def _draw_boundaries(result: Result, file: IO[bytes]) -> None:
    picture = result.segmentation.boundaries(result.image)
    kept = result.kept
    if picture.shape[:2] != result.segmentation.labels.shape:  # enlarged
        kept = replace(kept, resolution=None)
    Image.fromarray(picture).save(file, **(SIGNED | png_options(kept)))


def _write_table(result: Result, file: IO[bytes]) -> None:
    from segment.regions.table import region_table, to_csv  # most runs write none

    labels, values = result.segmentation.labels, result.values
    if values is None:
        rows, _ = pixel_rows(result.image)
        values = np.asarray(rows).reshape(*labels.shape, -1)
    table = region_table(labels, values, result.bands or None)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    to_csv(table, text)
    text.detach()
