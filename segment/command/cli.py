"""The command line: options to settings, images to a report; --help imports nothing heavy."""

from __future__ import annotations

import errno
import gc
import io
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TextIO

import click

from segment import __version__
from segment.command.checks import (
    OF_TREES,
    check_packages,
    check_polygons,
    check_stdin,
    check_together,
    destinations,
    products,
)
from segment.command.option_types import GroupedCommand, Name, given, help_all_option
from segment.command.options import file_options, model_options, run_options, setting_options
from segment.errors import ImageFileError, OptionError, SegmentError, StdoutError
from segment.messages import bad, say
from segment.reading.reading_options import ReadingOptions
from segment.settings import USUAL_LEVEL, Settings

# As the shell sees a process that the signal ended.
CLOSED_PIPE = 128 + getattr(signal, "SIGPIPE", 13)
EXAMPLES = """\b
Examples:
  meanshift-segment photo.jpg --quantile 0.2
  meanshift-segment photo.jpg --level 1 --write segmented,boundaries
  meanshift-segment photos/ -r -o results/ --report results/report.html
  meanshift-segment - < photo.jpg > segmented.png
  meanshift-segment *.jpg -o results --write labels
  meanshift-segment photo.jpg --bandwidth 12 --color-space lab
  meanshift-segment photo.jpg --features joint --write segmented,regions
  meanshift-segment photo.jpg --features joint --spatial-radius 15 --range-radius 20
  meanshift-segment photo.jpg --sweep 0.02,0.05,0.1,0.2
  meanshift-segment photo.jpg --target-segments 8
  meanshift-segment *.jpg --fit-together --save-model modes.json --report report.html
  meanshift-segment other.jpg --model modes.json
  meanshift-segment photo.jpg --explore
  meanshift-segment photo.jpg --json > photo.json
  meanshift-segment scan.tif --page 2 --labels scan.npy
  meanshift-segment photos/ -r -o results/ --jobs 4 --existing skip
  find . -name '*.tif' -print0 | meanshift-segment --files0-from - --json > log.jsonl
"""


