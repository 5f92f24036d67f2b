"""Time the joint domain: photos beside the peers, crops beside scikit-learn, a large photo."""

from __future__ import annotations

import functools
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import sklearn.cluster
from PIL import Image

from benchmarks.photos import large_photo
from benchmarks.processes import run
from benchmarks.targets import Target
from segment import segment_image

RADII = [(15, 15), (25, 25), (40, 40)]  # (hs, hr): pixels, 8-bit values
LARGE_RADII = [(15, 20), (30, 30)]
CROP = 60, 80
MODES: dict[str, dict[str, Any]] = {
    f"joint ({hs}, {hr}), min_size 50": {
        "features": "joint", "spatial_radius": hs, "range_radius": hr, "min_size": 50
    }
    for hs, hr in RADII
}  # fmt: skip
BASINS: dict[str, Any] = {
    "features": "joint",
    "spatial_radius": 7,
    "range_radius": 7,
    "color_space": "lab",
    "assign": "basin",
}


def joint_targets(images: list[np.ndarray], peers: dict[str, list[float]]) -> list[Target]:
    """Array in, regions out; `peers` has the seconds that others took for the same photos."""
    rivals = {name: times for name, times in peers.items() if "OpenCV" in name or "slic" in name}
    targets = []
    for name, options in MODES.items():
        ours = [seconds(image, **options) for image in images]
        targets.append(Target(f"{name}: median", statistics.median(ours) * 1e3, 100, "ms"))
        for rival, times in rivals.items():
            ratio = statistics.median(a / b for a, b in zip(times, ours, strict=True))
            targets.append(Target(f"{name}: {rival} / ours", ratio, 1, "x", True))
    basins = statistics.median(seconds(image, **BASINS) for image in images) * 1e3
    return [*targets, Target("joint (7, 7), Lab, basins: median", basins, 250, "ms")]


def crop_table(images: list[np.ndarray]) -> None:
    """Print how scikit-learn's mean shift on the same points compares, and what it answers."""
    print(f"\nCrops of {CROP[1]} x {CROP[0]} pixels, medians")
    print(f"{'':16}{'scikit-learn':>14}{'ours':>10}{'ours is faster by':>20}{'labels equal':>14}")
    for hs, hr in RADII:
        rows = [_beside_scikit_learn(image[: CROP[0], : CROP[1]], hs, hr) for image in images]
        theirs, ours, ratio, equal = map(statistics.median, zip(*rows, strict=True))
        print(
            f"joint ({hs}, {hr})  {theirs * 1e3:11.0f} ms{ours * 1e3:7.1f} ms"
            f"{ratio:18.0f} x{equal:13.2%}"
        )


def _beside_scikit_learn(image: np.ndarray, hs: int, hr: int) -> tuple[float, float, float, float]:
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    points = np.dstack([x / hs, y / hs, image / hr]).reshape(-1, 5)
    start = time.perf_counter()
    theirs = sklearn.cluster.MeanShift(bandwidth=1.0, bin_seeding=True).fit(points)
    between = time.perf_counter()
    ours = segment_image(
        image, features="joint", spatial_radius=hs, range_radius=hr, connected=False
    )
    end = time.perf_counter()
    equal = np.mean(theirs.labels_ + 1 == ours.labels.ravel())
    return between - start, end - between, (between - start) / (end - between), float(equal)


def large_joint_targets(folder: Path, runs: int = 3) -> list[Target]:
    """12 million pixels: the time from array to regions, the memory of the whole command."""
    photo = folder / "large.jpg"
    large_photo(photo)
    image = np.asarray(Image.open(photo))
    targets = []
    for hs, hr in LARGE_RADII:
        options = {"features": "joint", "spatial_radius": hs, "range_radius": hr, "min_size": 50}
        taken = statistics.median(seconds(image, **options) for _ in range(runs))
        radii = ["--spatial-radius", str(hs), "--range-radius", str(hr), "--min-size", "50"]
        command = [sys.executable, "-m", "segment", str(photo), "-o", str(folder)]
        _, megabytes = run([*command, "--features", "joint", *radii])
        targets += [
            Target(f"12 Mpx, joint ({hs}, {hr}), min_size 50: median", taken, 4, "s"),
            Target(f"12 Mpx, joint ({hs}, {hr}), whole command: peak", megabytes, 1500, "MB"),
        ]
    return targets


def seconds(image: np.ndarray, **options: Any) -> float:
    """Median of three."""
    call = functools.partial(segment_image, image, **options)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
