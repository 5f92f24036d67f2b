"""Checks of what callers pass in: what was expected, what was got, and what to do."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputTypeError, InvalidInputError, shown
from segment.settings import Range, plain

LARGEST = 1e150  # whose square is still finite
SMALLEST = 1e-150  # whose square still has all its digits
LARGEST_LABEL = 2**31 - 1  # and number of a point or a pixel: kernels count them in 32 bits


def checked_path(path: object) -> Path:
    """Return the name of a file as a Path; InvalidInputError for what can be none.

    Examples
    --------
    >>> checked_path("a\\0b")
    Traceback (most recent call last):
    segment.InvalidInputError: path: expected the name of a file, got 'a\\x00b'
    """
    if isinstance(path, (str, os.PathLike)):
        name = os.fspath(path)
        try:
            if isinstance(name, str) and name and b"\0" not in os.fsencode(name):
                return Path(name)
        except UnicodeEncodeError:  # half of a pair, which no file system takes
            pass
    raise InvalidInputError(f"path: expected the name of a file, got {shown(path)}")


def as_array(name: str, values: ArrayLike) -> NDArray[Any]:
    """Return an array of the values; InvalidInputError for rows of different lengths.

    Examples
    --------
    >>> as_array("mask", [[1], [2, 3]])
    Traceback (most recent call last):
    segment.InvalidInputError: mask: expected an array, got a list that is none; make its rows \
equally long
    """
    try:
        return np.asarray(values)
    except ValueError:
        kind = type(values).__name__
        raise InvalidInputError(
            f"{name}: expected an array, got a {kind} that is none; make its rows equally long"
        ) from None


def checked_matrix(X: ArrayLike, name: str = "X") -> NDArray[Any]:
    """Return `X` as a finite, non-empty (n, d) array of numbers; its dtype is kept.

    Where tests of estimators ask for words or a class of error, they are scikit-learn's.

    Examples
    --------
    >>> checked_matrix([1, 2])
    Traceback (most recent call last):
    segment.InvalidInputError: X: expected a 2D array, one row a point, got shape (2,); \
Reshape your data, for single features with .reshape(-1, 1)
    """
    _refuse_sparse(name, X)
    array = as_array(name, X)
    if array.dtype == object:
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            kind = InputTypeError if isinstance(error, TypeError) else InvalidInputError
            raise kind(f"{name}: expected numbers, got {error}") from None
    if array.dtype.kind not in "biuf":
        what = "Complex data not supported; " if array.dtype.kind == "c" else ""
        raise InvalidInputError(f"{name}: {what}expected real numbers, got dtype {array.dtype}")
    if array.ndim != 2:
        raise InvalidInputError(
            f"{name}: expected a 2D array, one row a point, got shape {array.shape}; "
            "Reshape your data, for single features with .reshape(-1, 1)"
        )
    if 0 in array.shape:
        what = "sample" if array.shape[0] == 0 else "feature"
        raise InvalidInputError(
            f"{name}: Found array with 0 {what}(s) (shape={array.shape}) while a minimum of 1 is "
            "required."
        )
    if len(array) > LARGEST_LABEL:
        raise InvalidInputError(
            f"{name}: expected at most {LARGEST_LABEL} rows, got {len(array)}; take a sample"
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


def _refuse_sparse(name: str, X: object) -> None:
    """Raise InputTypeError for SciPy's sparse matrices, which NumPy would make an object."""
    sparse = sys.modules.get("scipy.sparse")  # before it is imported nobody has any
    if sparse is not None and sparse.issparse(X):
        raise InputTypeError(
            f"{name}: Sparse data was passed, but dense data is required. "
            "Use '.toarray()' to convert to a dense numpy array."
        )


def checked_bandwidth(name: str, bandwidth: Any) -> Any:
    """Return a number whose square is one, too; a float of NumPy as it is.

    Examples
    --------
    >>> checked_bandwidth("bandwidth", 1e-320)
    Traceback (most recent call last):
    segment.InvalidInputError: bandwidth: expected a number >= 1e-150, got 1e-320
    """
    Range(SMALLEST).check(name, bandwidth)
    return plain(bandwidth)


def check_pixels(name: str, height: int, width: int) -> None:
    """Raise InvalidInputError where places of pixels would not fit into 32 bits.

    Examples
    --------
    >>> check_pixels("image", 46341, 46341)
    Traceback (most recent call last):
    segment.InvalidInputError: image: expected at most 2147483647 pixels, got 46341 x 46341; \
split it or scale it down
    """
    if height * width > LARGEST_LABEL:
        raise InvalidInputError(
            f"{name}: expected at most {LARGEST_LABEL} pixels, got {height} x {width}; "
            "split it or scale it down"
        )


def checked_mask(name: str, mask: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return where a mask of an image of that shape is not 0, which it must be somewhere.

    Examples
    --------
    >>> checked_mask("mask", [[0, 3]], (1, 2))
    array([[False,  True]])
    """
    chosen = as_array(name, mask)
    if chosen.shape != shape:
        raise InvalidInputError(
            f"{name}: expected shape {shape} like the image, got {chosen.shape}; "
            "crop or scale it to the image"
        )
    if chosen.dtype.kind not in "biuf" or np.isnan(chosen).any():
        raise InvalidInputError(
            f"{name}: expected numbers or booleans, got {chosen.dtype}"
            f"{' with NaN' if chosen.dtype.kind == 'f' else ''}; make it 0 and 1"
        )
    selected: NDArray[np.bool_] = chosen != 0
    if not selected.any():
        raise InvalidInputError(f"{name}: expected something selected, but it is 0 everywhere")
    return selected


def checked_label_map(name: str, labels: ArrayLike) -> NDArray[np.int32]:
    """Return a non-empty (H, W) map of whole numbers >= 0 as int32."""
    array = as_array(name, labels)
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "iu":
        raise InvalidInputError(
            f"{name}: expected a non-empty (H, W) array of whole numbers, "
            f"got shape {array.shape}, dtype {array.dtype}"
        )
    check_pixels(name, *array.shape)
    low, high = int(array.min()), int(array.max())
    if low < 0 or high > LARGEST_LABEL:
        raise InvalidInputError(
            f"{name}: expected labels in 0..{LARGEST_LABEL}, "
            f"got an array with labels from {low} to {high}"
        )
    return np.ascontiguousarray(array, dtype=np.int32)


def checked_channels(name: str, image: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the values of each pixel of an image of that shape, (H * W, C).

    Examples
    --------
    >>> checked_channels("image", [[1, 2, 3]], (1, 2))
    Traceback (most recent call last):
    segment.InvalidInputError: image: expected real numbers of shape (1, 2) or (1, 2, C), \
got shape (1, 3), dtype int64
    """
    array = as_array(name, image)
    channels = array.shape[2] if array.ndim == 3 else 1
    fits = array.shape[:2] == shape and array.ndim <= 3 and channels > 0
    if not fits or array.dtype.kind not in "biuf":
        raise InvalidInputError(
            f"{name}: expected real numbers of shape {shape} or ({shape[0]}, {shape[1]}, C), "
            f"got shape {array.shape}, dtype {array.dtype}"
        )
    if array.dtype not in (np.uint8, np.float32, np.float64):
        array = array.astype(np.float64)
    return np.ascontiguousarray(array).reshape(-1, channels)
