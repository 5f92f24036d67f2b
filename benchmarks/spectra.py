"""Scenes of as many distinct spectra as pixels: counted if there is memory, else pass by pass.

    python -m benchmarks.spectra [--megapixels 4,16] [--memory 600M,12G] [--bandwidth 20]
                                 [--folder FOLDER]

A photo with noise, repeated, in four bands of 12 bits is segmented in colour space by the command.
Each row is a process: its seconds, the peak that the system counted, the segments, and how many
passes its climbs took; 0 where spectra were counted. Label maps of one size must be equal.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tifffile
from numpy.typing import NDArray

from benchmarks.processes import usage_of
from benchmarks.rasters import MIB, STRIP, strips


class Run(NamedTuple):
    """What one run took and found."""

    seconds: float
    mebibytes: float
    segments: int
    passes: int
    digest: str


def spectra(side: int) -> Iterator[NDArray[np.uint16]]:
    """Yield strips of four bands of 12 bits, (512, side, 4), noisy in the last seven of them."""
    for top, strip in zip(range(0, side, STRIP), strips(side), strict=True):
        wide = np.dstack([strip, strip[:, :, 0] // 2 + strip[:, :, 2] // 2]).astype(np.uint16)
        yield wide * 16 + np.random.default_rng(top).integers(0, 16, wide.shape, np.uint16)


def write_spectra(path: Path, side: int) -> None:
    """Write them as a TIFF in strips."""
    layout = {"photometric": "minisblack", "planarconfig": "contig", "rowsperstrip": STRIP}
    shape = {"shape": (side, side, 4), "dtype": np.uint16, "extrasamples": [0, 0, 0]}
    tifffile.imwrite(path, spectra(side), **shape, **layout)


def segmented(scene: Path, memory: str, bandwidth: float, folder: Path) -> Run:
    """Segment a scene within so much memory."""
    labels = folder / "labels.tif"
    options = ["--bandwidth", str(bandwidth), "--memory", memory, "--labels", str(labels)]
    command = [sys.executable, "-m", "segment", str(scene), *options, "--bands", "all", "--json"]
    used = usage_of(command)
    passes = re.search(r"climbs took (\d+) pass", used.told)
    digest = hashlib.sha256(tifffile.imread(labels)).hexdigest()[:8]
    segments = json.loads(used.told)["segments"]
    return Run(used.seconds, used.peak / MIB, segments, int(passes[1]) if passes else 0, digest)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--megapixels", default="4,16")
    parser.add_argument("--memory", default="600M,12G")
    parser.add_argument("--bandwidth", type=float, default=20.0)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    print("megapixels  memory  seconds  peak MiB  segments  passes  labels")
    for size in map(float, options.megapixels.split(",")):
        side = math.isqrt(int(size * 1e6))
        with tempfile.TemporaryDirectory(dir=options.folder) as place:
            scene = Path(place) / "scene.tif"
            write_spectra(scene, side)
            found: set[str] = set()
            for memory in options.memory.split(","):
                run = segmented(scene, memory, options.bandwidth, Path(place))
                found.add(run.digest)
                print(
                    f"{size:10.0f} {memory:>7} {run.seconds:8.1f} {run.mebibytes:9.0f} "
                    f"{run.segments:9d} {run.passes:7d}  {run.digest}",
                    flush=True,
                )
            if len(found) > 1:
                raise SystemExit("label maps differ")


if __name__ == "__main__":
    main()
