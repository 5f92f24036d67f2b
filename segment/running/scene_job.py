"""One image that is too large for the memory there may be, from its file to its results."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segment.bands import chosen_places, shown_places
from segment.errors import ImageFileError, SegmentError
from segment.memory_limit import memory_limit
from segment.pixels.bands import BandScale
from segment.progress import advance
from segment.raster.opening import open_source
from segment.raster.source import RasterSource
from segment.reading.picture import Notes
from segment.reading.values import in_known_range
from segment.results.band_facts import remark_of
from segment.results.naming import page_stem
from segment.results.scene_products import SceneResult, check_products, write_scene
from segment.running.outcomes import Outcome
from segment.scenes.cluster import ClusterCrew
from segment.scenes.memory_plan import needed_in_memory, planned
from segment.scenes.rows import SceneRows, Values
from segment.scenes.scaling import scaled_scene
from segment.scenes.scene import check_scene, segment_scene
from segment.scenes.scratch import Scratch
from segment.scenes.strips import Strips
from segment.streams import is_stream

if TYPE_CHECKING:
    from segment.running.plan import Task, Work

INFLATED = 200  # bytes that one of a file stands for, at most, unless --max-pixels allows it
SIXTEEN_BITS = 257.0
SHARED_FROM = 1 << 25  # pixels from which an image is worth the talk with a cluster


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

    def run(self, paths: Any) -> Outcome:
        """Segment the scene and write its results; `paths` gives their files."""
        work, output = self.work, self.work.output
        check_scene(work.settings)
        named = paths()
        check_products(named)
        with contextlib.closing(self.source), self._rows() as rows:
            plan = planned(
                rows,
                self.memory,
                by_region=work.settings.by_region,
                joint=work.settings.features == "joint",
                told=advance,
            )
            crew = None if work.cluster is None else ClusterCrew(work.cluster)
            strips = plan.strips if crew is None else crew.cut(plan.strips, self._whole)
            rows = self._scaled(rows, strips)
            place = self.task.place
            if work.reading.page is not None:
                place = page_stem(place, int(work.reading.page))
            base = work.base or Path()
            folder = base / Path(place).with_name(f".{Path(place).name}.scene")
            with Scratch(folder, self.key) as scratch:
                found = segment_scene(
                    rows,
                    work.settings,
                    strips,
                    scratch,
                    memory=plan.memory,
                    model=work.model,
                )
                result = SceneResult(rows, found, strips, output.recolor, "tiff", False, self.key)
                write_scene(result, {name: base / path for name, path in named.items()})
        told = self._told(rows)
        return Outcome(
            self.task.input,
            "ok",
            outputs=[str(path) for path in named.values()],
            width=rows.width,
            height=rows.height,
            bandwidth=found.bandwidth,
            segments=int(np.count_nonzero(found.sizes)),
            iterations=found.n_iter,
            warnings=(*self.source.warnings, *(crew.warnings if crew else ())),
            more=told,
            remark=remark_of(rows.channels, told["scale"]["unit"]) if self._is_scene else None,
        )

    @property
    def _whole(self) -> int:
        return min(self.source.preferred_rows, self.source.height)

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
            "scale": {
                "as": self.work.settings.scale,
                "low": scale.low.tolist(),
                "unit": scale.unit.tolist(),
            },
        }

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
        with contextlib.closing(open_source((self.work.base or Path()) / self.work.mask)) as mask:
            yield replace(rows, mask=mask)

    @property
    def _is_scene(self) -> bool:
        """Whether bands are scaled, as `image_of` has it, not taken for the colours of a photo."""
        reading, model = self.work.reading, self.work.model
        chosen = reading.bands is not None or reading.show_bands is not None
        by_model = model is not None and model.scale is not None
        count = sum(not band.is_alpha for band in self.source.bands)
        return chosen or by_model or self.work.settings.scale != "depth" or count not in (1, 3)

    def _scaled(self, rows: SceneRows, strips: Strips) -> SceneRows:
        if self.work.model is not None:
            self.work.model.check_bands(rows.channels, scaled=self._is_scene, names=rows.names)
        if not self._is_scene:
            return rows
        shown = shown_places(self.source.bands, self.work.reading.show_bands, tuple(rows.bands))
        known = None if self.work.model is None else self.work.model.scale
        return scaled_scene(rows, strips, self.work.settings.scale, shown, known)


def scene_job(task: Task, work: Work, key: str) -> SceneJob | None:
    """Return the job of an image that needs more memory than there may be; None for others.

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
    if is_stream(path) or work.reading.page == "all" or work.output.sweep:
        return None
    try:
        source = open_source(
            path, page=work.reading.page, allow_damaged=work.reading.allow_truncated
        )
    except ImageFileError:  # told by those who read it whole, or no matter to them
        return None
    memory = memory_limit(work.memory) // work.sharers
    pixels = source.height * source.width
    item = np.dtype(source.bands[0].dtype).itemsize
    needed = needed_in_memory(pixels, len(source.bands), item, by_region=work.settings.by_region)
    is_small = needed <= memory and pixels <= work.reading.max_pixels
    if is_small and work.cluster is None:
        source.close()
        return None
    _check_size(path, source, pixels * len(source.bands) * item, work)
    return SceneJob(task, work, source, memory, key)


def is_shared(task: Task, work: Work) -> bool:
    """Whether an image is large enough for a cluster, and is one that can be done by strips."""
    path = (work.base or Path()) / task.source
    if work.reading.page == "all" or work.output.sweep:
        return False
    try:
        check_scene(work.settings)
        check_products(work.output.scene_paths(task.place, None))
        source = open_source(
            path, page=work.reading.page, allow_damaged=work.reading.allow_truncated
        )
        with contextlib.closing(source):
            return source.height * source.width >= SHARED_FROM
    except SegmentError:  # told by the worker that gets it
        return False


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
