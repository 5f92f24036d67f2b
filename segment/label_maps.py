"""Label maps to files: PNG, TIFF or NPY, with as many bits as the labels need."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segment.errors import ImageFileError
from segment.inputs import MADE_HERE
from segment.naming import MOST_IN_PNG, LabelFormat
from segment.picture import Kept
from segment.recolored import PNG
from segment.writing import write_whole


def write_labels(
    labels: NDArray[np.int32],
    path: Path,
    label_format: LabelFormat,
    kept: Kept = Kept(),  # noqa: B008
) -> None:
    """Write a label map.

    Parameters
    ----------
    labels : (H, W) int32 array
        Not negative.
    path : Path
    label_format : {"png", "tiff", "npy"}
        PNG: grey, 8 or 16 bits to a pixel. TIFF: unsigned, 8, 16 or 32 bits, deflated. NPY:
        the array itself.
    kept : Kept
        The resolution goes into PNG and TIFF, the place on the map into TIFF.

    Raises
    ------
    ImageFileError
        If PNG cannot hold the labels, or the file cannot be written.
    """
    top = int(labels.max())
    if label_format == "npy":
        write_whole(path, lambda file: np.save(file, labels))
    elif label_format == "tiff":
        kind = np.uint8 if top < 256 else np.uint16 if top < 65536 else np.uint32
        write_whole(path, lambda file: _write_tiff(file, labels.astype(kind), kept))
    elif top > MOST_IN_PNG:
        raise ImageFileError(f"{path}: expected at most 65,535 segments for PNG; use .tif")
    else:
        image = Image.fromarray(labels.astype(np.uint8 if top < 256 else np.uint16))
        dpi = kept.resolution.dpi if kept.resolution else None
        options: dict[str, Any] = {**PNG, "dpi": dpi} if dpi else PNG
        write_whole(path, lambda file: image.save(file, **options))


def _write_tiff(file: IO[bytes], labels: NDArray[Any], kept: Kept) -> None:
    import tifffile

    options: dict[str, Any] = {}
    if kept.resolution:
        x, y = kept.resolution.x, kept.resolution.y
        options["resolution"] = (x.as_integer_ratio(), y.as_integer_ratio())
        options["resolutionunit"] = {"none": 1, "inch": 2, "cm": 3}[kept.resolution.unit]
    tifffile.imwrite(
        file,
        labels,
        photometric="minisblack",
        compression="zlib",
        compressionargs={"level": 1},  # a fifth of the time of level 6 for runs of equal labels
        metadata=None,
        software=MADE_HERE.decode(),
        extratags=list(kept.geo),
        **options,
    )
