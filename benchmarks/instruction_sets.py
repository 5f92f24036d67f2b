"""The times of `segment_image` on photos with each instruction set, each in a process of its own.

`python -m benchmarks.instruction_sets photos.npz` is that process; it prints JSON.
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
from segment.meanshift._instructions import AVAILABLE, VARIABLE

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


def times_of_sets(images: list[np.ndarray], folder: Path) -> dict[str, Times]:
    """Seconds of every case on every photo, for each set that the processor has."""
    path = folder / "photos.npz"
    np.savez(path, *images)
    found = {}
    for name in AVAILABLE:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.instruction_sets", str(path)],
            env=os.environ | {VARIABLE: name},
            stdout=subprocess.PIPE,
            check=True,
        )
        found[name] = json.loads(done.stdout)
    return found


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
    with np.load(sys.argv[1]) as photos:
        images = [photos[name] for name in photos.files]
    segment_image(images[0])
    print(json.dumps({
        case: [seconds(image, **options) for image in images] for case, options in CASES.items()
    }))  # fmt: skip
