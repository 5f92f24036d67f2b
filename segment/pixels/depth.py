"""Values of a photo to 8 bits: what their type, and their range, tell of black and white."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError


def in_8_bit_range(array: NDArray[Any]) -> NDArray[Any]:
    """Return values in 0..255: uint8 where that is exact for all of them, else float64.

    Raises
    ------
    InvalidInputError
        If their type or range tells nothing.
    """
    if array.dtype == np.uint8:
        return array
    check_range(array.dtype, *(range_of(array) if array.dtype.kind in "fiu" else (0, 0)))
    values = unrounded(array)
    if values.dtype == np.uint8 or not is_whole(values, array.dtype):
        return values
    return np.asarray(np.rint(values), np.uint8)


def range_of(array: NDArray[Any]) -> tuple[Any, Any]:
    """Return the smallest and the largest value."""
    return array.min(), array.max()


def check_range(dtype: np.dtype[Any], low: Any, high: Any) -> None:
    """Raise InvalidInputError if nothing tells what black and white are."""
    if dtype.kind == "b" or (dtype.kind == "u" and dtype.itemsize <= 2):
        return
    got = f"{dtype}"
    if dtype.kind in "fiu":
        if low >= 0 and high <= (1 if dtype.kind == "f" else 255):  # false for NaN, too
            return
        got += f" with values from {low} to {high}"
    raise of_no_depth(got)


def unrounded(array: NDArray[Any]) -> NDArray[Any]:
    """Return values in a range that tells what they are as they come out in 0..255."""
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "f":
        return array.astype(np.float64) * 255
    if array.dtype == np.uint16:
        return np.asarray(array / 257.0)
    return array.astype(np.uint8)


def is_whole(values: NDArray[np.float64], dtype: np.dtype[Any]) -> bool:
    """Whether all are 8-bit values that were scaled to `dtype` and back: quicker, exact again."""
    rounding = 2 * np.finfo(np.float32 if dtype == np.float32 else np.float64).eps
    whole = np.rint(values)
    return bool((np.abs(values - whole) <= rounding * whole).all())


def of_no_depth(got: str) -> InvalidInputError:
    """Return the error of values of which nothing tells what they are."""
    return InvalidInputError(
        "image: expected uint8, uint16, bool, whole numbers in 0..255 or floats in 0..1, "
        f"got {got}; rescale it, or set scale='range'"
    )


def unit_of(dtype: np.dtype[Any]) -> float:
    """Return what 1 in 0..255 is in a photo's own values."""
    if dtype.kind in "bf":
        return 1 / 255
    return 257.0 if dtype == np.uint16 else 1.0
