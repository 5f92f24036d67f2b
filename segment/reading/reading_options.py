"""How files are to be read; apart from what is read, so that --help has its defaults in no time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MAX_PIXELS = 500_000_000


@dataclass(frozen=True)
class ReadingOptions:
    """How to read a file.

    Attributes
    ----------
    page : int, "all" or None
        Page of a file with several, from 1; None for the first, with a warning if there
        are more.
    ignore_icc : bool
        Take the values as sRGB, whatever the embedded colour profile says.
    allow_truncated : bool
        Take what there is of a damaged file or one that is cut off.
    max_pixels : int
        Larger images are refused from their header.
    bands : tuple of int or str, or None
        Those that take part, by their numbers from 1 or their names, or "all"; None for all that
        are not alpha.
    show_bands : tuple of int or str, or None
        Three, or one, that pictures show.
    """

    page: int | Literal["all"] | None = None
    ignore_icc: bool = False
    allow_truncated: bool = False
    max_pixels: int = MAX_PIXELS
    bands: tuple[int | str, ...] | None = None
    show_bands: tuple[int | str, ...] | None = None


class MaskReading(ReadingOptions):
    """How to read a mask, of which only counts what is 0: its values are never stretched."""
