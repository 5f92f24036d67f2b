"""The command line: options to settings, images to a report; --help imports nothing heavy."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import click

from segment import __version__
from segment.errors import SegmentError
from segment.ranges import Range
from segment.report import say
from segment.settings import Settings

EXAMPLES = """\b
Examples:
  meanshift-segment photo.jpg
  meanshift-segment photo.jpg --quantile 0.2
  meanshift-segment *.jpg -o results --write labels
  meanshift-segment photo.jpg --bandwidth 12 --color-space lab
  meanshift-segment photo.jpg --json > photo.json
"""


class Products(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.5
    """A comma-separated list of what to write."""

    name = "LIST"
    choices = ("labels", "segmented")

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(name.strip() for name in value.split(",")))
        for name in names:
            if name not in self.choices:
                self.fail(f"{name!r} is not one of {', '.join(self.choices)}.", param, ctx)
        return names


class GroupedCommand(click.Command):
    """Shows the options under the heading that `option` and `setting` give them."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record and isinstance(param, click.Option):
                groups.setdefault(getattr(param, "group", "Other"), []).append(record)
        groups["Other"] = groups.pop("Other")
        for group, records in groups.items():
            with formatter.section(group):
                formatter.write_dl(records)


class GroupedOption(click.Option):
    """An option that knows its heading."""

    def __init__(self, *args: Any, group: str = "Other", **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.group = group


def option(group: str, *names: str, **attributes: Any) -> Callable[[Any], Any]:
    return click.option(*names, cls=GroupedOption, group=group, **attributes)


def setting(*names: str, **attributes: Any) -> Callable[[Any], Any]:
    """An option with the default, the range and the effect that `Settings` gives it."""
    name = next(n for n in names if n.startswith("--")).split("/")[0].strip("- ").replace("-", "_")
    known = Settings.__dataclass_fields__[name]
    attributes.setdefault("show_default", known.default is not None)
    return option(
        "Clustering",
        *names,
        default=known.default,
        type=attributes.pop("type", _click_type(known.metadata["takes"])),
        metavar="NUMBER" if isinstance(known.metadata["takes"], Range) else None,
        help=known.metadata["effect"],
        **attributes,
    )


def _click_type(takes: Range | tuple[str, ...] | None) -> click.ParamType[Any] | None:
    if isinstance(takes, Range):
        kind = click.IntRange if takes.whole else click.FloatRange
        high = None if takes.high == float("inf") else takes.high
        return kind(takes.low, high, min_open=takes.above)  # type: ignore[arg-type]
    return click.Choice(takes) if takes else None


@click.command(
    cls=GroupedCommand,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.argument("images", metavar="INPUT...", nargs=-1, required=True)
@setting("-q", "--quantile")
@setting("--n-samples")
@setting("--seed")
@setting("-b", "--bandwidth", show_default="from the quantile")
@setting("-f", "--features")
@setting("-c", "--color-space")
@setting("--kernel")
@setting("--assign")
@setting("--min-bin-freq")
@setting("--max-iter", type=click.IntRange(1))
@setting("--cluster-all/--no-cluster-all")
@option(
    "Output",
    "-o",
    "--output-dir",
    metavar="DIR",
    default="outputs",
    show_default=True,
    help="Folder for the results; created if missing.",
)
@option(
    "Output",
    "--write",
    type=Products(),
    default="labels,segmented",
    show_default=True,
    help="What to write: labels (the label map), segmented (the recoloured image).",
)
@option(
    "Output",
    "--recolor",
    type=click.Choice(["mean", "mode"]),
    default="mean",
    show_default=True,
    help="Colour of a segment: the mean of its pixels, or its mode.",
)
@option(
    "Output", "--json", "as_json", is_flag=True, help="One JSON object a line per image on stdout."
)
@option("Talk", "--quiet", is_flag=True, help="Say only what fails.")
@option("Talk", "-v", "--verbose", is_flag=True, help="Say more of each image, and a summary.")
@click.version_option(__version__, "--version", prog_name="meanshift-segment")
def command(
    images: tuple[str, ...],
    output_dir: str,
    write: tuple[Any, ...],
    recolor: Any,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **settings: Any,
) -> int:
    """Split images into segments of similar colour with mean shift.

    Writes for each INPUT, an image file, a label map and a recoloured image. No number of
    segments to guess: the bandwidth decides what is similar, and a quantile of the distances
    between pixels decides the bandwidth.
    """
    from pathlib import Path

    from segment.batch import Output, plan, run
    from segment.report import Report

    try:
        chosen = Settings(**settings)
    except SegmentError as error:  # what the options' types let through, such as nan
        raise click.UsageError(str(error)) from None
    report = Report(as_json=as_json, verbosity=-1 if quiet else int(verbose))
    folder = Path(output_dir)
    tasks = plan(map(Path, images), folder)
    try:
        for outcome in run(tasks, chosen, Output(folder, write, recolor)):
            report.add(outcome)
    except KeyboardInterrupt:
        return report.close(interrupted=True)
    return report.close()


def main() -> None:
    """Run the command and exit: 0 all done, 1 an image failed, 2 usage error, 130 interrupted."""
    try:
        code = command.main(standalone_mode=False) or 0
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        code = 130
    except BrokenPipeError:
        code = 128 + signal.SIGPIPE  # as the shell would see a process that the signal ended
    except OSError as error:
        say(f"error: cannot write to standard output: {error.strerror}")
        code = 1
    os._exit(code)  # taking the interpreter down in good order costs 20 ms for nothing
