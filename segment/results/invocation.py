"""The command that reads an image again as it was read."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from segment.reading.reading_options import ReadingOptions
from segment.streams import is_standard


def invocation(source: Path, reading: ReadingOptions, mask: Path | None = None) -> str:
    """Return a command that takes an image as a run took it, without what it makes of it.

    Parameters
    ----------
    source : Path
        The image; ``-`` is standard input.
    reading : ReadingOptions
        With the number of the page, where the file has several.
    mask : Path, optional

    Returns
    -------
    command : str
        Quoted for the shells of the system. Options are named where they are not the default.

    Examples
    --------
    >>> invocation(Path("photo.jpg"), ReadingOptions(page=2))
    'meanshift-segment photo.jpg --page 2'
    """
    words = ["meanshift-segment", _as_argument(source)]
    for name, value in vars(reading).items():
        if value != getattr(ReadingOptions, name):
            option = f"--{name.replace('_', '-')}"
            words += [option] if value is True else [option, _as_value(value)]
    if mask is not None:
        words += ["--mask", str(mask)]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def _as_value(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def page_read(reading: ReadingOptions, page: int | None) -> ReadingOptions:
    """Return how to read one page of all that were read."""
    return reading if page is None else replace(reading, page=page)


def _as_argument(source: Path) -> str:
    """Return a name that is not taken for an option."""
    name = str(source)
    return f".{os.sep}{name}" if name.startswith("-") and not is_standard(name) else name
