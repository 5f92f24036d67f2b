"""Which samples say that there is none: GDAL's tag, and masks inside of the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

NO_DATA = 42113  # GDAL's, a number as text
AT_ONCE = 1 << 20  # values that are compared in one go


def no_data(page: Any, dtype: np.dtype[Any]) -> int | float | None:
    """Return the value that means none, as samples of a type have it.

    Parameters
    ----------
    page : tifffile.TiffPage
    dtype : dtype

    Returns
    -------
    value : int, float or None
        None if there is none, or if no sample of that type can be it: -9999 among unsigned
        ones. For floats it is rounded to the type, as they were when they were written.
    """
    return no_data_of(str(page.tags.valueof(NO_DATA, "")), dtype)


def no_data_of(text: str, dtype: np.dtype[Any]) -> int | float | None:
    """Return a value that means none, given as text; None as `no_data` has it.

    Examples
    --------
    >>> no_data_of("255", np.dtype("u1")), no_data_of("-9999", np.dtype("u1"))
    (255, None)
    """
    text = text.strip("\0 ").replace(",", ".")
    try:
        if dtype.kind == "f":
            with np.errstate(over="ignore"):
                return float(dtype.type(text))
        value = int(text) if text.lstrip("+-").isdigit() else int(float(text))
        whole = text.lstrip("+-").isdigit() or value == float(text)
    except (ValueError, OverflowError):
        return None
    limits = np.iinfo(dtype)
    return value if whole and limits.min <= value <= limits.max else None


def visible_among(
    values: NDArray[Any],
    used: Sequence[int],
    value: float | tuple[float | None, ...] | None,
    hidden: NDArray[np.bool_] | None,
) -> NDArray[np.bool_] | None:
    """Return which pixels of a strip have a value in all channels that are used.

    Parameters
    ----------
    values : (H, W, C) array
        As they are stored.
    used : sequence of int
        Channels whose values count: not alpha.
    value : int, float, None or tuple of these
        As `no_data` has it; or that of each channel that is used.
    hidden : (H, W) bool array or None
        Pixels that have none, whatever is stored: of a mask, of tiles that are left out.

    Returns
    -------
    visible : (H, W) bool array or None
        None for all. NaN and infinity are no values.
    """
    missing = None if hidden is None else hidden.copy()
    if used and (value is not None or values.dtype.kind == "f"):
        step = max(1, AT_ONCE // max(1, values[0].size))
        for start in range(0, len(values), step):  # what is compared is as large as the values
            rows = slice(start, start + step)
            part = values[rows] if len(used) == values.shape[2] else values[rows][:, :, used]
            found = [] if values.dtype.kind != "f" else [~np.isfinite(part).all(axis=2)]
            without = _without_data_of_each(part, value)
            for gone in found + ([] if without is None else [without]):
                if gone.any():
                    missing = np.zeros(values.shape[:2], bool) if missing is None else missing
                    missing[rows] |= gone
    return None if missing is None or not missing.any() else ~missing


def without_data(values: NDArray[Any], value: int | float | None) -> NDArray[np.bool_] | None:
    """Return which pixels have no data; None if none can be.

    Parameters
    ----------
    values : (H, W, C) array
        The channels that are used, as they are stored.
    value : int, float or None
        As `no_data` has it.

    Returns
    -------
    missing : (H, W) bool array or None
        In whole numbers without a sign of up to 16 bits, where no data is 0 or 255 and that is
        a colour's share, too, all channels must have the value, as GDAL has it for an image.
        In the others, measurements, one channel is enough, as NaN is.
    """
    if value is None or value != value:  # NaN is left out anyway
        return None
    return _by_kind(values == values.dtype.type(value), values.dtype)


def _without_data_of_each(
    values: NDArray[Any], value: float | tuple[float | None, ...] | None
) -> NDArray[np.bool_] | None:
    if not isinstance(value, tuple) or len(set(value)) == 1:
        return without_data(values, value[0] if isinstance(value, tuple) else value)
    has_it = np.zeros(values.shape, bool)
    for at, one in enumerate(value):
        gone = without_data(values[:, :, at : at + 1], one)
        if gone is not None:
            has_it[:, :, at] = gone
    return _by_kind(has_it, values.dtype)


def _by_kind(has_it: NDArray[np.bool_], dtype: np.dtype[Any]) -> NDArray[np.bool_]:
    if dtype.kind == "u" and dtype.itemsize <= 2:
        return np.asarray(has_it.all(axis=2))
    return np.asarray(has_it.any(axis=2))
