"""What became of each image: lines for people, lines for programs, the exit code."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127)}  # of lines and terminals


@dataclass(frozen=True)
class Outcome:
    """What became of one image; sizes in pixels, times in seconds."""

    input: str
    status: Literal["ok", "failed"]
    error: str | None = None
    outputs: list[str] = field(default_factory=list)
    width: int | None = None
    height: int | None = None
    bandwidth: float | None = None
    segments: int | None = None
    iterations: int | None = None
    seconds: float | None = None
    page: int | None = None
    warnings: tuple[str, ...] = ()
    details: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The input, and its page if it has several."""
        return self.input if self.page is None else f"{self.input}, page {self.page}"

    def facts(self) -> dict[str, Any]:
        """What `--json` tells: the page and warnings only where there are any.

        Bytes of a name that are not UTF-8 are spelt ``\\xe9``, so that any program can read it.
        """
        facts = asdict(self)
        del facts["details"]
        for rare in ("page", "warnings"):
            if not facts[rare]:
                del facts[rare]
        return {name: _in_utf8(value) for name, value in facts.items()}

    def line(self) -> str:
        """Say it in one line."""
        if self.status == "failed":
            return f"{self.name}: {self.error}"
        return (
            f"{self.name}: {' '.join(self.outputs)}  {self.width} x {self.height}, "
            f"bandwidth {self.bandwidth:.4g}, {self.segments} "
            f"segment{'' if self.segments == 1 else 's'}, {self.seconds:.2f} s"
        )


class Report:
    """Says what becomes of the images as they come, counts them, and owns the exit code.

    Parameters
    ----------
    as_json : bool
        One JSON object a line on stdout for each image.
    verbosity : int
        -1: only failures on stderr; 0: a line an image, and a summary where some failed and
        some did not; 1: iterations and a summary too.
    """

    def __init__(self, *, as_json: bool = False, verbosity: int = 0) -> None:
        self.as_json = as_json
        self.verbosity = verbosity
        self.done = 0
        self.failed = 0

    def add(self, outcome: Outcome) -> None:
        """Count an image and say what became of it."""
        if outcome.status == "failed":
            self.failed += 1
        else:
            self.done += 1
        if self.as_json:
            import json

            print(json.dumps(outcome.facts()), flush=True)
        self._tell(outcome)
        if outcome.status == "failed":
            say(f"error: {outcome.line()}")
        elif self.verbosity >= 1:
            say(f"{outcome.line()}, {outcome.iterations} iterations")
        elif self.verbosity == 0 and not self.as_json:
            say(outcome.line())

    def _tell(self, outcome: Outcome) -> None:
        if self.verbosity >= 0:
            for warning in outcome.warnings:
                say(f"warning: {outcome.name}: {warning}")
        if self.verbosity >= 1:
            for detail in outcome.details:
                say(f"{outcome.name}: {detail}")

    def close(self, *, interrupted: bool = False) -> int:
        """Say the summary where there is something to sum up; return the exit code."""
        mixed = self.failed and self.done and self.verbosity >= 0
        if interrupted or self.verbosity >= 1 or mixed:
            failed = f", {self.failed} failed" if self.failed else ""
            say(f"{'interrupted: ' if interrupted else ''}{self.done} done{failed}")
        if interrupted:
            return 130
        return 1 if self.failed else 0


def say(line: str) -> None:
    """Talk: one line, always to stderr, whatever characters a file name has."""
    if sys.stderr is None:  # closed by the caller
        return
    line = line.translate(CONTROLS)
    encoding = sys.stderr.encoding or "ascii"
    print(line.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr, flush=True)


def _in_utf8(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, (list, tuple)):
        return [_in_utf8(part) for part in value]
    return value
