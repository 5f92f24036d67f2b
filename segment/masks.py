"""The mask of a run: read once in each process, and again when its file has changed."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segment.reading import read_mask
from segment.sources import is_stream


def mask_from(path: Path) -> NDArray[np.bool_]:
    """Return the mask in a file; one from a pipe or standard input, ``-``, is kept.

    Parameters
    ----------
    path : Path

    Returns
    -------
    mask : (H, W) bool array

    Raises
    ------
    ImageFileError
        If it cannot be read.
    """
    try:
        changed = 0 if is_stream(str(path)) else path.stat().st_mtime_ns
    except OSError:
        changed = 0  # reading it tells what is wrong
    return _mask_as_of(path, changed)


@functools.lru_cache(maxsize=1)
def _mask_as_of(path: Path, changed: int) -> NDArray[np.bool_]:
    return read_mask(path)
