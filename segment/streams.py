"""Standard input and output: their name on the command line, and what only one process can use."""

from __future__ import annotations

import errno
import stat
import sys
from typing import TYPE_CHECKING

from segment.errors import ImageFileError, StdoutError

if TYPE_CHECKING:
    from pathlib import Path

STANDARD = "-"  # standard input where a file is read, standard output where one is written


def is_standard(path: str | Path) -> bool:
    """Return whether a path stands for a standard stream.

    Examples
    --------
    >>> from pathlib import Path
    >>> is_standard("-"), is_standard(Path("-")), is_standard("./-")
    (True, True, False)
    """
    return str(path) == STANDARD


def is_stream(path: str | Path) -> bool:
    """Return whether only this process can read it, and once: standard input, or a pipe."""
    if is_standard(path):
        return True
    from pathlib import Path  # which --help does without

    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):  # not there; a name that no file can have
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def write_stdout(content: bytes) -> None:
    """Write all bytes to standard output.

    Raises
    ------
    ImageFileError
        If the caller closed it.
    StdoutError
        If it takes no more.
    """
    if sys.stdout is None:
        raise ImageFileError("standard output is closed; name a file")
    rest = memoryview(content)
    try:
        while rest:  # where Python does not buffer, the system may take a part and tell so
            rest = rest[sys.stdout.buffer.write(rest) :]
        sys.stdout.buffer.flush()
    except OSError as error:
        raise StdoutError(error.errno, error.strerror) from None


def print_stdout(line: str) -> None:
    """Print a line to standard output; StdoutError if it takes no more, or is closed."""
    if sys.stdout is None:
        raise StdoutError(errno.EBADF, "it is closed")
    try:
        print(line, flush=True)
    except OSError as error:
        raise StdoutError(error.errno, error.strerror) from None
