"""The segments of a scene to files, strip by strip: rasters, the table of regions, outlines."""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from segment.drawing.boundaries import boundary_rows, scale_and_width
from segment.drawing.thumbnails import Grid, GrowingThumbnail, Part, shrunk_strip
from segment.errors import InvalidInputError
from segment.raster.opening import open_sink
from segment.raster.sink import RasterSink
from segment.reading.picture import Kept
from segment.regions.table import Measures, RegionTable, Table, to_csv
from segment.results.mapping import on_map
from segment.results.naming import Product
from segment.results.outputs import PolygonOptions
from segment.results.polygons import write_region_polygons
from segment.results.rasters import TiledRasters
from segment.scenes.labelling import Labels
from segment.scenes.scaling import as_picture
from segment.scenes.scene import SceneSegmentation
from segment.strips.rows import SceneRows
from segment.strips.strips import Strips, Work
from segment.tiff.places import Place, place_of
from segment.validation import checked_channels
from segment.writing import write_whole

RASTERS: tuple[Product, ...] = ("labels", "segmented")
BY_STRIPS: tuple[Product, ...] = (*RASTERS, "boundaries", "regions", "polygons")


@dataclass(frozen=True, eq=False)
class SceneResult:
    """A scene and what became of it.

    Attributes
    ----------
    rows : SceneRows
    found : SceneSegmentation
    kept : Kept
        What of the scene's file goes into its results.
    strips : Strips
    recolor : {"mean", "mode"}
    overviews : bool
        Of the TIFFs.
    key : str or None
        What the results depend on; by it writing goes on after a run that was killed.
    polygons : PolygonOptions
    """

    rows: SceneRows
    found: SceneSegmentation
    kept: Kept
    strips: Strips
    recolor: Literal["mean", "mode"] = "mean"
    overviews: bool = False
    key: str | None = None
    polygons: PolygonOptions = PolygonOptions()

    @property
    def place(self) -> Place:
        """Where the scene lies on the map."""
        return place_of(self.kept.geo)

    @property
    def tiled(self) -> TiledRasters:
        """How its rasters are written."""
        rows, found = self.rows, self.found
        return TiledRasters(
            rows.height,
            rows.width,
            found.colors if self.recolor == "mean" else found.mode_colors,
            self.kept,
            is_whole=int(found.sizes.sum()) == rows.height * rows.width,
            has_alpha=rows.has_alpha,
            overviews=self.overviews,
        )


def check_products(products: Mapping[Product, Path]) -> None:
    """Raise InvalidInputError for products that are not made beyond memory."""
    for product in products:
        if product not in BY_STRIPS:
            raise InvalidInputError(
                f"{product}: is not made of an image beyond memory; leave it out, scale the image "
                "down, or raise --memory"
            )


def write_scene(
    result: SceneResult, paths: Mapping[Product, Path], thumbnail: GrowingThumbnail | None = None
) -> None:
    """Write what is asked for of a scene; each file appears when it is complete.

    Parameters
    ----------
    result : SceneResult
    paths : mapping of product to Path
    thumbnail : GrowingThumbnail, optional
        Gets all strips.

    Raises
    ------
    ImageFileError
        If a file cannot be written.
    """
    rasters = [name for name in paths if name in RASTERS]
    if rasters or thumbnail:
        _write_rasters(result, {name: paths[name] for name in rasters}, thumbnail)
    if "boundaries" in paths:
        _write_boundaries(result, paths["boundaries"])
    if "regions" not in paths and "polygons" not in paths:
        return
    table = _table(result)
    if "regions" in paths:
        located = on_map(table, result.place)
        write_whole(paths["regions"], lambda file: _write_csv(located, file))
    if "polygons" in paths:
        traced = result.strips.in_order("tracing", result.rows, result.found.labels)
        strips, width = (labels for _, _, labels in traced), result.rows.width
        write_region_polygons(
            paths["polygons"], strips, width, table, result.place, result.polygons
        )


def _table(result: SceneResult) -> RegionTable:
    """Measure the segments in the file's own units, in two passes."""
    rows, sizes = result.rows, result.found.sizes
    labels = np.flatnonzero(sizes) + 1
    places = np.zeros(len(sizes) + 1, np.int32)
    places[labels] = np.arange(1, len(labels) + 1, dtype=np.int32)

    measures = Measures(labels, rows.names)
    read = functools.partial(_measured, labels=result.found.labels, places=places)
    measures = result.strips.folded("measuring", rows, read, _summed, measures)
    measures.end_sums()
    return result.strips.folded("measuring", rows, read, _spread, measures).table()


