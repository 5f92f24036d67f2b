"""Regions of strips to regions of a scene: what is connected across the seams gets one number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.regions._regions import number_roots, unite_pairs
from segment.regions.absorbing import unique_pairs
from segment.validation import LARGEST_LABEL

Numbers = NDArray[np.int32]
Row = tuple[Numbers, Numbers]  # labels of a row of pixels, and numbers of their regions


def seam_pairs(above: Row, below: Row, *, diagonal: bool) -> Numbers:
    """Return which regions above a seam are connected with which below it, (m, 2), each pair once.

    Parameters
    ----------
    above, below : pair of (W,) int32 arrays
        Labels, 0 for none, and regions of the pixels of two rows.
    diagonal : bool
        Whether pixels are connected across a corner, too.

    Examples
    --------
    >>> above = np.array([[7, 7, 0], [1, 1, 0]], np.int32)
    >>> below = np.array([[7, 5, 5], [1, 2, 2]], np.int32)
    >>> seam_pairs(above, below, diagonal=False).tolist()
    [[1, 1]]
    """
    pairs = []
    for up, down in _across(len(above[0]), diagonal):
        same = (above[0][up] == below[0][down]) & (above[0][up] != 0)
        pairs.append(np.stack([above[1][up][same], below[1][down][same]], axis=1))
    return unique_pairs(np.concatenate(pairs))


def touching_pairs(above: Numbers, below: Numbers, *, diagonal: bool) -> Numbers:
    """Return which regions above a seam touch which below it, (m, 2), each pair once.

    Parameters
    ----------
    above, below : (W,) int32 arrays
        Regions of the pixels of two rows; 0 for none.
    diagonal : bool
        Whether they touch at a corner, too.

    Examples
    --------
    >>> above, below = np.array([[1, 1, 2], [1, 0, 1]], np.int32)
    >>> touching_pairs(above, below, diagonal=False).tolist()
    [[1, 1], [2, 1]]
    """
    pairs = [
        np.stack([above[up], below[down]], axis=1) for up, down in _across(len(above), diagonal)
    ]
    every = np.concatenate(pairs)
    return unique_pairs(every[(every != 0).all(axis=1)])


def _across(width: int, diagonal: bool) -> Iterator[tuple[slice, slice]]:
    """Yield pixels above a seam, and the neighbour below it of each."""
    for shift in (0, -1, 1) if diagonal else (0,):
        yield (
            slice(max(shift, 0), width + min(shift, 0)),
            slice(max(-shift, 0), width - max(shift, 0)),
        )


def joined_numbers(counts: Sequence[int], seams: Sequence[Numbers]) -> Numbers:
    """Return the number in the scene of every region of every strip.

    Parameters
    ----------
    counts : sequence of int
        Regions of each strip, numbered there from 1 on in scan order.
    seams : sequence of (m, 2) int32 arrays
        As `seam_pairs` returns them, one for each seam.

    Returns
    -------
    numbers : (sum of counts + 1,) int32 array
        Of the regions of the first strip, the second and so on: 1..K in scan order of the first
        pixels in the scene; 0 for 0.

    Raises
    ------
    InvalidInputError
        If there are more regions than 32 bits can number.

    Examples
    --------
    >>> joined_numbers([1, 2], [np.array([[1, 2]], np.int32)]).tolist()
    [0, 1, 2, 1]
    """
    total = sum(counts)
    if total > LARGEST_LABEL:
        raise InvalidInputError(
            f"image: expected at most {LARGEST_LABEL} regions, got {total} in its strips; raise "
            "the bandwidth, or cut the image"
        )
    numbers = np.arange(total + 1, dtype=np.int32)
    before = 0
    for count, pairs in zip(counts, seams, strict=False):
        shifts = np.array([before, before + count], np.int32)
        unite_pairs(numbers, pairs + shifts)
        before += count
    number_roots(numbers, 1, total + 1, 0)
    return numbers
