"""A picture's bands as the method takes them, and what is told of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.method.model import Model
from segment.method.segmentation import Segmentation
from segment.pixels.bands import BandImage, band_scale, statistics_of
from segment.reading.picture import STRETCHED, Picture, stretched
from segment.settings import Settings


def image_of(
    picture: Picture, settings: Settings, model: Model | None = None
) -> NDArray[Any] | BandImage:
    """Return what `segment_pixels` takes of a picture.

    A photo's pixels as they are; bands as they are stored, where these were chosen, are neither
    one nor three, or have a scale that is not that of their depth.
    """
    by_model = model is not None and model.scale is not None
    if not (picture.scene or by_model or settings.scale != Settings.scale):
        return picture.pixels
    scene, names = picture.scene, tuple(band.name for band in picture.bands)
    return BandImage(
        picture.values,
        picture.visible,
        picture.bands[0].bits,
        names,
        scene.shown if scene else None,
        scene.shown_at if scene else None,
    )


def told_of(
    picture: Picture, image: NDArray[Any] | BandImage, found: Segmentation
) -> dict[str, Any]:
    """Return what ``--json`` tells of bands: how many, their names, their scales.

    A point is (value - low) / unit, with values in the file's own units. The hierarchy has no
    points of bands, but the colours that pictures show.
    """
    told = {"bands": len(picture.bands), "names": [band.name for band in picture.bands]}
    told |= radii_of(found.settings)
    if found.settings.by_tree:
        return told
    low, unit = found.low, found.unit
    if not isinstance(image, BandImage) and picture.stored is not None:
        bits = picture.bands[0].bits  # of the file, whose values came in another type
        statistics = statistics_of(picture.stored, picture.visible, Settings.scale)
        scale = band_scale(statistics, Settings.scale, bits)
        low, unit = scale.low, scale.unit
    scale_told: dict[str, Any] = {
        "as": found.settings.scale,
        "low": low.tolist(),
        "unit": unit.tolist(),
    }
    return told | {"scale": scale_told}


def remark_on(
    picture: Picture, image: NDArray[Any] | BandImage, told: dict[str, Any], settings: Settings
) -> str | None:
    """Return what a line of text tells of bands: how many, and what the radius is in them.

    Nothing of a photo, but where one of its samples is alpha: it may be meant for a band.
    """
    is_scene = isinstance(image, BandImage)
    if not (is_scene or picture.alpha):
        return None
    units = told["scale"]["unit"] if is_scene and "scale" in told else None
    return remark_of(told["bands"], units, settings, alpha=picture.alpha)


def remark_of(
    number: int, units: list[float] | None, settings: Settings, *, alpha: bool = False
) -> str:
    """Return how many bands there are, and what a radius of 1 is in the unit of each.

    Of other spaces than that of the bands nothing can be said.

    >>> remark_of(4, [16.0, 16.0, 17.5, 16.0], Settings())
    "4 bands (1 of the bandwidth is 16 to 17.5 in the file's units)"
    >>> remark_of(3, None, Settings(), alpha=True)
    '3 bands and alpha'
    """
    count = f"{number} band{'' if number == 1 else 's'}{' and alpha' if alpha else ''}"
    if units is None or settings.color_space != Settings.color_space:
        return count
    least, most = f"{min(units):.4g}", f"{max(units):.4g}"
    span = least if least == most else f"{least} to {most}"
    radius = "bandwidth" if settings.range_radius is None else "range radius"
    return f"{count} (1 of the {radius} is {span} in the file's units)"


def radii_of(settings: Settings) -> dict[str, Any]:
    """Return what ``--json`` tells of the two radii, in place of which there is no bandwidth."""
    radii = [settings.spatial_radius, settings.range_radius]
    return {} if settings.by_tree or None in radii else {"radii": radii}


def warnings_of(
    picture: Picture, image: NDArray[Any] | BandImage, told: dict[str, Any], *, by_model: bool
) -> tuple[str, ...]:
    """Return the warnings of a picture, and the one of a range that only its values tell."""
    if not isinstance(image, BandImage) or "scale" not in told:
        return picture.warnings
    said = tuple(line for line in picture.warnings if not line.endswith(STRETCHED))
    return said + range_warnings(told["scale"], image.values.dtype, image.bits, by_model=by_model)


def range_warnings(
    scale: dict[str, Any], kind: np.dtype[Any], bits: int, *, by_model: bool
) -> tuple[str, ...]:
    """Return the warning of values whose range only they themselves tell, if they are.

    Parameters
    ----------
    scale : dict
        As `told_of` has it.
    kind : dtype
        Of the values.
    bits : int
        Of the depth that the file declares.
    by_model : bool
        Whether the scale is that of a model.
    """
    known = kind.kind in "bu" and bits <= 16
    low, unit = scale["low"][0], scale["unit"][0]
    as_is = low == 0 and unit in (1, 1 / 255)
    if by_model or scale["as"] != Settings.scale or known or as_is:
        return ()
    return (stretched(low, 2 * (low / 2 + 255 / 2 * unit)),)  # a double may not hold 255 units