Measured = tuple[int, Labels, NDArray[Any]]


def _measured(
    rows: SceneRows, top: int, bottom: int, labels: Work[Labels], places: Labels
) -> Measured:
    """Return the first row of a strip, the places of its labels in the table, and its values."""
    values, _ = rows.stored(top, bottom)
    flat = checked_channels("image", values, values.shape[:2])
    return top, places[labels(rows, top, bottom)], flat


def _summed(measures: Measures, strip: Measured) -> Measures:
    top, numbers, values = strip
    measures.add(numbers, values, top)
    return measures


def _spread(measures: Measures, strip: Measured) -> Measures:
    measures.add_spread(*strip[1:])
    return measures


def _write_csv(table: Table, file: IO[bytes]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    to_csv(table, text)
    text.detach()


def _write_rasters(
    result: SceneResult, paths: Mapping[Product, Path], thumbnail: GrowingThumbnail | None
) -> None:
    """Write rows of all rasters; for a thumbnail also those that an earlier run had written."""
    as_int32 = "labels" in paths and paths["labels"].suffix.lower() == ".npy"
    tiled = replace(result.tiled, as_int32=as_int32)
    with contextlib.ExitStack() as stack:
        sinks: dict[Product, RasterSink] = {}
        for name, path in paths.items():
            key = None if result.key is None else f"{result.key}-{name}"
            sinks[name] = stack.enter_context(tiled.sink(name, path, key))
        start = 0 if thumbnail else min(sink.next_row for sink in sinks.values())
        made = functools.partial(
            _made,
            labels=result.found.labels,
            tiled=tiled,
            names=(*paths,),
            grid=None if thumbnail is None else thumbnail.grid,
        )
        for top, _, (strip, part) in result.strips.in_order("writing", result.rows, made, start):
            for name, sink in sinks.items():
                sink.write(top, strip[name])
            if thumbnail and part:
                thumbnail.add(part)
        for sink in sinks.values():
            sink.finish()


def _made(
    rows: SceneRows,
    top: int,
    bottom: int,
    labels: Work[Labels],
    tiled: TiledRasters,
    names: tuple[Product, ...],
    grid: Grid | None,
) -> tuple[dict[Product, NDArray[Any]], Part | None]:
    """Return the rows of each raster of a strip, and its part of a thumbnail."""
    numbers = labels(rows, top, bottom)
    alpha = rows.opacity(top, bottom) if rows.has_alpha and "segmented" in names else None
    made = {name: tiled.rows(name, numbers, alpha) for name in names}
    if grid is None:
        return made, None
    return made, shrunk_strip(grid, as_picture(rows, top, bottom), numbers, top)


def _write_boundaries(result: SceneResult, path: Path) -> None:
    """Write outlines over the picture, half as many rows at a time: they take twice as much."""
    rows, tiled = result.rows, result.tiled
    height, width = rows.height, rows.width
    scale, _ = scale_and_width(height, width)
    kept = tiled.kept if scale == 1 else Kept(profile=tiled.kept.profile)
    key = None if result.key is None else f"{result.key}-boundaries"
    strips = replace(result.strips, rows=-(-result.strips.rows // 2))
    drawn = functools.partial(_drawn, labels=result.found.labels)
    options: Any = {"channels": 3, "key": key}
    with open_sink(path, height * scale, width * scale, np.uint8, kept, **options) as sink:
        for top, _, picture in strips.in_order("drawing", rows, drawn, sink.next_row // scale):
            sink.write(top * scale, picture)
        sink.finish()


def _drawn(rows: SceneRows, top: int, bottom: int, labels: Work[Labels]) -> NDArray[np.uint8]:
    """Return the picture of a strip with its outlines, for which its neighbours are read, too."""

    def read(top: int, bottom: int) -> tuple[NDArray[np.uint8], Labels]:
        return as_picture(rows, top, bottom), labels(rows, top, bottom)

    return boundary_rows(read, top, bottom, (rows.height, rows.width))
