"""The command that is run: where it is, its arguments, what it says while it works.

Nothing here knows QGIS, and nothing the package that it lies in: QGIS has a Python of its own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

NAME = "meanshift-segment"
VARIABLE = "MEANSHIFT_SEGMENT"  # of the environment: where the command is
METHODS = ("level", "quantile", "bandwidth", "radii")
FEATURES = ("color", "joint")
COLOR_SPACES = ("rgb", "lab", "luv", "hsv", "gray")
OPTIONS = {  # what each method takes, by the names of the options
    "level": ("level",),
    "quantile": ("quantile", "features", "color-space", "spatial-weight", "min-size"),
    "bandwidth": ("bandwidth", "features", "color-space", "spatial-weight", "min-size"),
    "radii": ("spatial-radius", "range-radius", "color-space", "min-size"),
}
STAGES = {"reading": 5, "segmenting": 15, "writing": 75}  # and how far each begins, in percent
BAR = re.compile(r"\W*(\w*)\W.*\d\d:\d\d\s*")
LOOK = 0.1  # seconds between two looks at whether to go on
GRACE = 5.0  # seconds to end in, before it is ended
BESIDE = ("bin", "Scripts", ".venv/bin", ".venv/Scripts")  # the last two of an editable install
FOREIGN = ("PYTHONHOME", "PYTHONPATH")  # QGIS's own, which would lead another Python astray


class CommandError(Exception):
    """The command is not there, or failed; the text is for the user."""


def find_command(chosen: str | None = None, here: Path = Path(__file__)) -> str:
    """Return the path of the command.

    It is the one that is chosen, by hand or by the variable MEANSHIFT_SEGMENT; or that of the
    Python environment which this folder, or what it links to, lies in; or one on the PATH.

    Raises
    ------
    CommandError
        If there is none.
    """
    named = chosen or os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise CommandError(f"expected {NAME} at {named!r}, but there is no program there")
        return found
    places = [str(parent / folder) for parent in here.resolve().parents for folder in BESIDE]
    found = shutil.which(NAME, path=os.pathsep.join(places)) or shutil.which(NAME)
    if found is None:
        raise CommandError(
            f"expected the command {NAME}, and found none; install it with 'pip install {NAME}' "
            f"and say where it is in the advanced parameters, or by the variable {VARIABLE}"
        )
    return found


def arguments(
    image: str,
    folder: str,
    labels: str,
    method: str,
    values: Mapping[str, Any],
    bands: Sequence[int] = (),
) -> list[str]:
    """Return the arguments of the command.

    Parameters
    ----------
    image : str
        The raster to read.
    folder : str
        Where polygons and the table go.
    labels : str
        The label map to write, a TIFF.
    method : {"level", "quantile", "bandwidth", "radii"}
    values : mapping of str to value
        By the names of options; those that the method does not take are left out, as are None.
    bands : sequence of int
        Numbers from 1 of those that take part; () for all.

    Examples
    --------
    >>> arguments("a.tif", "out", "labels.tif", "level", {"level": 1.0, "quantile": 0.1})[-2:]
    ['--level', '1.0']
    """
    words = [
        str(Path(image).absolute()),
        "--labels",
        labels,
        "--write",
        "polygons,regions",
        "-o",
        folder,
    ]
    # GDAL's own transform places them, whatever the raster has for one.
    words += ["--polygon-crs", "pixels", "--json", "--progress"]
    if bands:
        words += ["--bands", ",".join(map(str, bands))]
    said = {name: values.get(name) for name in OPTIONS[method]}
    if method == "radii":
        said["features"] = "joint"
    if said.get("features") != "joint":
        said.pop("spatial-weight", None)
    for name, value in said.items():
        if value is not None:
            words += [f"--{name}", str(value)]
    return words


def progress_in(text: str) -> int | None:
    """Return the percentage that a line of the command's bar tells; None for other lines.

    Examples
    --------
    >>> progress_in("segmenting ███       00:01"), progress_in("error: a.tif: is damaged")
    (15, None)
    >>> progress_in("                     00:02")  # as it is taken away
    0
    """
    bar = BAR.fullmatch(text)
    return STAGES.get(bar[1], 0) if bar else None


def run(
    command: list[str],
    *,
    tell: Callable[[str], None],
    advance: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> dict[str, Any] | None:
    """Run the command on one image.

    Parameters
    ----------
    command : list of str
        The program with its arguments.
    tell : callable
        Gets each line that is for the user.
    advance : callable
        Gets the percentage of a stage that begins.
    cancelled : callable
        Returns whether to stop; the command is ended then, and nothing else is.

    Returns
    -------
    outcome : dict or None
        What the command says of the image as JSON; None if it was stopped.

    Raises
    ------
    CommandError
        If it failed: in its own words.
    """
    said: list[str] = []
    with _started(command) as process:
        try:
            printed = _followed(process, said, tell, advance, cancelled)
        finally:
            _end(process)
    if printed is None:
        return None
    if process.returncode:
        raise CommandError("\n".join(said) or f"{NAME} ended with code {process.returncode}")
    outcome: dict[str, Any] = json.loads(printed)
    return outcome


def _started(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={name: value for name, value in os.environ.items() if name not in FOREIGN},
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _followed(
    process: subprocess.Popen[str],
    said: list[str],
    tell: Callable[[str], None],
    advance: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> str | None:
    """Pass on what is said until the command ends; return what it printed, None if it is to end."""
    lines: SimpleQueue[str | None] = SimpleQueue()
    printed: list[str] = []
    errors, output = process.stderr, process.stdout
    assert errors is not None
    assert output is not None
    threading.Thread(target=lambda: _put_lines(errors, lines), daemon=True).start()
    reader = threading.Thread(target=lambda: printed.append(output.read()), daemon=True)
    reader.start()
    while not cancelled():
        try:
            line = lines.get(timeout=LOOK)
        except Empty:
            continue
        if line is None:
            reader.join()
            process.wait()
            return "".join(printed)
        percent = progress_in(line)
        if percent is not None:
            advance(percent)
        elif line.strip():
            said.append(line)
            tell(line)
    return None


def _put_lines(stream: IO[str], lines: SimpleQueue[str | None]) -> None:
    """Put the lines of a stream into a queue, and None at its end."""
    for line in _lines(stream):
        lines.put(line)
    lines.put(None)


def _lines(stream: IO[str]) -> Iterator[str]:
    """Yield lines as they come, also those that a bar ends by going back to their beginning."""
    text = ""
    while True:
        character = stream.read(1)
        if character in ("\r", "\n", ""):
            yield text
            text = ""
        else:
            text += character
        if not character:
            return


def _end(process: subprocess.Popen[str]) -> None:
    """End the command, unless it has ended."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
