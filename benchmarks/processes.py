"""Whole processes side by side: wall time in pairs, and the memory that the system counted."""

from __future__ import annotations

import json
import os
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

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
    used = usage_of(command)
    return used.seconds, used.peak / 1e6


class Usage(NamedTuple):
    """What a process took: wall time, time at work on all cores, bytes at its peak, its stdout."""

    seconds: float
    busy: float
    peak: int
    told: str


# A process begins with the peak of the one that starts it: so that is a small one.
STARTER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
with open(sys.argv[1], "wb") as told, open(sys.argv[2], "wb") as said:
    process = subprocess.Popen(sys.argv[3:], stdout=told, stderr=said)
_, status, usage = os.wait4(process.pid, 0)
seconds, busy = time.perf_counter() - start, usage.ru_utime + usage.ru_stime
print(json.dumps([os.waitstatus_to_exitcode(status), seconds, busy, usage.ru_maxrss * 1024]))
"""


def usage_of(command: list[str]) -> Usage:
    """Run a command, and end with what it said if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        told, said = Path(folder) / "told", Path(folder) / "said"
        starter = [sys.executable, "-I", "-S", "-c", STARTER, str(told), str(said), *command]
        done = subprocess.run(starter, stdout=subprocess.PIPE, env=AS_INSTALLED, check=True)
        code, seconds, busy, peak = json.loads(done.stdout)
        if code:
            words = said.read_text(errors="replace")
            raise SystemExit(f"{shlex.join(command)}: exit code {code}\n{words}")
        return Usage(seconds, busy, peak, told.read_text(errors="replace"))


def peak_of_this_process() -> int:
    """Return the most bytes that this process has had in memory since its program was started."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # of its starter, too
