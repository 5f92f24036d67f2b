"""The options of the command under their headings, in the order in which --help shows them."""

from __future__ import annotations

from functools import partial

import click

from segment.command.option_types import (
    BandList,
    MemorySize,
    Name,
    Numbers,
    PageNumber,
    Products,
    Scale,
    option,
    setting,
    together,
)
from segment.reading.reading_options import ReadingOptions
from segment.results.naming import LABEL_FORMATS, POLYGON_CRS, POLYGON_FORMATS

_region, _tree = partial(setting, group="Regions"), partial(setting, group="Hierarchy")
setting_options = together(
    setting(
        "-q",
        "--quantile",
        brief="Coarseness: larger, fewer segments.",
    ),
    setting("--n-samples"),
    setting("--seed"),
    setting(
        "-b",
        "--bandwidth",
        show_default="from the quantile",
        brief="Instead: the radius within which colours are alike.",
    ),
    setting("--target-segments"),
    setting("-f", "--features", brief="Colour alone, or with position."),
    setting("-c", "--color-space"),
    setting("--scale", type=Scale(), metavar="SCALE"),
    setting("--spatial-weight"),
    setting("--spatial-radius"),
    setting("--range-radius"),
    setting("--kernel"),
    setting("--assign"),
    setting("--min-bin-freq"),
    setting("--max-iter"),
    setting("--cluster-all/--no-cluster-all"),
    _region("--connected/--no-connected", show_default="on for joint features"),
    _region(
        "--connectivity",
        type=click.Choice(["4", "8"]),
        callback=lambda ctx, param, value: int(value),
    ),
    _region(
        "--min-size",
        show_default="0; for joint features a thousandth of the pixels",
        brief="Absorb regions of fewer pixels into a neighbour.",
    ),
    _tree("--level", brief="Regions as people draw them: 1; larger, fewer."),
    _tree("--segments"),
    _tree("--keep", type=Numbers("keep"), metavar="ID,ID,..."),
    option(
        "Regions",
        "--mask",
        type=Name(),
        metavar="FILE",
        brief="Only pixels where this image is not 0 take part.",
        help="Image of the same size: only pixels where it is not 0 take part.",
    ),
)

_output, _input = partial(option, "Output"), partial(option, "Input")
file_options = together(
    _output(
        "-o",
        "--output-dir",
        type=Name(folder=True),
        metavar="DIR",
        default="outputs",
        show_default=True,
        brief="Folder for the results.",
        help="Folder for the results; created if missing.",
    ),
    _output(
        "--write",
        type=Products(),
        default="labels,segmented",
        show_default=True,
        brief="Such as boundaries, regions or polygons.",
        help="What to write: labels (the label map), segmented (the recoloured image), "
        "boundaries (outlines over the photo), figure (needs matplotlib), regions (a table, CSV), "
        "polygons (outlines, --polygon-format), rois (outlines for ImageJ's ROI Manager; needs "
        "roifile), hierarchy (the level up to which each border lasts, a 16-bit PNG, and the tree, "
        "NPZ), explorer (a page with a slider through the tree).",
    ),
    _output(
        "--recolor",
        type=click.Choice(["mean", "mode"]),
        default="mean",
        show_default=True,
        help="Colour of a segment: the mean of its pixels, or its mode.",
    ),
    _output("--json", "as_json", is_flag=True, help="Print one JSON object a line for each image."),
    _output(
        "--label-format",
        type=click.Choice(LABEL_FORMATS),
        default="png",
        show_default=True,
        help="Format of the label map; imagej is a TIFF that ImageJ shows in colours, zarr a "
        "folder as OME-Zarr has it (extra zarr). More than 65,535 segments go to TIFF instead of "
        "PNG.",
    ),
    _output(
        "--overviews",
        is_flag=True,
        help="Write label map and recoloured image as cloud-optimised GeoTIFFs, smaller versions "
        "of the image in the same file.",
    ),
    _output(
        "--polygon-format",
        type=click.Choice(POLYGON_FORMATS),
        default="geojson",
        show_default=True,
        help="Format of polygons: GeoJSON, GeoPackage or FlatGeobuf (the last two need the extra "
        "geo).",
    ),
    _output(
        "--polygon-crs",
        type=click.Choice(POLYGON_CRS),
        show_default="wgs84 for GeoJSON, else native; pixels for an image that is on no map",
        help="Coordinates of polygons: of the image's reference system, longitude and latitude, "
        "or pixels.",
    ),
    _output(
        "--simplify",
        type=click.FloatRange(0, 1e6),
        default=0,
        show_default=True,
        metavar="PIXELS",
        help="Leave out corners of polygons that span less than the square of this with their "
        "neighbours; borders stay shared (needs the extra geo).",
    ),
    _output(
        "--labels",
        type=Name(),
        metavar="FILE",
        help="Write the label map to this file, for one input; - is standard output. "
        "Nothing else is written unless --write says so.",
    ),
    _output(
        "--segmented",
        type=Name(),
        metavar="FILE",
        help="Likewise for the recoloured image, PNG or TIFF.",
    ),
    _output(
        "--report",
        "html_report",
        type=Name(),
        metavar="FILE.html",
        brief="A page with every image before and after.",
        help="Write an HTML report that shows every image before and after.",
    ),
    _output(
        "--existing",
        type=click.Choice(["overwrite", "skip", "error"]),
        default="overwrite",
        show_default=True,
        help="What to do with an image whose results are already there: make them again "
        "(overwrite), leave it out if they are complete and were made with the same settings "
        "(skip, to resume a run), or count it as failed (error).",
    ),
    _output("--dry-run", is_flag=True, help="Only list what would be read and written."),
    _input(
        "--page",
        type=PageNumber(),
        metavar="N|all",
        show_default="the first",
        help="Page or frame of a file with several, from 1; or all, each with its own results.",
    ),
    _input(
        "--bands",
        type=BandList(),
        metavar="N,NAME,...|all",
        show_default="all but alpha",
        help="Bands of the file that take part, by number from 1 or by name.",
    ),
    _input(
        "--show-bands",
        type=BandList(),
        metavar="R,G,B|GREY",
        show_default="red, green, blue by name, else the first three",
        help="Bands that pictures show: three, or one in grey.",
    ),
    _input(
        "--ignore-icc",
        is_flag=True,
        help="Take the values as sRGB, whatever the embedded colour profile says.",
    ),
    _input(
        "--allow-truncated",
        is_flag=True,
        help="Segment what can be read of files that are damaged or cut off.",
    ),
    _input(
        "--max-pixels",
        type=click.IntRange(1),
        default=ReadingOptions.max_pixels,
        show_default=True,
        metavar="NUMBER",
        help="Refuse larger images, by their header: a guard against decompression bombs.",
    ),
)

