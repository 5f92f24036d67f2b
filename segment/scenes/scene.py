"""A scene to its segments: the steps of the method, each strip by strip, the same to the bit."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.meanshift.bandwidth import sample_indices
from segment.method.color_clusters import (
    ColorModes,
    color_ground,
    color_modes,
    known_modes,
    sample_bandwidth,
)
from segment.method.model import Model
from segment.pixels.colors import as_colors, mean_channels, means_of_sums, to_rgb
from segment.regions._regions import add_up
from segment.scenes.census import Census, first_seen, sampled_points, take_census
from segment.scenes.labelling import Labeller, Labels, labeller, strip_labels
from segment.scenes.rows import SceneRows
from segment.scenes.scaling import pictured
from segment.scenes.scene_regions import scene_regions
from segment.scenes.scratch import Forgetful, Scratch
from segment.scenes.strips import Strips, Work
from segment.settings import Settings
from segment.threads import Started


@dataclass(frozen=True, eq=False)
class SceneSegmentation:
    """The segments of a scene: what `Segmentation` has, but for a map that is in memory.

    Attributes
    ----------
    labels : callable
        Work on strips, `labels(rows, top, bottom)`, that returns their labels, (h, W) int32.
    modes, means, colors, mode_colors, sizes, bandwidth, n_iter
        As `Segmentation` has them.
    """

    labels: Work[Labels]
    modes: NDArray[np.float64]
    means: NDArray[np.float64]
    colors: NDArray[np.uint8]
    mode_colors: NDArray[np.uint8]
    sizes: NDArray[np.int64]
    bandwidth: float
    n_iter: int


def segment_scene(
    rows: SceneRows,
    settings: Settings,
    strips: Strips,
    scratch: Scratch | Forgetful,
    *,
    memory: int,
    model: Model | None = None,
) -> SceneSegmentation:
    """Return the segmentation of a scene, as `segment_pixels` would make it in memory.

    Parameters
    ----------
    rows : SceneRows
    settings : Settings
        With features "color", no target and no level.
    strips : Strips
        How it is cut; the answer does not depend on it.
    scratch : Scratch or Forgetful
        Where stages that are done are kept, and taken up again.
    memory : int
        Bytes for what is known of colours or regions, beside the strips.
    model : Model, optional

    Raises
    ------
    InvalidInputError
        As `segment_image`; or if colours or regions are too many for the memory.
    """
    check_scene(settings)
    if model is not None:
        settings = model.applied_to(settings)
    census = _census(rows, strips, scratch, memory // per_color(rows.channels))
    modes = _modes(rows, census, settings, strips, scratch, model)
    label = labeller(rows, census, modes, settings)
    if not settings.by_region:
        return _by_cluster(rows, strips, census, modes, label, settings)
    pixels = int(census.shown.sum())
    found = scene_regions(rows, label, settings, strips, scratch, pixels=pixels, memory=memory)
    places = modes.places[found.clusters - 1]
    known = places, found.means, found.sizes
    return _segmentation(rows, strips, found.labels, *known, modes, settings)


def check_scene(settings: Settings) -> None:
    """Raise InvalidInputError for what is not done beyond memory, and say what is to be done."""
    way_out = "scale the image down, cut it, or raise --memory"
    if settings.by_tree:
        raise InvalidInputError(f"level: the hierarchy needs the whole image in memory; {way_out}")
    if settings.target_segments is not None:
        raise InvalidInputError(
            f"target_segments: the search needs the whole image in memory; {way_out}, or set a "
            "bandwidth"
        )
    if settings.features != "color":
        raise InvalidInputError(
            f"features: joint features need the whole image in memory; {way_out}, or take colours"
        )


def per_color(channels: int) -> int:
    """Return bytes that a distinct colour takes while modes are found: sorted, in a tree, labelled.

    >>> per_color(3)
    208
    """
    return 64 + 48 * channels


def _census(rows: SceneRows, strips: Strips, scratch: Scratch | Forgetful, most: int) -> Census:
    known = scratch.load("census")
    if known is None:
        census = take_census(rows, strips, most)
        scratch.save("census", points=census.points, weights=census.weights, shown=census.shown)
        return census
    return Census(known["points"], known["weights"], known["shown"])


def _modes(
    rows: SceneRows,
    census: Census,
    settings: Settings,
    strips: Strips,
    scratch: Scratch | Forgetful,
    model: Model | None,
) -> ColorModes:
    known = scratch.load("modes")
    if known is not None:
        numbers = float(known["bandwidth"]), int(known["n_iter"])
        return ColorModes(known["labels"], known["places"], *numbers)
    if model is not None:
        return known_modes(census.distinct, settings, model)
    bandwidth = _bandwidth(rows, census, settings, strips)
    strips.told("climbing", 0, 1)
    ground = color_ground(census.distinct, settings)
    in_scan_order = functools.partial(first_seen, rows, strips, census)
    modes = color_modes(ground, settings, bandwidth, in_scan_order)
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in modes._asdict().items()}
    scratch.save("modes", **arrays)
    return modes


def _bandwidth(rows: SceneRows, census: Census, settings: Settings, strips: Strips) -> float:
    """Return the bandwidth asked for, in its own type, or that of a sample."""
    if settings.bandwidth is not None:
        return settings.bandwidth
    total = int(census.shown.sum())
    places = Started(lambda: sample_indices(total, settings.n_samples, settings.seed))
    sample = sampled_points(rows, strips, census.shown, np.asarray(places.result(), np.int64))
    return sample_bandwidth(sample, settings)


def _by_cluster(
    rows: SceneRows,
    strips: Strips,
    census: Census,
    modes: ColorModes,
    label: Labeller,
    settings: Settings,
) -> SceneSegmentation:
    means, sizes = mean_channels(census.points, census.weights, modes.labels, len(modes.places))
    labels = functools.partial(strip_labels, label=label)
    return _segmentation(rows, strips, labels, modes.places, means, sizes, modes, settings)


def _segmentation(
    rows: SceneRows,
    strips: Strips,
    labels: Work[Labels],
    places: NDArray[np.float64],
    means: NDArray[np.float64],
    sizes: NDArray[np.int64],
    modes: ColorModes,
    settings: Settings,
) -> SceneSegmentation:
    looks: NDArray[np.uint8] | None
    if rows.look is None or rows.scale is None:
        mean_colors, looks = as_colors(means), to_rgb(places, settings.color_space)
    else:
        mean_colors = _picture_means(rows, strips, labels, len(sizes))
        in_rgb = settings.color_space == "rgb"
        channels = places if in_rgb else to_rgb(places, settings.color_space)
        looks = rows.look.colors_of(channels, rows.scale)
    mode_colors = mean_colors if looks is None else looks
    colors = np.where(sizes[:, None] > 0, mean_colors, mode_colors)
    return SceneSegmentation(
        labels, places, means, colors, mode_colors, sizes, modes.bandwidth, modes.n_iter
    )


def _picture_means(
    rows: SceneRows, strips: Strips, labels: Work[Labels], count: int
) -> NDArray[np.uint8]:
    """Return the mean colour of each segment in the picture of a scene, (K, 3)."""
    sums = np.zeros((count + 1, 4))
    add = functools.partial(_picture_sums, labels=labels)
    for _, _, (numbers, own) in strips.in_order("averaging", rows, add):
        sums[numbers] += own
    return as_colors(means_of_sums(sums[1:])[0])


def _picture_sums(
    rows: SceneRows, top: int, bottom: int, labels: Work[Labels]
) -> tuple[Labels, NDArray[np.float64]]:
    """Return the segments of a strip, and sums of their colours in the picture there."""
    numbers, places = np.unique(labels(rows, top, bottom), return_inverse=True)
    sums = np.zeros((len(numbers), 4))
    colors = pictured(rows, top, bottom).reshape(-1, 3)
    add_up(places.reshape(-1).astype(np.int32), colors, sums)
    return numbers, sums
