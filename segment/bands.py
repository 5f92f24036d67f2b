"""Bands: what an image's channels are called, which of them take part, and how they compare."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from segment.errors import ImageFileError, InvalidInputError, shown

COLORS = {1: ("gray",), 3: ("red", "green", "blue")}
ALL = "all"
MOST_LISTED = 20  # bands that an error names
SCALES = "depth, range, std, LOW,HIGH or LOW%,HIGH%"


@dataclass(frozen=True)
class Band:
    """A channel of an image as its file has it.

    Attributes
    ----------
    number : int
        From 1, in the order of the file.
    name : str
        As the file has it; gray, or red, green and blue for colours; else ``band_N``. No two of
        an image are alike, in any letters.
    dtype : str
        NumPy's name of the type that holds a stored value.
    bits : int
        Declared depth of a value, at most that of the type.
    unit : str or None
        Of the quantity, where the file names one: stored numbers are never converted to it.
    no_data : int, float or None
        The stored value that means none.
    is_alpha : bool
        Whether it says which pixels take part, and is no measurement.
    """

    number: int
    name: str
    dtype: str
    bits: int
    unit: str | None = None
    no_data: int | float | None = None
    is_alpha: bool = False


def usual_names(count: int) -> tuple[str, ...]:
    """Return the names of bands that have none of their own.

    Examples
    --------
    >>> usual_names(3), usual_names(2)
    (('red', 'green', 'blue'), ('band_1', 'band_2'))
    """
    return COLORS.get(count) or tuple(f"band_{number}" for number in range(1, count + 1))


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of which no two are alike in any letters: those that are get their number.

    Columns of databases (GeoPackage) heed no capitals.

    Examples
    --------
    >>> unique_names(["red", "Red", "nir"])
    ('red_1', 'Red_2', 'nir')
    """
    told = tuple(names)
    while len(set(map(str.lower, told))) < len(told):
        often = Counter(map(str.lower, told))
        told = tuple(
            f"{name}_{at}" if often[name.lower()] > 1 else name for at, name in enumerate(told, 1)
        )
    return told


def chosen_places(bands: Sequence[Band], wanted: Sequence[int | str] | None) -> tuple[int, ...]:
    """Return which bands take part, by their places from 0, in the order of the wish.

    Parameters
    ----------
    bands : sequence of Band
        All of the file.
    wanted : sequence of int or str, optional
        Numbers from 1, names in capital or small letters, or "all" for every band that is not
        alpha, which is the default.

    Raises
    ------
    ImageFileError
        If there is no such band: lists those that are; or if one is chosen twice.

    Examples
    --------
    >>> bands = [Band(1, "blue", "uint16", 16), Band(2, "NIR", "uint16", 16)]
    >>> chosen_places(bands, ["nir", 1]), chosen_places(bands, None)
    ((1, 0), (0, 1))
    """
    places: list[int] = []
    for each in wanted or (ALL,):
        if each == ALL:
            places += [at for at, band in enumerate(bands) if not band.is_alpha]
        else:
            places.append(_place(bands, each))
    if len(set(places)) < len(places):
        twice = next(place for place in places if places.count(place) > 1)
        raise ImageFileError(
            f"its band {_spelt(bands[twice])} is chosen twice; name each band once"
        )
    return tuple(places)


def shown_places(
    bands: Sequence[Band], wanted: Sequence[int | str] | None, chosen: Sequence[int]
) -> tuple[int, ...]:
    """Return the bands that pictures show, by their places: three as red, green, blue, or one.

    Parameters
    ----------
    bands : sequence of Band
        All of the file.
    wanted : sequence of int or str, optional
        Three or one, as `chosen_places` takes them. Default: of those that are `chosen` the ones
        named red, green and blue if all three are there, else the first three, or the first of
        one or two.
    chosen : sequence of int
        Places of the bands that take part.

    Raises
    ------
    ImageFileError
        As `chosen_places`, or if they are neither three nor one.
    """
    if wanted is not None:
        places = chosen_places(bands, wanted)
        if len(places) not in (1, 3):
            raise ImageFileError(
                f"shows three bands or one, got {len(places)}; choose them with --show-bands"
            )
        return places
    named = {bands[place].name.lower(): place for place in reversed(chosen)}
    if set(COLORS[3]) <= set(named):
        return tuple(named[color] for color in COLORS[3])
    return tuple(chosen[:3]) if len(chosen) >= 3 else tuple(chosen[:1])


def _place(bands: Sequence[Band], wanted: int | str) -> int:
    if isinstance(wanted, int):
        if 1 <= wanted <= len(bands):
            return wanted - 1
    else:
        places = {band.name.lower(): at for at, band in enumerate(bands)}
        if wanted.lower() in places:
            return places[wanted.lower()]
    listed = ", ".join(map(_spelt, bands[:MOST_LISTED]))
    more = f" and {len(bands) - MOST_LISTED} more" if len(bands) > MOST_LISTED else ""
    raise ImageFileError(f"has no band {shown(wanted)}; it has {listed}{more}; choose among them")


def _spelt(band: Band) -> str:
    return f"{band.number} ({band.name})"


@dataclass(frozen=True)
class Scaling:
    """How values of bands are made comparable; see `parsed_scale`."""

    kind: Literal["depth", "range", "std", "values", "percent"]
    low: float = 0.0
    high: float = 0.0


class ScaleText:
    """What the setting `scale` takes.

    Examples
    --------
    >>> ScaleText().check("scale", "98%,2%")
    Traceback (most recent call last):
    segment.InvalidInputError: scale: expected depth, range, std, LOW,HIGH or LOW%,HIGH%, \
LOW below HIGH, got '98%,2%'
    """

    def check(self, name: str, value: object) -> None:
        """Raise InvalidInputError unless it is one of the scales."""
        if not isinstance(value, str) or _parsed(value) is None:
            raise InvalidInputError(
                f"{name}: expected {SCALES}, LOW below HIGH, got {shown(value)}"
            )


def parsed_scale(text: str) -> Scaling:
    """Take the text of a scale apart.

    Parameters
    ----------
    text : str
        ``depth``: by the depth of the values; ``range``: each band from its smallest to its
        largest; ``std``: each by its standard deviation; ``LOW,HIGH``: these values of all bands;
        ``LOW%,HIGH%``: these percentiles of each.

    Examples
    --------
    >>> parsed_scale("2%,98%")
    Scaling(kind='percent', low=2.0, high=98.0)
    """
    ScaleText().check("scale", text)
    scaling = _parsed(text)
    assert scaling is not None
    return scaling


def _parsed(text: str) -> Scaling | None:
    for kind in ("depth", "range", "std"):
        if text == kind:
            return Scaling(kind)
    parts = [part.strip() for part in text.split(",")]
    percent = all(part.endswith("%") for part in parts)
    try:
        low, high = (float(part.removesuffix("%") if percent else part) for part in parts)
    except ValueError:
        return None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        return None
    if percent and not (low >= 0 and high <= 100):
        return None
    return Scaling("percent" if percent else "values", low, high)
