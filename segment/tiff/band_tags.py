"""What the bands of a TIFF are: alpha or not, their names and units by GDAL's tag and OME-XML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segment.bands import COLORS, Band, unique_names
from segment.tiff.no_data import no_data
from segment.tiff.unpacking import sample_type

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

GDAL_METADATA, DESCRIPTION = 42112, 270
RGB = 2
PREMULTIPLIED, ALPHA = 1, 2  # of the tag ExtraSamples; others are bands, what nobody says is too
LONGEST = 1 << 22  # characters of XML; that of a plate of a thousand wells takes as many


def bands_of(page: Any) -> tuple[Band, ...]:
    """Return the bands of a page, alpha among them, in the order of its samples.

    Parameters
    ----------
    page : tifffile.TiffPage

    Returns
    -------
    bands : tuple of Band
        Named by GDAL's metadata, else by OME-XML, else red, green and blue where the file says so
        or has three, gray where it has one, alpha, or ``band_N``. Of several of one name each gets
        its number. GDAL's scale and offset are not heeded: values are stored numbers.
    """
    count = int(page.samplesperpixel)
    extras = tuple(int(extra) for extra in page.extrasamples or ())[:count]
    alpha = [False] * (count - len(extras)) + [extra in (PREMULTIPLIED, ALPHA) for extra in extras]
    bits = int(page.bitspersample)
    dtype = sample_type(int(page.sampleformat), bits) or page.dtype
    gone = no_data(page, dtype)
    told = _of_gdal(page, count)
    own = [about.get("description") for about in told]
    if not any(own):
        own = _of_ome(page, count)
    usual = _usual(page, alpha)
    names = unique_names([mine or other for mine, other in zip(own, usual, strict=True)])
    return tuple(
        Band(at + 1, name, str(dtype), bits, told[at].get("unittype"), gone, alpha[at])
        for at, name in enumerate(names)
    )


def _usual(page: Any, alpha: list[bool]) -> list[str]:
    """Return the names of bands that have none of their own."""
    plain = [at for at, is_alpha in enumerate(alpha) if not is_alpha]
    names = ["alpha" if is_alpha else f"band_{at + 1}" for at, is_alpha in enumerate(alpha)]
    count = 3 if int(page.photometric) == RGB else len(plain)
    for at, color in zip(plain, COLORS.get(count, ()), strict=False):
        names[at] = color
    return names


def _of_gdal(page: Any, count: int) -> list[dict[str, str]]:
    """Return what GDAL's metadata says of each sample, by role."""
    told: list[dict[str, str]] = [{} for _ in range(count)]
    root = _parsed(page.tags.valueof(GDAL_METADATA))
    for item in root.iter("Item") if root is not None else ():
        sample, text = item.get("sample", ""), " ".join((item.text or "").split())
        if sample.isdecimal() and int(sample) < count and text:
            told[int(sample)][item.get("role", "")] = _unescaped(text)
    return told


def _unescaped(text: str) -> str:
    """Undo what GDAL does to the texts of its metadata before it writes them as XML."""
    if "&" not in text:
        return text
    from xml.sax.saxutils import unescape  # 10 ms that most files do not need

    return unescape(text, {"&quot;": '"', "&apos;": "'"})


def _of_ome(page: Any, count: int) -> list[str | None]:
    """Return the channels' names of OME-XML if there is one channel to a sample."""
    root = _parsed(page.tags.valueof(DESCRIPTION))
    pixels = None if root is None else root.find("{*}Image/{*}Pixels")
    if pixels is None or not root.tag.endswith("}OME"):  # type: ignore[union-attr]
        return [None] * count
    names = [" ".join(each.get("Name", "").split()) for each in pixels.findall("{*}Channel")]
    return [name or None for name in names] if len(names) == count else [None] * count


def _parsed(text: Any) -> Element | None:
    """Return the root of XML; None for anything else, and for entities, which may burst."""
    if not isinstance(text, str) or len(text) > LONGEST or "<!" in text.replace("<!--", ""):
        return None
    from xml.etree import ElementTree  # 5 ms that files without such tags do not need

    try:
        return ElementTree.fromstring(text.strip("\0 \n"))
    except (ElementTree.ParseError, ValueError):
        return None