@click.command(
    cls=GroupedCommand,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.argument("images", metavar="INPUT...", type=Name(), nargs=-1)
@setting_options
@file_options
@model_options
@run_options
@help_all_option
@click.version_option(__version__, "--version", prog_name="meanshift-segment")
@click.pass_context
def command(
    context: click.Context,
    /,
    images: tuple[str, ...],
    mask: str | None,
    output_dir: str,
    write: tuple[Any, ...],
    recolor: Any,
    as_json: bool,
    label_format: Any,
    overviews: bool,
    labels: str | None,
    segmented: str | None,
    sweep: tuple[float, ...] | None,
    sweep_bandwidth: tuple[float, ...] | None,
    memory: str | None,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> int:
    """Split images into segments of similar colour with mean shift.

    Writes for each INPUT, an image file or the images in a folder, a label map and a recoloured
    image. With - as the only INPUT an image is read from standard input and the recoloured one
    written to standard output. No number of segments to guess: the bandwidth decides what is
    similar, and a quantile of the distances between pixels decides the bandwidth.
    """
    from pathlib import Path

    from segment.results.outputs import Output, PolygonOptions
    from segment.running.plan import RunOptions, Work
    from segment.running.run import run

    crowd = RunOptions(**_taken(RunOptions._fields, options))
    reading = ReadingOptions(**_taken(ReadingOptions.__dataclass_fields__, options))
    lists = [file for _, file, _ in crowd.lists]
    if not images and not lists:
        missing = next(param for param in context.command.params if param.name == "images")
        raise click.MissingParameter(ctx=context, param=missing)
    with _as_click_has_it():
        polygons = PolygonOptions(**_taken(PolygonOptions.__dataclass_fields__, options))
    check_together(write)
    check_packages(write, polygons, label_format)
    check_stdin(images, [mask, *lists])
    files: Any = destinations(
        images,
        labels,
        segmented,
        lists=bool(lists),
        page=reading.page,
        as_json=as_json,
        others=(crowd.html_report, crowd.save_model),
    )
    wanted = products(write, files, explore=crowd.explore)
    if OF_TREES.intersection(wanted) and options["level"] is options["segments"] is None:
        options["level"] = USUAL_LEVEL
    settings, panels = _settings(options, sweep, sweep_bandwidth)
    chosen = ("sweep",) if panels else wanted
    check_polygons(chosen)
    form = "tiff" if overviews and not given("label_format") else label_format
    formats: Any = form, files, panels, crowd.html_report is not None, polygons, overviews
    known = _known_model(crowd.model, settings)
    verbosity = -1 if quiet else int(verbose)
    with _as_click_has_it():
        to = Output(Path(output_dir), chosen, recolor, *formats)
        work = Work(settings, to, reading, _readable_mask(mask), known, memory=memory)
        return run(images, work, crowd, as_json=as_json, verbosity=verbosity)


@contextmanager
def _as_click_has_it() -> Iterator[None]:
    """Make usage errors of what cannot be asked of a run, and errors of what fails as a whole."""
    try:
        yield
    except OptionError as error:
        if error.option is None:
            raise click.UsageError(str(error)) from None
        raise click.BadParameter(str(error), param_hint=f"'{error.option}'") from None
    except SegmentError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:  # before click makes a 1 of a closed pipe
        raise click.exceptions.Exit(_exit_code(error)) from None


def _taken(names: Iterable[str], options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of these names, and take them out of the others."""
    return {name: options.pop(name) for name in names}


def _settings(
    options: dict[str, Any],
    quantiles: tuple[float, ...] | None,
    bandwidths: tuple[float, ...] | None,
) -> tuple[Settings, tuple[Settings, ...]]:
    try:
        settings = Settings(**options)
        return settings, _swept(settings, quantiles, bandwidths)
    except SegmentError as error:  # what the options' types let through, such as nan
        raise click.UsageError(str(error)) from None


def _swept(
    settings: Settings, quantiles: tuple[float, ...] | None, bandwidths: tuple[float, ...] | None
) -> tuple[Settings, ...]:
    """Return the settings of each panel of a sweep; none if none is asked for."""
    if quantiles is not None:
        return tuple(replace(settings, quantile=quantile) for quantile in quantiles)
    return tuple(replace(settings, bandwidth=bandwidth) for bandwidth in bandwidths or ())


def _readable_mask(mask: str | None) -> Any:
    if mask is None:
        return None
    from pathlib import Path

    from segment.running.job import check_mask

    try:
        check_mask(Path(mask))
    except ImageFileError as error:
        raise click.BadParameter(f"{mask}: {error}", param_hint="'--mask'") from None
    return Path(mask)


def _known_model(path: str | None, settings: Settings) -> Any:
    if path is None:
        return None
    from segment.running.shared_model import saved_model

    features = settings.features if given("features") else None
    color_space = settings.color_space if given("color_space") else None
    try:
        return saved_model(path, features, color_space)
    except SegmentError as error:
        raise click.BadParameter(str(error), param_hint="'--model'") from None


def main() -> None:
    """Run the command and exit: 0 all done, 1 an image failed, 2 usage error, 130 interrupted."""
    gc.set_threshold(50_000)  # what is imported stays: 50 looks for garbage in it take 8 ms
    if sys.stderr is not None:
        sys.stderr = _beside(sys.stderr)
    if sys.platform == "win32":
        from colorama import just_fix_windows_console  # older consoles print codes as they are

        just_fix_windows_console()
    try:
        code = command.main(standalone_mode=False) or 0
        code = code or _flushed()
    except click.ClickException as error:
        _explain(error)
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        code = 130
    except OSError as error:
        code = _exit_code(error)
    os._exit(code)  # taking the interpreter down in good order costs 20 ms for nothing


def _beside(stderr: TextIO) -> TextIO:
    """Return a stderr of our own: C libraries' words are held back from the process's."""
    try:
        number = os.dup(stderr.fileno())
    except (OSError, ValueError, AttributeError):  # one in memory, in a notebook or a test
        return stderr
    return os.fdopen(number, "w", buffering=1, encoding=stderr.encoding, errors=stderr.errors)


def _explain(error: click.ClickException) -> None:
    """Say what click would print: how the command is used, and what was wrong."""
    shown = io.StringIO()
    error.show(shown)
    for line in shown.getvalue().splitlines():
        label, _, rest = line.partition(" ")
        say(*([bad(label), " ", rest] if label == "Error:" else [line]))


def _flushed() -> int:
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except OSError as error:
        return _exit_code(StdoutError(error.errno, error.strerror))
    return 0


def _exit_code(error: OSError) -> int:
    """Return the exit code, and say what the system refused; a closed pipe ends as its signal."""
    if error.errno == errno.EPIPE:
        return CLOSED_PIPE
    if isinstance(error, StdoutError):
        say(bad("error:"), f" cannot write to standard output: {error.strerror}")
    else:
        say(bad("error:"), f" {error}")
    return 1
