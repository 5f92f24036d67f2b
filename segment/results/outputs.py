"""Where results go: their files, the formats these ask for, and what none may replace."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from segment.errors import InvalidInputError, OptionError
from segment.results.naming import (
    MOST_IN_PNG,
    SUFFIXES,
    LabelFormat,
    PolygonCrs,
    PolygonFormat,
    Product,
    fitting_format,
    page_stem,
    suffix,
)
from segment.settings import Range, Settings
from segment.streams import STANDARD, is_standard
from segment.writing import make_folder

RASTER_SUFFIXES = (".tif", ".tiff")  # of files that are written strip by strip


@dataclass(frozen=True)
class PolygonOptions:
    """How polygons are written.

    Attributes
    ----------
    polygon_format : {"geojson", "gpkg", "fgb"}
    polygon_crs : {"native", "wgs84", "pixels"} or None
        See `segment.results.mapping.coordinates_of`.
    simplify : float
        In pixels; 0 leaves all corners. See `segment.regions.outlines.simplified`.

    Raises
    ------
    OptionError
        If a number is out of range.
    """

    polygon_format: PolygonFormat = "geojson"
    polygon_crs: PolygonCrs | None = None
    simplify: float = 0

    def __post_init__(self) -> None:
        try:
            Range(0, 1e6).check("simplify", self.simplify)
        except InvalidInputError as error:
            raise OptionError(str(error), "--simplify") from None


@dataclass(frozen=True)
class Output:
    """What to write of a segmentation, and where.

    Attributes
    ----------
    folder : Path
        Of all results; an image may have a folder in it.
    products : tuple of Product
        "sweep" alone, or any of the others.
    recolor : {"mean", "mode"}
    label_format : {"png", "tiff", "imagej", "npy", "zarr"}
    files : mapping of product to Path
        Products with a file of their own; ``-`` is standard output.
    sweep : tuple of Settings
        Those of the panels of a sweep.
    with_entries : bool
        Make the thumbnails that an HTML report shows.
    polygons : PolygonOptions
    overviews : bool
        Make label map and recoloured image cloud-optimised GeoTIFFs.

    Raises
    ------
    OptionError
        If overviews are asked for of what is no TIFF, or a tiled raster on standard output.
    """

    folder: Path
    products: tuple[Product, ...] = ("labels", "segmented")
    recolor: Literal["mean", "mode"] = "mean"
    label_format: LabelFormat = "png"
    files: Mapping[Product, Path] = field(default_factory=dict)
    sweep: tuple[Settings, ...] = ()
    with_entries: bool = False
    polygons: PolygonOptions = PolygonOptions()
    overviews: bool = False

    def __post_init__(self) -> None:
        wanted = self._labels_wanted_as() if "labels" in self.products else None
        if self.overviews and wanted not in ("tiff", None):
            raise OptionError(f"--overviews are those of TIFFs, got {wanted} for the label map")
        own = self.files.get("segmented")
        if self.overviews and own is not None and own.suffix.lower() not in RASTER_SUFFIXES:
            raise OptionError(f"--overviews are those of TIFFs, got --segmented {own}; name a .tif")
        tiled = self.overviews or wanted == "zarr"
        if tiled and is_standard(self.files.get("labels", "")):
            raise OptionError(
                "--overviews and Zarr do not go to standard output; name a file for --labels"
            )

    @property
    def home(self) -> Path:
        """The folder that results go to: where all have files of their own, that of the first."""
        own = [path for path in self.files.values() if not is_standard(path)]
        if own and all(product in self.files for product in self.products):
            return own[0].parent
        return self.folder

    def make_folders(self, place: str, base: Path) -> None:
        """Make the folders that results go to, before any work is done for them."""
        if any(product not in self.files for product in self.products):
            make_folder(base / Path(place).parent)
        for path in self.files.values():
            if not is_standard(path) and not (base / path).exists():
                make_folder(base / path.parent)

    def labels_as(self, segments: int) -> LabelFormat:
        """Return the format of the label map: by its file's name if it has one, never too small."""
        return fitting_format(self._labels_wanted_as(), segments)

    def paths(
        self, place: str, segments: int = 1, page: int | Literal["*"] | None = None
    ) -> dict[Product, Path]:
        """Return the file of each product.

        A page of several has its number in the name: ``scan_page2_labels.png``. A label map
        that PNG cannot hold ends in ``.tif``, whatever was said.
        """
        stem = place if page is None else page_stem(place, page)
        paths: dict[Product, Path] = {}
        for product in self.products:
            formats = self.label_format, self.polygons.polygon_format
            ending = suffix(product, segments, *formats)
            if product == "segmented" and self.overviews:
                ending = f"_{product}.tif"
            paths[product] = self.files.get(product, Path(stem + ending))
        own = self.files.get("labels", Path(STANDARD))
        if own.suffix and self.labels_as(segments) != self._labels_wanted_as():
            paths["labels"] = own.with_suffix(SUFFIXES[self.labels_as(segments)])
        return paths

    @property
    def by_strips(self) -> Output:
        """The same of an image beyond memory: labels in NPY or Zarr if asked, else as a TIFF."""
        wanted = self._labels_wanted_as()
        return replace(self, label_format=wanted if wanted in ("npy", "zarr") else "tiff")

    def scene_paths(self, place: str, page: int | None = None) -> dict[Product, Path]:
        """Return the file of each product of an image beyond memory; rasters are no PNG.

        Raises
        ------
        InvalidInputError
            If a file was named that cannot be written strip by strip.
        """
        paths = self.by_strips.paths(place, 1, page)
        for product, path in paths.items():
            own = product in self.files
            fit = (*RASTER_SUFFIXES, ".npy", ".zarr") if product == "labels" else RASTER_SUFFIXES
            if own and (is_standard(path) or path.suffix.lower() not in fit):
                raise InvalidInputError(
                    f"--{product} {path}: an image beyond memory is written as a TIFF; name a file "
                    "that ends in .tif, or raise --memory"
                )
            if not own and path.suffix == ".png":
                paths[product] = path.with_suffix(".tif")
        return paths

    def possible_paths(self, place: str, pages: Iterable[int | None]) -> list[Path]:
        """Return where results of some pages may be, by the number of segments."""
        found = (
            path
            for number in pages
            for segments in (1, MOST_IN_PNG + 1)
            for path in self.paths(place, segments, number).values()
        )
        return [path for path in dict.fromkeys(found) if not is_standard(path)]

    def warnings(self, segments: int, *, on_map: bool) -> tuple[str, ...]:
        """Return warnings of what the label map's format loses, or which one it took instead.

        Parameters
        ----------
        segments : int
        on_map : bool
            Whether the image has a place on a map.
        """
        if "labels" not in self.products:
            return ()
        chosen, said = self.labels_as(segments), []
        if on_map and chosen not in ("tiff", "imagej", "zarr"):
            said.append("its place on the map is lost; --label-format tiff keeps it")
        if chosen != self._labels_wanted_as():
            format_ = "PNG" if self._labels_wanted_as() == "png" else "ImageJ"
            said.append(
                f"{segments:,} segments are too many for {format_}; the label map is a TIFF"
            )
        return tuple(said)

    def _labels_wanted_as(self) -> LabelFormat:
        own = self.files["labels"].suffix.lower() if "labels" in self.files else ""
        if own.startswith(SUFFIXES[self.label_format]):  # of two kinds of TIFF the one asked for
            return self.label_format
        named = (name for name, end in SUFFIXES.items() if own.startswith(end))
        return next(named, self.label_format)


