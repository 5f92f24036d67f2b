"""Options that exclude each other, and standard streams that can be used once."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from segment.command.option_types import given
from segment.streams import STANDARD

if TYPE_CHECKING:
    from pathlib import Path

    from segment.results.outputs import PolygonOptions

FINDING = (  # how modes are found: of no use where they are known
    "quantile",
    "n_samples",
    "seed",
    "bandwidth",
    "target_segments",
    "scale",
    "spatial_weight",
    "spatial_radius",
    "range_radius",
    "kernel",
    "assign",
    "min_bin_freq",
    "max_iter",
)


OF_TREES = {"hierarchy", "explorer"}  # products that only a tree has
NOT_OF_TREES = (
    *FINDING,
    "features",
    "color_space",
    "cluster_all",
    "connected",
    "connectivity",
    "min_size",
)


def check_together(write: tuple[str, ...]) -> None:
    """Refuse options of the command at hand that exclude each other, as usage errors."""
    decides = ("bandwidth", "target_segments", "spatial_radius", "range_radius")
    elsewhere = ("model", "save_model", "fit_together")
    written = ("write", "html_report", "labels", "segmented", "label_format", "overviews")
    unfit = (*NOT_OF_TREES, *elsewhere, "sweep", "sweep_bandwidth")
    _exclude("level", ("segments", *unfit))
    _exclude("segments", unfit)
    _exclude("explore", unfit)
    for product in OF_TREES.intersection(write):
        _exclude("write", unfit, f"'--write {product}'")
    _exclude("sweep", ("sweep_bandwidth", *decides, *elsewhere, *written))
    _exclude("sweep_bandwidth", ("quantile", *decides, *elsewhere, *written))
    _exclude("model", ("save_model", "fit_together", *FINDING))


def check_polygons(chosen: Collection[str]) -> None:
    """Refuse options of polygons where none are written, for who names a format means to get it."""
    for name in ("polygon_format", "polygon_crs", "simplify"):
        if given(name) and "polygons" not in chosen:
            raise click.UsageError(
                f"{_spelt(name)} is of polygons, which are not written; add them to --write"
            )


def check_packages(
    write: tuple[str, ...], polygons: PolygonOptions, label_format: str = "png"
) -> None:
    """Refuse what needs a package that is not installed, as a usage error."""
    if "figure" in write:
        _need("'--write figure'", "plot", "matplotlib")
    if "rois" in write:
        _need("'--write rois'", "imagej", "roifile")
    if label_format == "zarr":
        _need("'--label-format zarr'", "zarr", "zarr")
    if "polygons" in write and polygons.polygon_format != "geojson":
        _need(f"'--polygon-format {polygons.polygon_format}'", "geo", "pyogrio", "shapely")
    if "polygons" in write and polygons.simplify:
        _need("'--simplify'", "geo", "shapely")


def _need(what: str, extra: str, *packages: str) -> None:
    from importlib.util import find_spec

    for package in packages:
        if find_spec(package) is None:
            raise click.UsageError(
                f"{what} needs {package}, which is not installed; "
                f"pip install 'meanshift-segment[{extra}]'"
            )


def _exclude(name: str, others: tuple[str, ...], called: str | None = None) -> None:
    if not given(name):
        return
    for other in others:
        if given(other):
            raise click.UsageError(
                f"{called or _spelt(name)} and {_spelt(other)} exclude each other; "
                "leave one of them out"
            )


def _spelt(name: str) -> str:
    params = click.get_current_context().command.params
    return f"'{next(max(p.opts, key=len) for p in params if p.name == name)}'"


OF_COLORS = (".png", ".tif", ".tiff")
OF_LABELS = (*OF_COLORS, ".npy", ".zarr")
OUTPUT_OPTIONS = ("output_dir", "write", "explore", "labels", "segmented", "as_json") + (
    "html_report",
    "sweep",
    "sweep_bandwidth",
    "save_model",
)


def destinations(
    images: tuple[str, ...],
    labels: str | None,
    segmented: str | None,
    *,
    lists: bool,
    page: int | str | None,
    as_json: bool,
    others: Sequence[str | None] = (),
) -> dict[str, Path]:
    """Return which products go to a file of their own, or to standard output.

    Parameters
    ----------
    images : tuple of str
        The inputs that are named as arguments.
    labels, segmented : str or None
        Of the options of these names; ``-`` is standard output.
    lists : bool
        Whether lists name more inputs.
    page, as_json
        Of the options of these names.
    others : sequence of str or None
        Other files that are written.

    Returns
    -------
    files : dict
        {"labels", "segmented"} to Path; empty where all goes to the output folder.

    Raises
    ------
    click.UsageError
        If they do not go together, or a stream is a terminal.
    """
    files = {"labels": labels, "segmented": segmented}
    chosen = {product: name for product, name in files.items() if name}
    if images == (STANDARD,) and not lists and not any(map(given, OUTPUT_OPTIONS)):
        chosen = {"segmented": STANDARD}
    _check_names(chosen)
    if given("explore") and page == "all":
        raise click.UsageError("--explore takes one page; name it, or use --write explorer.")
    if chosen and page == "all":
        raise click.UsageError("--page all has many results; use -o instead of a file's name.")
    if [*chosen.values(), *others].count(STANDARD) + as_json > 1:
        raise click.UsageError("Two results both go to standard output; name a file for one.")
    if STANDARD in chosen.values():
        _check_stdout(chosen)
    from pathlib import Path  # which --help does without

    return {product: Path(name) for product, name in chosen.items()}


def products(
    write: tuple[Any, ...], files: Mapping[str, Path], *, explore: bool = False
) -> tuple[Any, ...]:
    """Return what to write: beside files of their own and a page, what `--write` says."""
    own = (*files, "explorer") if explore else tuple(files)
    if own and not given("write"):
        return own
    return tuple(dict.fromkeys((*own, *write)))


def check_stdin(images: tuple[str, ...], others: Sequence[str | None]) -> None:
    """Refuse to read an image from a terminal, and standard input twice.

    Parameters
    ----------
    images : tuple of str
    others : sequence of str or None
        What else is read: the mask, lists of inputs.

    Raises
    ------
    click.UsageError
    """
    if (STANDARD in images) + list(others).count(STANDARD) > 1:
        raise click.UsageError("Standard input can be read once; name a file for one of the two.")
    if STANDARD in images and sys.stdin is not None and sys.stdin.isatty():
        raise click.UsageError(
            "Standard input is a terminal; pipe an image in, as in 'curl -s URL | "
            "meanshift-segment - > segmented.png', or name a file."
        )


def _check_names(files: dict[str, str]) -> None:
    from pathlib import Path  # likewise

    for product, name in files.items():
        suffix = Path(name).suffix.lower()
        known = OF_LABELS if product == "labels" else OF_COLORS
        if suffix and suffix not in known:
            raise click.BadParameter(
                f"expected a name that ends in {', '.join(known)}, got {name!r}.",
                param_hint=f"'--{product}'",
            )
    names = list(files.values())
    if len(names) > len({str(Path(name).resolve()) for name in names}):
        raise click.UsageError(f"--labels and --segmented both go to {names[0]!r}; name two files.")


def _check_stdout(files: dict[str, str]) -> None:
    if sys.stdout is not None and sys.stdout.isatty():
        raise click.UsageError(
            f"Standard output is a terminal; redirect it, as in '> {next(iter(files))}.png', "
            "or use -o."
        )
