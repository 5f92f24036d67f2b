"""How the bands of a scene compare, and what pictures show of them: statistics by strips."""

from __future__ import annotations

import copy
import functools
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.band_statistics import BandStatistics
from segment.errors import InvalidInputError
from segment.pixels.bands import STRETCH, BandScale, View, band_scale, scaled
from segment.strips.rows import SceneRows
from segment.strips.strips import Strips

NO_PICTURE = np.empty((0, 3), np.uint8)  # of a view that is no image in memory


def scaled_scene(
    rows: SceneRows, strips: Strips, scale: str, shown: tuple[int, ...], known: BandScale | None
) -> SceneRows:
    """Return the rows of a scene with the scale that `pixels_of` gives an image of bands.

    Parameters
    ----------
    rows : SceneRows
        Whose bands are chosen.
    strips : Strips
    scale : str
        As the setting.
    shown : tuple of int
        Places in the source's bands of the three that pictures show, or the one.
    known : BandScale or None
        That of a model, instead.
    """
    bits = rows.source.bands[rows.bands[0]].bits
    by_bits = scale == "depth" and rows.dtype.kind in "bu" and bits < 16
    own = None if known is not None or by_bits else BandStatistics(rows.channels, rows.dtype, scale)
    picture = replace(rows, shown=shown)
    look = None if rows.dtype == np.uint8 else BandStatistics(len(shown), rows.dtype, STRETCH)
    _measure(picture, strips, own, look)
    if known is None:
        known = band_scale(own or BandStatistics(rows.channels, rows.dtype, scale), scale, bits)
    if len(known.low) != rows.channels:
        raise InvalidInputError(
            f"image: expected {len(known.low)} bands, those of the scale, got {rows.channels}; "
            "choose the bands that the model was found with"
        )
    plain = BandScale(np.zeros(len(shown)), np.ones(len(shown)))
    stretch = plain if look is None else band_scale(look, STRETCH, bits)
    among = set(shown) <= set(rows.bands)
    places = tuple(list(rows.bands).index(place) for place in shown) if among else None
    return replace(
        picture,
        scaled=functools.partial(scaled, scale=known),
        scale=known,
        look=View(NO_PICTURE, stretch, places),
    )


def _measure(
    rows: SceneRows, strips: Strips, own: BandStatistics | None, look: BandStatistics | None
) -> None:
    """Take the passes over a scene that statistics need."""
    while (own is not None and own.open) or (look is not None and look.open):
        take = functools.partial(_taken, own=own, look=look)
        of_strips = strips.merged("scaling", rows, take, _together)
        for statistics, found in zip((own, look), of_strips, strict=True):
            if statistics is not None and found is not None and statistics.open:
                statistics.join(found)
                statistics.end_pass()


Taken = tuple[BandStatistics | None, BandStatistics | None]


def _taken(
    rows: SceneRows, top: int, bottom: int, own: BandStatistics | None, look: BandStatistics | None
) -> Taken:
    """Return statistics with those of a strip."""
    values, seen = rows.unmasked(top, bottom)
    own, look = copy.deepcopy((own, look))
    if own is not None and own.open:
        own.add(values, rows.chosen(seen, top, bottom))
    if look is not None and look.open:
        look.add(rows.as_shown(top, bottom), seen)
    return own, look


def _together(one: Taken, other: Taken) -> Taken:
    for own, found in zip(one, other, strict=True):
        if own is not None and found is not None and own.open:
            own.join(found)
    return one


def pictured(rows: SceneRows, top: int, bottom: int) -> NDArray[np.uint8]:
    """Return what pictures show of a strip, (h, W, 3), anything where nothing is visible."""
    assert rows.look is not None
    shown: NDArray[Any] = rows.as_shown(top, bottom)
    if shown.dtype != np.uint8:
        if shown.dtype.kind == "f":
            shown = np.nan_to_num(shown, posinf=0, neginf=0)
        shown = np.rint(scaled(shown, rows.look.scale).clip(0, 255)).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(shown, (*shown.shape[:2], 3)))


def as_picture(rows: SceneRows, top: int, bottom: int) -> NDArray[np.uint8]:
    """Return a strip in 8-bit RGB, (h, W, 3), white where there is nothing, whatever the mask."""
    points, visible = replace(rows, mask=None).points(top, bottom)
    if rows.look is not None:
        picture = pictured(rows, top, bottom)
    else:
        values = points if points.dtype == np.uint8 else np.rint(points).astype(np.uint8)
        picture = np.broadcast_to(values, (*values.shape[:2], 3))
    if visible is not None:
        picture = np.where(visible[:, :, None], picture, np.uint8(255))
    return np.ascontiguousarray(picture)