def file_at(path: str | Path) -> str | None:
    """Return a file's absolute path without links; None for standard streams, pipes and devices.

    Examples
    --------
    >>> file_at("-") is None, file_at("a/../b.png") == file_at("b.png")
    (True, True)
    """
    if is_standard(path):
        return None
    try:
        mode = Path(path).stat().st_mode
    except OSError:  # not there yet
        return os.path.realpath(path)
    return os.path.realpath(path) if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else None


def claimed(
    read: Mapping[str, str | Path | None],
    written: Mapping[str, str | Path | None],
    images: Iterable[str] = (),
) -> frozenset[str]:
    """Return the files that no image's results may replace.

    Parameters
    ----------
    read, written : mapping of option to path
        What the options name; None where they are not given.
    images : iterable of str
        Absolute paths of the inputs, without links. The files of `--labels` and `--segmented`
        are compared with them where they are written: which they are depends on the image.

    Raises
    ------
    OptionError
        If what is written would replace what is read, or something else that is written.
    """
    own = ("--labels", "--segmented")
    inputs = set(images)
    taken = {file_at(path): option for option, path in read.items() if path is not None}
    for option, path in written.items():
        file = None if path is None else file_at(path)
        if file is None:
            continue
        if file in inputs and option not in own:
            raise OptionError(f"{option} {path} would replace an input; name another file.")
        if file in taken:
            raise OptionError(
                f"{option} {path} would replace the file of {taken[file]}; name another file."
            )
        taken[file] = option
    return frozenset(file for file, option in taken.items() if file and option not in own)
