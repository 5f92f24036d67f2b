"""A segmentation to files: what can be written of it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segment.errors import InvalidInputError
from segment.method.segmentation import Segmentation
from segment.pixels.bands import BandImage
from segment.pixels.image import pixel_rows, pixels_of
from segment.reading.picture import Kept
from segment.results.mapping import on_map
from segment.results.naming import LabelFormat, Product, suffix
from segment.results.outputs import RASTER_SUFFIXES, PolygonOptions
from segment.results.rasters import (
    SIGNED,
    TiledRasters,
    partial_alpha,
    png_options,
    write_heights,
    write_labels,
    write_segmented,
)
from segment.tiff.places import Place, place_of
from segment.writing import MADE_HERE, write_whole

if TYPE_CHECKING:
    from segment.method.hierarchy import Hierarchy
    from segment.regions.table import Table


class Result(NamedTuple):
    """An image and what became of it.

    Attributes
    ----------
    image : (H, W) or (H, W, C) array
        A photo; what pictures show of bands, with alpha last where not all of it is visible.
    segmentation : Segmentation
    recolor : {"mean", "mode"}
    label_format : {"png", "tiff", "imagej", "npy", "zarr"}
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
    polygons : PolygonOptions
    overviews : bool
        Of label map and recoloured image.
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
    polygons: PolygonOptions = PolygonOptions()
    overviews: bool = False

    @property
    def transparent(self) -> bool:
        """Whether label 0 is to be seen through."""
        has_alpha = self.image.ndim == 3 and self.image.shape[2] in (2, 4)
        return has_alpha or not self.segmentation.labels.all()

    @property
    def place(self) -> Place:
        """Where the image lies on the map."""
        return place_of(self.kept.geo)


def write(product: Product, result: Result, path: Path) -> None:
    """Write one product of a segmentation, the whole file or nothing."""
    labels = result.segmentation.labels
    if _is_tiled(product, result, path):
        _write_tiled(product, result, path)
    elif product == "labels":
        _write_labels(result, path)
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
    elif product == "rois":
        from segment.results.imagej import write_rois  # most runs write none

        write_whole(path, lambda file: write_rois(file, labels))
    else:
        _write_polygons(result, path)


def _is_tiled(product: Product, result: Result, path: Path) -> bool:
    """Return whether a raster is written as that of an image beyond memory is."""
    if product == "labels":
        return result.overviews or result.label_format == "zarr"
    return product == "segmented" and path.suffix.lower() in RASTER_SUFFIXES


def _write_tiled(product: Product, result: Result, path: Path) -> None:
    segmentation, alpha = result.segmentation, partial_alpha(result.image)
    labels = segmentation.labels
    tiled = TiledRasters(
        labels.shape[0],
        labels.shape[1],
        segmentation.palette(result.recolor)[1:],
        result.kept,
        is_whole=bool(labels.all()),
        has_alpha=alpha is not None,
        overviews=result.overviews,
    )
    with tiled.sink(product, path) as sink:
        sink.write(0, tiled.rows(product, labels, alpha))
        sink.finish()


def _write_labels(result: Result, path: Path) -> None:
    labels = result.segmentation.labels
    if result.label_format != "imagej":
        return write_labels(labels, path, result.label_format, result.kept)
    from segment.results.imagej import write_colored_labels  # most runs write none

    return write_whole(path, lambda file: write_colored_labels(file, labels, result.kept))


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
    from segment.drawing.boundaries import draw_boundaries  # most runs write none

    picture = draw_boundaries(pixels_of(result.image).rgb(), result.segmentation.labels)
    kept = result.kept
    if picture.shape[:2] != result.segmentation.labels.shape:  # enlarged
        kept = kept._replace(resolution=None)
    Image.fromarray(picture).save(file, **(SIGNED | png_options(kept)))


def _write_table(result: Result, file: IO[bytes]) -> None:
    from segment.regions.table import to_csv  # most runs write none

    table = on_map(_table(result), result.place)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    to_csv(table, text)
    text.detach()


def _table(result: Result) -> Table:
    from segment.regions.table import region_table  # most runs write none

    labels, values = result.segmentation.labels, result.values
    if values is None:
        rows, _ = pixel_rows(result.image)
        values = np.asarray(rows).reshape(*labels.shape, -1)
    return region_table(labels, values, result.bands or None)


def _write_polygons(result: Result, path: Path) -> None:
    from segment.results.polygons import write_region_polygons  # most runs write none

    labels, table = result.segmentation.labels, _table(result)
    write_region_polygons(path, [labels], labels.shape[1], table, result.place, result.polygons)
