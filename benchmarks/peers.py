"""Time `segment` beside its peers on the same photos in one run.

    python -m benchmarks.peers [--photos FOLDER] [--count 20] [--check]

Prints medians and ratios, then each target and whether it holds; with --check the exit code
is 1 if one does not. Needs the extra `bench`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import sklearn.cluster
from PIL import Image
from skimage.segmentation import felzenszwalb, quickshift, slic

from benchmarks.joint_peers import crop_table, joint_targets, large_joint_targets
from benchmarks.photos import large_photo, photos
from benchmarks.processes import in_turn, run
from benchmarks.targets import Target
from segment import segment_image

PYTHON = [sys.executable, "-c"]
COMMAND = [sys.executable, "-m", "segment"]


def fit_scikit_learn(image: np.ndarray) -> None:
    points = image.reshape(-1, 3)
    bandwidth = sklearn.cluster.estimate_bandwidth(points, quantile=0.1, n_samples=500)
    sklearn.cluster.MeanShift(bandwidth=bandwidth, bin_seeding=True).fit(points)


def segment_thrice(image: np.ndarray) -> float:
    """Median of three: one run of a few milliseconds is noise."""
    return statistics.median(seconds(segment_image, image) for _ in range(3))


PEERS: dict[str, Callable[[np.ndarray], object]] = {
    "scikit-learn estimate_bandwidth + MeanShift": fit_scikit_learn,
    "OpenCV pyrMeanShiftFiltering(10, 20)": lambda image: cv2.pyrMeanShiftFiltering(image, 10, 20),
    "scikit-image slic": slic,
    "scikit-image felzenszwalb": felzenszwalb,
    "scikit-image quickshift": quickshift,
}


def seconds(call: Callable[[np.ndarray], object], image: np.ndarray) -> float:
    start = time.perf_counter()
    call(image)
    return time.perf_counter() - start


def photo_targets(images: list[np.ndarray]) -> list[Target]:
    """Array in, labels out, photo by photo beside the peers."""
    segment_image(images[0])
    ours, theirs = [], {name: [] for name in PEERS}
    for image in images:
        ours.append(segment_thrice(image))
        for name, peer in PEERS.items():
            theirs[name].append(seconds(peer, image))
    print(f"{len(images)} photos, {images[0].shape[1]} x {images[0].shape[0]}, quantile 0.1")
    print(f"{'':46}{'median':>10}{'ours is faster by':>20}")
    print(f"{'segment_image':46}{statistics.median(ours) * 1e3:7.1f} ms")
    ratios = {
        name: statistics.median(a / b for a, b in zip(times, ours, strict=True))
        for name, times in theirs.items()
    }
    for name, times in theirs.items():
        print(f"{name:46}{statistics.median(times) * 1e3:7.1f} ms{ratios[name]:18.1f} x")
    return [
        Target("photo, array in, labels out: median", statistics.median(ours) * 1e3, 10, "ms"),
        Target("photo, scikit-learn / segment_image", ratios[next(iter(PEERS))], 500, "x", True),
        *joint_targets(images, theirs),
    ]


def large_targets(folder: Path, runs: int) -> list[Target]:
    """The whole command on 12 million pixels beside the least that it has to do."""
    photo, labels = folder / "large.jpg", folder / "labels.npy"
    large_photo(photo)
    command = [*COMMAND, str(photo), "-o", str(folder)]
    run(command)
    np.save(labels, np.asarray(Image.open(folder / "large_labels.png")))
    floor = [sys.executable, "-m", "benchmarks.floor", str(photo), str(labels), str(folder / "f")]
    floor[-1] += ".png"
    by_quantile = in_turn(command, floor, runs)
    by_bandwidth = in_turn([*command, "--bandwidth", "20"], floor, runs)
    return [
        Target("12 Mpx, whole command, --bandwidth / floor", by_bandwidth.ratio, 1.5, "x"),
        Target("12 Mpx, whole command, --quantile / floor", by_quantile.ratio, 2.0, "x"),
        Target("12 Mpx, peak memory", by_quantile.peak_megabytes, 500, "MB"),
    ]


def start_targets(folder: Path, image: np.ndarray, runs: int) -> list[Target]:
    """The whole command on a photo, and its help, beside the imports alone."""
    photo = folder / "photo.png"
    Image.fromarray(image).save(photo)
    helped = in_turn([*COMMAND, "--help"], [*PYTHON, "import click"], runs)
    whole = in_turn(
        [*COMMAND, str(photo), "-o", str(folder)],
        [*PYTHON, "import numpy, PIL.Image, click"],
        runs,
    )
    return [
        Target("--help / import click", helped.ratio, 1.5, "x"),
        Target("photo, whole command / import numpy, PIL, click", whole.ratio, 1.6, "x"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time segment beside its peers.")
    parser.add_argument("--photos", type=Path, help="folder of JPEGs; default: cuts of the samples")
    parser.add_argument("--count", type=int, default=20, help="photos to take, default 20")
    parser.add_argument("--runs", type=int, default=15, help="runs of each process, default 15")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    options = parser.parse_args()
    images = photos(options.photos, options.count)
    with tempfile.TemporaryDirectory() as name:
        targets = start_targets(Path(name), images[0], options.runs)
        targets += large_targets(Path(name), options.runs)
        targets += large_joint_targets(Path(name))
    targets += photo_targets(images)
    crop_table(images[:5])
    print(f"\nTargets ({os.cpu_count()} cores)")
    print(*targets, sep="\n")
    if options.check and not all(target.holds for target in targets):
        sys.exit(1)


if __name__ == "__main__":
    main()
