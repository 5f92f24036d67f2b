"""One large image on one, two and four workers of a Dask cluster on this machine, and alone.

    python -m benchmarks.clusters [--megapixels 100 36] [--workers 1,2,4] [--memory 1G]
                                  [--folder FOLDER]

A photo with noise, repeated, is written as a tiled, deflated TIFF and segmented by the command with
colour features and, of fewer pixels, with joint ones. Given are seconds, processor time of the
process that coordinates, its peak memory and that of the largest worker, and the bytes that workers
sent: to each other, and to the coordinator. Results that are not the same bytes end it.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.processes import peak_of_this_process, usage_of
from benchmarks.rasters import MIB, write_tiled

PORT = 8797
FEATURES = ("--bandwidth 20", "--features joint --spatial-radius 15 --range-radius 20")


def segmented(source: Path, folder: Path, options: list[str]) -> tuple[float, float, float]:
    """Run the command; return seconds, those that it was at work, and its peak memory in MiB."""
    command = [sys.executable, "-m", "segment", str(source), "-o", str(folder), "--quiet", *options]
    used = usage_of(command)
    return used.seconds, used.busy, used.peak / MIB


@contextlib.contextmanager
def cluster(workers: int) -> Iterator[Any]:
    """Yield a client of a scheduler and so many workers, of one thread each."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            scheduler_port=PORT,
            dashboard_address=None,
            memory_limit=0,
        ) as local,
        Client(local) as client,
    ):
        yield client


def _sent(dask_worker: Any) -> tuple[int, float]:
    """Return bytes that a worker has sent, and its peak memory in MiB."""
    return int(dask_worker.transfer_outgoing_bytes_total), peak_of_this_process() / MIB


def compare(source: Path, folder: Path, options: list[str], counts: list[int]) -> None:
    """Print a row for the command alone, and one for each number of workers."""
    print("workers  seconds  coordinator at work  its memory   workers'  sent")
    seconds, busy, peak = segmented(source, folder / "alone", options)
    print(f"  alone  {seconds:7.1f} {busy:20.1f} {peak:7.0f} MiB", flush=True)
    for count in counts:
        with cluster(count) as client:
            shared = [*options, "--scheduler", f"tcp://127.0.0.1:{PORT}"]
            seconds, busy, peak = segmented(source, folder / f"{count}", shared)
            sent, peaks = zip(*client.run(_sent).values(), strict=True)
        facts = f"{peak:7.0f} MiB  {max(peaks):5.0f} MiB  {sum(sent) / 1e6:.0f} MB"
        print(f"{count:7}  {seconds:7.1f} {busy:20.1f} {facts}", flush=True)
        for name in (folder / "alone").iterdir():
            if name.read_bytes() != (folder / f"{count}" / name.name).read_bytes():
                raise SystemExit(f"{name.name} differs on {count} workers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--megapixels", type=float, nargs=2, default=(100, 36), metavar=("COLOR", "JOINT")
    )
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--memory", default="1G")
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    counts = [int(count) for count in arguments.workers.split(",")]
    for megapixels, features in zip(arguments.megapixels, FEATURES, strict=True):
        if megapixels:
            print(f"{megapixels:g} megapixels, {features}")
            with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
                source = Path(folder) / "scene.tif"
                write_tiled(source, round(math.sqrt(megapixels * 1e6)))
                options = [*features.split(), "--memory", arguments.memory]
                compare(source, Path(folder), options, counts)


if __name__ == "__main__":
    main()
