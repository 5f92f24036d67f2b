"""The algorithm in Processing's toolbox: a raster layer to labels and polygons."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from osgeo import gdal
from qgis.core import (
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingException,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBand,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterVectorDestination,
)

from . import command_line, layers
from .polygons import segments

NUMBERS = {  # option: label, default, range
    "level": ("Level, from fine to coarse [level]", 1.0, 0.0, 1e6),
    "quantile": ("Quantile: larger, fewer segments [quantile]", 0.1, 1e-9, 1.0),
    "bandwidth": ("Bandwidth, in units of 8 bits [bandwidth]", 20.0, 1e-6, 1e30),
    "spatial-weight": ("Weight of position [quantile, bandwidth; joint]", 0.25, 0.0, 1e6),
    "spatial-radius": ("Radius in pixels [radii]", 10.0, 1e-3, 1e9),
    "range-radius": ("Radius in colour [radii]", 15.0, 1e-6, 1e6),
}
READ = ("GTiff", "COG", "PNG", "JPEG", "GIF", "BMP", "WEBP", "JP2OpenJPEG")  # by the command
SHOWN_METHODS = ("Level of the hierarchy", "Quantile", "Bandwidth", "Two radii (joint domain)")
HELP = (
    "Splits a raster into segments of similar colour with mean shift.\n\n"
    "By the level of a hierarchy: one number from fine to coarse; 1 agrees best with what people "
    "draw. By a quantile or a bandwidth: clusters of colour, or of colour and position (joint). "
    "By two radii: the joint domain, in pixels and in colour.\n\n"
    "The label raster has 0 where there is no segment. Polygons run along the edges of the pixels "
    "and have the number of pixels and the mean and deviation of each channel as attributes. Both "
    "are drawn in the segments' mean colours.\n\n"
    "Runs the command meanshift-segment, of the Python environment where it is installed."
)


class SegmentRaster(QgsProcessingAlgorithm):  # type: ignore[misc]
    """Segment with mean shift."""

    def name(self) -> str:
        return "segment"

    def displayName(self) -> str:
        return "Segment with mean shift"

    def shortHelpString(self) -> str:
        return HELP

    def createInstance(self) -> SegmentRaster:
        return SegmentRaster()

    def initAlgorithm(self, configuration: Any = None) -> None:
        add = self.addParameter
        add(QgsProcessingParameterRasterLayer("INPUT", "Raster layer"))
        bands = QgsProcessingParameterBand("BANDS", "Bands [all]", None, "INPUT", True, True)
        add(bands)
        add(QgsProcessingParameterEnum("METHOD", "By", SHOWN_METHODS, defaultValue=0))
        add(_choice("FEATURES", "Features [quantile, bandwidth]", command_line.FEATURES))
        add(_choice("COLOR_SPACE", "Colour space [all but level]", command_line.COLOR_SPACES))
        for option, (label, default, low, high) in NUMBERS.items():
            add(_number(option, label, default, low, high))
        add(_number("min-size", "Smallest segment, in pixels [all but level]", None, 0, 2**31 - 1))
        command = QgsProcessingParameterFile("COMMAND", "Command meanshift-segment", optional=True)
        command.setFlags(command.flags() | QgsProcessingParameterDefinition.FlagAdvanced)
        add(command)
        add(QgsProcessingParameterRasterDestination("LABELS", "Labels"))
        add(
            QgsProcessingParameterVectorDestination(
                "POLYGONS", "Polygons", QgsProcessing.TypeVectorPolygon, optional=True
            )
        )
        self.addOutput(QgsProcessingOutputNumber("SEGMENTS", "Number of segments"))

    def processAlgorithm(self, parameters: Any, context: Any, feedback: Any) -> dict[str, Any]:
        layer = self.parameterAsRasterLayer(parameters, "INPUT", context)
        labels = self.parameterAsOutputLayer(parameters, "LABELS", context)
        polygons = self.parameterAsOutputLayer(parameters, "POLYGONS", context)
        bands = self.parameterAsInts(parameters, "BANDS", context)
        method = command_line.METHODS[self.parameterAsEnum(parameters, "METHOD", context)]
        values = self._values(parameters, context)
        with tempfile.TemporaryDirectory() as folder:
            image = _image(layer, folder)
            try:
                program = command_line.find_command(
                    self.parameterAsString(parameters, "COMMAND", context)
                )
                words = command_line.arguments(image, folder, labels, method, values, bands)
                feedback.pushCommandInfo(" ".join([program, *words]))
                outcome = command_line.run(
                    [program, *words],
                    tell=feedback.pushInfo,
                    advance=feedback.setProgress,
                    cancelled=feedback.isCanceled,
                )
            except command_line.CommandError as error:
                raise QgsProcessingException(str(error)) from None
            if outcome is None:
                return {}
            return self._results(outcome, layer, image, labels, polygons, context, feedback)

    def _values(self, parameters: Any, context: Any) -> dict[str, Any]:
        values: dict[str, Any] = {
            option: self.parameterAsDouble(parameters, _parameter(option), context)
            for option in NUMBERS
        }
        feature = self.parameterAsEnum(parameters, "FEATURES", context)
        space = self.parameterAsEnum(parameters, "COLOR_SPACE", context)
        values["features"] = command_line.FEATURES[feature]
        values["color-space"] = command_line.COLOR_SPACES[space]
        if parameters.get("MIN_SIZE") is not None:
            values["min-size"] = self.parameterAsInt(parameters, "MIN_SIZE", context)
        return values

    def _results(
        self,
        outcome: dict[str, Any],
        layer: Any,
        image: str,
        labels: str,
        polygons: str,
        context: Any,
        feedback: Any,
    ) -> dict[str, Any]:
        """Give the results their place on the map and their style."""
        feedback.setProgress(85)
        written = {Path(name).suffix: name for name in outcome["outputs"]}
        found = list(segments(written[".geojson"], written[".csv"]))
        transform = layers.transform_of(image)
        layers.place_labels(labels, transform, layer.crs())
        layers.style_labels(labels, found)
        results: dict[str, Any] = {"LABELS": labels, "SEGMENTS": outcome["segments"]}
        feedback.setProgress(90)
        if polygons:
            layers.write_polygons(polygons, found, transform, layer.crs(), context)
            layers.style_polygons(polygons)
            results["POLYGONS"] = polygons
        return results


def _parameter(option: str) -> str:
    return option.upper().replace("-", "_")


def _choice(name: str, label: str, options: tuple[str, ...]) -> Any:
    return QgsProcessingParameterEnum(name, label, options, defaultValue=0)


def _number(option: str, label: str, default: float | None, low: float, high: float) -> Any:
    kinds = QgsProcessingParameterNumber
    kind = kinds.Integer if isinstance(high, int) else kinds.Double
    return kinds(_parameter(option), label, kind, default, default is None, low, high)


def _image(layer: Any, folder: str) -> str:
    """Return a file that the command reads: the layer's own, or all of its bands in a new one."""
    source = layer.source()
    if layer.providerType() != "gdal":
        raise QgsProcessingException(
            f"{layer.name()}: expected a raster of a file, got one of {layer.providerType()!r}; "
            "export it as GeoTIFF"
        )
    opened = gdal.Open(source) if Path(source).is_file() else None
    if opened is not None and opened.GetDriver().ShortName in READ:
        return str(source)
    copy = str(Path(folder) / "bands.tif")
    made = gdal.Translate(copy, source, creationOptions=["BIGTIFF=IF_SAFER"])
    if made is None:
        raise QgsProcessingException(f"{source}: cannot be copied: {gdal.GetLastErrorMsg()}")
    made.FlushCache()
    return copy
