"""Rasters by strips: how fast they are read and written, in how much memory, and what zlib takes.

    python -m benchmarks.rasters [--megapixels 400] [--folder FOLDER]

A photo with noise, repeated, is written uncompressed by rows and deflated in tiles; each is read
back strip by strip in a process of its own. The last line of a group is zlib alone, over the same
bytes on as many cores: what no reader or writer of deflated tiles gets below.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from benchmarks.processes import peak_of_this_process
from segment.raster.opening import open_sink, open_source
from segment.reading.picture import Kept
from segment.threads import available_cores, equal_slices, on_threads

STRIP = 512
MIB = 1 << 20


def strips(side: int) -> Iterator[NDArray[np.uint8]]:
    """Yield strips of a photo with noise, repeated: (512, side, 3), each with other noise."""
    from skimage import data

    photo = data.astronaut()
    wide = np.tile(photo, (1, -(-side // photo.shape[1]), 1))[:, :side]
    for top in range(0, side, STRIP):
        chance = np.random.default_rng(top)
        noise = np.frombuffer(chance.bytes(wide.size), np.uint8).reshape(wide.shape) % 8
        yield (wide // 2 + noise)[: min(STRIP, side - top)]


def labels(side: int) -> Iterator[NDArray[np.uint32]]:
    """Yield strips of a label map: runs of equal numbers, as regions of a photo have them."""
    for number, strip in enumerate(strips(side)):
        yield (strip[:, :, 0] // 32).astype(np.uint32) + np.uint32(8 * number)


def write_plain(path: Path, side: int) -> None:
    """Write one strip after the other, uncompressed, as programs do that have no tiles."""
    shape = (side, side, 3)
    options = {"shape": shape, "dtype": np.uint8, "photometric": "rgb", "rowsperstrip": STRIP}
    tifffile.imwrite(path, strips(side), **options)


def write_tiled(path: Path, side: int) -> None:
    """Write it as results are written, tiled and deflated."""
    with open_sink(path, side, side, np.uint8, Kept(), channels=3) as sink:
        for number, strip in enumerate(strips(side)):
            sink.write(number * STRIP, strip)
        sink.finish()


def write_labels(path: Path, side: int, overviews: bool = False) -> None:
    """Write a label map."""
    with open_sink(path, side, side, np.uint32, Kept(), overviews=overviews) as sink:
        for number, strip in enumerate(labels(side)):
            sink.write(number * STRIP, strip)
        sink.finish()


def write_cog(path: Path, side: int) -> None:
    """Write a label map with overviews."""
    write_labels(path, side, overviews=True)


def generate(path: Path, side: int) -> None:
    """Make the strips and throw them away: what is to be subtracted from the times of writing."""
    for _ in strips(side):
        pass


def generate_labels(path: Path, side: int) -> None:
    """Likewise for labels."""
    for _ in labels(side):
        pass


def read_all(path: Path, side: int) -> None:
    """Read it strip by strip."""
    source = open_source(path)
    for top in range(0, side, STRIP):
        source.read(top, min(top + STRIP, side), range(len(source.bands)))


def inflate_all(path: Path, side: int) -> None:
    """Decompress the bytes of all tiles and throw them away."""
    with tifffile.TiffFile(path) as tiff:
        places = list(zip(tiff.pages[0].dataoffsets, tiff.pages[0].databytecounts, strict=True))

    def work(part: slice) -> None:
        with path.open("rb") as file:
            for offset, count in places[part]:
                file.seek(offset)
                zlib.decompress(file.read(count))

    on_threads(work, equal_slices(len(places), 1))


def deflate_all(path: Path, side: int) -> None:
    """Compress all tiles' worth of strips and throw the bytes away."""
    for strip in strips(side):
        columns = [strip[:, left : left + STRIP] for left in range(0, side, STRIP)]
        tiles = [np.ascontiguousarray(column) for column in columns]

        def work(part: slice, tiles: list[Any] = tiles) -> None:
            for tile in tiles[part]:
                zlib.compress(tile, 1)

        on_threads(work, equal_slices(len(tiles), 1))


def measured(work: Callable[[Path, int], None], path: Path, side: int) -> tuple[float, float]:
    """Return seconds and the peak of resident MiB of some work in a process of its own."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(False)
    process = context.Process(target=_measure, args=(work, path, side, send))
    process.start()
    result = receive.recv()
    process.join()
    return result


def _measure(work: Callable[[Path, int], None], path: Path, side: int, send: Any) -> None:
    start = time.perf_counter()
    work(path, side)
    send.send((time.perf_counter() - start, peak_of_this_process() / MIB))


def main() -> None:
    """Print a table of seconds, megapixels a second and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", type=float, default=400)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    side = round((options.megapixels * 1e6) ** 0.5)
    print(f"{side} x {side} pixels, RGB of 8 bits, on {available_cores()} cores")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        plain, tiled = Path(folder) / "plain.tif", Path(folder) / "tiled.tif"
        numbers, cog = Path(folder) / "labels.tif", Path(folder) / "cog.tif"
        tasks: list[tuple[str, Callable[[Path, int], None], Path]] = [
            ("make the strips", generate, plain),
            ("write uncompressed (tifffile, and making)", write_plain, plain),
            ("write tiled, deflated (and making)", write_tiled, tiled),
            ("  zlib alone (and making)", deflate_all, tiled),
            ("read uncompressed", read_all, plain),
            ("read tiled, deflated", read_all, tiled),
            ("  zlib alone", inflate_all, tiled),
            ("make labels", generate_labels, numbers),
            ("write labels (and making)", write_labels, numbers),
            ("write labels with overviews (and making)", write_cog, cog),
        ]
        for name, work, path in tasks:
            seconds, peak = measured(work, path, side)
            speed = side * side / 1e6 / seconds
            print(f"{name:42} {seconds:7.2f} s {speed:8.1f} Mpx/s {peak:7.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
