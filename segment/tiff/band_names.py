"""The bands of a TIFF's page, with the names and units that GDAL or OME gave them."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from segment.bands import Band
from segment.tiff.no_data import no_data
from segment.tiff.unpacking import sample_type

GDAL_METADATA, DESCRIPTION = 42112, 270
LONGEST = 1 << 20  # characters of XML: more is not about bands alone, and takes time
PREMULTIPLIED, ALPHA = 1, 2  # of the tag ExtraSamples


def bands_of(page: Any) -> tuple[Band, ...]:
    """Return the bands of a page, in its order.

    Parameters
    ----------
    page : tifffile.TiffPage
        Of one type of samples.

    Returns
    -------
    bands : tuple of Band
        A palette's index is one band, as it is stored.
    """
    count, bits = int(page.samplesperpixel), int(page.bitspersample)
    dtype = sample_type(int(page.sampleformat), bits)
    value = None if dtype is None else no_data(page, dtype)
    name = str(page.dtype if dtype is None else dtype)
    names, units = _described(page, count)
    alpha = alpha_of(page)
    return tuple(
        Band(at + 1, names.get(at, ""), name, bits, units.get(at), value, at == alpha)
        for at in range(count)
    )


def alpha_of(page: Any) -> int | None:
    """Return which sample of a pixel is alpha, from 0: the first that the file calls so."""
    extras = tuple(int(extra) for extra in page.extrasamples or ())
    own = int(page.samplesperpixel) - len(extras)
    kinds = (PREMULTIPLIED, ALPHA)
    return next((own + at for at, extra in enumerate(extras) if extra in kinds), None)


def _described(page: Any, count: int) -> tuple[dict[int, str], dict[int, str]]:
    """Return names and units by the number of the band, from 0; of those that have one."""
    items = _elements(page.tags.valueof(GDAL_METADATA), "Item")
    names, units = _by_role(items, "description"), _by_role(items, "unittype")
    if not names:
        channels = _elements(page.tags.valueof(DESCRIPTION), "Channel")
        if len(channels) == count:
            told = enumerate(channel.get("Name", "").strip() for channel in channels)
            names = {at: name for at, name in told if name}
    return names, units


def _by_role(items: list[ElementTree.Element], role: str) -> dict[int, str]:
    return {
        int(item.get("sample", "")): (item.text or "").strip()
        for item in items
        if item.get("role") == role and item.get("sample", "").isdecimal() and item.text
    }


def _elements(xml: Any, name: str) -> list[ElementTree.Element]:
    """Return the elements of a name, of any namespace, in a tag's text; none if it is no XML."""
    if not isinstance(xml, str) or len(xml) > LONGEST or "<" not in xml or "<!" in xml[:4096]:
        return []
    try:
        root = ElementTree.fromstring(xml.strip("\0 \n\r\t"))
    except (ElementTree.ParseError, ValueError):
        return []
    return [element for element in root.iter() if element.tag.rpartition("}")[2] == name]
