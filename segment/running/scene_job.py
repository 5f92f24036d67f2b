"""One image that is too large for the memory there may be, from its file to its results."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segment.bands import chosen_places, shown_places
from segment.errors import ImageFileError
from segment.photos.opening import open_image
from segment.photos.photo import is_photo, kept_of
from segment.pixels.bands import BandScale
from segment.progress import advance
from segment.raster.source import RasterSource
from segment.reading.picture import Notes, Picture
from segment.reading.reading_options import MaskReading
from segment.reading.values import in_known_range
from segment.results.band_facts import radii_of, range_warnings, remark_of
from segment.results.mapping import map_warnings
from segment.results.naming import Product, scratch_folder
from segment.running.outcomes import Outcome
from segment.streams import is_stream
from segment.strips.rows import SceneRows, Values

if TYPE_CHECKING:
    from segment.clusters.crew import ClusterCrew
    from segment.drawing.thumbnails import GrowingThumbnail
    from segment.running.plan import Task, Work
    from segment.scenes.memory_plan import Plan
    from segment.scenes.scene import SceneSegmentation
    from segment.strips.strips import Strips

INFLATED = 200  # bytes that one of a file stands for, at most, unless --max-pixels allows it
SIXTEEN_BITS = 257.0
SHARED_FROM = 1 << 25  # pixels from which an image is worth the talk with a cluster
LARGE = 1 << 24  # pixels of a mask, a byte each
AS_MASK = MaskReading(ignore_icc=True)


@dataclass(frozen=True, eq=False)
class SceneJob:
    """A scene to be done strip by strip.

    Attributes
    ----------
    task, work
        As `run_job` has them.
    source : RasterSource
    memory : int
        Bytes that it may take.
    key : str
        A digest of all that its results depend on.
    """

    task: Task
    work: Work
    source: RasterSource
    memory: int
    key: str

    @property
    def page(self) -> int | None:
        """The page that was asked for, where there are several."""
        page = self.work.reading.page
        return int(page) if page is not None and self.source.several else None

    def run(self, paths: Callable[[int | None], dict[Product, Path]]) -> Outcome:
        """Segment the scene and write its results; `paths` gives their files by the page."""
        from segment.scenes.memory_plan import planned  # small images need none

        settings, named = self.work.settings, self.named(paths)
        on_the_map = map_warnings(self.source.geo, tuple(named), self.work.output.polygons)
        with contextlib.closing(self.source), self._rows() as rows:
            joint, by_region = settings.features == "joint", settings.by_region
            plan = planned(rows, self.memory, by_region=by_region, joint=joint, told=advance)
            crew = self._crew()
            if crew is None:
                rows = replace(rows, remembered=plan.remembered)
            else:
                whole = min(self.source.preferred_rows, self.source.height)
                plan = replace(plan, strips=crew.cut(plan.strips, whole))
            rows = self._scaled(rows, plan.strips)
            found, entry = self._write(rows, plan, named)
        told, output = self._told(rows), self.work.output.by_strips
        said = (*self.source.warnings, *self._range_warnings(rows, told), *found.remarks)
        said += tuple(crew.warnings) if crew else ()
        said += output.warnings(len(found.sizes), on_map=bool(self.source.geo))
        return Outcome(
            self.task.input,
            "ok",
            outputs=[str(path) for path in named.values()],
            width=rows.width,
            height=rows.height,
            bandwidth=found.bandwidth,
            segments=int(np.count_nonzero(found.sizes)),
            iterations=found.n_iter,
            page=self.page,
            warnings=(*said, *on_the_map),
            more=told,
            entry=entry,
            remark=self._remark(rows, told),
        )

    def named(self, paths: Callable[[int | None], dict[Product, Path]]) -> dict[Product, Path]:
        """Return the files of the results, once it is sure that they can be made."""
        from segment.results.scene_products import check_products
        from segment.scenes.scene import check_scene

        check_scene(self.work.settings)
        named = paths(self.page)
        check_products(named)
        return named

    def _write(
        self, rows: SceneRows, plan: Plan, named: dict[Product, Path]
    ) -> tuple[SceneSegmentation, Any]:
        """Write the results; keep what they need on the way beside them. Also return the entry."""
        from segment.results.scene_products import SceneResult, write_scene
        from segment.scenes.scene import segment_scene
        from segment.strips.scratch import Scratch

        work, base = self.work, self.work.base or Path()
        with Scratch(base / scratch_folder(self.task.place, self.page), self.key) as scratch:
            found = segment_scene(
                rows,
                work.settings,
                plan.strips,
                scratch,
                memory=plan.memory,
                windows=plan.windows,
                model=work.model,
            )
            output = work.output
            result = SceneResult(
                rows,
                found,
                kept_of(self.source, work.reading),
                plan.strips,
                output.recolor,
                output.overviews,
                self.key,
                output.polygons,
            )
            thumbnail = self._thumbnail()
            write_scene(result, {name: base / path for name, path in named.items()}, thumbnail)
        return found, thumbnail and _entry(thumbnail, found)

    def _thumbnail(self) -> GrowingThumbnail | None:
        """Return the small picture that a report shows, if there is a report."""
        if not self.work.output.with_entries:
            return None
        from segment.drawing.thumbnails import GrowingThumbnail
        from segment.running.html_report import LONGEST

        return GrowingThumbnail(self.source.height, self.source.width, LONGEST)

    def _crew(self) -> ClusterCrew | None:
        """Return the workers of the cluster, if there is one."""
        if self.work.cluster is None:
            return None
        from segment.clusters.crew import ClusterCrew

        return ClusterCrew(self.work.cluster)

    def _told(self, rows: SceneRows) -> dict[str, Any]:
        """Return what ``--json`` tells of bands."""
        bits = self.source.bands[rows.bands[0]].bits
        scale = rows.scale
        if scale is None:  # of a photo: its depth
            unit = ((1 << bits) - 1) / 255
            scale = BandScale(np.zeros(rows.channels), np.full(rows.channels, unit))
        return {
            "bands": rows.channels,
            "names": list(rows.names),
            **radii_of(self.work.settings),
            "scale": {
                "as": self.work.settings.scale,
                "low": scale.low.tolist(),
                "unit": scale.unit.tolist(),
            },
        }

    def _remark(self, rows: SceneRows, told: dict[str, Any]) -> str | None:
        """Return what `remark_on` has of an image in memory."""
        alpha = rows.has_alpha and (self._is_scene or not self.source.alpha_is_sure)
        if not (self._is_scene or alpha):
            return None
        units = told["scale"]["unit"] if self._is_scene else None
        return remark_of(rows.channels, units, self.work.settings, alpha=alpha)

    def _range_warnings(self, rows: SceneRows, told: dict[str, Any]) -> tuple[str, ...]:
        bits = self.source.bands[rows.bands[0]].bits
        by_model = self.work.model is not None
        return range_warnings(told["scale"], rows.dtype, bits, by_model=by_model)

    @contextlib.contextmanager
    def _rows(self) -> Iterator[SceneRows]:
        """Yield the rows of the chosen bands; as points if they are a photo's."""
        places = chosen_places(self.source.bands, self.work.reading.bands)
        rows = SceneRows(self.source, places)
        if not self._is_scene:
            bits = self.source.bands[places[0]].bits
            rows = replace(rows, scaled=functools.partial(_photo_points, bits=bits))
        if self.work.mask is None:
            yield rows
            return
        path = (self.work.base or Path()) / self.work.mask
        try:
            mask = open_image(path, AS_MASK)
        except ImageFileError as error:
            raise ImageFileError(f"its mask {path} cannot be read by strips: {error}") from None
        with contextlib.closing(mask):
            yield replace(rows, mask=mask)

    @property
    def _is_scene(self) -> bool:
        """Whether bands are scaled, as `image_of` has it, not taken for the colours of a photo."""
        reading, model = self.work.reading, self.work.model
        chosen = reading.bands is not None or reading.show_bands is not None
        by_model = model is not None and model.scale is not None
        scaled = by_model or self.work.settings.scale != "depth"
        return chosen or scaled or not is_photo(self.source, reading)

    @property
    def can_be_cut(self) -> bool:
        """Whether a pixel's point depends on nothing but its values and what is counted by strips.

        The colours of a photo that have no known range are stretched by all of them.
        """
        first = self.source.bands[0]
        return self._is_scene or (np.dtype(first.dtype).kind in "bu" and first.bits <= 16)

    def _scaled(self, rows: SceneRows, strips: Strips) -> SceneRows:
        if self.work.model is not None:
            self.work.model.check_bands(rows.channels, scaled=self._is_scene, names=rows.names)
        if not self._is_scene:
            return rows
        from segment.scenes.scaling import scaled_scene

        shown = shown_places(self.source.bands, self.work.reading.show_bands, tuple(rows.bands))
        known = None if self.work.model is None else self.work.model.scale
        return scaled_scene(rows, strips, self.work.settings.scale, shown, known)


