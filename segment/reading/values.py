"""Values of any depth to the ranges that `segment_image` knows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError
from segment.reading.picture import Notes, stretched
from segment.reading.reading_options import MaskReading, ReadingOptions

Missing = NDArray[np.bool_] | None  # (H, W), pixels that have no value


def in_known_range(
    values: NDArray[Any],
    bits: int,
    missing: Missing,
    notes: Notes,
    options: ReadingOptions = ReadingOptions(),  # noqa: B008
) -> tuple[NDArray[Any], Missing]:
    """Bring values to uint8, uint16 or floats in 0..1, which all run from black to white.

    Parameters
    ----------
    values : (H, W, C) array
        Without alpha. bool, whole numbers or floats.
    bits : int
        Depth of a value. Unsigned values of up to 16 bits span it: 4095 is white with 12.
    missing : (H, W) bool array or None
        Pixels without a value, which do not count.
    notes : Notes
        Gets a warning where the range is the file's own.
    options : ReadingOptions
        For a mask, values without a range of their own become white, but for 0.

    Returns
    -------
    values : (H, W, C) array
        Floats in 0..1 are taken as they are; other floats, and whole numbers of more than
        16 bits or with a sign, are 8-bit values if they lie in 0..255, and otherwise
        stretched: the smallest becomes 0, the largest 1.
    missing : (H, W) bool array or None
        With those where a channel is NaN or infinite.

    Examples
    --------
    >>> in_known_range(np.array([[[0], [4095]]], np.uint16), 12, None, Notes())[0].tolist()
    [[[0], [65535]]]
    """
    if values.dtype.kind == "b":
        return values.astype(np.uint8) * np.uint8(255), missing
    if values.dtype.kind == "u" and bits <= 16:
        return _spread(values, bits), missing
    if values.dtype.kind not in "iuf":
        raise ImageFileError(f"has {values.dtype} values, expected real numbers; convert it")
    if values.dtype.kind == "f":
        strange = ~np.isfinite(values).all(axis=2)
        if strange.any():
            missing = strange if missing is None else missing | strange
    if missing is not None:
        values = np.where(missing[:, :, None], values.dtype.type(0), values)
    if isinstance(options, MaskReading):
        return (values != 0) * np.uint8(255), missing
    return _fractions(values, missing, notes), missing


def with_alpha(values: NDArray[Any], alpha: NDArray[Any] | None, missing: Missing) -> NDArray[Any]:
    """Put a picture together.

    Parameters
    ----------
    values : (H, W, C) array
        uint8, uint16 or floats in 0..1.
    alpha : (H, W) array or None
        Likewise, or bool.
    missing : (H, W) bool array or None
        Where alpha becomes 0.

    Returns
    -------
    pixels : (H, W), (H, W, C) or, with alpha of the same type, (H, W, C + 1) array

    Raises
    ------
    ImageFileError
        If no pixel is left, be it that the rest is transparent.
    """
    if missing is not None and missing.any():
        if (missing if alpha is None else missing | (alpha == 0)).all():
            raise nothing_left(transparent=alpha is not None)
        alpha = ~missing if alpha is None else np.where(missing, alpha.dtype.type(0), alpha)
    if alpha is None:
        return values[:, :, 0] if values.shape[2] == 1 else values
    scale = white(values.dtype) / white(alpha.dtype)
    last = alpha if scale == 1 else np.ceil(alpha * scale)  # what is visible must stay so
    return np.concatenate([values, last[:, :, None].astype(values.dtype)], axis=2)


def nothing_left(*, transparent: bool) -> ImageFileError:
    """Return the error that no pixel takes part, be it that some are transparent."""
    return ImageFileError(
        "has no pixel with a value: all are no-data, masked, NaN or infinite"
        f"{', or transparent' if transparent else ''}; check its no-data value"
    )


def white(dtype: np.dtype[Any]) -> int:
    """Return the largest value in the known range of a type."""
    return int(np.iinfo(dtype).max) if dtype.kind == "u" else 1


def _spread(values: NDArray[Any], bits: int) -> NDArray[Any]:
    if values.dtype.itemsize * 8 == bits:
        return values
    kind = np.dtype(np.uint8 if bits <= 8 else np.uint16)
    top = (1 << bits) - 1
    spread = (values.astype(np.uint64) * np.uint64(white(kind)) + np.uint64(top // 2)) // top
    return np.asarray(spread, dtype=kind)


def _fractions(values: NDArray[Any], missing: Missing, notes: Notes) -> NDArray[Any]:
    there = values if missing is None else values[~missing]
    low, high = (float(there.min()), float(there.max())) if there.size else (0.0, 0.0)
    if values.dtype.kind == "f" and low >= 0 and high <= 1:
        return values
    if low >= 0 and high <= 255:
        return np.asarray((values / 255.0).clip(0, 1))
    notes.warnings.append(stretched(low, high))
    # Halved, for the largest doubles are farther apart than a double can say.
    span = high / 2 - low / 2 or 1.0
    return np.asarray(((values / 2.0 - low / 2) / span).clip(0, 1))


ORIENTATION = 274  # the tag, in EXIF and TIFF


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn pixels that lie as the tag says.

    Parameters
    ----------
    pixels : (H, W) or (H, W, C) array
    orientation : int
        1..8; others are taken for 1, upright.

    Examples
    --------
    >>> upright(np.array([[1, 2], [3, 4]]), 6).tolist()  # a quarter clockwise
    [[3, 1], [4, 2]]
    """
    if is_turned(orientation):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def is_turned(orientation: int) -> bool:
    """Return whether width and height change places."""
    return orientation in (5, 6, 7, 8)
