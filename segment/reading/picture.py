"""What is read of a file: its pixels, what of it outlives them, what there is to say of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from segment.bands import Band, chosen_places, shown_places, usual_names
from segment.errors import ImageFileError
from segment.reading.reading_options import ReadingOptions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segment.tiff.places import GeoTag, Resolution


class Kept(NamedTuple):
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
    pixels : (H, W), (H, W, 2), (H, W, 3), (H, W, 4) array; or (H, W, C) of a scene
        Grey, grey and alpha, RGB, RGB and alpha; uint8, uint16 or floats in 0..1. Alpha is
        0 also where there is no value: GDAL's no-data, NaN, infinity. Of a scene the chosen bands
        as they are stored, without alpha.
    kept : Kept
    page : int or None
        Its number where several pages were asked for.
    warnings, details : tuple of str
        What everybody should know (reduced depth, pages left out), and what only `-v` tells:
        the words of the libraries.
    turned : bool
        Whether the file has it otherwise than upright.
    bands : tuple of Band
        Those that take part: of a photo its colours.
    stored : (H, W, C) array or None
        The bands in the file's own units, where `pixels` are not.
    scene : Scene or None
        What there is beside the pixels of an image that is no photo.
    alpha : bool
        Whether one of a TIFF's samples, or of a dataset's bands, is not among those that take
        part because it says how opaque a pixel is.
    """

    pixels: NDArray[Any]
    kept: Kept = Kept()
    page: int | None = None
    warnings: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    turned: bool = False
    bands: tuple[Band, ...] = ()
    stored: NDArray[Any] | None = None
    scene: Scene | None = None
    alpha: bool = False

    @property
    def values(self) -> NDArray[Any]:
        """The bands that take part in the file's own units, (H, W, C)."""
        if self.stored is not None:
            return self.stored
        if self.pixels.ndim == 2:
            return self.pixels[:, :, None]
        if self.scene:
            return self.pixels
        count = self.pixels.shape[2]
        return self.pixels[:, :, : count - (count in (2, 4))]

    @property
    def visible(self) -> NDArray[Any] | None:
        """Where there is a value and alpha is not 0, (H, W); None for everywhere."""
        if self.scene:
            return self.scene.visible
        has_alpha = self.pixels.ndim == 3 and self.pixels.shape[2] in (2, 4)
        return self.pixels[:, :, -1] > 0 if has_alpha else None

    def with_bands(self, options: ReadingOptions) -> Picture:
        """Return it with the bands that are chosen: a photo becomes a scene by that.

        Raises
        ------
        ImageFileError
            If there are no such bands.
        """
        values = self.values
        named = self.bands or _colors(values)
        if self.scene or (options.bands is None and options.show_bands is None):
            return replace(self, bands=named)
        visible = self.visible
        if visible is not None and not self.bands:
            last = Band(len(named) + 1, "alpha", str(values.dtype), named[0].bits, is_alpha=True)
            named = (*named, last)
            values = self.pixels if self.stored is None else values
        places = chosen_places(named, options.bands)
        shown = shown_places(named, options.show_bands, places)
        if values.shape[2] <= max((*places, *shown)):
            raise ImageFileError("has no alpha that could be a band; choose others with --bands")
        if any(named[place].is_alpha for place in places):
            visible = None
        return replace(
            self,
            pixels=taken(values, places),
            stored=None,
            bands=tuple(named[place] for place in places),
            scene=Scene.of(values, visible, places, shown),
        )


@dataclass(frozen=True, eq=False)
class Scene:
    """What an image of bands has beside the values of those that take part.

    Attributes
    ----------
    visible : (H, W) bool array or None
        Where there is a value and alpha is not 0; None for everywhere.
    shown : (H, W, 1 or 3) array or None
        The bands that pictures show, as they are stored, if not all of them take part.
    shown_at : tuple of int or None
        Which of those that take part they are, otherwise.
    """

    visible: NDArray[Any] | None
    shown: NDArray[Any] | None
    shown_at: tuple[int, ...] | None

    @staticmethod
    def of(
        values: NDArray[Any],
        visible: NDArray[Any] | None,
        places: tuple[int, ...],
        shown: tuple[int, ...],
    ) -> Scene:
        """Return the scene of all bands, (H, W, B), of which these take part and are shown."""
        among = set(shown) <= set(places)
        return Scene(
            visible,
            None if among else taken(values, shown),
            tuple(places.index(place) for place in shown) if among else None,
        )


def taken(values: NDArray[Any], places: tuple[int, ...]) -> NDArray[Any]:
    """Return some of the bands of (H, W, B); all of them in their order are no copy."""
    if places == tuple(range(values.shape[2])):
        return values
    return values[:, :, list(places)]


def _colors(values: NDArray[Any]) -> tuple[Band, ...]:
    bits = values.dtype.itemsize * 8
    return tuple(
        Band(number, name, str(values.dtype), bits)
        for number, name in enumerate(usual_names(values.shape[2]), 1)
    )


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


STRETCHED = "are stretched from black to white"


def stretched(low: float, high: float) -> str:
    """Return the warning of values whose range only they themselves tell."""
    return f"its values, {low:g} to {high:g}, {STRETCHED}"


def check_size(width: int, height: int, options: ReadingOptions) -> None:
    """Refuse an image without pixels, or with too many of them, before memory is taken."""
    if width < 1 or height < 1:
        raise ImageFileError(f"has {width} x {height} pixels, expected one at least; check it")
    if width * height > options.max_pixels:
        raise ImageFileError(
            f"has {width} x {height} pixels, expected at most {options.max_pixels:,}; "
            "split it, scale it down or raise --max-pixels"
        )
