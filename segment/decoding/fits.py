"""FITS by astropy: values as scaling, sign and BLANK make them; tables are no pictures.

FITS Standard 4.0, 4.4.2.5 (BZERO, BSCALE, BLANK) and 5.3: the first row is the lowest, as
astronomers' viewers show it.
"""

from __future__ import annotations

import math
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from segment.decoding.frame import Frame
from segment.errors import ImageFileError

MOST_UNITS = 10_000  # header and data units of a file


class FitsFrames:
    """The pictures of a FITS file: every plane of every image with two axes or more.

    Parameters
    ----------
    file : binary file

    Raises
    ------
    ImageFileError
        If astropy is missing, or there is no image in the file.
    """

    def __init__(self, file: IO[bytes]) -> None:
        try:
            from astropy.io import fits
        except ImportError:
            raise ImageFileError(
                "is a FITS image, which needs astropy; pip install 'meanshift-segment[fits]'"
            ) from None
        file.seek(0)
        units = fits.open(file, memmap=False, do_not_scale_image_data=True)
        images = (fits.PrimaryHDU, fits.ImageHDU, fits.CompImageHDU)
        self._planes: list[tuple[Any, int]] = []
        for number, unit in enumerate(units):
            if number == MOST_UNITS:
                break
            shape = unit.shape if isinstance(unit, images) else ()
            if len(shape) >= 2 and 0 not in shape:
                planes = min(math.prod(shape[:-2]), MOST_UNITS - len(self._planes))
                self._planes += [(unit, plane) for plane in range(planes)]
        if not self._planes:
            raise ImageFileError(
                "is a FITS file without an image, perhaps with tables; expected two axes or more"
            )

    def __len__(self) -> int:
        return len(self._planes)

    def size(self, number: int) -> tuple[int, int]:
        """Return width and height of a plane."""
        height, width = self._planes[number][0].shape[-2:]
        return width, height

    def frame(self, number: int, lenient: bool) -> Frame:
        """Return a plane in physical values."""
        unit, plane = self._planes[number]
        stored = _plane(unit, plane)[::-1]
        header = unit.header
        blank = header.get("BLANK")
        missing = stored == blank if blank is not None and stored.dtype.kind in "iu" else None
        values = _scaled(stored, header.get("BSCALE", 1), header.get("BZERO", 0))
        return Frame(values[:, :, None], values.dtype.itemsize * 8, missing=missing)


def _plane(unit: Any, plane: int) -> NDArray[Any]:
    """Return stored values, (H, W); of the other planes nothing is read."""
    place = np.unravel_index(plane, unit.shape[:-2]) if len(unit.shape) > 2 else ()
    values: NDArray[Any] = np.asarray(unit.section[(*(int(at) for at in place), ...)])
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _scaled(stored: NDArray[Any], scale: float, zero: float) -> NDArray[Any]:
    """Return physical values; those with the other sign, a usual sense of BZERO, stay whole."""
    if scale == 1 and zero == 0:
        return stored
    bits = stored.dtype.itemsize * 8
    if scale == 1 and stored.dtype.kind in "iu" and abs(zero) == 2 ** (bits - 1):
        other = np.dtype(f"{'u' if stored.dtype.kind == 'i' else 'i'}{bits // 8}")
        if (zero > 0) == (other.kind == "u"):  # BITPIX 8 is unsigned, all others signed
            return np.asarray(stored ^ np.array(1 << (bits - 1)).astype(stored.dtype)).view(other)
    return np.asarray(stored * float(scale) + float(zero))
