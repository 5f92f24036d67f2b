"""What is read of a file: its pixels, what of it outlives them, what there is to say of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segment.errors import ImageFileError
from segment.reading.reading_options import ReadingOptions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segment.tiff.places import GeoTag, Resolution


@dataclass(frozen=True)
class Kept:
    """What of a file goes into its results.

    Attributes
    ----------
    resolution : Resolution or None
    profile : bytes or None
        The ICC profile that the pixels are in; None for plain sRGB.
    geo : tuple of GeoTag
        GeoTIFF's tags, which put the image in its place on a map, its own or a world file's.
    """

    resolution: Resolution | None = None
    profile: bytes | None = None
    geo: tuple[GeoTag, ...] = ()


@dataclass(frozen=True, eq=False)
class Picture:
    """A page of a file, upright, in values that `segment_image` takes.

    Attributes
    ----------
    pixels : (H, W), (H, W, 2), (H, W, 3) or (H, W, 4) array
        Grey, grey and alpha, RGB, RGB and alpha; uint8, uint16 or floats in 0..1. Alpha is
        0 also where there is no value: GDAL's no-data, NaN, infinity.
    kept : Kept
    page : int or None
        Its number where several pages were asked for.
    warnings, details : tuple of str
        What everybody should know (reduced depth, pages left out), and what only `-v` tells:
        the words of the libraries.
    turned : bool
        Whether the file has it otherwise than upright.
    """

    pixels: NDArray[Any]
    kept: Kept = Kept()
    page: int | None = None
    warnings: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    turned: bool = False


@dataclass(frozen=True)
class DamagedPage:
    """A page that cannot be read, of a file whose others perhaps can."""

    page: int | None
    error: ImageFileError
    details: tuple[str, ...] = ()


@dataclass
class Notes:
    """Collects what there is to say while a page is read."""

    warnings: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)


def check_size(width: int, height: int, options: ReadingOptions) -> None:
    """Refuse an image without pixels, or with too many of them, before memory is taken."""
    if width < 1 or height < 1:
        raise ImageFileError(f"has {width} x {height} pixels, expected one at least; check it")
    if width * height > options.max_pixels:
        raise ImageFileError(
            f"has {width} x {height} pixels, expected at most {options.max_pixels:,}; "
            "split it, scale it down or raise --max-pixels"
        )
