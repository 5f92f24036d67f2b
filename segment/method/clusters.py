"""What clusters in both feature spaces have in common: form, climb, where to search."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.meanshift.modes import Ends, Ground, climb_to_ends
from segment.pixels.colors import SPANS
from segment.settings import Settings


class Clusters(NamedTuple):
    """Clusters of pixels.

    Attributes
    ----------
    labels : (H, W) int32 array
        1..K in the order of the modes; 0 for pixels in no cluster.
    modes : (K, d) float64 array
    bandwidth : float
    n_iter : int
    points : (H, W, C) array or None
        The image in the colour space, where it was made.
    means : ((K, C) float64, (K,) int64) or None
        Mean of each channel before any conversion, and size, of each cluster, where they come
        without another look at the pixels.
    """

    labels: NDArray[np.int32]
    modes: NDArray[np.float64]
    bandwidth: float
    n_iter: int
    points: NDArray[Any] | None
    means: tuple[NDArray[np.float64], NDArray[np.int64]] | None


def climb(ground: Ground, seeds: NDArray[Any], *, settings: Settings, bandwidth: float) -> Ends:
    """Climb as the settings say."""
    return climb_to_ends(
        ground,
        seeds,
        bandwidth=float(bandwidth),
        kernel=settings.kernel,
        max_iter=settings.max_iter,
    )


def search_range(settings: Settings) -> tuple[float, float]:
    """Return a bandwidth that parts all 8-bit colours, and one that reaches from end to end."""
    span = SPANS[settings.color_space]
    wide = settings.spatial_weight if settings.features == "joint" else 0.0
    return span / 512, span * 8 * max(1.0, wide)
