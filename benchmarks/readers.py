"""What was read of a file beside what independent readers make of it.

    python -m benchmarks.readers FILE

prints one line of JSON: for each reader the largest difference in units of 8-bit values, or why
there is none to compare. `benchmarks.robustness --compare` does so over a folder. Colour profiles
are left out on both sides. Readers err, too: what only one of them sees otherwise is its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from segment.errors import ImageFileError
from segment.reading.files import read_pages
from segment.reading.picture import DamagedPage, Notes
from segment.reading.reading_options import ReadingOptions
from segment.reading.values import in_known_range

LARGE = 50_000_000  # pixels that are not compared
INTERPRETED = {"gray", "red", "green", "blue", "alpha", "undefined"}  # GDAL's, taken as they are


class Unreadable(Exception):
    """What a reader says instead of pixels."""


Reading = tuple[np.ndarray, tuple[int, ...]]  # samples, and the depths that they may have


def by_gdal(file: Path) -> Reading:
    """Read by GDAL: samples as they are stored, a palette resolved."""
    import rasterio

    with rasterio.open(file) as data:
        kinds = [kind.name for kind in data.colorinterp]
        if kinds[0] == "palette":
            table = data.colormap(1)
            colors = np.array([table.get(n, (0, 0, 0, 0)) for n in range(max(table) + 1)], np.uint8)
            return colors[np.minimum(data.read(1), len(colors) - 1)][:, :, :3], (8,)
        if not set(kinds) <= INTERPRETED:
            raise Unreadable(f"bands are {', '.join(kinds)}")
        bits = data.tags(1, ns="IMAGE_STRUCTURE").get("NBITS")
        values = np.moveaxis(data.read(), 0, -1)
        return values, (int(bits) if bits else values.dtype.itemsize * 8,)


def by_imagecodecs(file: Path) -> Reading:
    """Read by the codec that imagecodecs has for the file's suffix."""
    import imagecodecs

    values = np.asarray(imagecodecs.imread(file))
    return values, depths(values)


