"""Run the command over a folder of any files, each in a process of its own, and count the ends.

    python -m benchmarks.robustness FOLDER [--seconds 20] [--megabytes 2000] [--jobs 2]
        [--options "--page all --allow-truncated"] [--show]
    python -m benchmarks.robustness FOLDER --compare [--tolerance 2]

Every file must be segmented, or refused with one line: `name: what is wrong; what to do`.
Tracebacks, crashes, hangs, too much memory, partial outputs and stray lines on stderr are
counted, listed, and make the exit code 1. Images of more than 50 million pixels by their own
header may go beyond the limits; they are stopped and counted apart.

With `--compare` the pixels that were read are held against GDAL, imagecodecs, OpenCV and
ImageMagick, those that are installed (extra `bench`); every file that differs is listed with the
largest difference, and there is no exit code for it, as readers err, too.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from benchmarks.readers import compared_apart, summary
from segment.threads import available_cores

GOOD = ("segmented", "refused", "large image")
LARGE = 50_000_000  # pixels by the header, from which the limits do not apply
BAD = ("traceback", "crash", "hang", "over memory", "partial output", "stray lines")


@dataclass(frozen=True)
class End:
    """How one file ended: a word of GOOD or BAD, what was said, seconds, megabytes."""

    file: Path
    kind: str
    said: str
    seconds: float
    megabytes: float


def try_file(file: Path, options: Sequence[str], seconds: float, megabytes: float) -> End:
    """Run the command on one file under limits and judge what it left."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as said:
        out, facts = Path(folder) / "out", Path(folder) / "facts"
        command = [sys.executable, "-m", "segment", str(file), "--json", "-o", str(out), *options]
        start = time.perf_counter()
        with facts.open("wb") as stdout:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=said
            )
        killer = threading.Timer(seconds, process.kill)
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        killer.cancel()
        took, peak = time.perf_counter() - start, usage.ru_maxrss * 1024 / 1e6
        process.returncode = code = os.waitstatus_to_exitcode(status)
        said.seek(0)
        lines = said.read().decode("utf-8", "backslashreplace").splitlines()
        if code < 0 and took >= seconds:
            kind = "large image" if stated_pixels(file) > LARGE else "hang"
        elif peak > megabytes:
            kind = "large image" if stated_pixels(file) > LARGE else "over memory"
        else:
            kind = judge(code, lines, facts, out)
        return End(file, kind, " | ".join(lines), took, peak)


def judge(code: int, lines: list[str], facts: Path, out: Path) -> str:
    """Return how a process ended that kept to the limits."""
    if any(line.startswith("Traceback") for line in lines):
        return "traceback"
    if code not in (0, 1):
        return "crash"
    told = [json.loads(line) for line in facts.read_text().splitlines()]
    outputs = {path for outcome in told for path in outcome["outputs"]}
    found = {str(path) for path in out.iterdir()} if out.exists() else set()
    if outputs != found or not all(map(is_whole, map(Path, outputs))):
        return "partial output"
    failed = sum(outcome["status"] == "failed" for outcome in told)
    errors = [line for line in lines if line.startswith("error: ") and "; " in line]
    others = [line for line in lines if not line.startswith(("error: ", "warning: "))]
    summary = len(others) == 1 and len(told) > 1  # "3 done, 1 failed", of several pages
    if (others and not summary) or len(errors) != failed or not told or bool(failed) != code:
        return "stray lines"
    return "refused" if failed == len(told) else "segmented"


def stated_pixels(file: Path) -> int:
    """Return how large an image is by its own header, 0 if that cannot be told soon."""
    script = (
        "import sys; from PIL import Image; Image.MAX_IMAGE_PIXELS = None; "
        "image = Image.open(sys.argv[1]); print(image.width * image.height)"
    )
    command = [sys.executable, "-c", script, str(file)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=True)
    except subprocess.SubprocessError:
        return 0
    return int(done.stdout)


def is_whole(path: Path) -> bool:
    """Whether a result can be read to its end."""
    try:
        if path.suffix == ".npy":
            np.load(path)
        elif path.suffix in (".png", ".tif"):
            with Image.open(path) as image:
                image.load()
    except Exception:
        return False
    return True


def report(ends: list[End], show: bool) -> str:
    """Lay out the counts, the slowest and the largest, and every file with a bad end."""
    counts = Counter(end.kind for end in ends)
    lines = [f"{kind:15}{counts[kind]:7}" for kind in (*GOOD, *BAD)]
    for name, worst in (
        ("slowest", max(ends, key=lambda end: end.seconds)),
        ("largest", max(ends, key=lambda end: end.megabytes)),
    ):
        lines.append(f"{name}: {worst.seconds:.1f} s, {worst.megabytes:.0f} MB, {worst.file}")
    listed = ends if show else [end for end in ends if end.kind in BAD]
    lines += [f"{end.kind}: {end.file}: {end.said[:300]}" for end in listed]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the command over any files, under limits.")
    parser.add_argument("folder", type=Path, help="folder of files, searched to its depths")
    parser.add_argument("--seconds", type=float, default=20, help="limit for one file")
    parser.add_argument("--megabytes", type=float, default=2000, help="limit for one file")
    parser.add_argument("--jobs", type=int, default=available_cores(), help="at the same time")
    parser.add_argument("--options", default="", help="more options for the command")
    parser.add_argument("--compare", action="store_true", help="pixels with other readers'")
    parser.add_argument("--tolerance", type=float, default=2, help="in 8-bit values, to compare")
    parser.add_argument("--show", action="store_true", help="list every file, the good ones too")
    options = parser.parse_args()
    files = sorted(path for path in options.folder.rglob("*") if path.is_file())
    if not files:
        raise SystemExit(f"{options.folder}: expected a folder with files, found none")

    if options.compare:
        with ThreadPoolExecutor(options.jobs) as pool:
            told = pool.map(lambda file: compared_apart(file, options.seconds), files)
            found = dict(zip(files, tqdm(told, total=len(files), unit="file"), strict=True))
        print(summary(found, options.tolerance))
        return

    def work(file: Path) -> End:
        return try_file(
            file.absolute(), shlex.split(options.options), options.seconds, options.megabytes
        )

    with ThreadPoolExecutor(options.jobs) as pool:
        ends = list(tqdm(pool.map(work, files), total=len(files), unit="file"))
    print(report(ends, options.show))
    raise SystemExit(any(end.kind in BAD for end in ends))


if __name__ == "__main__":
    main()
