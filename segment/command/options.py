"""The options of the command, by their headings, but those that `Settings` declares."""

from __future__ import annotations

from dataclasses import replace

import click

from segment.command.option_types import Name, Numbers, Page, Products, option, together
from segment.reading.picture import ReadingOptions
from segment.results.naming import LABEL_FORMATS
from segment.settings import Settings

file_options = together(
    option(
        "Output",
        "-o",
        "--output-dir",
        type=Name(),
        metavar="DIR",
        default="outputs",
        show_default=True,
        help="Folder for the results; created if missing.",
    ),
    option(
        "Output",
        "--write",
        type=Products(),
        default="labels,segmented",
        show_default=True,
        help="What to write: labels (the label map), segmented (the recoloured image), "
        "boundaries (outlines over the photo), figure (needs matplotlib), regions (a table, CSV), "
        "polygons (outlines, GeoJSON).",
    ),
    option(
        "Output",
        "--recolor",
        type=click.Choice(["mean", "mode"]),
        default="mean",
        show_default=True,
        help="Colour of a segment: the mean of its pixels, or its mode.",
    ),
    option(
        "Output",
        "--json",
        "as_json",
        is_flag=True,
        help="One JSON object a line per image on stdout.",
    ),
    option(
        "Input",
        "--page",
        type=Page(),
        default=None,
        metavar="N|all",
        show_default="the first",
        help="Page or frame of a file with several, from 1; or all, each with its own results.",
    ),
    option(
        "Input",
        "--ignore-icc",
        is_flag=True,
        help="Take the values as sRGB, whatever the embedded colour profile says.",
    ),
    option(
        "Input",
        "--allow-truncated",
        is_flag=True,
        help="Take what there is of damaged files and those that are cut off.",
    ),
    option(
        "Input",
        "--max-pixels",
        type=click.IntRange(1),
        default=ReadingOptions.max_pixels,
        show_default=True,
        metavar="NUMBER",
        help="Refuse larger images, by their header: a guard against decompression bombs.",
    ),
    option(
        "Output",
        "--label-format",
        type=click.Choice(LABEL_FORMATS),
        default="png",
        show_default=True,
        help="Of the label map; more than 65,535 segments go to TIFF instead of PNG.",
    ),
    option(
        "Output",
        "--labels",
        default=None,
        type=Name(),
        metavar="FILE",
        help="Write the label map there, for one input; '-' is standard output. "
        "Nothing else is written unless --write says so.",
    ),
    option(
        "Output",
        "--segmented",
        default=None,
        type=Name(),
        metavar="FILE",
        help="Likewise for the recoloured image, a PNG.",
    ),
    option(
        "Output",
        "--report",
        "html_report",
        type=Name(),
        metavar="FILE.html",
        help="A page with every image before and after.",
    ),
)
choosing_options = together(
    option(
        "Choosing",
        "--sweep",
        type=Numbers("quantile"),
        metavar="Q,Q,...",
        help="Instead of a segmentation one sheet: the image with several quantiles.",
    ),
    option(
        "Choosing",
        "--sweep-bandwidth",
        type=Numbers("bandwidth"),
        metavar="H,H,...",
        help="The same for several bandwidths.",
    ),
)


def swept(
    settings: Settings, quantiles: tuple[float, ...] | None, bandwidths: tuple[float, ...] | None
) -> tuple[Settings, ...]:
    """Return the settings of each panel of a sweep; none if none is asked for."""
    if quantiles is not None:
        return tuple(replace(settings, quantile=quantile) for quantile in quantiles)
    return tuple(replace(settings, bandwidth=bandwidth) for bandwidth in bandwidths or ())


model_options = together(
    option(
        "Reusing",
        "--save-model",
        type=Name(),
        metavar="FILE",
        help="Keep the modes of this run, as JSON.",
    ),
    option(
        "Reusing",
        "--model",
        type=Name(),
        metavar="FILE",
        help="Label with the modes that --save-model kept.",
    ),
    option(
        "Reusing",
        "--fit-together",
        is_flag=True,
        help="Find one set of modes for all inputs, as if they were one image.",
    ),
)
MANY = "Many images"
batch_options = together(
    option("Output", "--existing", type=click.Choice(["overwrite", "skip", "error"]),
           default="overwrite", show_default=True,
           help="Images whose results are there: skip those that are complete and made with the "
           "same settings, which resumes a run, or fail."),
    option("Output", "--dry-run", is_flag=True,
           help="List on stdout what would be read and written."),
    option(MANY, "-r", "--recursive", is_flag=True,
           help="Look into the folders in a folder; results are in folders of the same names."),
    option(MANY, "--files-from", type=Name(), metavar="FILE",
           help="More inputs, one a line; - for standard input."),
    option(MANY, "--files0-from", type=Name(), metavar="FILE",
           help="More inputs, each ended by NUL as find -print0 does; - for standard input."),
    option(MANY, "-j", "--jobs", type=click.IntRange(1), metavar="NUMBER",
           show_default="the cores available",
           help="Cores to take: so many images at a time, or so many threads for a single image."),
    option(MANY, "--scheduler", metavar="ADDRESS",
           help="Run on the Dask cluster of this scheduler, tcp://host:port (extra dask)."),
    option(MANY, "--fail-fast", is_flag=True, help="Stop at the first image that fails."),
    option(MANY, "--progress/--no-progress", default=None,
           show_default="when stderr is a terminal",
           help="Show a bar: images done and failed, rate, time left."),
)  # fmt: skip
