"""Where results go: the names of files, and the formats that the names ask for."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from segment.naming import MOST_IN_PNG, SUFFIXES, LabelFormat, Product, fitting_format, suffix
from segment.plan import Task
from segment.settings import Settings
from segment.writing import STDOUT, make_folder

OF_A_PAGE = re.compile(r"(.+)_page([1-9][0-9]*)_[a-z]+\.[a-z]+", re.DOTALL)


@dataclass(frozen=True)
class Output:
    """What to write of a segmentation, and where.

    Attributes
    ----------
    folder : Path
        Of all results; an image may have a folder in it.
    products : tuple of {"labels", "segmented", "boundaries", "figure", "regions", "polygons"}
        Or "sweep" alone.
    recolor : {"mean", "mode"}
    label_format : {"png", "tiff", "npy"}
    files : mapping of product to Path
        Products with a file of their own; ``-`` is standard output.
    sweep : tuple of Settings
        Those of the panels of a sweep.
    with_entries : bool
        Make the thumbnails that a page shows.
    """

    folder: Path
    products: tuple[Product, ...] = ("labels", "segmented")
    recolor: Literal["mean", "mode"] = "mean"
    label_format: LabelFormat = "png"
    files: Mapping[Product, Path] = field(default_factory=dict)
    sweep: tuple[Settings, ...] = ()
    with_entries: bool = False

    @property
    def home(self) -> Path:
        """The folder that results go to: where all have files of their own, that of the first."""
        own = [path for path in self.files.values() if path != STDOUT]
        if own and all(product in self.files for product in self.products):
            return own[0].parent
        return self.folder

    def make_folders(self, task: Task, base: Path) -> None:
        """Make the folders that results go to, before any work is done for them."""
        if any(product not in self.files for product in self.products):
            make_folder(base / task.stem.parent)
        for path in self.files.values():
            if path != STDOUT and not (base / path).exists():
                make_folder(base / path.parent)

    def labels_as(self, segments: int) -> LabelFormat:
        """Tell the format of the label map: by its file's name if it has one, never too small."""
        return fitting_format(self._labels_wanted_as(), segments)

    def paths(
        self, task: Task, segments: int = 1, page: int | Literal["*"] | None = None
    ) -> dict[Product, Path]:
        """Tell the file of each product.

        A page of several has its number in the name: ``scan_page2_labels.png``. A label map
        that PNG cannot hold ends in ``.tif``, whatever was said.
        """
        place = task.place if page is None else f"{task.place}_page{page}"
        paths: dict[Product, Path] = {}
        for product in self.products:
            ending = suffix(product, segments, self.label_format)
            paths[product] = self.files.get(product, Path(place + ending))
        own = self.files.get("labels", STDOUT)
        if own.suffix and self.labels_as(segments) != self._labels_wanted_as():
            paths["labels"] = own.with_suffix(SUFFIXES[self.labels_as(segments)])
        return paths

    def possible_paths(self, task: Task, pages: Iterable[int | None]) -> list[Path]:
        """Tell where results of some pages may be, by the number of segments."""
        found = (
            path
            for number in pages
            for segments in (1, MOST_IN_PNG + 1)
            for path in self.paths(task, segments, number).values()
        )
        return [path for path in dict.fromkeys(found) if path != STDOUT]

    def warnings(self, segments: int, *, on_map: bool) -> tuple[str, ...]:
        """Tell what the label map's format loses, or which one it took instead.

        Parameters
        ----------
        segments : int
        on_map : bool
            Whether the image has a place on a map.
        """
        if "labels" not in self.products:
            return ()
        chosen, said = self.labels_as(segments), []
        if on_map and chosen != "tiff":
            said.append("its place on the map is lost; --label-format tiff keeps it")
        if chosen != self._labels_wanted_as():
            said.append(f"{segments:,} segments are too many for PNG; the label map is a TIFF")
        return tuple(said)

    def _labels_wanted_as(self) -> LabelFormat:
        own = self.files["labels"].suffix.lower() if "labels" in self.files else ""
        named = (name for name, end in SUFFIXES.items() if own.startswith(end))
        return next(named, self.label_format)


def pages_there(folder: str) -> dict[str, set[int]]:
    """Tell of which pages a folder may have results, by what comes before the page's number."""
    there = defaultdict(set)
    try:
        with os.scandir(folder or ".") as entries:
            for entry in entries:
                if match := OF_A_PAGE.fullmatch(entry.name):
                    there[match[1]].add(int(match[2]))
    except OSError:  # not there yet
        return {}
    return dict(there)
