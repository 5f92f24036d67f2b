"""The segments of a scene to files, strip by strip: rasters, the table of regions, outlines."""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.raster.opening import open_sink
from segment.raster.sink import RasterSink, label_type
from segment.regions.table import Measures, RegionTable, Table, to_csv
from segment.results.mapping import on_map
from segment.results.naming import Product
from segment.results.outputs import PolygonOptions
from segment.results.polygons import write_region_polygons
from segment.scenes.labelling import Labels
from segment.scenes.rows import SceneRows
from segment.scenes.scene import SceneSegmentation
from segment.scenes.strips import Strips, Work
from segment.tiff.places import Place, place_of
from segment.validation import checked_channels
from segment.writing import write_whole

IN_PALETTE = 256
RASTERS: tuple[Product, ...] = ("labels", "segmented")
BY_STRIPS: tuple[Product, ...] = (*RASTERS, "regions", "polygons")


@dataclass(frozen=True, eq=False)
class SceneResult:
    """A scene and what became of it.

    Attributes
    ----------
    rows : SceneRows
    found : SceneSegmentation
    strips : Strips
    recolor : {"mean", "mode"}
    label_kind : {"tiff", "zarr"}
    overviews : bool
        Of the TIFFs.
    key : str or None
        What the results depend on; by it writing goes on after a run that was killed.
    polygons : PolygonOptions
    """

    rows: SceneRows
    found: SceneSegmentation
    strips: Strips
    recolor: Literal["mean", "mode"] = "mean"
    label_kind: Literal["tiff", "zarr"] = "tiff"
    overviews: bool = False
    key: str | None = None
    polygons: PolygonOptions = PolygonOptions()

    @property
    def place(self) -> Place:
        """Where the scene lies on the map."""
        return place_of(self.rows.source.geo)

    @property
    def is_whole(self) -> bool:
        """Whether every pixel has a label."""
        return int(self.found.sizes.sum()) == self.rows.height * self.rows.width

    @property
    def palette(self) -> NDArray[np.uint8]:
        """The colour and the alpha of every label, (K + 1, 4): black and nothing for 0."""
        colors = self.found.colors if self.recolor == "mean" else self.found.mode_colors
        opaque = np.full((len(colors), 1), 255, np.uint8)
        return np.concatenate([np.zeros((1, 4), np.uint8), np.append(colors, opaque, axis=1)])


def check_products(products: Mapping[Product, Path]) -> None:
    """Raise InvalidInputError for products that are not made beyond memory."""
    for product in products:
        if product not in BY_STRIPS:
            raise InvalidInputError(
                f"{product}: is not made of an image beyond memory; leave it out, scale the image "
                "down, or raise --memory"
            )


def write_scene(result: SceneResult, paths: Mapping[Product, Path]) -> None:
    """Write what is asked for of a scene; each file appears when it is complete.

    Raises
    ------
    ImageFileError
        If a file cannot be written.
    """
    rasters = [name for name in paths if name in RASTERS]
    if rasters:
        _write_rasters(result, {name: paths[name] for name in rasters})
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


def _write_rasters(result: SceneResult, paths: Mapping[Product, Path]) -> None:
    with contextlib.ExitStack() as stack:
        sinks = {name: stack.enter_context(_sink(result, name, paths[name])) for name in paths}
        start = min(sink.next_row for sink in sinks.values())
        looks = {name: _look(result, name) for name in sinks}
        made = functools.partial(_written, labels=result.found.labels, looks=looks)
        for top, _, rows in result.strips.in_order("writing", result.rows, made, start):
            for name, sink in sinks.items():
                sink.write(top, rows[name])
        for sink in sinks.values():
            sink.finish()


def _sink(result: SceneResult, product: Product, path: Path) -> RasterSink:
    rows, count = result.rows, len(result.found.sizes)
    size = path, rows.height, rows.width
    key = None if result.key is None else f"{result.key}-{product}"
    if product == "labels":
        kind, overviews = result.label_kind, result.overviews and result.label_kind == "tiff"
        return open_sink(
            *size, label_type(count), rows.source, kind=kind, overviews=overviews, key=key
        )
    palette = np.ascontiguousarray(result.palette[:, :3]) if _in_palette(result) else None
    channels = 1 if palette is not None else 3 if _is_opaque(result) else 4
    return open_sink(
        *size,
        np.uint8,
        rows.source,
        channels=channels,
        palette=palette,
        overviews=result.overviews,
        key=key,
    )


def _in_palette(result: SceneResult) -> bool:
    return len(result.found.sizes) < IN_PALETTE and not result.rows.has_alpha


def _is_opaque(result: SceneResult) -> bool:
    return result.is_whole and not result.rows.has_alpha


@dataclass(frozen=True, eq=False)
class _Look:
    """How labels are written: as numbers of a type, or as the colours of a palette.

    Attributes
    ----------
    kind : dtype
    palette : (K + 1, 4) uint8 array or None
        None for numbers.
    opaque : bool
        Whether colours are without alpha.
    """

    kind: np.dtype[Any]
    palette: NDArray[np.uint8] | None
    opaque: bool


def _look(result: SceneResult, product: Product) -> _Look:
    kind = np.dtype(label_type(len(result.found.sizes)))
    if product == "labels" or _in_palette(result):
        return _Look(kind, None, False)
    return _Look(kind, result.palette, _is_opaque(result))


def _written(
    rows: SceneRows, top: int, bottom: int, labels: Work[Labels], looks: Mapping[Product, _Look]
) -> dict[Product, NDArray[Any]]:
    """Return the rows of each raster of a strip."""
    numbers = labels(rows, top, bottom)
    return {name: _rows_of(look, rows, numbers, top, bottom) for name, look in looks.items()}


def _rows_of(look: _Look, rows: SceneRows, labels: Labels, top: int, bottom: int) -> NDArray[Any]:
    if look.palette is None:
        return labels.astype(look.kind)
    words = look.palette.view(np.uint32).reshape(-1)  # a colour at a time
    colors = words[labels].view(np.uint8).reshape(*labels.shape, 4)
    if look.opaque:
        return np.ascontiguousarray(colors[:, :, :3])
    if rows.has_alpha:
        colors[:, :, 3] = np.minimum(colors[:, :, 3], rows.opacity(top, bottom))
    return colors
