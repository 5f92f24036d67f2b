"""One scene on the map: our command beside Orfeo ToolBox's LargeScaleMeanShift and scikit-image.

    python -m benchmarks.scene_peers [--size 1000] [--radii 10 20] [--min-size 50]

Prints of each the time and the peak memory of a whole process, from GeoTIFF to labels, and how
many pixels change their segment when the scene is cut in another way: Orfeo's tiles of two sizes,
our strips of several heights. Takes `otbcli_LargeScaleMeanShift` (Debian: otb-bin) where it is
there, and rasterio (extra `bench`). The scene is that of docs/scenes.md in 8 bits: near infrared,
red and green.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

from benchmarks.processes import run
from docs.make_scene import scene

ORFEO = "otbcli_LargeScaleMeanShift"
TILES = (500, 334)  # pixels on a side
MEMORY = ("132M", "144M")  # so little that the scene is worked on in strips, of two heights
SLIC = """
import sys, tifffile
from skimage.segmentation import slic
labels = slic(tifffile.imread(sys.argv[1]), n_segments=int(sys.argv[3]), start_label=1)
tifffile.imwrite(sys.argv[2], labels.astype("uint32"), compression="zlib")
"""


def write_scene(path: Path, size: int) -> None:
    """Write near infrared, red and green of the scene in 8 bits, on the map, in tiles."""
    bands = scene(size)[[3, 2, 1]].astype(np.float64)
    values = np.rint(bands * [[[255 / 6500]], [[255 / 2500]], [[255 / 2500]]]).clip(0, 255)
    place = {"crs": "EPSG:32633", "transform": from_origin(399_960, 5_300_040, 10, 10)}
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    shape = {"count": 3, "height": size, "width": size, "dtype": "uint8"}
    with rasterio.open(path, "w", driver="GTiff", **shape, **place, **layout) as file:
        file.write(values.astype(np.uint8))


def changed(labels: np.ndarray, others: np.ndarray) -> int:
    """Return how many pixels lie outside of the segment that most of their own segment is in.

    >>> changed(np.array([1, 1, 1, 2]), np.array([7, 7, 8, 8]))
    1
    """
    pairs = labels.ravel().astype(np.int64) * (int(others.max()) + 1) + others.ravel()
    pairs, counts = np.unique(pairs, return_counts=True)
    segments = pairs // (int(others.max()) + 1)
    starts = np.flatnonzero(np.diff(segments, prepend=-1))
    return int(labels.size - np.maximum.reduceat(counts, starts).sum())


def labels_in(path: Path) -> np.ndarray:
    """Read a label map."""
    with rasterio.open(path) as file:
        return np.asarray(file.read(1))


def ours(
    scene: Path, out: Path, radii: tuple[float, float], least: int, memory: str | None
) -> list[str]:
    """Return the command that segments the scene; with little memory, in strips."""
    limit = [] if memory is None else ["--memory", memory]
    sizes = ["--spatial-radius", str(radii[0]), "--range-radius", str(radii[1])]
    return [
        *(sys.executable, "-m", "segment", str(scene), "--quiet", "--labels", str(out)),
        *("--label-format", "tiff", "--features", "joint", *sizes, "--min-size", str(least)),
        *limit,
    ]


def orfeo(scene: Path, out: Path, radii: tuple[float, float], least: int, tile: int) -> list[str]:
    """Return Orfeo's command with tiles of so many pixels."""
    sizes = ["-spatialr", str(round(radii[0])), "-ranger", str(radii[1]), "-minsize", str(least)]
    cut = ["-tilesizex", str(tile), "-tilesizey", str(tile)]
    return [ORFEO, "-in", str(scene), *sizes, *cut, "-mode", "raster", "-mode.raster.out",
            str(out), "uint32"]  # fmt: skip


def row(name: str, command: list[str], out: Path, first: np.ndarray | None) -> np.ndarray:
    """Run a command, print a row, return its labels."""
    seconds, megabytes = run(command)
    labels = labels_in(out)
    moved = "" if first is None else f"{changed(first, labels):>12,}"
    segments = len(np.unique(labels[labels > 0]))
    print(f"{name:42}{seconds:9.2f}{megabytes:9.0f}{segments:10,}{moved}", flush=True)
    return labels


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=1000, help="rows and columns of the scene")
    parser.add_argument("--radii", type=float, nargs=2, default=(10, 20), metavar=("HS", "HR"))
    parser.add_argument("--min-size", type=int, default=50)
    options = parser.parse_args()
    radii = tuple(options.radii)
    with tempfile.TemporaryDirectory() as folder:
        scene, out = Path(folder) / "scene.tif", Path(folder) / "labels.tif"
        write_scene(scene, options.size)
        print(f"{options.size} x {options.size} pixels, radii {radii}, at least {options.min_size}")
        print(f"{'':42}  seconds       MB  segments  moved by the cut")
        first = row("meanshift-segment", ours(scene, out, radii, options.min_size, None), out, None)
        for memory in MEMORY:
            name = f"meanshift-segment --memory {memory}"
            row(name, ours(scene, out, radii, options.min_size, memory), out, first)
        if shutil.which(ORFEO):
            first = None
            for tile in TILES:
                command = orfeo(scene, out, radii, options.min_size, tile)
                first = row(f"LargeScaleMeanShift, tiles of {tile}", command, out, first)
        else:
            print(f"{ORFEO} is not here: Debian's package otb-bin has it")
        count = str(len(np.unique(labels_in(out))))
        row("slic, as many", [sys.executable, "-c", SLIC, str(scene), str(out), count], out, None)


if __name__ == "__main__":
    main()
