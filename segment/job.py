"""One image from its file to its results' files, and what became of it."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError, SegmentError, StdoutError
from segment.masks import mask_from
from segment.naming import Product
from segment.picture import DamagedPage, Picture
from segment.pipeline import segment_pixels
from segment.plan import Task
from segment.products import Result, write
from segment.reading import read_pages
from segment.report import Outcome
from segment.segmentation import Segmentation
from segment.stages import enter
from segment.threads import at_most, on_threads
from segment.work import Work
from segment.writing import STDOUT


def run_job(task: Task, work: Work) -> list[Outcome]:
    """Segment an image and write its results; what is wrong with it is told, not raised.

    Parameters
    ----------
    task : Task
    work : Work

    Returns
    -------
    outcomes : list of Outcome
        One; or one for each page, where all of them were asked for.

    Raises
    ------
    StdoutError
        If standard output, where a result was to go, takes no more.
    """
    job = _Job(task, work)
    outcomes: list[Outcome] = []
    try:
        with at_most(work.cores) if work.cores else contextlib.nullcontext():
            job.run(outcomes)
    except StdoutError:
        raise
    except Exception as error:
        outcomes.append(job.failed(error))
    return outcomes


@dataclass(frozen=True, eq=False)
class _Job:
    """What all pages of a file have in common."""

    task: Task
    work: Work

    @property
    def base(self) -> Path:
        return self.work.base or Path()

    def run(self, outcomes: list[Outcome]) -> None:
        """Add the outcome of each page as it comes."""
        start = time.perf_counter()
        self.work.output.make_folders(self.task, self.base)
        mask = self._mask()
        enter("reading")
        for page in read_pages(self.base / self.task.source, self.work.reading):
            outcomes.append(self._outcome(page, mask, start))
            start = time.perf_counter()
            enter("reading")

    def failed(self, error: Exception, page: int | None = None) -> Outcome:
        cause = error.__cause__
        details = [f"{type(cause).__name__}: {cause}"] if cause else []
        details += getattr(error, "__notes__", [])
        lines = tuple(" ".join(detail.split()) for detail in details)
        return Outcome(self.task.input, "failed", _reason(error), page=page, details=lines)

    def _outcome(
        self, page: Picture | DamagedPage, mask: NDArray[np.bool_] | None, start: float
    ) -> Outcome:
        if isinstance(page, DamagedPage):
            return self.failed(page.error, page.page)
        try:
            enter("segmenting")
            segmentation = segment_pixels(page.pixels, self.work.settings, mask=mask)
            enter("writing")
            paths = self._write(page, segmentation)
        except (SegmentError, MemoryError) as error:
            return self.failed(error, page.page)
        return self._done(page, segmentation, paths, start)

    def _write(self, picture: Picture, segmentation: Segmentation) -> dict[Product, Path]:
        output, count = self.work.output, len(segmentation.sizes)
        paths = output.paths(self.task, count, picture.page)
        self._check(paths)
        result = Result(
            picture.pixels, segmentation, output.recolor, output.labels_as(count), picture.kept
        )
        on_threads(lambda name: write(name, result, self.base / paths[name]), output.products)
        return paths

    def _check(self, paths: dict[Product, Path]) -> None:
        for product, path in paths.items():
            if product not in self.work.output.files:
                is_input = path.name in self.task.protected
            elif path == STDOUT:
                is_input = False
            else:
                is_input = os.path.realpath(self.base / path) == self.task.identity
            if is_input:
                raise ImageFileError(
                    f"its result {path} would replace an input; choose another folder with -o"
                )

    def _mask(self) -> NDArray[np.bool_] | None:
        if self.work.mask is None:
            return None
        path = self.base / self.work.mask
        try:
            return mask_from(path)
        except ImageFileError as error:
            raise ImageFileError(f"its mask {path} cannot be read: {error}") from None

    def _done(
        self,
        picture: Picture,
        segmentation: Segmentation,
        paths: dict[Product, Path],
        start: float,
    ) -> Outcome:
        height, width = segmentation.labels.shape
        count, on_map = len(segmentation.sizes), bool(picture.kept.geo)
        return Outcome(
            input=self.task.input,
            status="ok",
            outputs=[str(path) for path in paths.values()],
            width=width,
            height=height,
            bandwidth=segmentation.bandwidth,
            segments=count,
            iterations=segmentation.n_iter,
            seconds=round(time.perf_counter() - start, 4),
            page=picture.page,
            warnings=picture.warnings + self.work.output.warnings(count, on_map=on_map),
            details=picture.details,
        )


def _reason(error: Exception) -> str:
    if isinstance(error, SegmentError):
        return str(error)
    if isinstance(error, MemoryError):
        return "needs more memory than there is; scale it down"
    # a fault of ours costs one image, not the run
    return f"fails in an unforeseen way ({type(error).__name__}: {error}); please report it"
