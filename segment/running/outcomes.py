"""What became of each image: lines for people, lines for programs, the exit code."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from segment.messages import Colored, bad, caution, good, say, spelt
from segment.progress import NoBar
from segment.streams import print_stdout

SCREENFUL = 20  # lines after which failures are out of sight: the summary names them again
MOST_NAMED = 100  # of those; a summary is not a log


@dataclass(frozen=True)
class Outcome:
    """What became of one image, or with "planned" will; sizes in pixels, times in seconds.

    `details` are for `-v` only; `more` are facts of some kinds of runs; `entry` is what the
    HTML report shows of the image; `remark` is what the line tells of bands.
    """

    input: str
    status: Literal["ok", "skipped", "failed", "planned"]
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
    more: dict[str, Any] = field(default_factory=dict)
    entry: Any = None
    remark: str | None = None

    @property
    def name(self) -> str:
        """The input, with its page if it has several."""
        return self.input if self.page is None else f"{self.input}, page {self.page}"

    def facts(self) -> dict[str, Any]:
        """Return what `--json` tells: the page and warnings only where there are any.

        Bytes of a name that are not UTF-8 are spelt ``\\xe9``, so that any program can read it.
        """
        facts = {name: _in_utf8(value) for name, value in vars(self).items()}
        for apart in ("details", "more", "entry", "remark"):
            del facts[apart]
        for rare in ("page", "warnings"):
            if not facts[rare]:
                del facts[rare]
        return facts | self.more

    def line(self) -> str:
        """Return it as one line of text."""
        if self.status == "failed":
            return f"{self.name}: {self.error}"
        if self.status == "planned":
            return f"{self.name}: {' '.join(self.outputs)}"
        if self.status == "skipped":
            return f"{self.name}: skipped, {' '.join(self.outputs)} complete"
        return (
            f"{self.name}: {' '.join(self.outputs)}  {self.width} x {self.height}, "
            f"{f'{self.remark}, ' if self.remark else ''}{self._found()}, {self.seconds:.2f} s"
        )

    def _found(self) -> str:
        if "sweep" in self.more:
            counts = [str(trial["segments"] or "no") for trial in self.more["sweep"]]
            return f"{', '.join(counts)} segments"
        plural = "" if self.segments == 1 else "s"
        if "level" in self.more:
            return f"level {self.more['level']:.4g}, {self.segments} segment{plural}"
        if "radii" in self.more:
            spatial, color = self.more["radii"]
            return f"radii {spatial:.4g} and {color:.4g}, {self.segments} segment{plural}"
        target = self.more.get("target_segments")
        nearest = f" (nearest to {target} segments)" if target is not None else ""
        return f"bandwidth {self.bandwidth:.4g}{nearest}, {self.segments} segment{plural}"


class Console:
    """Says what becomes of the images as they come, counts them, and owns the exit code.

    Parameters
    ----------
    as_json : bool
        One JSON object a line on stdout for each image.
    verbosity : int
        -1: only failures on stderr; 0: a line an image unless a bar is shown, and a summary
        of several images; 1: iterations, too, images that are skipped, and a summary always.
    bar : NoBar, optional
        To be kept in one piece while lines are said.
    """

    def __init__(
        self, *, as_json: bool = False, verbosity: int = 0, bar: NoBar | None = None
    ) -> None:
        self.as_json = as_json
        self.verbosity = verbosity
        self.bar = bar or NoBar()
        self.done = 0
        self.skipped = 0
        self.failed = 0
        self._failures: list[str] = []
        self._start = time.perf_counter()

    def add(self, outcome: Outcome) -> None:
        """Count an image and say what became of it."""
        if outcome.status == "failed":
            self.failed += 1
            if len(self._failures) < MOST_NAMED:
                self._failures.append(outcome.line())
        elif outcome.status == "skipped":
            self.skipped += 1
        else:
            self.done += 1
        self._tell(outcome)
        self.bar.count(outcome.input, outcome.status)

    def note(self, line: str) -> None:
        """Say something for those who want to know more, with `--verbose`."""
        if self.verbosity >= 1:
            self._say(line)

    def close(self, *, interrupted: bool = False) -> int:
        """Say the summary where there is something to sum up; return the exit code."""
        self.bar.close()
        total = self.done + self.skipped + self.failed
        if interrupted or self.verbosity >= 1 or (self.verbosity == 0 and total > 1):
            if total > SCREENFUL:
                self._name_failures()
            say(*self._summary(interrupted))
        if interrupted:
            return 130
        return 1 if self.failed else 0

    def _tell(self, outcome: Outcome) -> None:
        if self.as_json:
            import json

            with self.bar.aside():
                print_stdout(json.dumps(outcome.facts()))
        self._remark(outcome)
        if outcome.status == "failed":
            self._say(bad("error:"), f" {outcome.line()}")
        elif outcome.status == "planned":
            if not self.as_json:
                print_stdout(spelt(outcome.line(), sys.stdout))
        elif self.verbosity >= 1 and outcome.status == "ok":
            climbed = f", {outcome.iterations} iterations" if outcome.iterations is not None else ""
            self._say(f"{outcome.line()}{climbed}")
        elif outcome.status == "skipped" and self.verbosity < 1:
            return
        elif self.verbosity >= int(self.bar.stands_for_lines) and not self.as_json:
            self._say(outcome.line())

    def _remark(self, outcome: Outcome) -> None:
        if self.verbosity >= 0:
            for warning in outcome.warnings:
                self._say(caution("warning:"), f" {outcome.name}: {warning}")
        for detail in outcome.details:
            self.note(f"{outcome.name}: {detail}")

    def _say(self, *parts: str | Colored) -> None:
        with self.bar.aside():
            say(*parts)

    def _summary(self, interrupted: bool) -> list[str | Colored]:
        parts: list[str | Colored] = [caution("interrupted:"), " "] if interrupted else []
        done = f"{self.done} done"
        parts.append(good(done) if self.done else done)
        parts += [f", {self.skipped} skipped"] if self.skipped else []
        parts += [", ", bad(f"{self.failed} failed")] if self.failed else []
        if self.done > 1:
            seconds = time.perf_counter() - self._start
            parts.append(f", {self.done / seconds:.3g} images/s")
        return parts

    def _name_failures(self) -> None:
        for line in self._failures:
            say(bad("failed:"), f" {line}")
        if self.failed > len(self._failures):
            say(bad("failed:"), f" and {self.failed - len(self._failures)} more")


def _in_utf8(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, (list, tuple)):
        return [_in_utf8(part) for part in value]
    return value
