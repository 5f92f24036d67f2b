"""A scene to its segments: the steps of the method, each strip by strip, the same to the bit."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.meanshift.bandwidth import sample_indices
from segment.method.model import Model
from segment.method.segments import channels_of
from segment.pixels.colors import as_colors, means_of_sums, to_rgb
from segment.pixels.image import check_space
from segment.scenes.census import count_shown, sampled_points
from segment.scenes.color_scene import ColorScene, SceneClusters
from segment.scenes.labelling import Labels, sums_by_number, sums_of
from segment.scenes.scaling import pictured
from segment.scenes.scene_regions import scene_regions
from segment.settings import Settings
from segment.strips.rows import SceneRows
from segment.strips.scratch import Arrays, Forgetful, Scratch
from segment.strips.strips import ReadingAhead, Strips, Work
from segment.windows.ground import Sample
from segment.windows.joint_scene import Known, check_joint, joint_modes, known_scene
from segment.windows.planned_windows import bytes_of_row


@dataclass(frozen=True, eq=False)
class SceneSegmentation:
    """The segments of a scene: what `Segmentation` has, but for a map that is in memory.

    Attributes
    ----------
    labels : callable
        Work on strips, `labels(rows, top, bottom)`, that returns their labels, (h, W) int32.
    modes, means, colors, mode_colors, sizes, bandwidth, n_iter
        As `Segmentation` has them.
    remarks : tuple of str
        What users should know of how they were found.
    """

    labels: Work[Labels]
    modes: NDArray[np.float64]
    means: NDArray[np.float64]
    colors: NDArray[np.uint8]
    mode_colors: NDArray[np.uint8]
    sizes: NDArray[np.int64]
    bandwidth: float
    n_iter: int
    remarks: tuple[str, ...] = ()


def segment_scene(
    rows: SceneRows,
    settings: Settings,
    strips: Strips,
    scratch: Scratch | Forgetful,
    *,
    memory: int,
    windows: int | None = None,
    model: Model | None = None,
) -> SceneSegmentation:
    """Return the segmentation of a scene, as `segment_pixels` would make it in memory.

    Parameters
    ----------
    rows : SceneRows
    settings : Settings
        With no target and no level; in the joint domain with kernel "flat" and assign "nearest".
    strips : Strips
        How it is cut; the answer does not depend on it.
    scratch : Scratch or Forgetful
        Where stages that are done are kept, and taken up again.
    memory : int
        Bytes for what is known of colours or regions, beside the strips.
    windows : int, optional
        Bytes for windows of joint features. Default: the same.
    model : Model, optional

    Raises
    ------
    InvalidInputError
        As `segment_image`; or if colours or regions are too many for the memory.
    """
    check_scene(settings)
    if model is not None:
        settings = model.applied_to(settings)
    check_space(rows.channels, settings)
    rows.remembered.spare = scratch.spare(memory) if strips.are_here else None
    if settings.features == "joint":
        clusters = _joint(rows, settings, strips, scratch, windows or memory)
    else:
        clusters = ColorScene(rows, settings, strips, scratch, memory, model).clusters()
    if not settings.by_region:
        count = len(clusters.places) + 1
        means, sizes = clusters.means or means_of_sums(
            sums_of(rows, clusters.labels, count, strips)[1:]
        )
        known = clusters.places, means, sizes, clusters, settings
        return _segmentation(rows, strips, clusters.labels, *known)
    found = scene_regions(
        rows, clusters.labels, settings, strips, scratch, pixels=clusters.pixels, memory=memory
    )
    places = clusters.places[found.clusters - 1]
    known = places, found.means, found.sizes, clusters, settings
    return _segmentation(rows, strips, found.labels, *known)


def _joint(
    rows: SceneRows, settings: Settings, strips: Strips, scratch: Scratch | Forgetful, memory: int
) -> SceneClusters:
    stage = scratch.load("modes")
    if stage is None:
        stage = _joint_modes(rows, settings, strips, memory)
        scratch.save("modes", **stage)
    known = Known(stage["modes"], *(stage[name].item() for name in Known._fields[1:]))
    labels = known_scene(rows, settings, known).labels
    return SceneClusters(labels, known.modes, known.bandwidth, known.n_iter, int(stage["pixels"]))


def _joint_modes(rows: SceneRows, settings: Settings, strips: Strips, memory: int) -> Arrays:
    """Return what is kept of the modes of a scene in the joint domain."""
    shown = count_shown(rows, strips)
    pixels = int(shown.sum())
    sample = None
    if settings.bandwidth is None and settings.spatial_radius is None:
        wanted = np.asarray(sample_indices(pixels, settings.n_samples, settings.seed), np.int64)
        sample = Sample(*sampled_points(rows, strips, shown, wanted))
    strips.told("climbing", 0, rows.height)
    crew = ReadingAhead() if strips.are_here else strips.crew
    share = crew.share(memory)
    item = 1 if rows.in_bytes and settings.color_space == "rgb" else 8
    window = min(share.memory // bytes_of_row(rows.width, rows.channels, item), rows.height)
    known = joint_modes(rows, settings, crew, window, share.strips, sample, strips.told)
    kept = {**known._asdict(), "pixels": pixels}
    return {name: np.asarray(value) for name, value in kept.items()}


def check_scene(settings: Settings) -> None:
    """Raise InvalidInputError for what is not done beyond memory, and say what is to be done."""
    way_out = "scale the image down, cut it, or raise --memory (compute() a Dask array)"
    if settings.by_tree:
        raise InvalidInputError(f"level: the hierarchy needs the whole image in memory; {way_out}")
    if settings.target_segments is not None:
        raise InvalidInputError(
            f"target_segments: the search needs the whole image in memory; {way_out}, or set a "
            "bandwidth"
        )
    if settings.features == "joint":
        check_joint(settings)


def _segmentation(
    rows: SceneRows,
    strips: Strips,
    labels: Work[Labels],
    places: NDArray[np.float64],
    means: NDArray[np.float64],
    sizes: NDArray[np.int64],
    clusters: SceneClusters,
    settings: Settings,
) -> SceneSegmentation:
    looks: NDArray[np.uint8] | None
    channels = channels_of(places, settings)
    if rows.look is None or rows.scale is None:
        mean_colors, looks = as_colors(means), to_rgb(channels, settings.color_space)
    else:
        mean_colors = _picture_means(rows, strips, labels, len(sizes))
        in_rgb = settings.color_space == "rgb"
        shown = channels if in_rgb else to_rgb(channels, settings.color_space)
        looks = rows.look.colors_of(shown, rows.scale)
    mode_colors = mean_colors if looks is None else looks
    colors = np.where(sizes[:, None] > 0, mean_colors, mode_colors)
    return SceneSegmentation(
        labels,
        places,
        means,
        colors,
        mode_colors,
        sizes,
        clusters.bandwidth,
        clusters.n_iter,
        clusters.remarks,
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
    return sums_by_number(labels(rows, top, bottom), pictured(rows, top, bottom))
