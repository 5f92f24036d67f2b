"""Score settings of `segment` against what people drew on the photos of BSDS500.

    python -m benchmarks.quality --bsds FOLDER [--split val] [--count 20] [--jobs 4]
                                 [--trees] [--peers]

Prints each setting's scores, the best over all of them (ODS: one setting for the whole
split; OIS: the best for each photo), the same over the levels of the hierarchy, and beside
them what has been published. `--trees` scores the hierarchy alone; `--peers` slic and
felzenszwalb of scikit-image, too, each at several settings. FOLDER holds
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
from collections.abc import Callable, Sequence
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
from segment import hierarchy, segment_image
from segment.threads import available_cores

SettingsTable = dict[str, dict[str, Any]]  # name -> keyword arguments of `segment_image`

SETTINGS: SettingsTable = {
    "colour, defaults": {},
    "joint, defaults": {"features": "joint"},
    "joint, Lab": {"features": "joint", "color_space": "lab"},
}
LEVELS = [round(0.3 + step / 20, 2) for step in range(40)]  # of the hierarchy, 0.3 to 2.25
NUMBERS = [4, 8, 12, 16]  # of segments
CUTS: SettingsTable = {f"hierarchy, level {level:g}": {"level": level} for level in LEVELS} | {
    f"hierarchy, {count} segments": {"segments": count} for count in NUMBERS
}
USUAL = "hierarchy, level 1"
# Of scikit-image: the parameter that parts fine from coarse, and values from fine to coarse. Their
# row says the best that a method can do with one setting for all photos, as for ours.
PEERS: dict[str, tuple[str, tuple[float, ...], dict[str, Any]]] = {
    "slic": ("n_segments", (100, 50, 25, 16, 12, 8, 4), {"start_label": 1}),
    "felzenszwalb": ("scale", (100, 300, 600, 1000, 2000, 4000), {"sigma": 0.8, "min_size": 150}),
}

# ODS on the split `test`: Arbelaez et al., PAMI 2011 (see region_scores.py).
PUBLISHED = {
    "mean shift (EDISON), test": (0.54, 0.79, 1.85),
    "gPb-owt-ucm, test": (0.59, 0.83, 1.69),
}
MEASURES = {"covering": "covering", "rand_index": "PRI", "variation": "VI"}
WIDTH = 44  # of the names


class Outcome(NamedTuple):
    """What one setting gave on one photo, and the wall time of it, or of the tree it cuts."""

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


def score_peers(files: tuple[Path, Path]) -> list[Outcome]:
    """Segment a photo by the peers at each of their settings; compare with the drawings."""
    from skimage import segmentation

    photo, truth = files
    image, drawings = np.asarray(Image.open(photo).convert("RGB")), read_drawings(truth)
    outcomes = []
    for method, (knob, values, others) in PEERS.items():
        segment: Callable[..., np.ndarray] = getattr(segmentation, method)
        for value in values:
            start = time.perf_counter()
            labels = segment(image, **{knob: value}, **others)
            seconds = time.perf_counter() - start
            scores = region_scores(labels, drawings)
            outcomes.append(Outcome(f"{method}, {knob} {value:g}", photo.stem, scores, seconds))
    return outcomes


def score_tree(files: tuple[Path, Path]) -> list[Outcome]:
    """Grow the tree of a photo on one thread; compare its cuts with the drawings."""
    photo, truth = files
    image, drawings = np.asarray(Image.open(photo).convert("RGB")), read_drawings(truth)
    start = time.perf_counter()
    tree = hierarchy(image, threads=1)
    seconds = time.perf_counter() - start
    return [
        Outcome(name, photo.stem, region_scores(tree.cut(**cut).labels, drawings), seconds)
        for name, cut in CUTS.items()
    ]


def score_all(
    files: tuple[Path, Path], settings: SettingsTable, peers: bool = False
) -> list[Outcome]:
    """Score the settings, the hierarchy and, if asked for, the peers on a photo."""
    beside = score_peers(files) if peers else []
    return score_photo(files, settings) + score_tree(files) + beside


def score_photos(
    files: list[tuple[Path, Path]], settings: SettingsTable, jobs: int, peers: bool = False
) -> list[Outcome]:
    """Score all photos in worker processes; the order does not depend on their number."""
    os.environ["OMP_NUM_THREADS"] = "1"  # spawned workers read it as they import NumPy
    work = functools.partial(score_all, settings=settings, peers=peers)
    spawn = multiprocessing.get_context("spawn")
    # Each worker begins with a photo that does not count: the first call imports and is slow.
    with ProcessPoolExecutor(jobs, spawn, initializer=work, initargs=files[:1]) as pool:
        outcomes = tqdm(pool.map(work, files), total=len(files), unit="photo")
        return [outcome for photo in outcomes for outcome in photo]


def report(outcomes: list[Outcome]) -> str:
    """Lay out the scores of each setting, the best of all, of all levels, and published ones."""
    lines = [f"{'':{WIDTH}} covering     PRI      VI  segments  seconds"]
    levels = [name for name, cut in CUTS.items() if "level" in cut]
    beside = {
        method: [outcome for outcome in outcomes if outcome.setting.startswith(f"{method},")]
        for method in PEERS
    }
    others = {*CUTS, *(outcome.setting for tried in beside.values() for outcome in tried)}
    for noun, chosen in (
        ("setting", [outcome for outcome in outcomes if outcome.setting not in others]),
        ("level", [outcome for outcome in outcomes if outcome.setting in levels]),
    ):
        if chosen:
            lines += [*_best(chosen, noun), ""]
    lines += _rows([outcome for outcome in outcomes if outcome.setting in {*CUTS} - {*levels}])
    lines += [_best_of(tried, method) for method, tried in beside.items() if tried]
    lines += [_row(name, values, digits=2) for name, values in PUBLISHED.items()]
    return "\n".join(lines)


def _best(outcomes: list[Outcome], noun: str) -> list[str]:
    """Lay out rows, of levels only that of 1, then the best for all photos and for each."""
    table = ScoreTable()
    for outcome in outcomes:
        table.add(outcome.setting, outcome.photo, outcome.scores)
    ods, ois = table.ods(), table.ois()
    shown = outcomes
    if noun == "level":
        shown = [outcome for outcome in outcomes if outcome.setting == USUAL]
    lines = _rows(shown)
    lines += [_row(f"ODS, the best {noun}", [ods[measure].value for measure in MEASURES])]
    lines += [_row(f"OIS, the best {noun} for each photo", [ois[m] for m in MEASURES])]
    return lines + [f"best {title:9} {ods[m].setting}" for m, title in MEASURES.items()]


def _best_of(outcomes: list[Outcome], method: str) -> str:
    """Lay out what a peer scores with the best of its settings for each measure, and its time."""
    table = ScoreTable()
    for outcome in outcomes:
        table.add(outcome.setting, outcome.photo, outcome.scores)
    ods = table.ods()
    segments = table.by_setting()[ods["covering"].setting].segments
    seconds = statistics.fmean(outcome.seconds for outcome in outcomes)
    row = _row(f"{method}, ODS of its settings", [ods[measure].value for measure in MEASURES])
    return f"{row}{segments:10.1f}{seconds:9.3f}"


def _rows(outcomes: list[Outcome]) -> list[str]:
    if not outcomes:
        return []
    table, seconds = ScoreTable(), defaultdict(list)
    for outcome in outcomes:
        table.add(outcome.setting, outcome.photo, outcome.scores)
        seconds[outcome.setting].append(outcome.seconds)
    return [
        f"{_row(name, [getattr(scores, measure) for measure in MEASURES])}"
        f"{scores.segments:10.1f}{statistics.fmean(seconds[name]):9.3f}"
        for name, scores in table.by_setting().items()
    ]


def _row(name: str, values: Sequence[float], digits: int = 3) -> str:
    covering, rand_index, variation = (f"{value:.{digits}f}" for value in values)
    return f"{name:{WIDTH}}{covering:>9}{rand_index:>8}{variation:>8}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Score segment against human segmentations.")
    parser.add_argument("--bsds", type=Path, required=True, help="folder of BSDS500")
    parser.add_argument("--split", default="val", help="train, val or test; default val")
    parser.add_argument("--count", type=int, help="photos to take; default: all of the split")
    parser.add_argument("--jobs", type=int, default=available_cores(), help="worker processes")
    parser.add_argument("--trees", action="store_true", help="score the hierarchy alone")
    parser.add_argument("--peers", action="store_true", help="score slic and felzenszwalb, too")
    options = parser.parse_args()
    files = bsds_files(options.bsds, options.split)[: options.count]
    expected, folder = options.count or 1, options.bsds / "images" / options.split
    if len(files) < expected:
        raise SystemExit(f"{folder}: expected at least {expected} .jpg files, found {len(files)}")
    settings = {} if options.trees else SETTINGS
    outcomes = score_photos(files, settings, options.jobs, options.peers)
    print(f"BSDS500 {options.split}, {len(files)} photos, {options.jobs} at a time, a thread each")
    print(report(outcomes))


if __name__ == "__main__":
    main()
