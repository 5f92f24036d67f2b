"""Options for many images: where they come from, who does them, what is done again."""

from __future__ import annotations

import click

from segment.options import option, together

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
    option(MANY, "--files-from", metavar="FILE",
           help="More inputs, one a line; - for standard input."),
    option(MANY, "--files0-from", metavar="FILE",
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
