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

from benchmarks.instruction_sets import BASINS, COLOR, InstructionSet, Times
from benchmarks.joint_peers import crop_table, large_joint_targets, narrow_targets
from benchmarks.photos import large_photo, photos, texture
from benchmarks.processes import in_turn, run
from benchmarks.targets import Target
from segment.meanshift._instructions import AVAILABLE

PYTHON = [sys.executable, "-c"]
COMMAND = [sys.executable, "-m", "segment"]


def fit_scikit_learn(image: np.ndarray) -> None:
    points = image.reshape(-1, 3)
    bandwidth = sklearn.cluster.estimate_bandwidth(points, quantile=0.1, n_samples=500)
    sklearn.cluster.MeanShift(bandwidth=bandwidth, bin_seeding=True).fit(points)


SCIKIT_LEARN = "scikit-learn estimate_bandwidth + MeanShift"
OPENCV = "OpenCV pyrMeanShiftFiltering(10, 20)"
SLIC = "scikit-image slic"
EVERY = {SCIKIT_LEARN: 4}  # only each so manieth photo, of every source: a run takes seconds
PEERS: dict[str, Callable[[np.ndarray], object]] = {
    SCIKIT_LEARN: fit_scikit_learn,
    OPENCV: lambda image: cv2.pyrMeanShiftFiltering(image, 10, 20),
    SLIC: slic,
    "scikit-image felzenszwalb": felzenszwalb,
    "scikit-image quickshift": quickshift,
}
SHORT = {name: name.split()[0 if name in (SCIKIT_LEARN, OPENCV) else 1] for name in PEERS}


def seconds(call: Callable[[np.ndarray], object], image: np.ndarray) -> float:
    start = time.perf_counter()
    call(image)
    return time.perf_counter() - start


def photo_targets(images: list[np.ndarray], folder: Path) -> list[Target]:
    """Array in, labels out, photo by photo beside the peers, with every instruction set."""
    theirs: Times = {name: [] for name in PEERS}
    sets = {name: InstructionSet(name) for name in AVAILABLE}
    for number, image in enumerate(images):
        path = folder / "photo.npy"
        np.save(path, image)
        for name, peer in PEERS.items():
            if number % EVERY.get(name, 1) == 0:
                theirs[name].append(seconds(peer, image))
        for each in sets.values():
            each.time(path)
    for each in sets.values():
        each.close()
    ours = {name: each.times for name, each in sets.items()}
    steps, colors = texture(images)
    print(f"{len(images)} photos, {images[0].shape[1]} x {images[0].shape[0]}; medians: gradient")
    print(f"{steps:.1f} grey levels a pixel, {colors:.0f} colours. Ours is faster by the factors:")
    print(f"{'':40}{'median':>11}{''.join(f'{SHORT[name]:>16}' for name in PEERS)}")
    for name, times in theirs.items():
        print(f"{SHORT[name]:40}{statistics.median(times) * 1e3:8.1f} ms")
    for chosen, cases in ours.items():
        for case, times in cases.items():
            factors = "".join(f"{factor(theirs, name, times):14.1f} x" for name in PEERS)
            print(f"{f'{case}, {chosen}':40}{statistics.median(times) * 1e3:8.1f} ms{factors}")
    print(flush=True)
    best = list(ours)[-1]
    return [
        target
        for chosen in dict.fromkeys(["v3" if "v3" in ours else best, best])
        for target in set_targets(chosen, ours[chosen], theirs)
    ]


def factor(theirs: Times, name: str, ours: list[float]) -> float:
    """Median over the photos of what a peer takes and ours does not."""
    ours = ours[:: EVERY.get(name, 1)]
    return statistics.median(a / b for a, b in zip(theirs[name], ours, strict=True))


def set_targets(chosen: str, cases: Times, theirs: Times) -> list[Target]:
    """What one instruction set has to reach beside the peers."""
    joint = [case for case in cases if case not in (COLOR, BASINS)]
    limits = [(COLOR, SCIKIT_LEARN, 500), (COLOR, OPENCV, 10), (BASINS, OPENCV, 1)]
    limits += [(case, peer, least) for case in joint for peer, least in ((SLIC, 1), (OPENCV, 3))]
    return [
        Target(f"{chosen}, {case}: {SHORT[peer]}", factor(theirs, peer, cases[case]), least, "x",
               True)
        for case, peer, least in limits
    ]  # fmt: skip


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
        Target("--help / import click", helped.ratio, 1.4, "x"),
        Target("photo, whole command / import numpy, PIL, click", whole.ratio, 1.6, "x"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time segment beside its peers.")
    parser.add_argument(
        "--photos", type=Path, help="folder of JPEGs; default: cuts of bundled ones"
    )
    parser.add_argument("--count", type=int, default=20, help="photos to take, default 20")
    parser.add_argument("--runs", type=int, default=9, help="runs of each process, default 9")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    options = parser.parse_args()
    images = photos(options.photos, options.count)
    with tempfile.TemporaryDirectory() as name:
        targets = start_targets(Path(name), images[0], options.runs)
        targets += large_targets(Path(name), options.runs)
        targets += large_joint_targets(Path(name))
        targets += narrow_targets()
        targets += photo_targets(images, Path(name))
    crop_table(images[:3])
    print(f"\nTargets ({os.cpu_count()} cores)")
    print(*targets, sep="\n")
    if options.check and not all(target.holds for target in targets):
        sys.exit(1)


if __name__ == "__main__":
    main()
