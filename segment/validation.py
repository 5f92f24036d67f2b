"""Checks of what callers pass in: expected, came, and what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InvalidInputError

LARGEST = 1e150  # whose square is still finite


def checked_matrix(X: ArrayLike, name: str = "X") -> NDArray[Any]:
    """Return `X` as a finite, non-empty (n, d) array of numbers; its dtype is kept.

    Examples
    --------
    >>> checked_matrix([1, 2])
    Traceback (most recent call last):
    segment.errors.InvalidInputError: X: expected a 2D array, one row a point, got shape (2,); \
reshape it, for single features with .reshape(-1, 1)
    """
    array = np.asarray(X)
    if array.dtype == object:
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidInputError(f"{name}: expected numbers, got {error}") from None
    if array.dtype.kind not in "biuf":
        raise InvalidInputError(f"{name}: expected real numbers, got dtype {array.dtype}")
    if array.ndim != 2:
        raise InvalidInputError(
            f"{name}: expected a 2D array, one row a point, got shape {array.shape}; "
            "reshape it, for single features with .reshape(-1, 1)"
        )
    if 0 in array.shape:
        what = "sample" if array.shape[0] == 0 else "feature"
        raise InvalidInputError(
            f"{name}: found array with 0 {what}(s), shape {array.shape}; a minimum of 1 is required"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InvalidInputError(
            f"{name}: contains NaN or infinity; remove those rows or replace the values"
        )
    largest = max(-float(array.min()), float(array.max()))
    if largest > LARGEST:
        raise InvalidInputError(
            f"{name}: expected values up to {LARGEST:g}, got {largest:g}; rescale them"
        )
    return array
