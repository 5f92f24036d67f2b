"""Time whole runs over folders: workers beside one job, tiny images, a large tree, memory.

    python -m benchmarks.batch [--runs 3] [--check]

Prints each target and whether it holds; with --check the exit code is 1 if one does not.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.photos import photos
from benchmarks.processes import run
from benchmarks.targets import Target

COMMAND = [sys.executable, "-m", "segment"]
PHOTOS, TINY, TREE = 200, 10_000, 100_000


def photo_targets(folder: Path, runs: int) -> list[Target]:
    """The photos with two jobs beside one, in turn; every run writes to a folder of its own."""
    images = folder / "photos"
    images.mkdir()
    for number, pixels in enumerate(photos(None, PHOTOS)):
        Image.fromarray(pixels).save(images / f"{number:03}.jpg", quality=92)
    one, two = [], []
    for number in range(runs):
        for jobs, times in ((1, one), (2, two)):
            out = folder / f"photos-{jobs}-{number}"
            seconds, _ = run([*COMMAND, str(images), "-o", str(out), "-j", str(jobs), "--quiet"])
            times.append(seconds)
    ratio = statistics.median(a / b for a, b in zip(one, two, strict=True))
    rate = PHOTOS / statistics.median(two)
    return [
        Target(f"{PHOTOS} photos, two jobs, start included", rate, 60, "/s", at_least=True),
        Target(f"{PHOTOS} photos, one job / two jobs", ratio, 1.8, "x", at_least=True),
    ]


def tiny_targets(folder: Path, runs: int) -> list[Target]:
    """Ten thousand images of 16 x 16, once, and the memory of the process that hands them out."""
    images = folder / "tiny"
    images.mkdir()
    photo = photos(None, 1)[0]
    for number in range(TINY):
        top, left = number * 7 % 300, number * 13 % 460
        tile = np.ascontiguousarray(photo[top : top + 16, left : left + 16])
        Image.fromarray(tile).save(images / f"{number:05}.png")
    command = [*COMMAND, str(images), "-o", str(folder / "tiny-out"), "--quiet"]
    process = subprocess.Popen(command)
    start = time.perf_counter()
    memory = list(_memory_of(process))
    rate = TINY / (time.perf_counter() - start)
    early, late = memory[len(memory) // 4], memory[-1]
    return [
        Target(f"{TINY:,} tiny images", rate, 500, "/s", at_least=True),
        Target("growth of the parent over the last three quarters", late - early, 4, "MB"),
    ]


def _memory_of(process: subprocess.Popen[bytes]) -> Iterator[float]:
    """Resident megabytes of a process while it runs."""
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/statm").read_text().split()
        if status[0] != "0":
            yield int(status[1]) * resource.getpagesize() / 1e6
        time.sleep(0.05)


def scan_targets(folder: Path, runs: int) -> list[Target]:
    """A tree of many files: the time until the first image has an outcome."""
    content = b"not an image, told at once"
    for number in range(100):
        place = folder / "tree" / str(number // 10) / str(number)
        place.mkdir(parents=True)
        for image in range(TREE // 100):
            (place / f"{image:04}.jpg").write_bytes(content)
    command = [*COMMAND, str(folder / "tree"), "-r", "-o", str(folder / "tree-out"), "--fail-fast"]
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        assert process.stderr is not None
        process.stderr.readline()
        times.append(time.perf_counter() - start)
        process.communicate()
    return [Target(f"{TREE:,} files, until the first image", statistics.median(times), 3, "s")]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time whole runs over folders.")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, default 3")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    options = parser.parse_args()
    print(f"Targets ({os.cpu_count()} cores)")
    targets: list[Target] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for measure in (scan_targets, photo_targets, tiny_targets):
            measured = measure(folder, options.runs)
            print(*measured, sep="\n", flush=True)
            targets += measured
    if options.check and not all(target.holds for target in targets):
        sys.exit(1)


if __name__ == "__main__":
    main()
