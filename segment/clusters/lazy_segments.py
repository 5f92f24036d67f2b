"""A Dask array to a segmentation whose labels are one, on whatever scheduler Dask is set to."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from segment.bands import Band, shown_places
from segment.clusters.crew import AHEAD, PARTS, ClusterCrew, delayed_work, packed_work
from segment.clusters.dask_source import DaskSource
from segment.errors import InvalidInputError
from segment.memory_limit import memory_limit
from segment.method.model import Model
from segment.method.segmentation import Segmentation
from segment.pixels.bands import BandScale
from segment.pixels.colors import check_range, is_whole, range_of, unit_of, unrounded
from segment.pixels.image import NOT_FINITE
from segment.scenes.memory_plan import LARGEST_STRIP
from segment.scenes.scaling import scaled_scene
from segment.scenes.scene import check_scene, segment_scene
from segment.settings import Settings
from segment.strips.rows import SceneRows, Values
from segment.strips.scratch import Forgetful
from segment.strips.strips import Crew, Piece, Share, Strips, Work
from segment.threads import available_cores

Made = TypeVar("Made")


def segment_dask_array(
    image: Any,
    settings: Settings,
    *,
    mask: Any = None,
    alpha: bool | None = None,
    model: Model | None = None,
) -> Segmentation:
    """Do what `segment_pixels` does, of a Dask array; what is in memory is blocks of rows.

    Parameters
    ----------
    image : (H, W) or (H, W, C) dask array
    settings, mask, alpha, model
        As `segment_image` has them; the mask may be a Dask array.

    Returns
    -------
    segmentation : Segmentation
        To the bit that of the array in memory; `labels` is a Dask array, (H, W) int32, in blocks of
        full rows, which are labelled when they are computed.

    Raises
    ------
    InvalidInputError
        As `segment_image`; for settings that need the whole image.
    """
    check_scene(settings)
    image = _with_channels(image)
    crew = _crew(image)
    rows, strips = _cut(image, mask, alpha, crew)
    rows = _scaled(rows, strips, settings, model)
    memory = memory_limit(None)
    found = segment_scene(rows, settings, strips, Forgetful(), memory=memory, model=model)
    scale = rows.scale or _own_scale(rows)
    return Segmentation(
        labels=_lazy(rows, strips, found.labels),
        modes=found.modes,
        colors=found.colors,
        mode_colors=found.mode_colors,
        sizes=found.sizes,
        bandwidth=found.bandwidth,
        n_iter=found.n_iter,
        settings=settings if model is None else model.applied_to(settings),
        means=found.means,
        low=scale.low,
        unit=scale.unit,
    )


class ComputeCrew(Crew):
    """Has strips computed by the scheduler that Dask is set to, a few at a time."""

    def share(self, memory: int) -> Share:
        """Return how strips may be cut; see `Crew`."""
        return Share(PARTS * available_cores(), memory // available_cores())

    def in_order(
        self, rows: SceneRows, work: Callable[..., Made], strips: Iterable[Piece]
    ) -> Iterator[tuple[Piece, Made]]:
        """Yield what is made of each strip; see `Crew`."""
        dask = _dask()
        assert isinstance(rows.source, DaskSource)
        name, packed = packed_work(rows, work)
        held = dask.delayed(packed, pure=False)
        coming, step = iter(strips), AHEAD * available_cores()
        while some := list(itertools.islice(coming, step)):
            calls = [delayed_work(rows, name, held, strip) for strip in some]
            for strip, (made, _) in zip(some, dask.compute(*calls), strict=True):
                yield strip, made


def _crew(image: Any) -> Crew:
    """Return who computes an array: the client that Dask is set to, or its scheduler here."""
    client = getattr(_dask().base.get_scheduler(collections=[image]), "__self__", None)
    return ComputeCrew() if client is None else ClusterCrew(client)


def _with_channels(image: Any) -> Any:
    if image.ndim == 2:
        image = image[:, :, None]
    if image.ndim != 3 or 0 in image.shape:
        raise InvalidInputError(
            f"image: expected a non-empty (H, W) or (H, W, C) array, got shape {image.shape}"
        )
    if not np.isfinite(image.shape).all():
        raise InvalidInputError(
            f"image: expected an array whose shape is known, got {image.shape}; call its "
            "compute_chunk_sizes()"
        )
    if image.dtype.kind not in "biuf":
        raise InvalidInputError(f"image: expected real numbers, got {image.dtype}; convert it")
    return image


def _cut(image: Any, mask: Any, alpha: bool | None, crew: Crew) -> tuple[SceneRows, Strips]:
    """Return an array as rows in strips of about its own blocks; channels are bands, or alpha."""
    height, width, count = image.shape
    has_alpha = count in (2, 4) if alpha is None else alpha
    if has_alpha not in (True, False) or (has_alpha and count < 2):
        raise InvalidInputError(
            "alpha: expected True where the last of two or more channels is alpha, else False or "
            f"None, got {alpha!r} for {count} channels; leave it out"
        )
    bits = 1 if image.dtype.kind == "b" else image.dtype.itemsize * 8
    kind = image.dtype.newbyteorder("=")
    bands = tuple(
        Band(at, f"band_{at}", kind.name, bits, is_alpha=bool(has_alpha) and at == count)
        for at in range(1, count + 1)
    )
    own = max(image.chunks[0])
    rows = min(own, max(1, LARGEST_STRIP // width))
    source = DaskSource(image.astype(kind), bands, rows)
    colors = range(count - int(has_alpha))
    chosen = _chosen(mask, (height, width), rows)
    return SceneRows(source, tuple(colors), mask=chosen), Strips(height, rows, crew)


def _chosen(mask: Any, shape: tuple[int, int], rows: int) -> DaskSource | None:
    """Return a mask as a source of one band."""
    if mask is None:
        return None
    array = _dask().array.asarray(mask)
    if array.shape != shape:
        raise InvalidInputError(
            f"mask: expected shape {shape}, that of the image, got {array.shape}; resize it"
        )
    return DaskSource((array != 0)[:, :, None], (Band(1, "mask", "bool", 1),), rows)


def _dask() -> Any:
    """Return the package, which whoever has a Dask array has."""
    import dask.array
    import dask.base

    return dask


class _Facts(NamedTuple):
    """What values tell of their range: smallest and largest, whether they are 8-bit ones."""

    low: Any
    high: Any
    whole: bool

    def joined(self, other: _Facts) -> _Facts:
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        return _Facts(low, high, self.whole and other.whole)


def _scaled(rows: SceneRows, strips: Strips, settings: Settings, model: Model | None) -> SceneRows:
    """Return rows whose points are those that the image has in memory."""
    known = None if model is None else model.scale
    is_photo = settings.scale == "depth" and known is None and rows.channels in (1, 3)
    if rows.dtype == np.uint8 and is_photo:
        return rows
    if is_photo or settings.scale == "depth" or rows.dtype.kind == "f":
        facts = strips.merged("scaling", rows, _facts, _Facts.joined)
        by_depth = settings.scale == "depth" and known is None
        _check(rows.dtype, facts, by_depth=by_depth)
        if is_photo:
            points = functools.partial(_photo_points, whole=facts.whole)
            return replace(rows, scaled=points)
    shown = shown_places(rows.source.bands, None, tuple(rows.bands))
    return scaled_scene(rows, strips, settings.scale, shown, known)


def _facts(rows: SceneRows, top: int, bottom: int) -> _Facts:
    values, visible = rows.stored(top, bottom)
    if rows.channels in (1, 3):  # alpha is a channel of a photo as any other
        values, _ = rows.source.read(top, bottom, range(len(rows.source.bands)))
    elif visible is not None:
        values = values[visible]
    if not values.size:
        return _Facts(np.inf, -np.inf, True)
    low, high = range_of(values)
    if rows.dtype.kind not in "f" and rows.dtype != np.uint16:
        return _Facts(low, high, True)
    return _Facts(low, high, is_whole(unrounded(values), rows.dtype))


def _check(dtype: np.dtype[Any], facts: _Facts, *, by_depth: bool) -> None:
    if dtype.kind == "f" and not (np.isfinite(facts.low) and np.isfinite(facts.high)):
        raise InvalidInputError(NOT_FINITE)
    if by_depth:
        check_range(dtype, facts.low, facts.high)


def _photo_points(values: Values, whole: bool) -> NDArray[Any]:
    points = unrounded(values)
    return np.rint(points).astype(np.uint8) if whole and points.dtype != np.uint8 else points


def _own_scale(rows: SceneRows) -> BandScale:
    return BandScale(np.zeros(rows.channels), np.full(rows.channels, unit_of(rows.dtype)))


def _lazy(rows: SceneRows, strips: Strips, labels: Work[NDArray[np.int32]]) -> Any:
    """Return the labels of all strips as a Dask array."""
    dask = _dask()
    assert isinstance(rows.source, DaskSource)
    name, packed = packed_work(rows, labels)
    held = dask.delayed(packed, pure=False)
    parts = [
        dask.array.from_delayed(
            delayed_work(rows, name, held, strip)[0],
            (strip[1] - strip[0], rows.width),
            np.int32,
        )
        for strip in strips
    ]
    return dask.array.concatenate(parts)
