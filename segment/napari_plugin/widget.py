"""The panel in napari: an image layer and sliders, and a labels layer that follows them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from magicgui.widgets import (
    CheckBox,
    ComboBox,
    Container,
    FloatSlider,
    Label,
    ProgressBar,
    PushButton,
    SpinBox,
)

from segment.errors import SegmentError
from segment.method.segmentation import Segmentation
from segment.napari_plugin.asking import Latest
from segment.napari_plugin.layers import (
    Slice,
    channels_with,
    picture_of,
    pixels_in,
    place_of,
    shown_slice,
)
from segment.napari_plugin.segmenter import Segmenter, Stages
from segment.settings import COLOR_SPACES, FEATURES, USUAL_LEVEL, Settings

LEVEL, QUANTILE, BANDWIDTH, RADII = "level", "quantile", "bandwidth", "radii"
METHODS = {
    LEVEL: "hierarchy: level",
    QUANTILE: "mean shift: quantile",
    BANDWIDTH: "mean shift: bandwidth",
    RADII: "mean shift: two radii",
}
SHOWN = {  # which controls a method has
    LEVEL: ("level",),
    QUANTILE: ("features", "color_space", "quantile", "spatial_weight", "min_size"),
    BANDWIDTH: ("features", "color_space", "bandwidth", "spatial_weight", "min_size"),
    RADII: ("color_space", "spatial_radius", "range_radius", "min_size"),
}
# Radii in colour that sliders end at, by colour space: beyond, most images are one segment.
WIDEST = {"rgb": 100.0, "lab": 40.0, "luv": 40.0, "hsv": 0.4, "gray": 100.0}
FOLLOWED = 2_000_000  # pixels up to which sliders are followed: larger images wait for the button
PAUSE = 60  # milliseconds without a change after which the sliders are followed
NARROWEST = 340  # pixels of the panel, so that sliders keep their numbers


@dataclass(frozen=True, eq=False)
class Request:
    """What to segment, and how; kept until the result is shown."""

    layer: Any
    channels: list[Any]
    where: Slice
    settings: Settings


def _slider(name: str, value: float, low: float, high: float, step: float) -> FloatSlider:
    from qtpy.QtWidgets import QAbstractSpinBox

    slider = FloatSlider(
        name=name, value=value, min=low, max=high, step=step, tooltip=_effect(name)
    )
    # In napari's style a box without buttons has no room for its number.
    box = slider.native.findChild(QAbstractSpinBox)
    box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.UpDownArrows)
    return slider


def _effect(name: str) -> str:
    return str(Settings.__dataclass_fields__[name].metadata["effect"])


class SegmentWidget(Container):  # type: ignore[misc]  # magicgui is not there for the type checker
    """A panel that segments an image layer with mean shift.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer: Any) -> None:
        self._viewer = napari_viewer
        self._segmenter = Segmenter()
        self._latest: Latest[Request] = Latest(self._start)
        self._made: dict[Any, Any] = {}  # labels layers, by the image layers that they follow
        self._make_controls()
        super().__init__()
        self.extend([self.layer, self.together, self.method, *self._controls.values()])
        self.extend([self.follow, self._buttons, self.progress, self.status])
        self.min_width = NARROWEST
        self._listen()
        self._show_controls()

    def _make_controls(self) -> None:
        self.layer = ComboBox(label="image", choices=self._image_layers)
        self.together = CheckBox(
            text="with the others of its shape", tooltip="Grey layers that are shown are channels."
        )
        self.method = ComboBox(
            label="by", choices=[(shown, name) for name, shown in METHODS.items()]
        )
        self._controls = {
            "features": ComboBox(name="features", choices=FEATURES, tooltip=_effect("features")),
            "color_space": ComboBox(
                name="color_space", choices=COLOR_SPACES, tooltip=_effect("color_space")
            ),
            "level": _slider("level", USUAL_LEVEL, 0, 3, 0.01),
            "quantile": _slider("quantile", Settings.quantile, 0.005, 0.5, 0.005),
            "bandwidth": _slider("bandwidth", 20, 0.5, WIDEST["rgb"], 0.5),
            "spatial_weight": _slider("spatial_weight", Settings.spatial_weight, 0, 2, 0.05),
            "spatial_radius": _slider("spatial_radius", 10, 1, 100, 1),
            "range_radius": _slider("range_radius", 15, 0.5, WIDEST["rgb"], 0.5),
            "min_size": SpinBox(name="min_size", max=10**9, tooltip=_effect("min_size")),
        }
        self.follow = CheckBox(text="follow the sliders", value=True)
        self.run = PushButton(text="Segment")
        self.cancel = PushButton(text="Cancel", enabled=False)
        self.keep = PushButton(
            text="Keep", tooltip="Keep the labels as they are: the next ones go to a new layer."
        )
        self._buttons = Container(
            widgets=[self.run, self.cancel, self.keep], layout="horizontal", labels=False
        )
        self.progress = ProgressBar(visible=False, label="")
        self.status = Label(value="", label="")
        self.status.native.setWordWrap(True)

    def _listen(self) -> None:
        from superqt.utils import qdebounced

        settled = qdebounced(self._follow, timeout=PAUSE)
        self._settled = settled  # or it is gone
        ways = (self.layer, self.together, self.method, self.follow)
        for control in (*ways, *self._controls.values()):
            control.changed.connect(lambda _: settled())
        for control in (self.layer, self.method, self._controls["features"]):
            control.changed.connect(lambda _: self._show_controls())
        self._controls["color_space"].changed.connect(lambda _: self._fit_radii())
        self.run.changed.connect(lambda _: self._ask())
        self.cancel.changed.connect(lambda _: self._latest.cancel())
        self.keep.changed.connect(lambda _: self._made.pop(self.layer.value, None))
        events = self._viewer.layers.events
        for event in (events.inserted, events.removed, events.reordered):
            event.connect(self._layers_changed)
        self._viewer.dims.events.current_step.connect(self._moved)

    def _image_layers(self, _: Any = None) -> list[tuple[str, Any]]:
        from napari.layers import Image

        return [(layer.name, layer) for layer in self._viewer.layers if isinstance(layer, Image)]

    def _channels(self, layer: Any) -> list[Any]:
        others = [other for _, other in self._image_layers()]
        return channels_with(layer, others) if self.together.value else [layer]

    def _layers_changed(self, _: Any = None) -> None:
        self.layer.reset_choices()
        there = set(self._viewer.layers)
        self._made = {image: labels for image, labels in self._made.items() if labels in there}

    def _moved(self, _: Any = None) -> None:
        """Follow to another slice, if the layer has several."""
        if self.layer.value is not None and self.layer.value.ndim > 2:
            self._settled()

    def _show_controls(self) -> None:
        shown = set(SHOWN[self.method.value])
        if self._controls["features"].value != "joint":
            shown.discard("spatial_weight")
        for name, control in self._controls.items():
            control.visible = name in shown
        self._controls["min_size"].value = self._usual_size()

    def _usual_size(self) -> int:
        """Return the smallest region that the features suggest for the layer's image."""
        features: Any = "joint" if self.method.value == RADII else self._controls["features"].value
        layer, dims = self.layer.value, self._viewer.dims
        if layer is None:
            return 0
        try:
            pixels = pixels_in(layer, shown_slice(layer, dims.point, dims.displayed))
        except SegmentError:  # it is said when it is to be segmented
            return 0
        return Settings(features=features).smallest_region(pixels)

    def _fit_radii(self) -> None:
        """Give the radii in colour the range of the colour space, and keep their share of it."""
        widest = WIDEST[self._controls["color_space"].value]
        for name in ("bandwidth", "range_radius"):
            slider = self._controls[name]
            share = slider.value / slider.max
            slider.min, slider.step = 0, widest / 200
            slider.max, slider.value = widest, share * widest
            slider.min = widest / 200

    def settings(self) -> Settings:
        """Return what the sliders say."""
        said = {name: self._controls[name].value for name in SHOWN[self.method.value]}
        if self.method.value == RADII:
            said["features"] = "joint"
        return Settings(**said)

    def _follow(self) -> None:
        if self.follow.value and self.layer.value is not None:
            self._ask(FOLLOWED)

    def _ask(self, most: float = np.inf) -> None:
        """Ask for a segmentation, unless the image has too many pixels to follow the sliders."""
        layer, dims = self.layer.value, self._viewer.dims
        if layer is None:
            self.status.value = "There is no image layer; add one."
            return
        try:
            where = shown_slice(layer, dims.point, dims.displayed)
            request = Request(layer, self._channels(layer), where, self.settings())
        except SegmentError as error:
            self.status.value = str(error)
            return
        if pixels_in(layer, where) > most:
            self.status.value = f"More than {FOLLOWED:,} pixels: press Segment."
            return
        self._latest.ask(request)

    def _start(self, request: Request) -> Any:
        from napari.qt.threading import create_worker

        start = time.perf_counter()
        worker = create_worker(
            self._stages,
            request,
            _ignore_errors=True,  # they are shown below
            _connect={
                "yielded": self._tell,
                "returned": lambda found: self._show(request, found, time.perf_counter() - start),
                "errored": self._fail,
                "aborted": lambda: self._tell("cancelled"),
                "finished": self._ended,
            },
        )
        self.progress.max, self.progress.visible, self.cancel.enabled = 0, True, True
        return worker

    def _stages(self, request: Request) -> Stages:
        """Do the work, on a thread of its own."""
        yield "reading"
        picture = picture_of(request.channels, request.where)
        return (yield from self._segmenter.stages(picture, request.settings))

    def _tell(self, stage: str) -> None:
        self.status.value = stage

    def _fail(self, error: Exception) -> None:
        self.status.value = str(error)
        if not isinstance(error, SegmentError):
            raise error  # napari shows it with its traceback

    def _ended(self) -> None:
        self.progress.visible = self.cancel.enabled = False
        self._latest.done()

    def _show(self, request: Request, found: Segmentation, seconds: float) -> None:
        layer = request.layer
        if layer not in self._viewer.layers:
            return
        labels = request.where.in_all_axes(found.labels)
        place = place_of(layer, request.where)
        made = self._made.get(layer)
        if made is None:
            name = f"{layer.name} segments"
            self._made[layer] = self._viewer.add_labels(labels, name=name, **place)
        else:
            made.data = labels
            for name, value in place.items():
                setattr(made, name, value)
        by = "" if request.settings.by_tree else f", bandwidth {found.bandwidth:.4g}"
        self.status.value = f"{len(found.sizes):,} segments{by}, {seconds:.2f} s"
