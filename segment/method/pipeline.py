"""The whole method: an image in, its segments out."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from numpy.typing import ArrayLike, NDArray

from segment.errors import InvalidInputError, shown
from segment.meanshift.bandwidth import bandwidth_for
from segment.meanshift.points import distinct_points
from segment.method.clusters import Clusters, search_range
from segment.method.color_clusters import color_clusters, color_ground, known_clusters
from segment.method.model import Model
from segment.method.segmentation import Segmentation
from segment.method.segments import segments_of
from segment.pixels.bands import BandImage, BandScale
from segment.pixels.image import Pixels, check_space, pixels_of
from segment.settings import Assign, ColorSpace, Connectivity, Features, Kernel, Range, Settings
from segment.threads import at_most

SETTINGS = frozenset(Settings.__dataclass_fields__)


def segment_image(
    image: NDArray[Any],
    *,
    quantile: float = Settings.quantile,
    bandwidth: float | None = Settings.bandwidth,
    n_samples: int = Settings.n_samples,
    seed: int = Settings.seed,
    target_segments: int | None = Settings.target_segments,
    features: Features = Settings.features,
    color_space: ColorSpace = Settings.color_space,
    scale: str = Settings.scale,
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
    level: float | None = Settings.level,
    segments: int | None = Settings.segments,
    keep: tuple[int, ...] | None = Settings.keep,
    mask: ArrayLike | None = None,
    alpha: bool | None = None,
    model: Model | None = None,
    threads: int | None = None,
) -> Segmentation:
    """Split an image into segments of similar colour with mean shift.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array
        Grey, grey and alpha, RGB, RGB and alpha, or any number of bands; uint8, uint16, bool,
        whole numbers in 0..255 or floats in 0..1, with another `scale` any finite numbers. Pixels
        with alpha 0 get label 0 and take no part. A Dask array is read block of rows by block, on
        the scheduler that Dask is set to; then `labels` is one, too.
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
    target_segments : int, >= 1, optional
        Instead of a bandwidth: the one, found by bisection, whose number of segments is nearest
        to this. The segmentation tells which.
    features : {"color", "joint"}, default "color"
        Pixels as points in colour space, or as (x, y, colour), the joint domain: then
        segments are near in the image, too.
    color_space : {"rgb", "lab", "luv", "hsv", "gray"}, default "rgb"
        Space in which colours are clustered, as scikit-image converts to it. A grey
        image stays one-dimensional in "rgb", which also stands for bands of any kind; the
        others take grey or three bands.
    scale : str, default "depth"
        How bands compare; all scales bring them to the units of 8-bit values. "depth": by their
        type; more than three bands of uint16 by the smallest of 8, 10, 12, 14 and 16 bits that
        holds the largest value of all. "range": each band from its smallest to its largest value.
        "std": 255 are eight standard deviations of each. "LOW,HIGH", "LOW%,HIGH%": values of all
        bands, percentiles of each, that become 0 and 255. Values beyond are not clipped.
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
        with `min_size`.
    connectivity : {4, 8}, default 4
        Whether pixels are connected by their sides, or by their corners, too.
    min_size : int, >= 0, optional
        Regions with fewer pixels are absorbed, smallest first, by the adjacent region
        nearest in mean colour. Default: in the joint domain a thousandth of the pixels
        that take part, otherwise 0.
    level : float, >= 0, optional
        The regions of the hierarchy at this level, as ``hierarchy(image).cut(level)`` has them, in
        place of clusters: no other setting goes with it. Larger: fewer segments.
    segments : int, >= 1, optional
        Likewise: that many of them.
    keep : tuple of int, optional
        Regions of the hierarchy that are segments whatever the level or the number says, as
        `Hierarchy.cut` has them.
    mask : (H, W) array-like, optional
        Pixels where it is 0 get label 0 and take no part.
    alpha : bool, optional
        Whether the last channel is alpha. Default: that of two or four channels; False takes an
        RGB and near infrared image's four as bands.
    model : Model, optional
        Take its modes instead of finding some: pixels get the label of the nearest.
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
    >>> import numpy as np
    >>> from segment import segment_image
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
    settings = Settings(**given)
    with at_most(threads) if threads is not None else contextlib.nullcontext():
        return segment_pixels(image, settings, mask=mask, alpha=alpha, model=model)


segment_image.__module__ = "segment"


def segment_pixels(
    image: NDArray[Any] | BandImage,
    settings: Settings,
    *,
    mask: ArrayLike | None = None,
    alpha: bool | None = None,
    model: Model | None = None,
) -> Segmentation:
    """Do what `segment_image` does, with the settings in one object."""
    if model is not None and not isinstance(model, Model):
        raise InvalidInputError(f"model: expected a Model, got {shown(model)}; see fit_modes")
    if model is not None:
        settings = model.applied_to(settings)
        scale: str | BandScale = model.scale or Settings.scale
        if isinstance(image, BandImage):
            model.check_bands(image.values.shape[2], scaled=True, names=image.names)
    else:
        scale = settings.scale
    pixels = pixels_of(image, mask, alpha=alpha, scale=scale)
    check_space(pixels.colors.shape[1], settings)
    if model is not None:
        return segments_of(known_clusters(pixels, settings, model), pixels, settings)
    if settings.by_tree:
        from segment.method.hierarchy import hierarchy_of  # 60 ms that the others do not need

        tree = hierarchy_of(pixels)
        return tree.cut(settings.level, segments=settings.segments, keep=settings.keep or ())
    if settings.target_segments is not None:
        return Prepared(pixels, settings).nearest_to_target(settings)
    if settings.features == "joint":
        from segment.method.joint_clusters import joint_clusters  # 10 ms that colours do not need

        return segments_of(joint_clusters(pixels, settings), pixels, settings)
    return segments_of(color_clusters(pixels, settings), pixels, settings)


class Prepared:
    """An image indexed once, to be segmented with several bandwidths.

    Parameters
    ----------
    pixels : Pixels
    settings : Settings
        Those that say what a point is: the features, the colour space, the weight of position.

    Raises
    ------
    InvalidInputError
        If the image has no colours that the colour space takes.
    """

    def __init__(self, pixels: Pixels, settings: Settings) -> None:
        check_space(pixels.colors.shape[1], settings)
        self.pixels = pixels
        if settings.features == "joint":
            from segment.method.joint_clusters import joint_clusters, joint_ground

            ground = joint_ground(pixels, settings)
            self._find: Callable[..., Clusters] = functools.partial(joint_clusters, ground=ground)
        else:
            colors = color_ground(distinct_points(pixels.shown), settings)
            self._find = functools.partial(color_clusters, ground=colors)

    def segment(self, settings: Settings) -> Segmentation:
        """Segment the image; the answer is that of `segment_pixels`."""
        return segments_of(self._find(self.pixels, settings), self.pixels, settings)

    def nearest_to_target(self, settings: Settings) -> Segmentation:
        """Segment the image with the bandwidth that `bandwidth_for` finds."""
        latest: list[Segmentation] = []

        def count(bandwidth: float) -> int:
            chosen = replace(settings, bandwidth=bandwidth, target_segments=None)
            latest[:] = [self.segment(chosen)]
            return len(latest[0].sizes)

        target = settings.target_segments or 1
        bandwidth, _ = bandwidth_for(count, target, *search_range(settings))
        if latest[0].bandwidth != bandwidth:
            count(bandwidth)
        return replace(latest[0], settings=settings)
