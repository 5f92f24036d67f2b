"""Options of the command that say how files are read and written."""

from __future__ import annotations

from typing import Any

import click

from segment.naming import LABEL_FORMATS
from segment.options import Products, option, together
from segment.reading_options import ReadingOptions


class Page(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.5
    """A number from 1, or all."""

    name = "PAGE"

    def convert(self, value: Any, param: Any, ctx: Any) -> int | str:
        if value == "all":
            return "all"
        try:
            number = int(value)
        except ValueError:
            number = 0
        if number < 1:
            self.fail(f"{value!r} is neither 'all' nor a number from 1.", param, ctx)
        return number


file_options = together(
    option(
        "Output",
        "-o",
        "--output-dir",
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
        metavar="FILE",
        help="Write the label map there, for one input; '-' is standard output. "
        "Nothing else is written unless --write says so.",
    ),
    option(
        "Output",
        "--segmented",
        default=None,
        metavar="FILE",
        help="Likewise for the recoloured image, a PNG.",
    ),
    option(
        "Output",
        "--report",
        "report_page",
        metavar="FILE.html",
        help="A page with every image before and after.",
    ),
)
