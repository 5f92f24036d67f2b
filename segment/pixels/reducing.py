"""A large image to one of the size of a photo on a screen, for what is looked at from afar."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def reduced(
    rgb: NDArray[np.uint8], visible: NDArray[np.bool_] | None, factor: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
    """Average squares of pixels; where nothing is visible, repeat what is nearest.

    Parameters
    ----------
    rgb : (H, W, 3) uint8 array
    visible : (H, W) bool array or None
        Pixels that count; at least one. None for all.
    factor : int
        Side of a square; those at the right and at the bottom may be cut off.

    Returns
    -------
    small : (h, w, 3) uint8 array
        So that the border of what is visible is no edge of the image.
    hidden : (h, w) bool array or None
        Squares without a visible pixel; None if there are none.

    Examples
    --------
    >>> rgb = np.uint8([[10, 20, 90]]).repeat(3).reshape(1, 3, 3)
    >>> reduced(rgb, None, 2)[0][..., 0].tolist()
    [[15, 90]]
    >>> small, hidden = reduced(rgb, np.array([[True, False, False]]), 2)
    >>> small[..., 0].tolist(), hidden.tolist()
    ([[10, 10]], [[False, True]])
    """
    if visible is None:
        if factor == 1:
            return rgb, None
        whole = np.broadcast_to(np.uint8(1), rgb.shape[:2])
        return _means(_sums(rgb, factor), _sums(whole, factor)), None
    counts = _sums(visible.astype(np.uint8), factor)
    small = _means(_sums(np.where(visible[..., None], rgb, np.uint8(0)), factor), counts)
    hidden = counts == 0
    if not hidden.any():
        return small, None
    # 0.2 s that most images do not need
    from scipy.ndimage import distance_transform_edt  # type: ignore[import-untyped]

    nearest = distance_transform_edt(hidden, return_distances=False, return_indices=True)
    return small[nearest[0], nearest[1]], hidden


def _sums(values: NDArray[np.uint8], factor: int) -> NDArray[np.uint32]:
    for axis in (0, 1):
        starts = np.arange(0, values.shape[axis], factor)
        sums: NDArray[Any] = np.add.reduceat(values, starts, axis=axis, dtype=np.uint32)
        values = sums
    return sums


def _means(sums: NDArray[np.uint32], counts: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Divide whole numbers, a half upwards."""
    counts = np.maximum(counts, 1)[..., None]
    return ((2 * sums + counts) // (2 * counts)).astype(np.uint8)