def scene_job(task: Task, work: Work, key: str) -> SceneJob | None:
    """Return the job of an image that needs more memory than there may be; None for others.

    Those that cannot be read by strips are left to the readers of whole images, too; `check_fits`
    refuses them if a limit was named.

    Parameters
    ----------
    task : Task
    work : Work
    key : str
        A digest of all that its results depend on.

    Raises
    ------
    ImageFileError
        If the file is so much smaller than its pixels that it may be a decompression bomb.
    """
    path = (work.base or Path()) / task.source
    if work.reading.page == "all" or work.output.sweep:
        return None
    try:
        source = open_image(path, work.reading)
    except ImageFileError:  # told by those who read it whole, or no matter to them
        return None
    pixels, count = source.height * source.width, len(source.bands)
    item = np.dtype(source.bands[0].dtype).itemsize
    limit = work.limit
    fits = work.needs(pixels, count, item) <= limit and pixels <= work.reading.max_pixels
    job = SceneJob(task, work, source, limit, key)
    if (fits and work.cluster is None) or not job.can_be_cut:
        source.close()
        return None
    _check_size(path, source, pixels * count * item, work)
    return job


def scene_paths(task: Task, work: Work) -> dict[Product, Path] | None:
    """Return the files that an image's results will have if it is done by strips; else None.

    Raises
    ------
    SegmentError
        If it is to be done by strips, and cannot.
    """
    job = scene_job(task, work, "")
    if job is None:
        return None
    with contextlib.closing(job.source):
        return job.named(lambda page: work.output.scene_paths(task.place, page))