def by_opencv(file: Path) -> Reading:
    """Read by OpenCV, its channels put in order."""
    import cv2

    values = cv2.imread(str(file), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if values is None:
        raise Unreadable("does not read it")
    if values.ndim == 3 and values.shape[2] >= 3:
        values = values[:, :, [2, 1, 0, *range(3, values.shape[2])]]
    return values, depths(values)


def by_imagemagick(file: Path) -> Reading:
    """Read by ImageMagick 6 or 7: 16-bit sRGB of the first page."""
    for program in ("magick", "convert-im6.q16", "convert"):
        command = [
            program,
            f"{file}[0]",
            "-auto-orient",
            "-colorspace",
            "sRGB",
            "-depth",
            "16",
            "PAM:-",
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=30, check=True)
        except FileNotFoundError:
            continue
        except subprocess.SubprocessError as error:
            raise Unreadable("does not read it") from error
        head, _, data = done.stdout.partition(b"ENDHDR\n")
        said = dict(line.split(None, 1) for line in head.decode().splitlines()[1:] if " " in line)
        shape = int(said["HEIGHT"]), int(said["WIDTH"]), int(said["DEPTH"])
        top = int(said["MAXVAL"])
        values = np.frombuffer(data, ">u2" if top > 255 else "u1").reshape(shape)
        return values, (8 if top < 256 else 16,)
    raise ImportError


READERS: dict[str, Callable[[Path], Reading]] = {
    "GDAL": by_gdal,
    "imagecodecs": by_imagecodecs,
    "OpenCV": by_opencv,
    "ImageMagick": by_imagemagick,
}


def depths(values: np.ndarray) -> tuple[int, ...]:
    """Return the depths that samples may have by a reader that does not tell: 12 bits in 16."""
    return (10, 12, 14, 16) if values.dtype == np.uint16 else (values.dtype.itemsize * 8,)


def known(values: np.ndarray, bits: int) -> np.ndarray:
    """Bring samples to the range that our own are in."""
    values = values if values.ndim == 3 else values[:, :, None]
    if values.dtype.kind == "u" and bits < 64:
        values = np.minimum(values, values.dtype.type(2**bits - 1))
    return in_known_range(values, bits, None, Notes())[0]


def difference(ours: np.ndarray, other: np.ndarray) -> float | None:
    """Tell the largest difference where ours is visible, in 8-bit units; None for other sizes."""
    ours, other = (image if image.ndim == 3 else image[:, :, None] for image in (ours, other))
    if ours.shape[:2] != other.shape[:2]:
        return None
    seen = ours[:, :, -1] > 0 if ours.shape[2] in (2, 4) else np.ones(ours.shape[:2], bool)
    pairs = [colors(image)[seen] for image in (ours, other)]
    return float(np.abs(pairs[0] - pairs[1]).max(initial=0))


def colors(image: np.ndarray) -> np.ndarray:
    """Return RGB in 8-bit units, (H, W, 3)."""
    scale = 255 / np.iinfo(image.dtype).max if image.dtype.kind == "u" else 255
    count = 3 if image.shape[2] >= 3 else 1
    return np.broadcast_to(image[:, :, :count] * scale, (*image.shape[:2], 3))


def compared(file: Path) -> dict[str, Any]:
    """Return what was read, under "ours", and the largest difference from each reader."""
    try:
        page = next(read_pages(file, ReadingOptions(ignore_icc=True, max_pixels=LARGE)))
    except ImageFileError as error:
        return {"ours": str(error)}
    if isinstance(page, DamagedPage):
        return {"ours": str(page.error)}
    found: dict[str, Any] = {"ours": None}
    for name, read in READERS.items():
        try:
            values, bits = read(file)
            apart = [difference(page.pixels, known(values, depth)) for depth in bits]
            found[name] = "another size" if apart[0] is None else min(apart)
        except ImportError:
            found[name] = "not installed"
        except Exception as error:  # readers raise anything at all over files
            found[name] = f"{type(error).__name__}: {error}"[:200]
    return found


def compared_apart(file: Path, seconds: float) -> dict[str, Any]:
    """Return what `compared` does, in a process of its own: readers crash and hang."""
    command = [sys.executable, "-m", "benchmarks.readers", str(file)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=True)
        return dict(json.loads(done.stdout.splitlines()[-1]))
    except (subprocess.SubprocessError, IndexError, ValueError) as error:
        return {"ours": f"no comparison: {type(error).__name__}"}


def differing(found: dict[Path, dict[str, Any]], tolerance: float) -> list[tuple[float, str]]:
    """Return the largest difference of each file that has one, and a line on it; worst first."""
    lines = []
    for file, readers in found.items():
        apart = {name: value for name, value in readers.items() if isinstance(value, float)}
        sizes = [name for name, value in readers.items() if value == "another size"]
        worst = max(apart.values(), default=0.0)
        if worst > tolerance or sizes:
            words = [f"{value:.1f} from {name}" for name, value in apart.items()]
            words += [f"another size than by {name}" for name in sizes]
            lines.append((worst, f"{file}: {', '.join(words)}"))
    return sorted(lines, key=lambda line: -line[0])


def summary(found: dict[Path, dict[str, Any]], tolerance: float) -> str:
    """Lay out how many files were compared, with what, and each that differs."""
    lines = differing(found, tolerance)
    read = [readers for readers in found.values() if readers["ours"] is None]
    by_one = [r for r in read if any(isinstance(value, float) for value in r.values())]
    head = [
        f"{len(found)} files, {len(read)} read, {len(by_one)} of them by another reader, too",
        *(
            f"{name:15}{sum(isinstance(readers.get(name), float) for readers in read):7}"
            for name in READERS
        ),
        f"differ by more than {tolerance:g}: {len(lines)}",
    ]
    return "\n".join(head + [line for _, line in lines])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(compared(Path(sys.argv[1]))))
