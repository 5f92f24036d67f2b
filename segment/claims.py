"""Files that a run reads or writes beside its images: no two outputs to one, none over an input."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

import click


def file_at(path: str | Path) -> str | None:
    """Tell a file's absolute path without links; None for standard streams, pipes and devices.

    Examples
    --------
    >>> file_at("-") is None, file_at("a/../b.png") == file_at("b.png")
    (True, True)
    """
    if str(path) == "-":
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
    """Tell the files that no image's results may replace.

    Parameters
    ----------
    read, written : mapping of option to path
        What the options name; None where they are not given.
    images : iterable of str
        Absolute paths of the inputs, without links. The files of `--labels` and `--segmented`
        are compared with them where they are written: which they are depends on the image.

    Raises
    ------
    click.UsageError
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
            raise click.UsageError(f"{option} {path} would replace an input; name another file.")
        if file in taken:
            raise click.UsageError(
                f"{option} {path} would replace the file of {taken[file]}; name another file."
            )
        taken[file] = option
    return frozenset(file for file, option in taken.items() if file and option not in own)
