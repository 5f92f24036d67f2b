"""One image from its file to its results' files, and what became of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segment.errors import SegmentError
from segment.outputs import Output
from segment.picture import DamagedPage, Picture
from segment.pipeline import segment_pixels
from segment.plan import Task
from segment.products import Result, write
from segment.reading import read_pages
from segment.reading_options import ReadingOptions
from segment.report import Outcome
from segment.settings import Settings
from segment.threads import on_threads


def run_job(
    task: Task,
    settings: Settings,
    output: Output,
    mask: NDArray[np.bool_] | None,
    inputs: set[Path],
    reading: ReadingOptions = ReadingOptions(),  # noqa: B008
) -> list[Outcome]:
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
    reading : ReadingOptions

    Returns
    -------
    outcomes : list of Outcome
        One; or one for each page, where all of them were asked for.
    """
    job = _Job(task, settings, output, mask, inputs)
    outcomes: list[Outcome] = []
    start = time.perf_counter()
    try:
        output.make_folders()
        for page in read_pages(task.source, reading):
            outcomes.append(job.outcome(page, start))
            start = time.perf_counter()
    except (SegmentError, MemoryError) as error:
        outcomes.append(job.failed(error))
    return outcomes


@dataclass(frozen=True, eq=False)
class _Job:
    """What all pages of a file have in common."""

    task: Task
    settings: Settings
    output: Output
    mask: NDArray[np.bool_] | None
    inputs: set[Path]

    def outcome(self, page: Picture | DamagedPage, start: float) -> Outcome:
        if isinstance(page, DamagedPage):
            return self.failed(page.error, page.page)
        try:
            return self._done(page, start)
        except (SegmentError, MemoryError) as error:
            return self.failed(error, page.page)

    def failed(self, error: Exception, page: int | None = None) -> Outcome:
        said = str(error)
        if isinstance(error, MemoryError):
            said = "needs more memory than there is; scale it down"
        cause = error.__cause__
        details = [f"{type(cause).__name__}: {cause}"] if cause else []
        details += getattr(error, "__notes__", [])
        lines = tuple(" ".join(detail.split()) for detail in details)
        return Outcome(str(self.task.source), "failed", said, page=page, details=lines)

    def _done(self, picture: Picture, start: float) -> Outcome:
        output = self.output
        segmentation = segment_pixels(picture.pixels, self.settings, mask=self.mask)
        count = len(segmentation.sizes)
        paths = output.paths(self.task, picture, count, self.inputs)
        result = Result(
            picture.pixels, segmentation, output.recolor, output.labels_as(count), picture.kept
        )
        on_threads(lambda product: write(product, result, paths[product]), output.products)
        height, width = segmentation.labels.shape
        return Outcome(
            input=str(self.task.source),
            status="ok",
            outputs=[str(path) for path in paths.values()],
            width=width,
            height=height,
            bandwidth=segmentation.bandwidth,
            segments=count,
            iterations=segmentation.n_iter,
            seconds=round(time.perf_counter() - start, 4),
            page=picture.page,
            warnings=picture.warnings + output.warnings(picture, count),
            details=picture.details,
        )
