"""Whole processes side by side: wall time in pairs, and the memory that the system counted."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from dataclasses import dataclass

NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
# Without bytecode, which users have, every process would compile what it imports.
AS_INSTALLED = {name: value for name, value in os.environ.items() if name != NO_BYTECODE}


@dataclass(frozen=True)
class Pairs:
    """Runs of two commands in turn.

    Attributes
    ----------
    seconds, other_seconds : float
        Median wall time of each.
    ratio : float
        Median of the ratios of the pairs: a machine whose speed drifts moves both.
    peak_megabytes : float
        Largest memory of the first command.
    """

    seconds: float
    other_seconds: float
    ratio: float
    peak_megabytes: float


def in_turn(command: list[str], other: list[str], runs: int) -> Pairs:
    """Run two commands in turn, after a run of each that does not count."""
    run(command), run(other)
    ours, theirs = zip(*[(run(command), run(other)) for _ in range(runs)], strict=True)
    return Pairs(
        statistics.median(seconds for seconds, _ in ours),
        statistics.median(seconds for seconds, _ in theirs),
        statistics.median(a / b for (a, _), (b, _) in zip(ours, theirs, strict=True)),
        max(megabytes for _, megabytes in ours),
    )


def run(command: list[str]) -> tuple[float, float]:
    """Run a command; return its wall time in seconds and its peak memory in megabytes."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=AS_INSTALLED
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    return seconds, usage.ru_maxrss * 1024 / 1e6