def is_large_scene(task: Task, work: Work) -> bool:
    """Return whether an image is large enough for a cluster, and can be done by strips.

    Raises
    ------
    SegmentError
        If it cannot.
    """
    job = scene_job(task, work._replace(cluster=True), "")
    if job is None:
        return False
    with contextlib.closing(job.source) as source:
        job.named(lambda page: work.output.scene_paths(task.place, page))
        return source.height * source.width >= SHARED_FROM


def is_large(mask: Path) -> bool:
    """Return whether a mask can be read by strips, and is so large that it should be."""
    try:
        with contextlib.closing(open_image(mask, AS_MASK)) as source:
            return source.height * source.width > LARGE
    except ImageFileError:  # told by those who read it whole
        return False


def check_fits(picture: Picture, work: Work, path: Path) -> None:
    """Raise ImageFileError for an image read whole that takes more memory than there may be."""
    values = picture.values
    pixels = values.shape[0] * values.shape[1]
    needed, limit = work.needs(pixels, values.shape[2], values.dtype.itemsize), work.limit
    if needed > limit:
        raise ImageFileError(
            f"takes about {needed >> 20}M in memory, more than the {limit >> 20}M of --memory, and "
            f"is not read by strips, for it {_why_whole(path, work)}; or raise --memory"
        )


def _why_whole(path: Path, work: Work) -> str:
    """Return why an image is not read by strips, and what to do."""
    if is_stream(path):
        return "is a pipe; save it to a file"
    if work.reading.page == "all":
        return "is one of all pages; choose one with --page"
    if work.output.sweep:
        return "is tried with several settings; choose one"
    try:
        open_image(path, work.reading).close()
    except ImageFileError as error:
        return str(error)
    return "has values of no known range; save it in whole numbers of up to 16 bits"


def _entry(thumbnail: GrowingThumbnail, found: SceneSegmentation) -> Any:
    from segment.running.html_report import report_entry  # most runs have no report

    return report_entry(thumbnail.whole(), found)


def _check_size(path: Path, source: RasterSource, stored: int, work: Work) -> None:
    pixels = source.height * source.width
    if pixels <= work.reading.max_pixels or not path.is_file():
        return
    if path.stat().st_size * INFLATED < stored:
        raise ImageFileError(
            f"has {source.width} x {source.height} pixels in a file of {path.stat().st_size:,} "
            "bytes, which may be a decompression bomb; raise --max-pixels if it is none"
        )


def _photo_points(values: Values, bits: int) -> NDArray[Any]:
    """Return the points of a photo's values of up to 16 bits, as they are read in memory."""
    known = in_known_range(values, bits, None, Notes())[0]
    return known if known.dtype == np.uint8 else known / SIXTEEN_BITS
