"""Score settings of `segment` against what people drew on the photos of BSDS500.

    python -m benchmarks.quality --bsds FOLDER [--split val] [--count 20] [--jobs 4]

Prints each setting's scores, the best over all of them (ODS: one setting for the whole
split; OIS: the best for each photo), and beside them what has been published. FOLDER holds
`images/<split>/*.jpg` and `groundTruth/<split>/*.mat`, as the data set comes.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

from benchmarks.region_scores import (
    RegionScores,
    ScoreTable,
    bsds_files,
    read_drawings,
    region_scores,
)
from segment import segment_image
from segment.threads import available_cores

SettingsTable = dict[str, dict[str, Any]]  # name -> keyword arguments of `segment_image`

JOINT = {"features": "joint", "color_space": "lab"}
RADII = JOINT | {"spatial_radius": 8, "range_radius": 7}
SETTINGS: SettingsTable = {
    "colour, defaults": {},
    "colour, Lab, 0.04, merge 16": {"color_space": "lab", "quantile": 0.04, "merge": 16},
    "joint, defaults": {"features": "joint"},
    "joint, Lab": JOINT,
    "joint, RGB, merge 50": {"features": "joint", "quantile": 0.05, "merge": 50},
    "joint, Lab, 0.05, merge 15": JOINT | {"quantile": 0.05, "merge": 15},
    "joint, Lab, bandwidth 8, merge 17": JOINT | {"bandwidth": 8, "merge": 17},
    "radii 8 and 7, Lab, basins, merge 15": RADII | {"assign": "basin", "merge": 15},
    "radii 4 and 3.5, Lab, Gaussian, merge 15": RADII
    | {"spatial_radius": 4, "range_radius": 3.5, "kernel": "gaussian", "merge": 15},
}

# ODS on the split `test`: Arbelaez et al., PAMI 2011 (see region_scores.py).
PUBLISHED = {
    "mean shift (EDISON), test": (0.54, 0.79, 1.85),
    "gPb-owt-ucm, test": (0.59, 0.83, 1.69),
}
MEASURES = {"covering": "covering", "rand_index": "PRI", "variation": "VI"}
WIDTH = 44  # of the names


class Outcome(NamedTuple):
    """What one setting gave on one photo, and the wall time of `segment_image`."""

    setting: str
    photo: str
    scores: RegionScores
    seconds: float


def score_photo(files: tuple[Path, Path], settings: SettingsTable) -> list[Outcome]:
    """Segment a photo with each setting on one thread; compare it with the drawings."""
    photo, truth = files
    image, drawings = np.asarray(Image.open(photo).convert("RGB")), read_drawings(truth)
    outcomes = []
    for name, options in settings.items():
        start = time.perf_counter()
        labels = segment_image(image, threads=1, **options).labels
        seconds = time.perf_counter() - start
        outcomes.append(Outcome(name, photo.stem, region_scores(labels, drawings), seconds))
    return outcomes


def score_photos(
    files: list[tuple[Path, Path]], settings: SettingsTable, jobs: int
) -> list[Outcome]:
    """Score all photos in worker processes; the order does not depend on their number."""
    os.environ["OMP_NUM_THREADS"] = "1"  # spawned workers read it as they import NumPy
    work = functools.partial(score_photo, settings=settings)
    spawn = multiprocessing.get_context("spawn")
    # Each worker begins with a photo that does not count: the first call imports and is slow.
    with ProcessPoolExecutor(jobs, spawn, initializer=work, initargs=files[:1]) as pool:
        outcomes = tqdm(pool.map(work, files), total=len(files), unit="photo")
        return [outcome for photo in outcomes for outcome in photo]


def report(outcomes: list[Outcome]) -> str:
    """Lay out the scores of each setting, the best of all, and the published ones."""
    table, seconds = ScoreTable(), defaultdict(list)
    for outcome in outcomes:
        table.add(outcome.setting, outcome.photo, outcome.scores)
        seconds[outcome.setting].append(outcome.seconds)
    ods, ois = table.ods(), table.ois()
    lines = [f"{'':{WIDTH}} covering     PRI      VI  segments  seconds"]
    lines += [
        f"{_row(name, [getattr(scores, measure) for measure in MEASURES])}"
        f"{scores.segments:10.1f}{statistics.fmean(seconds[name]):9.3f}"
        for name, scores in table.by_setting().items()
    ]
    lines += ["", _row("ODS, the best setting", [ods[measure].value for measure in MEASURES])]
    lines += [_row("OIS, the best setting for each photo", [ois[measure] for measure in MEASURES])]
    lines += [_row(name, values, digits=2) for name, values in PUBLISHED.items()]
    lines += [""]
    lines += [f"best {title:9} {ods[measure].setting}" for measure, title in MEASURES.items()]
    return "\n".join(lines)


def _row(name: str, values: Sequence[float], digits: int = 3) -> str:
    covering, rand_index, variation = (f"{value:.{digits}f}" for value in values)
    return f"{name:{WIDTH}}{covering:>9}{rand_index:>8}{variation:>8}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Score segment against human segmentations.")
    parser.add_argument("--bsds", type=Path, required=True, help="folder of BSDS500")
    parser.add_argument("--split", default="val", help="train, val or test; default val")
    parser.add_argument("--count", type=int, help="photos to take; default: all of the split")
    parser.add_argument("--jobs", type=int, default=available_cores(), help="worker processes")
    options = parser.parse_args()
    files = bsds_files(options.bsds, options.split)[: options.count]
    expected, folder = options.count or 1, options.bsds / "images" / options.split
    if len(files) < expected:
        raise SystemExit(f"{folder}: expected at least {expected} .jpg files, found {len(files)}")
    outcomes = score_photos(files, SETTINGS, options.jobs)
    print(f"BSDS500 {options.split}, {len(files)} photos, {options.jobs} at a time, a thread each")
    print(report(outcomes))


if __name__ == "__main__":
    main()
