"""Several images to one set of modes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.band_statistics import BandStatistics
from segment.errors import InvalidInputError, shown
from segment.meanshift.bandwidth import bandwidth_for, kth_neighbor_distance, sample_indices
from segment.meanshift.modes import choose_modes
from segment.meanshift.points import DistinctPoints, distinct_points, merged_points
from segment.method.clusters import search_range
from segment.method.color_clusters import ColorGround, climb_colors, color_ground
from segment.method.model import Model
from segment.pixels.bands import BandImage, BandScale, band_scale
from segment.pixels.colors import to_color_space
from segment.pixels.image import Pixels, bands_of, check_space, pixels_of, visible_of
from segment.settings import Settings

MERGE_FROM = 4_000_000  # colours that wait to be counted together; bounds the memory
FOUND_BY = ("quantile", "n_samples", "seed", "target_segments", "kernel", "min_bin_freq")
KEPT = (*FOUND_BY, "max_iter", "scale")
PHOTO = "a photo"
Image = NDArray[Any] | BandImage
Images = Callable[[], Iterable[Image]]


def fit_modes(
    images: Iterable[NDArray[Any]],
    *,
    mask: ArrayLike | None = None,
    alpha: bool | None = None,
    **settings: Any,
) -> Model:
    """Find one set of modes for several images, as if they were one.

    Parameters
    ----------
    images : sequence of arrays
        Each as `segment_image` takes it, of any size; one image alone in a list, too. Grey ones
        among coloured ones count as coloured. Bands are scaled as if all images were one.
    mask : (H, W) array-like, optional
        The pixels of every image that take part.
    alpha : bool, optional
        Whether the last channel of every image is alpha. Default: that of two or four channels.
    **settings
        Those of `segment_image` that say how modes are found: quantile, bandwidth, n_samples,
        seed, target_segments, color_space, scale, kernel, min_bin_freq, max_iter.

    Returns
    -------
    model : Model

    Raises
    ------
    InvalidInputError
        If an image or a setting is not what it should be; features "joint", whose modes lie at
        places of one image; assign "basin", where a label is not that of the nearest mode.

    Examples
    --------
    >>> import numpy as np
    >>> from segment import fit_modes, segment_image
    >>> dark, bright = np.full((2, 2), 9, np.uint8), np.full((3, 3), 200, np.uint8)
    >>> model = fit_modes([dark, bright], bandwidth=20)
    >>> model.modes.tolist()
    [[200.0], [9.0]]
    >>> segment_image(dark, model=model).labels
    array([[2, 2],
           [2, 2]], dtype=int32)
    """
    every = _several(images)
    return fit_stream(lambda: every, Settings(**settings), mask, alpha=alpha)


fit_modes.__module__ = "segment"


def _several(images: Any) -> list[NDArray[Any]]:
    """Return the images as a list: one array of (H, W, 3) would else be taken for H grey images."""
    whole = hasattr(images, "__array__")
    stack = whole and np.ndim(images) == 4
    if isinstance(images, (str, bytes)) or not isinstance(images, Iterable) or whole != stack:
        got = f"an array of shape {np.shape(images)}" if whole else shown(images)
        raise InvalidInputError(
            f"images: expected a sequence of arrays, got {got}; put a single image into a list"
        )
    every = list(images)
    for each in every:
        if isinstance(each, (list, tuple)):  # rows of one image, or an image that is no array
            raise InvalidInputError(
                "images: expected arrays, got lists in a list; make each image one with np.asarray"
            )
    return every


def fit_stream(
    images: Images,
    settings: Settings,
    mask: ArrayLike | None = None,
    *,
    alpha: bool | None = None,
) -> Model:
    """Do what `fit_modes` does with images that need not be in memory at once.

    Parameters
    ----------
    images : callable
        Returns the images, the same ones in the same order whenever it is called: for the scale
        of bands, to count colours, and for the sample that gives the bandwidth.
    settings : Settings
    mask : (H, W) array-like, optional
    """
    check_keepable(settings)
    known = _common_scale(images, settings, mask, alpha)
    scale, names = known or (None, ())

    def pixels() -> Iterator[Pixels]:
        for image in images():
            yield pixels_of(image, mask, alpha=alpha, scale=scale or settings.scale)

    rows = _Rows(pixels, settings)
    ground = color_ground(rows.counted(), settings)
    bandwidth = _bandwidth(rows, ground, settings)
    modes, n_iter = _modes(rows, ground, settings, bandwidth)
    kept = {name: getattr(settings, name) for name in KEPT}
    return Model(modes, float(bandwidth), n_iter, settings.color_space, kept, scale, names)


def _common_scale(
    images: Images, settings: Settings, mask: ArrayLike | None, alpha: bool | None
) -> tuple[BandScale, tuple[str, ...]] | None:
    """Return the scale of the bands of all images together, and their names; None for photos."""
    first: BandImage | None = None
    found: BandStatistics | None = None
    while found is None or found.open:
        for image in images():
            each = bands_of(image, alpha, by_depth=settings.scale == "depth")
            if not isinstance(each, BandImage):
                if first is None:
                    return None  # and bands among photos are told of where they are scaled
                raise _mixed(_spelt(first), PHOTO)
            if found is None or first is None:
                first = each
                found = BandStatistics(each.values.shape[2], each.values.dtype, settings.scale)
            if not _alike(first, each):
                raise _mixed(_spelt(first), _spelt(each))
            found.add(each.values, visible_of(each, mask))
        if found is None or first is None:
            return None
        found.end_pass()
    assert first is not None
    return band_scale(found, settings.scale, first.bits), first.names


def _alike(one: BandImage, other: BandImage) -> bool:
    return (one.values.shape[2], one.values.dtype, one.bits, one.names) == (
        other.values.shape[2],
        other.values.dtype,
        other.bits,
        other.names,
    )


def _spelt(bands: BandImage) -> str:
    names = f" ({', '.join(bands.names)})" if bands.names else ""
    return f"{bands.values.shape[2]} bands{names} of {bands.values.dtype} in {bands.bits} bits"


def _mixed(first: str, other: str) -> InvalidInputError:
    return InvalidInputError(
        f"images: expected the same bands of one type in all of them, got {first} and {other}; "
        "fit them apart, or choose bands that all have"
    )


def check_keepable(settings: Settings) -> None:
    """Raise InvalidInputError unless a label is that of the nearest mode, wherever it lies."""
    kept = (("features", "color"), ("assign", "nearest"), ("level", None), ("segments", None))
    for name, wanted in kept:
        if getattr(settings, name) != wanted:
            raise InvalidInputError(
                f"{name}: expected {wanted!r} for modes that are kept, "
                f"got {getattr(settings, name)!r}; leave it out"
            )


class _Rows:
    """The pixels of all images, one image after the other; grey as colours among coloured."""

    def __init__(self, pixels: Callable[[], Iterator[Pixels]], settings: Settings) -> None:
        self._pixels, self._settings = pixels, settings
        self._banded: bool | None = None
        self.total, self.channels = 0, 1

    def __iter__(self) -> Iterator[NDArray[Any]]:
        for pixels in self._pixels():
            check_space(pixels.colors.shape[1], self._settings)
            banded = pixels.view is not None
            if self._banded not in (None, banded):
                raise _mixed(PHOTO, f"{pixels.colors.shape[1]} bands")
            self._banded = banded
            yield _widened(pixels.shown, self.channels)

    def counted(self) -> DistinctPoints:
        """Count the colours of all images together."""
        points, weights = np.empty((0, 1), np.uint8), np.empty(0)
        waiting: list[DistinctPoints] = []
        for rows in self:
            self.total += len(rows)
            self.channels = max(self.channels, rows.shape[1])
            waiting.append(distinct_points(rows))
            if sum(len(part.points) for part in waiting) > MERGE_FROM:
                points, weights = self._merged(points, weights, waiting)
                waiting = []
        points, weights = self._merged(points, weights, waiting)
        return DistinctPoints(points, weights, lambda values: values)

    def _merged(
        self, points: NDArray[Any], weights: NDArray[np.float64], parts: list[DistinctPoints]
    ) -> tuple[NDArray[Any], NDArray[np.float64]]:
        first = [points] if len(points) else []  # no dtype of its own while there is none
        wide = [_widened(each, self.channels) for each in (*first, *(p.points for p in parts))]
        if not wide:
            raise InvalidInputError("images: expected at least one, got none")
        return merged_points(wide, [weights, *(part.weights for part in parts)])

    def in_scan_order(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Return every pixel, the first first, and how often it counts."""
        every = np.concatenate([*self])
        return every, np.ones(len(every))

    def sample(self, places: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the pixels at these places of all of them: (len(places), channels)."""
        found = np.empty((len(places), self.channels))
        start = 0
        for rows in self:
            here = (places >= start) & (places < start + len(rows))
            found[here] = rows[places[here] - start]
            start += len(rows)
        if start != self.total:
            raise InvalidInputError("images: changed while they were read; fit them again")
        return found


def _widened(rows: NDArray[Any], channels: int) -> NDArray[Any]:
    return np.broadcast_to(rows, (len(rows), max(channels, rows.shape[1])))


def _bandwidth(rows: _Rows, ground: ColorGround, settings: Settings) -> float:
    """Return the bandwidth of all pixels together, as `color_clusters` takes it of one image."""
    if settings.bandwidth is not None:
        return settings.bandwidth
    if settings.target_segments is not None:
        target, ends = settings.target_segments, search_range(settings)
        return bandwidth_for(lambda h: len(_modes(rows, ground, settings, h)[0]), target, *ends)[0]
    places = sample_indices(rows.total, settings.n_samples, settings.seed)
    points = to_color_space(rows.sample(places), settings.color_space)
    return kth_neighbor_distance(points.astype(np.float64), settings.quantile)


def _modes(
    rows: _Rows, ground: ColorGround, settings: Settings, bandwidth: float
) -> tuple[NDArray[np.float64], int]:
    ends = climb_colors(ground, settings, bandwidth, rows.in_scan_order)
    return choose_modes(ends, float(bandwidth)).places, ends.n_iter
