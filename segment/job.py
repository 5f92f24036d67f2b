"""One image from its file to its results' files, and what became of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError, SegmentError
from segment.image_io import make_folder, read_image
from segment.pipeline import segment_pixels
from segment.plan import Task
from segment.products import Product, Result, suffix, write
from segment.report import Outcome
from segment.settings import Settings
from segment.threads import on_threads


@dataclass(frozen=True)
class Output:
    """What to write of a segmentation, and where.

    Attributes
    ----------
    folder : Path
    products : tuple of {"labels", "segmented", "regions", "polygons"}
    recolor : {"mean", "mode"}
    """

    folder: Path
    products: tuple[Product, ...] = ("labels", "segmented")
    recolor: Literal["mean", "mode"] = "mean"


def run_job(
    task: Task,
    settings: Settings,
    output: Output,
    mask: NDArray[np.bool_] | None,
    inputs: set[Path],
) -> Outcome:
    """Segment an image and write its results; what is wrong with it is told, not raised.

    Parameters
    ----------
    task : Task
    settings : Settings
    output : Output
    mask : (H, W) bool array or None
        Pixels that take part; None for all.
    inputs : set of Path
        Resolved names of all inputs, which no result may replace.

    Returns
    -------
    outcome : Outcome
    """
    try:
        return _run(task, settings, output, mask, inputs)
    except SegmentError as error:
        return Outcome(str(task.source), "failed", str(error))
    except MemoryError:
        return Outcome(str(task.source), "failed", "needs more memory than there is; scale it down")


def _run(
    task: Task,
    settings: Settings,
    output: Output,
    mask: NDArray[np.bool_] | None,
    inputs: set[Path],
) -> Outcome:
    start = time.perf_counter()
    make_folder(output.folder)
    image = read_image(task.source)
    segmentation = segment_pixels(image, settings, mask=mask)
    paths = _paths(task, output.products, len(segmentation.sizes), inputs)
    result = Result(image, segmentation, output.recolor)
    on_threads(lambda product: write(product, result, paths[product]), output.products)
    height, width = segmentation.labels.shape
    return Outcome(
        input=str(task.source),
        status="ok",
        outputs=[str(path) for path in paths.values()],
        width=width,
        height=height,
        bandwidth=segmentation.bandwidth,
        segments=len(segmentation.sizes),
        iterations=segmentation.n_iter,
        seconds=round(time.perf_counter() - start, 4),
    )


def _paths(
    task: Task, products: tuple[Product, ...], segments: int, inputs: set[Path]
) -> dict[Product, Path]:
    paths = {
        product: task.stem.with_name(task.stem.name + suffix(product, segments))
        for product in products
    }
    for path in paths.values():
        if path.resolve() in inputs:
            raise ImageFileError(
                f"its result {path} would replace an input; choose another folder with -o"
            )
    return paths
