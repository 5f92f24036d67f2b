"""Time the joint domain: crops beside scikit-learn, a large photo, narrow images."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import numpy as np
import sklearn.cluster
from PIL import Image

from benchmarks.instruction_sets import RADII, seconds
from benchmarks.photos import large_photo
from benchmarks.processes import run
from benchmarks.targets import Target
from segment import segment_image

LARGE_RADII = [(15, 20), (30, 30)]
CROP = 60, 80


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


def large_joint_targets(folder: Path) -> list[Target]:
    """12 million pixels: the time from array to regions, the memory of the whole command."""
    photo = folder / "large.jpg"
    large_photo(photo)
    image = np.asarray(Image.open(photo))
    targets = []
    for hs, hr in LARGE_RADII:
        options = {"features": "joint", "spatial_radius": hs, "range_radius": hr, "min_size": 50}
        taken = seconds(image, **options)
        radii = ["--spatial-radius", str(hs), "--range-radius", str(hr), "--min-size", "50"]
        command = [sys.executable, "-m", "segment", str(photo), "-o", str(folder)]
        _, megabytes = run([*command, "--features", "joint", *radii])
        targets += [
            Target(f"12 Mpx, joint ({hs}, {hr}), min_size 50: median", taken, 4, "s"),
            Target(f"12 Mpx, joint ({hs}, {hr}), whole command: peak", megabytes, 1500, "MB"),
        ]
    return targets


def narrow_targets() -> list[Target]:
    """Noise in one row or column beside as many pixels in a square."""
    noise = np.random.default_rng(0).integers(0, 256, (100_000, 3)).astype(np.uint8)
    square = seconds(noise[: 316 * 316].reshape(316, 316, 3), features="joint")
    return [
        Target(
            f"{rows} x {cols} pixels of noise, joint / 316 x 316",
            seconds(noise.reshape(rows, cols, 3), features="joint") / square,
            1,
            "x",
        )
        for rows, cols in ((1, 100_000), (100_000, 1))
    ]
