"""What the command says to people: lines on stderr, in colour where somebody watches."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple, TextIO

CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127)}  # of lines and terminals


class Colored(NamedTuple):
    """A part of a line in a colour of the terminal's own palette, by its number in ECMA-48."""

    text: str
    number: int


def good(text: str) -> Colored:
    """Return a part of a line in green: what was done."""
    return Colored(text, 32)


def caution(text: str) -> Colored:
    """Return a part of a line in yellow: what may be wrong."""
    return Colored(text, 33)


def bad(text: str) -> Colored:
    """Return a part of a line in red: what failed."""
    return Colored(text, 31)


def say(*parts: str | Colored) -> None:
    """Talk: one line, always to stderr, whatever characters a file name has.

    Parameters
    ----------
    *parts : str or Colored
        Put together without spaces between them; in colour if `in_color` allows it.
    """
    if sys.stderr is None:  # closed by the caller
        return
    colored = in_color(sys.stderr)
    print(*(_painted(part, colored) for part in parts), sep="", file=sys.stderr, flush=True)


def in_color(stream: TextIO) -> bool:
    """Return whether lines on a stream are to have colours.

    Environment variables decide as they do for Python's own tracebacks: any ``NO_COLOR`` but an
    empty one forbids them, else any ``FORCE_COLOR`` demands them, also in files and pipes, else
    a terminal has them unless ``TERM`` is ``dumb``.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and on_terminal(stream)


def on_terminal(stream: TextIO | None) -> bool:
    """Return whether somebody watches a stream."""
    try:
        return stream is not None and stream.isatty()
    except (AttributeError, ValueError):  # one that cannot tell; one that is closed
        return False


def spelt(line: str, stream: TextIO | None) -> str:
    r"""Return a line as a stream can take it: bytes that are no text, and controls, spelt out.

    Examples
    --------
    >>> print(spelt("red\x1b[31m.png", None))
    red\x1b[31m.png
    """
    encoding = getattr(stream, "encoding", None) or "ascii"
    text = line.translate(CONTROLS).encode("utf-8", "surrogateescape")
    as_text = text.decode("utf-8", "backslashreplace")
    return as_text.encode(encoding, "backslashreplace").decode(encoding)


def _painted(part: str | Colored, colored: bool) -> str:
    if isinstance(part, str):
        return spelt(part, sys.stderr)
    text = spelt(part.text, sys.stderr)
    return f"\x1b[{part.number}m{text}\x1b[0m" if colored else text
