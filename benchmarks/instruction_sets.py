"""The times of `segment_image` with each instruction set, each in a process of its own.

`python -m benchmarks.instruction_sets` is that process: for the path of an array on each line of
standard input it prints the seconds of every case, as JSON.
"""

from __future__ import annotations

import functools
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from segment import segment_image
from segment.meanshift._instructions import VARIABLE

RADII = [(15, 15), (25, 25), (40, 40)]  # (hs, hr): pixels, 8-bit values
COLOR = "colour, quantile 0.1"
BASINS = "joint (7, 7), Lab, basins"
CASES: dict[str, dict[str, Any]] = {
    COLOR: {},
    **{
        f"joint ({hs}, {hr}), min_size 50": {
            "features": "joint", "spatial_radius": hs, "range_radius": hr, "min_size": 50
        }
        for hs, hr in RADII
    },
    BASINS: {
        "features": "joint", "spatial_radius": 7, "range_radius": 7, "color_space": "lab",
        "assign": "basin",
    },
}  # fmt: skip
Times = dict[str, list[float]]


class InstructionSet:
    """A process that segments photos with one instruction set, in turn with what else is timed.

    Attributes
    ----------
    times : dict of str to list of float
        The seconds of every case on every photo so far.
    """

    def __init__(self, name: str) -> None:
        self.times: Times = {case: [] for case in CASES}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.instruction_sets"],
            env=os.environ | {VARIABLE: name},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def time(self, path: Path) -> None:
        """Segment one more photo, an array in a file."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(path, file=self._process.stdin, flush=True)
        for case, taken in json.loads(self._process.stdout.readline()).items():
            self.times[case].append(taken)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def seconds(image: np.ndarray, **options: Any) -> float:
    """Median of three: one run of a few milliseconds is noise."""
    call = functools.partial(segment_image, image, **options)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    for line in sys.stdin:
        photo = np.load(line.rstrip("\n"))
        taken = {case: seconds(photo, **options) for case, options in CASES.items()}
        print(json.dumps(taken), flush=True)