_choosing, _reusing = partial(option, "Choosing"), partial(option, "Reusing")
model_options = together(
    _choosing(
        "--explore",
        is_flag=True,
        help="Write a page with the image and a slider through the tree of its regions, and open "
        "it in the browser. Nothing else is written unless --write says so.",
    ),
    _choosing(
        "--sweep",
        type=Numbers("quantile"),
        metavar="Q,Q,...",
        help="Write one sheet that shows the image with each of these quantiles, instead of a "
        "segmentation.",
    ),
    _choosing(
        "--sweep-bandwidth",
        type=Numbers("bandwidth"),
        metavar="H,H,...",
        help="The same for bandwidths.",
    ),
    _reusing(
        "--save-model", type=Name(), metavar="FILE", help="Keep the modes that are found, as JSON."
    ),
    _reusing(
        "--model", type=Name(), metavar="FILE", help="Label with modes that --save-model kept."
    ),
    _reusing(
        "--fit-together",
        is_flag=True,
        help="Find one set of modes for all inputs, as if they were one image.",
    ),
)

_many, _messages = partial(option, "Many images"), partial(option, "Messages")
run_options = together(
    _many(
        "-r",
        "--recursive",
        is_flag=True,
        brief="Images in the folders of a folder, too.",
        help="Take the images in the folders of a folder, too; results mirror its tree.",
    ),
    _many(
        "--files-from",
        type=Name(),
        metavar="FILE",
        help="Read more inputs from a list, one a line; or -.",
    ),
    _many(
        "--files0-from",
        type=Name(),
        metavar="FILE",
        help="The same, each ended by NUL as find -print0 writes them.",
    ),
    _many(
        "-j",
        "--jobs",
        type=click.IntRange(1),
        metavar="NUMBER",
        show_default="the cores available",
        help="Cores to use: so many images at a time, or so many threads for a single image.",
    ),
    _many(
        "--memory",
        type=MemorySize(),
        metavar="SIZE",
        show_default="50%",
        help="Memory that images may take together, such as 2G, 512M, or a share of what is free: "
        "those that need more are done strip by strip, with the same results, as TIFFs.",
    ),
    _many(
        "--scheduler",
        metavar="ADDRESS",
        help="Run on the Dask cluster of this scheduler, tcp://host:port (extra dask).",
    ),
    _many("--fail-fast", is_flag=True, help="Stop at the first image that fails."),
    _many(
        "--progress/--no-progress",
        default=None,
        show_default="when stderr is a terminal",
        help="Show a bar: images done and failed, rate, time left.",
    ),
    _messages("--quiet", is_flag=True, help="Print nothing but errors."),
    _messages("-v", "--verbose", is_flag=True, help="Print more about each image, and a summary."),
)
