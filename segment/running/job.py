"""One image from its file to its results' files, and what became of it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError, SegmentError, StdoutError
from segment.method.pipeline import segment_pixels
from segment.method.segmentation import Segmentation
from segment.photos.whole import mask_of, pages_of
from segment.pixels.bands import BandImage
from segment.pixels.image import pixels_of
from segment.progress import enter
from segment.reading.formats import is_by_strips
from segment.reading.picture import DamagedPage, Picture
from segment.reading.process_state import held_back
from segment.reading.sources import head_of
from segment.results.band_facts import image_of, remark_on, told_of, warnings_of
from segment.results.invocation import invocation, page_read
from segment.results.mapping import map_warnings
from segment.results.naming import Product, scratch_folder
from segment.results.outputs import file_at
from segment.results.products import Result, write
from segment.results.rasters import SIGNED
from segment.running.journal import digest, made_with, stamp
from segment.running.outcomes import Outcome
from segment.running.plan import Task, Work
from segment.streams import is_standard, is_stream
from segment.threads import at_most, on_threads
from segment.writing import write_whole

if TYPE_CHECKING:
    from segment.method.hierarchy import Hierarchy


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


class _Job(NamedTuple):
    """What all pages of a file have in common."""

    task: Task
    work: Work

    @property
    def base(self) -> Path:
        return self.work.base or Path()

    def run(self, outcomes: list[Outcome]) -> None:
        """Add the outcome of each page as it comes."""
        start = time.perf_counter()
        self.work.output.make_folders(self.task.place, self.base)
        if self._as_scene(outcomes, start):
            return
        mask = self._mask()
        enter("reading")
        for page in pages_of(self.base / self.task.source, self.work.reading):
            outcomes.append(self._outcome(page, mask, start))
            start = time.perf_counter()
            enter("reading")

    def _as_scene(self, outcomes: list[Outcome], start: float) -> bool:
        """Return whether an image needs more memory than there may be; do it strip by strip."""
        source = self.base / self.task.source
        if not self.work.may_cut(source):
            return False
        from segment.running.scene_job import scene_job  # most images need none

        key = digest(made_with(self.work), self.task.identity, stamp(source))
        scene = scene_job(self.task, self.work, key)
        if scene is not None:
            with held_back() as said:  # libtiff tells the terminal of damage
                made = scene.run(self._scene_paths)
            seconds = round(time.perf_counter() - start, 4)
            outcomes.append(replace(made, seconds=seconds, details=tuple(said)))
        return scene is not None

    def _check_fits(self, picture: Picture) -> None:
        if self.work.memory is not None:
            from segment.running.scene_job import check_fits

            check_fits(picture, self.work, self.base / self.task.source)

    def failed(self, error: Exception, page: int | None = None) -> Outcome:
        details, cause = list[str](), error.__cause__
        while cause:  # GDAL's own words are the last
            details.append(f"{type(cause).__name__}: {cause}")
            cause = cause.__cause__
        details += getattr(error, "__notes__", [])
        lines = tuple(dict.fromkeys(" ".join(detail.split()) for detail in details))
        return Outcome(self.task.input, "failed", _reason(error), page=page, details=lines)

    def _outcome(
        self, page: Picture | DamagedPage, mask: NDArray[np.bool_] | None, start: float
    ) -> Outcome:
        if isinstance(page, DamagedPage):
            return self.failed(page.error, page.page)
        make = self._sweep if self.work.output.sweep else self._segment
        try:
            enter("segmenting")
            self._check_fits(page)
            made = make(page, mask)
            self._forget(page.page)
        except (SegmentError, MemoryError) as error:
            return self.failed(error, page.page)
        return replace(
            made,
            width=page.pixels.shape[1],
            height=page.pixels.shape[0],
            seconds=round(time.perf_counter() - start, 4),
            page=page.page,
            warnings=made.warnings,
            details=page.details,
        )

    def _segment(self, picture: Picture, mask: NDArray[np.bool_] | None) -> Outcome:
        work, output = self.work, self.work.output
        on_the_map = map_warnings(picture.kept.geo, output.products, output.polygons)
        image = image_of(picture, work.settings, work.model)
        tree = self._tree(image, mask)
        if tree is None:
            found = segment_pixels(image, work.settings, mask=mask, model=work.model)
        else:
            asked = work.settings
            found = tree.cut(asked.level, segments=asked.segments, keep=asked.keep or ())
        enter("writing")
        count = len(found.sizes)
        told = told_of(picture, image, found)
        result = self._result(picture, image, found, tree)
        by_model = work.model is not None
        return Outcome(
            self.task.input,
            "ok",
            outputs=self._write(picture, result),
            bandwidth=found.bandwidth,
            segments=int(np.count_nonzero(found.sizes)),
            iterations=found.n_iter,
            warnings=warnings_of(picture, image, told, by_model=by_model)
            + (*output.warnings(count, on_map=bool(picture.kept.geo)), *on_the_map),
            more=self._told(tree) | told,
            entry=_entry(result) if output.with_entries else None,
            remark=remark_on(picture, image, told, work.settings),
        )

    def _forget(self, page: int | None) -> None:
        """Remove what a run that did the image by strips has left: nothing goes on with it."""
        folder = self.base / scratch_folder(self.task.place, page)
        if folder.is_dir():
            from segment.strips.scratch import forget  # hardly ever there

            forget(folder)

    def _tree(
        self, image: NDArray[Any] | BandImage, mask: NDArray[np.bool_] | None
    ) -> Hierarchy | None:
        if not self.work.settings.by_tree:
            return None
        from segment.method.hierarchy import hierarchy_of  # most runs have none

        return hierarchy_of(pixels_of(image, mask))

    def _told(self, tree: Hierarchy | None) -> dict[str, Any]:
        """Return what was asked for where it is not what came; the level of so many segments."""
        settings = self.work.settings
        if tree is not None:
            merged = tree.merged(settings)
            height = float(tree.merges[merged - 1, 2]) if merged else 0.0
            return {"level": height if settings.level is None else settings.level}
        target = settings.target_segments if self.work.model is None else None
        return {} if target is None else {"target_segments": target}

    def _result(
        self,
        picture: Picture,
        image: NDArray[Any] | BandImage,
        segmentation: Segmentation,
        tree: Hierarchy | None,
    ) -> Result:
        output, reading = self.work.output, page_read(self.work.reading, picture.page)
        page = "" if picture.page is None else f", page {picture.page}"
        scene = image if isinstance(image, BandImage) else None
        return Result(
            image.picture() if isinstance(image, BandImage) else image,
            segmentation,
            output.recolor,
            output.labels_as(len(segmentation.sizes)),
            picture.kept,
            self.task.source.name + page,
            tree,
            invocation(self.task.source, reading, self.work.mask),
            picture.values,
            tuple(band.name for band in picture.bands),
            scene,
            output.polygons,
            output.overviews,
        )

    def _write(self, picture: Picture, result: Result) -> list[str]:
        paths = self._paths(picture, len(result.segmentation.sizes))
        on_threads(lambda product: write(product, result, self.base / paths[product]), [*paths])
        return [str(path) for path in paths.values()]

    def _sweep(self, picture: Picture, mask: NDArray[np.bool_] | None) -> Outcome:
        from segment.results.sweep import sweep

        output = self.work.output
        paths = self._paths(picture)
        image = image_of(picture, output.sweep[0])
        trials, sheet = sweep(image, output.sweep, mask=mask, recolor=output.recolor)
        enter("writing")
        for path in paths.values():
            write_whole(self.base / path, lambda file: sheet.save(file, **SIGNED))
        told: dict[str, Any] = {"sweep": [asdict(trial) for trial in trials]}
        told |= {"bands": len(picture.bands), "names": [band.name for band in picture.bands]}
        outputs = [*map(str, paths.values())]
        return Outcome(self.task.input, "ok", outputs=outputs, more=told, warnings=picture.warnings)

    def _paths(self, picture: Picture, segments: int = 1) -> dict[Product, Path]:
        return self._free(self.work.output.paths(self.task.place, segments, picture.page))

    def _scene_paths(self, page: int | None) -> dict[Product, Path]:
        return self._free(self.work.output.scene_paths(self.task.place, page))

    def _free(self, paths: dict[Product, Path]) -> dict[Product, Path]:
        """Return the files of results if none of them is an input or another output."""
        taken: set[str | None] = {self.task.identity, *self.work.claimed}
        for path in paths.values():
            file = None if is_standard(path) else file_at(self.base / path)
            derived = path.parent == self.task.stem.parent
            if (derived and path.name in self.task.protected) or (file and file in taken):
                raise ImageFileError(
                    f"its result {path} would replace an input or another output; "
                    "choose another folder with -o"
                )
            if path not in self.work.output.files.values() and is_stream(self.base / path):
                raise ImageFileError(
                    f"its result {path} would go to a pipe or a device that is there, which nobody "
                    "named; remove it, or choose another folder with -o"
                )
            taken.add(file)
        return paths

    def _mask(self) -> NDArray[np.bool_] | None:
        if self.work.mask is None:
            return None
        path = self.base / self.work.mask
        try:
            return mask_of(path)
        except ImageFileError as error:
            raise ImageFileError(f"its mask {path} cannot be read: {error}") from None


def check_mask(path: Path) -> None:
    """Raise ImageFileError for a mask that cannot be read.

    It is read, and kept for the images; a large one that is read by strips is looked at only.
    """
    if is_by_strips(head_of(path)):
        from segment.running.scene_job import is_large

        if is_large(path):
            return
    mask_of(path)


def _entry(result: Result) -> Any:
    from segment.drawing.thumbnails import Thumbnail  # most runs have no report
    from segment.running.html_report import LONGEST, report_entry

    picture, found = pixels_of(result.image).rgb(), result.segmentation
    return report_entry(Thumbnail.of(picture, found.labels, LONGEST), found, result.hierarchy)


def _reason(error: Exception) -> str:
    if isinstance(error, SegmentError):
        return str(error)
    if isinstance(error, MemoryError):
        return "needs more memory than there is; scale it down"
    # a fault of ours costs one image, not the run
    return f"fails in an unforeseen way ({type(error).__name__}: {error}); please report it"


def is_shared(task: Task, work: Work) -> bool:
    """Return whether an image is one whose strips are shared out over a cluster."""
    with contextlib.suppress(SegmentError):  # told by the worker that gets it
        if is_by_strips(head_of((work.base or Path()) / task.source)):
            from segment.running.scene_job import is_large_scene

            return is_large_scene(task, work)
    return False
