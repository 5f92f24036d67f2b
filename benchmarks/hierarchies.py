"""Time `segment.hierarchy` beside what scikit-image has for the same purpose, in one run.

    python -m benchmarks.hierarchies [--photos FOLDER] [--count 10] [--check]

Prints medians and ratios, then each target and whether it holds; with --check the exit code
is 1 if one does not. The peers: `felzenszwalb` gives one segmentation by a scale, no tree;
`slic` with a region adjacency graph and `merge_hierarchical` gives one up to a threshold.
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
from typing import Any

import numpy as np
from skimage import graph
from skimage.segmentation import felzenszwalb, slic

from benchmarks.photos import large_photo, photos
from benchmarks.processes import run
from benchmarks.targets import Target
from segment import hierarchy

GROW = (
    "import sys, time, numpy as np; from PIL import Image; from segment import hierarchy; "
    "image = np.asarray(Image.open(sys.argv[1])); start = time.perf_counter(); hierarchy(image); "
    "open(sys.argv[2], 'w').write(str(time.perf_counter() - start))"
)


def slic_and_merge(image: np.ndarray) -> np.ndarray:
    """Superpixels as many as our base regions, merged by their mean colours."""
    superpixels = slic(image, n_segments=1200, start_label=0)
    regions = graph.rag_mean_color(image, superpixels)
    return graph.merge_hierarchical(
        superpixels,
        regions,
        thresh=35,
        rag_copy=False,
        in_place_merge=True,
        merge_func=_add_colors,
        weight_func=_difference,
    )


def _add_colors(regions: Any, source: int, target: int) -> None:
    one, other = regions.nodes[target], regions.nodes[source]
    for key in ("total color", "pixel count"):
        one[key] += other[key]
    one["mean color"] = one["total color"] / one["pixel count"]


def _difference(regions: Any, source: int, target: int, neighbor: int) -> dict[str, float]:
    nodes = regions.nodes
    step = nodes[target]["mean color"] - nodes[neighbor]["mean color"]
    return {"weight": float(np.linalg.norm(step))}


CALLS: dict[str, Callable[[np.ndarray], object]] = {
    "segment.hierarchy": hierarchy,
    "scikit-image felzenszwalb": felzenszwalb,
    "scikit-image slic + merge_hierarchical": slic_and_merge,
}


def photo_targets(images: list[np.ndarray]) -> list[Target]:
    """Array in, tree out, photo by photo beside the peers; then a cut and the map of heights."""
    times: dict[str, list[float]] = {name: [] for name in CALLS}
    cuts, maps = [], []
    for call in CALLS.values():
        call(images[0])  # the first call imports
    for image in images:
        for name, call in CALLS.items():
            times[name].append(seconds(lambda call=call, image=image: call(image)))
        tree = hierarchy(image)
        cuts.append(seconds(lambda tree=tree: tree.cut(1.0)))
        maps.append(seconds(tree.boundaries))
    ours = times["segment.hierarchy"]
    print(f"{len(images)} photos, {images[0].shape[1]} x {images[0].shape[0]}")
    print(f"{'':46}{'median':>10}{'ours is faster by':>20}")
    for name, theirs in times.items():
        ratio = statistics.median(a / b for a, b in zip(theirs, ours, strict=True))
        print(f"{name:46}{statistics.median(theirs) * 1e3:7.1f} ms{ratio:18.1f} x")
    return [
        Target("photo, array in, tree out: median", statistics.median(ours), 0.5, "s"),
        Target("photo, a cut: median", statistics.median(cuts) * 1e3, 5, "ms"),
        Target("photo, ultrametric map: median", statistics.median(maps) * 1e3, 50, "ms"),
    ]


def large_targets(folder: Path) -> list[Target]:
    """12 million pixels in a process of their own."""
    photo, told = folder / "large.jpg", folder / "seconds"
    large_photo(photo)
    _, megabytes = run([sys.executable, "-c", GROW, str(photo), str(told)])
    return [
        Target("12 Mpx, array in, tree out", float(told.read_text()), 40, "s"),
        Target("12 Mpx, peak memory of the process", megabytes, 2000, "MB"),
    ]


def seconds(call: Callable[[], object]) -> float:
    """Return the shortest of three: what else the machine does only adds."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the hierarchy beside its peers.")
    parser.add_argument("--photos", type=Path, help="folder of JPEGs; default: cuts of the samples")
    parser.add_argument("--count", type=int, default=10, help="photos to take, default 10")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    options = parser.parse_args()
    targets = photo_targets(photos(options.photos, options.count))
    with tempfile.TemporaryDirectory() as name:
        targets += large_targets(Path(name))
    print(f"\nTargets ({os.cpu_count()} cores)")
    print(*targets, sep="\n")
    if options.check and not all(target.holds for target in targets):
        sys.exit(1)


if __name__ == "__main__":
    main()
