"""The plug-in: a provider of Processing with its algorithm."""

from __future__ import annotations

from qgis.core import QgsApplication, QgsProcessingProvider

from .algorithm import SegmentRaster


class Provider(QgsProcessingProvider):  # type: ignore[misc]
    """The group in the toolbox."""

    def id(self) -> str:
        return "meanshift"

    def name(self) -> str:
        return "Mean shift"

    def loadAlgorithms(self) -> None:
        self.addAlgorithm(SegmentRaster())

    def supportedOutputRasterLayerExtensions(self) -> list[str]:
        return ["tif"]


class Plugin:
    """What QGIS starts and ends."""

    def __init__(self) -> None:
        self._provider: Provider | None = None

    def initProcessing(self) -> None:
        """Add the provider; qgis_process, which has no windows, calls this alone."""
        self._provider = Provider()
        QgsApplication.processingRegistry().addProvider(self._provider)

    def initGui(self) -> None:
        self.initProcessing()

    def unload(self) -> None:
        QgsApplication.processingRegistry().removeProvider(self._provider)
