"""Which samples say that there is none: GDAL's tag, and masks inside of the file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

NO_DATA = 42113  # GDAL's, a number as text


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
    text = str(page.tags.valueof(NO_DATA, "")).strip("\0 ").replace(",", ".")
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
    has_it = values == values.dtype.type(value)
    if values.dtype.kind == "u" and values.dtype.itemsize <= 2:
        return np.asarray(has_it.all(axis=2))
    return np.asarray(has_it.any(axis=2))
