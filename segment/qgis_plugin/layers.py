"""Files of results to layers that lie on the map and are drawn in the segments' colours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from osgeo import gdal
from qgis.core import (
    QgsFeature,
    QgsField,
    QgsFields,
    QgsFillSymbol,
    QgsGeometry,
    QgsPalettedRasterRenderer,
    QgsPointXY,
    QgsProcessingException,
    QgsProperty,
    QgsRasterLayer,
    QgsSingleSymbolRenderer,
    QgsSymbolLayer,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QVariant
from qgis.PyQt.QtGui import QColor

from .polygons import Segment, color, placed

IN_PIXELS = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)  # where QGIS draws what lies nowhere: rows downwards
MOST_CLASSES = 10_000  # of a paletted raster: more take seconds to open
OUTLINE = {"style": "solid", "outline_style": "solid", "outline_color": "#303030"}
OUTLINE |= {"outline_width": "0.1"}


def transform_of(image: str) -> Sequence[float]:
    """Return GDAL's transform of a raster; for one on no map, that by which QGIS draws it."""
    transform = gdal.Open(image).GetGeoTransform(can_return_null=True)
    return IN_PIXELS if transform is None else tuple(transform)


def place_labels(labels: str, transform: Sequence[float], crs: Any) -> None:
    """Give a label raster the place and the reference system of its image, if it has none."""
    data = gdal.Open(labels, gdal.GA_Update)
    if transform != IN_PIXELS and data.GetGeoTransform(can_return_null=True) is None:
        data.SetGeoTransform(list(transform))
    if transform != IN_PIXELS and crs.isValid() and not data.GetProjection():
        data.SetProjection(crs.toWkt())
    data.FlushCache()


def style_labels(labels: str, found: Sequence[Segment]) -> None:
    """Lay a style beside a label raster, by which QGIS opens it: each segment in its colour."""
    if len(found) > MOST_CLASSES:
        return
    layer = QgsRasterLayer(labels, "labels")
    kind = QgsPalettedRasterRenderer.Class
    classes = [
        kind(segment.values["label"], QColor(color(segment.values)), str(segment.values["label"]))
        for segment in found
    ]
    layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, classes))
    _save_style(layer, labels)


def write_polygons(
    path: str, found: Sequence[Segment], transform: Sequence[float], crs: Any, context: Any
) -> None:
    """Write the segments as polygons on the map, with their table and their colour.

    Raises
    ------
    QgsProcessingException
        If the file cannot be written.
    """
    fields = _fields(found)
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = QgsVectorFileWriter.driverForExtension(Path(path).suffix)
    writer = QgsVectorFileWriter.create(
        path, fields, QgsWkbTypes.MultiPolygon, crs, context.transformContext(), options
    )
    if writer.hasError() != QgsVectorFileWriter.NoError:
        raise QgsProcessingException(f"{path}: {writer.errorMessage()}")
    for segment in found:
        feature = QgsFeature(fields)
        feature.setAttributes([*segment.values.values(), color(segment.values)])
        feature.setGeometry(_geometry(segment, transform))
        if not writer.addFeature(feature):
            raise QgsProcessingException(f"{path}: {writer.errorMessage()}")
    writer.flushBuffer()


def _fields(found: Sequence[Segment]) -> Any:
    fields = QgsFields()
    for name, value in found[0].values.items():
        fields.append(QgsField(name, QVariant.Int if isinstance(value, int) else QVariant.Double))
    fields.append(QgsField("color", QVariant.String))
    return fields


def _geometry(segment: Segment, transform: Sequence[float]) -> Any:
    return QgsGeometry.fromMultiPolygonXY(
        [
            [[QgsPointXY(x, y) for x, y in ring] for ring in part]
            for part in placed(segment.geometry, transform)
        ]
    )


def style_polygons(path: str) -> None:
    """Lay a style beside a file of polygons: each is filled with the colour that it has."""
    layer = QgsVectorLayer(path, "polygons", "ogr")
    symbol = QgsFillSymbol.createSimple(OUTLINE)
    fill = QgsProperty.fromField("color")
    symbol.symbolLayer(0).setDataDefinedProperty(QgsSymbolLayer.PropertyFillColor, fill)
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    _save_style(layer, path)


def _save_style(layer: Any, path: str) -> None:
    layer.saveNamedStyle(str(Path(path).with_suffix(".qml")))
