"""Where results go: the names of files, and the formats that the names ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from segment.errors import ImageFileError
from segment.label_maps import SUFFIXES, LabelFormat, fitting_format
from segment.picture import Picture
from segment.plan import Task
from segment.products import Product, suffix
from segment.writing import STDOUT, make_folder


@dataclass(frozen=True)
class Output:
    """What to write of a segmentation, and where.

    Attributes
    ----------
    folder : Path
    products : tuple of {"labels", "segmented", "regions", "polygons"}
    recolor : {"mean", "mode"}
    label_format : {"png", "tiff", "npy"}
    files : mapping of product to Path
        Products with a file of their own; ``-`` is standard output.
    """

    folder: Path
    products: tuple[Product, ...] = ("labels", "segmented")
    recolor: Literal["mean", "mode"] = "mean"
    label_format: LabelFormat = "png"
    files: Mapping[Product, Path] = field(default_factory=dict)

    def make_folders(self) -> None:
        """Make the folders that results go to, before any work is done for them."""
        if any(product not in self.files for product in self.products):
            make_folder(self.folder)
        for path in self.files.values():
            if path != STDOUT and not path.exists():
                make_folder(path.parent)

    def labels_as(self, segments: int) -> LabelFormat:
        """Tell the format of the label map: by its file's name if it has one, never too small."""
        return fitting_format(self._labels_wanted_as(), segments)

    def paths(
        self, task: Task, picture: Picture, segments: int, inputs: set[Path]
    ) -> dict[Product, Path]:
        """Tell the file of each product.

        A page of several has its number in the name: ``scan_page2_labels.png``. A label map
        that PNG cannot hold ends in ``.tif``, whatever was said.

        Raises
        ------
        ImageFileError
            If one would replace an input.
        """
        stem = task.stem
        if picture.page is not None:
            stem = stem.with_name(f"{stem.name}_page{picture.page}")
        paths: dict[Product, Path] = {}
        for product in self.products:
            ending = suffix(product, segments, self.label_format)
            paths[product] = self.files.get(product, stem.with_name(stem.name + ending))
        own = self.files.get("labels", STDOUT)
        if own.suffix and self.labels_as(segments) != self._labels_wanted_as():
            paths["labels"] = own.with_suffix(SUFFIXES[self.labels_as(segments)])
        for path in paths.values():
            if path != STDOUT and path.resolve() in inputs:
                raise ImageFileError(
                    f"its result {path} would replace an input; choose another folder with -o"
                )
        return paths

    def warnings(self, picture: Picture, segments: int) -> tuple[str, ...]:
        """Tell what the label map's format loses, or which one it took instead."""
        if "labels" not in self.products:
            return ()
        chosen, said = self.labels_as(segments), []
        if picture.kept.geo and chosen != "tiff":
            said.append("its place on the map is lost; --label-format tiff keeps it")
        if chosen != self._labels_wanted_as():
            said.append(f"{segments:,} segments are too many for PNG; the label map is a TIFF")
        return tuple(said)

    def _labels_wanted_as(self) -> LabelFormat:
        own = self.files["labels"].suffix.lower() if "labels" in self.files else ""
        named = (name for name, end in SUFFIXES.items() if own.startswith(end))
        return next(named, self.label_format)
