"""The whole method: an image in, its segments out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.clusters import Clusters, Pixels, color_clusters, color_points, joint_clusters
from segment.errors import InvalidInputError
from segment.features import pixel_rows, to_rgb
from segment.ranges import Range
from segment.regions import connected_regions
from segment.segmentation import Segmentation, mean_colors
from segment.settings import Assign, ColorSpace, Connectivity, Features, Kernel, Settings

SETTINGS = frozenset(Settings.__dataclass_fields__)


def segment_image(
    image: NDArray[Any],
    *,
    quantile: float = Settings.quantile,
    bandwidth: float | None = Settings.bandwidth,
    n_samples: int = Settings.n_samples,
    seed: int = Settings.seed,
    features: Features = Settings.features,
    color_space: ColorSpace = Settings.color_space,
    spatial_weight: float = Settings.spatial_weight,
    spatial_radius: float | None = Settings.spatial_radius,
    range_radius: float | None = Settings.range_radius,
    kernel: Kernel = Settings.kernel,
    assign: Assign = Settings.assign,
    min_bin_freq: int = Settings.min_bin_freq,
    max_iter: int = Settings.max_iter,
    cluster_all: bool = Settings.cluster_all,
    connected: bool | None = Settings.connected,
    connectivity: Connectivity = Settings.connectivity,
    min_size: int | None = Settings.min_size,
    merge: float = Settings.merge,
    mask: ArrayLike | None = None,
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
        Radius h of the kernel; wins over `quantile`. RGB and grey: in units of 8-bit values,
        whatever the dtype; Lab, Luv (L in 0..100) and HSV (0..1): of those spaces.
    n_samples : int, >= 1, default 500
        Pixels sampled for the bandwidth.
    seed : int, default 0
        Of that sample.
    features : {"color", "joint"}, default "color"
        Pixels as points in colour space, or as (x, y, colour), the joint domain: then
        segments are near in the image, too.
    color_space : {"rgb", "lab", "luv", "hsv", "gray"}, default "rgb"
        Space in which colours are clustered, as scikit-image converts to it. A grey
        image stays one-dimensional in "rgb".
    spatial_weight : float, >= 0, default 0.25
        Joint: the longer side of the image times this counts as much as the range of a
        colour channel (RGB and grey 255, Lab and Luv 100, HSV 1). Larger: more compact
        segments. The size of the image in pixels does not matter.
    spatial_radius, range_radius : float, > 0, optional
        Joint: the radii hs (pixels) and hr (units of the colour space) of the literature,
        together, instead of bandwidth and weight. The points are (x / hs, y / hs,
        colour / hr) and the bandwidth 1.
    kernel : {"flat", "gaussian"}, default "flat"
        Weight of a point at distance d: 1 up to h, or exp(-d^2 / (2 h^2)) up to 3 h.
    assign : {"nearest", "basin"}, default "nearest"
        A pixel takes its nearest mode; or climbs itself and takes the mode nearest to its end,
        where the ends of all pixels give the modes.
    min_bin_freq : int, >= 1, default 1
        Bins, cells as wide as the bandwidth, with fewer pixels give no seed. Larger:
        fewer segments. Of no effect with `assign` "basin".
    max_iter : int, >= 0, default 300
        Longest climb.
    cluster_all : bool, default True
        Otherwise pixels beyond the bandwidth of every mode get label 0.
    connected : bool, optional
        Number connected regions instead of clusters. Default: in the joint domain, and
        with `min_size` or `merge`.
    connectivity : {4, 8}, default 4
        Whether pixels are connected by their sides, or by their corners, too.
    min_size : int, >= 0, optional
        Regions with fewer pixels are absorbed, smallest first, by the adjacent region
        nearest in mean colour. Default: in the joint domain a thousandth of the pixels
        that take part, otherwise 0.
    merge : float, >= 0, default 0
        Adjacent regions that differ by less are merged, smallest first, in units of the colour
        space. Mean colours and the step across the border count, and small regions less than
        large ones. Larger: fewer segments; 0: none is merged.
    mask : (H, W) array-like, optional
        Pixels where it is 0 get label 0 and take no part.
    threads : int, >= 1, optional
        Default: the cores available. The result does not depend on it.

    Returns
    -------
    segmentation : Segmentation
        Labels 1..K: clusters in the order of the modes, densest first; regions in scan order
        of their first pixels; 0 for no segment.

    Raises
    ------
    InvalidInputError
        A ValueError: the image, the mask or a parameter is not what it should be, nothing is
        visible, or no seed has a pixel within the bandwidth.

    Notes
    -----
    For 8-bit images in RGB and features "color" the modes and labels are scikit-learn's to
    the bit: ``MeanShift(bandwidth=h, bin_seeding=True).fit(image.reshape(-1, 3))`` with
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
    given = {name: value for name, value in locals().items() if name in SETTINGS}
    if threads is not None:
        Range(1, whole=True).check("threads", threads)
    return segment_pixels(image, Settings(**given), mask=mask, threads=threads)


def segment_pixels(
    image: NDArray[Any],
    settings: Settings,
    *,
    mask: ArrayLike | None = None,
    threads: int | None = None,
) -> Segmentation:
    """Do what `segment_image` does, with the settings in one object."""
    pixels = _pixels(image, mask)
    find = joint_clusters if settings.features == "joint" else color_clusters
    clusters = find(pixels, settings, threads)
    if settings.by_region:
        return _by_region(clusters, pixels, settings)
    return _by_cluster(clusters, pixels, settings)


def _pixels(image: NDArray[Any], mask: ArrayLike | None) -> Pixels:
    colors, visible = pixel_rows(image)
    shape = np.shape(image)[:2]
    if mask is not None:
        chosen = np.asarray(mask)
        if chosen.shape != shape:
            raise InvalidInputError(
                f"mask: expected shape {shape} like the image, got {chosen.shape}; "
                "crop or scale it to the image"
            )
        if chosen.dtype.kind not in "biuf" or np.isnan(chosen).any():
            raise InvalidInputError(
                f"mask: expected numbers or booleans, got {chosen.dtype}"
                f"{' with NaN' if chosen.dtype.kind == 'f' else ''}; make it 0 and 1"
            )
        selected = chosen.reshape(-1) != 0
        if not selected.any():
            raise InvalidInputError("mask: expected something selected, but it is 0 everywhere")
        visible = selected if visible is None else visible & selected
    if visible is not None and not visible.any():
        raise InvalidInputError(
            "image: expected something visible, but every pixel is transparent"
            + (" or out of the mask" if mask is not None else "")
            + "; check its alpha"
        )
    return Pixels(colors, visible, (shape[0], shape[1]))


def _by_cluster(clusters: Clusters, pixels: Pixels, settings: Settings) -> Segmentation:
    means = clusters.means or _means(clusters.labels, pixels, len(clusters.modes))
    return _segmentation(clusters, clusters.labels, clusters.modes, means, settings)


def _by_region(clusters: Clusters, pixels: Pixels, settings: Settings) -> Segmentation:
    points = color_points(pixels, settings) if clusters.points is None else clusters.points
    regions = connected_regions(
        clusters.labels,
        points,
        connectivity=settings.connectivity,
        min_size=settings.smallest_region(len(pixels.shown)),
        merge=settings.merge,
    )
    means = _means(regions.map, pixels, len(regions.clusters))
    modes = clusters.modes[regions.clusters - 1]
    return _segmentation(clusters, regions.map, modes, means, settings)


def _means(
    labels: NDArray[np.int32], pixels: Pixels, count: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    weights = np.broadcast_to(1.0, labels.size)
    return mean_colors(np.ascontiguousarray(pixels.colors), weights, labels.reshape(-1), count)


def _segmentation(
    clusters: Clusters,
    labels: NDArray[np.int32],
    modes: NDArray[np.float64],
    means: tuple[NDArray[np.uint8], NDArray[np.int64]],
    settings: Settings,
) -> Segmentation:
    colors, sizes = means
    scale = 1.0
    if settings.features == "joint" and settings.range_radius is not None:
        scale = settings.range_radius
    channels = modes[:, 2:] * scale if settings.features == "joint" else modes
    mode_colors = to_rgb(channels, settings.color_space)
    return Segmentation(
        labels=labels,
        modes=modes,
        colors=np.where(sizes[:, None] > 0, colors, mode_colors),
        mode_colors=mode_colors,
        sizes=sizes,
        bandwidth=clusters.bandwidth,
        n_iter=clusters.n_iter,
    )
