"""The whole method: an image in, its segments out. Only this module knows all the steps."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.bandwidth import kth_neighbor_distance, sample_indices
from segment.errors import InvalidInputError
from segment.features import distinct_points, pixel_rows, to_color_space, to_rgb
from segment.modes import Ends, Tree, build_tree, choose_modes, climb_to_ends, nearest_mode
from segment.ranges import Range
from segment.seeds import bin_seeds
from segment.segmentation import Segmentation, mean_colors
from segment.settings import ColorSpace, Settings
from segment.threads import Started


def segment_image(
    image: NDArray[Any],
    *,
    quantile: float = Settings.quantile,
    bandwidth: float | None = Settings.bandwidth,
    n_samples: int = Settings.n_samples,
    seed: int = Settings.seed,
    color_space: ColorSpace = Settings.color_space,
    min_bin_freq: int = Settings.min_bin_freq,
    max_iter: int = Settings.max_iter,
    cluster_all: bool = Settings.cluster_all,
    threads: int | None = None,
) -> Segmentation:
    """Split an image into segments of similar colour with mean shift.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array, C in 1..4
        Grey, grey and alpha, RGB, RGB and alpha; uint8, uint16, bool, whole numbers in
        0..255 or floats in 0..1. Pixels with alpha 0 get label 0 and take no part.
    quantile : float in (0, 1], default 0.1
        The bandwidth is the mean distance from a sampled pixel to the quantile nearest of
        the sample. Larger: fewer segments.
    bandwidth : float in [1e-6, 1e30], optional
        Radius of the kernel; wins over `quantile`. RGB and grey: in units of 8-bit values,
        whatever the dtype; Lab, Luv (L in 0..100) and HSV (0..1): of those spaces.
    n_samples : int, >= 1, default 500
        Pixels sampled for the bandwidth.
    seed : int, default 0
        Of that sample.
    color_space : {"rgb", "lab", "luv", "hsv", "gray"}, default "rgb"
        Space in which colours are clustered, as scikit-image converts to it. A grey
        image stays one-dimensional in "rgb".
    min_bin_freq : int, >= 1, default 1
        Bins, cells as wide as the bandwidth, with fewer pixels give no seed. Larger:
        fewer segments.
    max_iter : int, >= 0, default 300
        Longest climb to a mode.
    cluster_all : bool, default True
        Otherwise pixels beyond the bandwidth of every mode get label 0.
    threads : int, >= 1, optional
        Default: the cores available. The result does not depend on it.

    Returns
    -------
    segmentation : Segmentation
        Labels 1..K in the order of the modes, densest first; 0 for no segment.

    Raises
    ------
    InvalidInputError
        A ValueError: the image or a parameter is not what it should be, nothing is
        visible, or no seed has a pixel within the bandwidth.

    Notes
    -----
    For 8-bit images in RGB the modes and labels are scikit-learn's to the bit:
    ``MeanShift(bandwidth=h, bin_seeding=True).fit(image.reshape(-1, 3))`` with
    ``h = estimate_bandwidth(image.reshape(-1, 3), quantile=0.1, n_samples=500)``.

    References
    ----------
    D. Comaniciu and P. Meer, "Mean shift: a robust approach toward feature space
    analysis", PAMI 24(5), 2002.

    Examples
    --------
    >>> image = np.zeros((2, 3, 3), np.uint8)
    >>> image[:, 1:] = 200, 100, 0
    >>> segmentation = segment_image(image, bandwidth=30)
    >>> segmentation.labels
    array([[2, 1, 1],
           [2, 1, 1]], dtype=int32)
    >>> segmentation.colors.tolist(), segmentation.sizes.tolist()
    ([[200, 100, 0], [0, 0, 0]], [4, 2])
    """
    if threads is not None:
        Range(1, whole=True).check("threads", threads)
    settings = Settings(
        quantile=quantile,
        bandwidth=bandwidth,
        n_samples=n_samples,
        seed=seed,
        color_space=color_space,
        min_bin_freq=min_bin_freq,
        max_iter=max_iter,
        cluster_all=cluster_all,
    )
    return segment_pixels(image, settings, threads)


def segment_pixels(
    image: NDArray[Any], settings: Settings, threads: int | None = None
) -> Segmentation:
    """Do what `segment_image` does, with the settings in one object."""
    pixels, visible = pixel_rows(image)
    shown = pixels if visible is None else pixels[visible]
    if not len(shown):
        raise InvalidInputError("image: expected something visible, but every pixel is transparent")
    sampled = Started(functools.partial(_bandwidth, shown, settings))  # beside the counting
    distinct = distinct_points(shown)
    points = to_color_space(distinct.points, settings.color_space)
    tree = build_tree(points, distinct.weights)
    bandwidth = sampled.result()
    ends = _climb(tree, points, distinct.weights, bandwidth, settings, threads)
    if ends.order_matters:  # by chance; once more then, with the seeds in the order of the pixels
        every = to_color_space(shown, settings.color_space)
        ends = _climb(tree, every, np.ones(len(every)), bandwidth, settings, threads)
    modes = choose_modes(ends, float(bandwidth))
    nearest, distances = nearest_mode(tree, modes)
    labels = nearest + np.int32(1)
    if not settings.cluster_all:
        labels[distances > bandwidth] = 0
    colors, sizes = mean_colors(distinct.points, distinct.weights, labels, len(modes))
    mode_colors = to_rgb(modes, settings.color_space)
    return Segmentation(
        labels=_label_map(distinct.spread(labels), visible, np.shape(image)[:2]),
        modes=modes,
        colors=np.where(sizes[:, None] > 0, colors, mode_colors),
        mode_colors=mode_colors,
        sizes=sizes,
        bandwidth=float(bandwidth),
        n_iter=ends.n_iter,
    )


def _bandwidth(pixels: NDArray[Any], settings: Settings) -> float:
    """The bandwidth asked for, as it came: NumPy rounds seeds otherwise for its own scalars."""
    if settings.bandwidth is not None:
        return settings.bandwidth
    sample = pixels[sample_indices(len(pixels), settings.n_samples, settings.seed)]
    points = to_color_space(sample, settings.color_space).astype(np.float64)
    return kth_neighbor_distance(points, settings.quantile)


def _climb(
    tree: Tree,
    points: NDArray[Any],
    weights: NDArray[np.float64],
    bandwidth: float,
    settings: Settings,
    threads: int | None,
) -> Ends:
    seeds = bin_seeds(points, weights, bandwidth, settings.min_bin_freq)
    return climb_to_ends(
        tree, seeds, bandwidth=float(bandwidth), max_iter=settings.max_iter, threads=threads
    )


def _label_map(
    labels: NDArray[np.int32], visible: NDArray[np.bool_] | None, shape: tuple[int, ...]
) -> NDArray[np.int32]:
    if visible is not None:
        shown, labels = labels, np.zeros(len(visible), dtype=np.int32)
        labels[visible] = shown
    return labels.reshape(shape)
