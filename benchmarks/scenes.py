"""Images beyond memory: time and memory by size, beside the floor of reading, counting and writing.

    python -m benchmarks.scenes [--megapixels 100,200,400] [--memory 1G] [--generated]
                                [--settings '{"features": "joint", ...}'] [--folder FOLDER]

A photo with noise, repeated, is written as a tiled, deflated TIFF and segmented; or it is made
while it is read (`--generated`), for sizes that no disk here holds. The floor reads the same
strips once, counts their colours, and writes a label map and a recoloured image: those of the
first strip that were found, again and again, for other labels are deflated in another time. They
are read before its clock starts. Each in a process of its own; memory is the peak that the system
counted.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.processes import peak_of_this_process
from benchmarks.rasters import MIB, STRIP, strips, write_tiled
from segment.bands import Band
from segment.memory_limit import memory_limit
from segment.raster.opening import open_source
from segment.reading.picture import Kept
from segment.results.scene_products import SceneResult, write_scene
from segment.scenes.census import take_census
from segment.scenes.memory_plan import Plan, planned
from segment.scenes.scene import SceneSegmentation, segment_scene
from segment.settings import Settings
from segment.strips.rows import SceneRows
from segment.strips.scratch import Scratch

FOUND = "found.npz"  # what the floor has to know
MANY = 1 << 50  # bytes for distinct colours: never too few
Work = Callable[[], None]


class Generated:
    """A raster of any height that is made while it is read: one strip again and again."""

    geo, resolution, profile, warnings, several = (), None, None, (), False
    colors, alpha_is_sure = "stored", True
    preferred_rows = STRIP

    def __init__(self, side: int) -> None:
        self.height = self.width = side
        self.bands = tuple(Band(n, name, "uint8", 8) for n, name in enumerate("RGB", 1))
        self._strip = next(strips(side))

    def read(self, top: int, bottom: int, bands: Any) -> tuple[Any, None]:
        """Return rows, each strip in other shades."""
        rows = self._strip[np.arange(top, bottom) % len(self._strip)]
        shades = (np.arange(top, bottom) // STRIP % 16).astype(np.uint8)
        return np.ascontiguousarray((rows + shades[:, None, None])[:, :, list(bands)]), None

    def check(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def opened(path: Path, side: int) -> SceneRows:
    """Return the rows of the file, or of what is made where there is none."""
    source: Any = open_source(path) if path.exists() else Generated(side)
    return SceneRows(source, [0, 1, 2])


def cut(rows: SceneRows, memory: str, settings: Settings) -> Plan:
    """Return how a scene is cut."""
    joint = settings.features == "joint"
    return planned(rows, memory_limit(memory), by_region=settings.by_region, joint=joint)


def floor(path: Path, side: int, memory: str, settings: Settings, folder: Path) -> Work:
    """Return what reads, counts and writes what `whole` has found, and nothing else."""
    rows = opened(path, side)
    plan = cut(rows, memory, settings)
    kept = np.load(folder / FOUND)
    height = max(bottom - top for top, bottom in plan.strips)
    labels = open_source(folder / "labels.tif").read(0, height, [0])[0][:, :, 0].astype(np.int32)
    found = SceneSegmentation(
        lambda rows, top, bottom: labels[: bottom - top],
        *(kept["colors"].astype(float), kept["colors"], kept["colors"], kept["colors"]),
        *(kept["sizes"], 1.0, 1),
    )

    def work() -> None:
        take_census(rows, plan.strips, MANY)
        write_rasters(rows, plan, found, folder)

    return work


def whole(path: Path, side: int, memory: str, settings: Settings, folder: Path) -> Work:
    """Return what segments it and writes the same results."""

    def work() -> None:
        rows = opened(path, side)
        plan = cut(rows, memory, settings)
        rows = replace(rows, remembered=plan.remembered)
        with Scratch(folder / "scratch", "key") as scratch:
            left = {"memory": plan.memory, "windows": plan.windows}
            found = segment_scene(rows, settings, plan.strips, scratch, **left)
            write_rasters(rows, plan, found, folder)
        np.savez(folder / FOUND, colors=found.colors, sizes=found.sizes)

    return work


def write_rasters(rows: SceneRows, plan: Plan, found: SceneSegmentation, folder: Path) -> None:
    """Write the label map and the recoloured image."""
    result = SceneResult(rows, found, Kept(geo=rows.source.geo), plan.strips)
    write_scene(result, {"labels": folder / "labels.tif", "segmented": folder / "segmented.tif"})


def measured(ready: Callable[..., Work], *arguments: Any) -> tuple[float, float]:
    """Return the seconds of the work that is made ready, and the peak MiB of its own process."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(
        target=_timed, args=(sender, ready, *arguments)
    )
    process.start()
    sender.close()
    seconds, mebibytes = receiver.recv()
    process.join()
    return seconds, mebibytes


def _timed(sender: Any, ready: Callable[..., Work], *arguments: Any) -> None:
    work = ready(*arguments)
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    sender.send((seconds, peak_of_this_process() / MIB))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--megapixels", default="100,200,400")
    parser.add_argument("--memory", default="1G")
    parser.add_argument("--generated", action="store_true")
    parser.add_argument("--settings", type=json.loads, default={})
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    settings = Settings(**options.settings)
    print("megapixels  seconds  floor  ratio  peak MiB  seconds a gigapixel")
    for size in map(float, options.megapixels.split(",")):
        side = math.isqrt(int(size * 1e6))
        with tempfile.TemporaryDirectory(dir=options.folder) as place:
            folder = Path(place)
            path = folder / "scene.tif"
            if not options.generated:
                write_tiled(path, side)
            arguments = path, side, options.memory, settings, folder
            seconds, peak = measured(whole, *arguments)
            least, _ = measured(floor, *arguments)
        print(
            f"{size:10.0f} {seconds:8.1f} {least:6.1f} {seconds / least:6.2f} {peak:9.0f} "
            f"{seconds / side**2 * 1e9:20.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
