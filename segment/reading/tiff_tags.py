"""Samples of a TIFF to a picture: what they mean is in the tags."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segment.bands import Band, chosen_places, shown_places
from segment.errors import ImageFileError
from segment.reading.picture import Kept, Notes, Picture, Scene, taken
from segment.reading.profiles import (
    array_to_srgb,
    color_space,
    is_converted,
    kept_profile,
    to_srgb,
)
from segment.reading.reading_options import MaskReading, ReadingOptions
from segment.reading.values import Missing, in_known_range, nothing_left, white, with_alpha
from segment.tiff.band_tags import ALPHA, PREMULTIPLIED, bands_of
from segment.tiff.no_data import no_data, without_data
from segment.tiff.places import geo_tags, measured
from segment.tiff.samples import Samples, palette_of

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, MASK, CMYK, YCBCR = range(7)
LINEAR_RAW = 34892
CIELAB, ICCLAB = 8, 9
LAB = (CIELAB, ICCLAB)
KNOWN = {WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, MASK, CMYK, YCBCR, LINEAR_RAW, *LAB}
AS_STORED = {BLACK_IS_ZERO, RGB, LINEAR_RAW}  # whose samples are the values
BANDS = {WHITE_IS_ZERO, *AS_STORED}  # whose samples may be any number of bands
OWN = {PALETTE: 1, MASK: 1, CMYK: 4, CIELAB: 3, ICCLAB: 3}  # colours of a pixel; others: see below
REFUSED = {
    10: "is a TIFF in ITU L*a*b*; save it as RGB",
    32803: "is raw camera data, one colour a pixel in a mosaic; develop it to TIFF, PNG or JPEG",
    32844: "is a TIFF of LogL light; save it as floats",
    32845: "is a TIFF of LogLuv light; save it as floats in RGB",
}
ICC_PROFILE = 34675


def check_meaning(page: Any) -> None:
    """Refuse, before any decoding, a page whose samples stand for no colours known here."""
    photometric, bits = int(page.photometric), page.bitspersample
    if photometric in REFUSED:
        raise ImageFileError(REFUSED[photometric])
    if photometric not in KNOWN:
        raise ImageFileError(f"is a TIFF of photometric kind {photometric}; save it as RGB or grey")
    if photometric in LAB and bits != 8:
        raise ImageFileError(f"is a TIFF in L*a*b* of {bits} bits, expected 8; save it as RGB")
    if photometric == PALETTE and (page.colormap is None or not isinstance(bits, int) or bits > 16):
        raise ImageFileError("is a TIFF of palette colours without a palette; save it as RGB")
    if int(page.samplesperpixel) < OWN.get(photometric, 3 if photometric == RGB else 1):
        raise ImageFileError(
            f"is damaged: it has {page.samplesperpixel} channels, too few for its colours; "
            "get a new copy"
        )


def interpreted(
    samples: Samples, masked: Missing, page: Any, options: ReadingOptions, notes: Notes
) -> Picture:
    """Make a picture of samples.

    Parameters
    ----------
    samples : Samples
    masked : (H, W) bool array or None
        Pixels that the file's own mask leaves out.
    page : tifffile.TiffPage
    options : ReadingOptions
    notes : Notes
    """
    named = bands_of(page) if int(page.photometric) in BANDS else ()
    if named and _is_scene(named, page, options):
        return _scene(samples, masked, named, page, options)
    photometric, bits = samples.photometric, int(page.bitspersample)
    colors, alpha, premultiplied = _channels(samples, page, notes)
    stored = colors
    missing = _missing(samples, slice(colors.shape[2]), masked, page)
    if photometric == PALETTE:
        table = palette_of(page)
        colors, bits = table[np.minimum(colors[:, :, 0], len(table) - 1)], 8
    colors, missing = in_known_range(colors, bits, missing, notes, options)
    if alpha is not None:
        alpha = _opacity(alpha, int(page.bitspersample))
        if premultiplied:
            colors = _divided(colors, alpha)
    if photometric == WHITE_IS_ZERO:
        colors = (white(colors.dtype) - colors).astype(colors.dtype)
    own = colors
    colors, profile = _in_srgb(colors, photometric, page, options, notes)
    as_stored = colors is own and photometric in AS_STORED and not premultiplied
    return Picture(
        with_alpha(colors, alpha, missing),
        Kept(profile=profile),
        bands=named[: colors.shape[2]] if as_stored else (),
        stored=stored if as_stored and stored is not colors else None,
        alpha=any(band.is_alpha for band in named),
    )


def _is_scene(bands: tuple[Band, ...], page: Any, options: ReadingOptions) -> bool:
    """Return whether samples are bands: as chosen, or as `measured` has it."""
    if isinstance(options, MaskReading):
        return False
    if int(page.photometric) == WHITE_IS_ZERO:  # which is turned round first
        return measured(bands, ())
    chosen = options.bands is not None or options.show_bands is not None
    return chosen or measured(bands, geo_tags(page))


def _scene(
    samples: Samples,
    masked: Missing,
    bands: tuple[Band, ...],
    page: Any,
    options: ReadingOptions,
) -> Picture:
    """Make a picture of the bands that are chosen, as they are stored."""
    values = samples.values
    places = chosen_places(bands, options.bands)
    shown = shown_places(bands, options.show_bands, places)
    missing = _missing(samples, list(places), masked, page)
    used = taken(values, places)
    gone = [] if missing is None else [missing]
    if used.dtype.kind == "f":
        gone.append(~np.isfinite(used).all(axis=2))
    alpha = next((at for at, band in enumerate(bands) if band.is_alpha and at not in places), None)
    if alpha is not None:
        gone.append(np.logical_not(values[:, :, alpha] > 0))
    visible = np.logical_not(np.logical_or.reduce(gone)) if gone else None
    if visible is not None and not visible.any():
        raise nothing_left(transparent=alpha is not None)
    if visible is not None and visible.all():
        visible = None
    chosen = tuple(bands[place] for place in places)
    scene = Scene.of(values, visible, places, shown)
    return Picture(used, bands=chosen, scene=scene, alpha=alpha is not None)


def _missing(samples: Samples, places: slice | list[int], masked: Missing, page: Any) -> Missing:
    """Return which pixels have no data in the channels that are used, as they are stored."""
    absent, used = samples.absent, samples.values[:, :, places]
    gone = None if absent is None else absent[:, :, places].any(axis=2)
    value = no_data(page, used.dtype)
    found = [part for part in (masked, gone, without_data(used, value)) if part is not None]
    return np.logical_or.reduce(found) if found else None


def _channels(
    samples: Samples, page: Any, notes: Notes
) -> tuple[NDArray[Any], NDArray[Any] | None, bool]:
    """Return colours, alpha and whether they are multiplied by it; leave other channels out."""
    values, photometric = samples.values, samples.photometric
    number = values.shape[2]
    extras = tuple(int(extra) for extra in page.extrasamples or ())
    own = number - len(extras)
    if photometric in OWN:
        count = OWN[photometric]
    else:  # programs for maps call bands black and white, whatever their number
        count = 3 if own >= 3 or (own == 1 and len(extras) >= 2 and not any(extras)) else 1
    kind, place = next(
        ((extra, own + at) for at, extra in enumerate(extras) if extra in (PREMULTIPLIED, ALPHA)),
        (0, None),
    )
    if number > count + (place is not None):
        which = {1: "the first", 3: "the first three"}.get(count, "the first four")
        notes.warnings.append(f"has {number} channels; took {which}")
    alpha = None if place is None else values[:, :, place]
    return values[:, :, :count], alpha, kind == PREMULTIPLIED


def _opacity(alpha: NDArray[Any], bits: int) -> NDArray[Any]:
    """Bring alpha to a known range; it is never stretched, and what is below 0 is transparent.

    In floats and numbers with a sign it ends at 1, at 255 or at the most that there is, as GDAL
    writes it.
    """
    if alpha.dtype.kind == "u" and bits <= 16:
        return in_known_range(alpha[:, :, None], bits, None, Notes())[0][:, :, 0]
    shares = np.nan_to_num(alpha.astype(np.float64), nan=0, posinf=1, neginf=0).clip(0)
    most = shares.max(initial=0)
    top = 1 if most <= 1 else 255 if most <= 255 else most
    return np.asarray(shares / top)


def _divided(colors: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Undo the multiplication by alpha, in units of the same type."""
    top = white(colors.dtype)
    share = np.maximum(alpha, 1 if colors.dtype.kind == "u" else 1e-6)[:, :, None] / top
    divided = (colors / share).clip(0, top)
    return np.asarray(np.rint(divided) if colors.dtype.kind == "u" else divided, colors.dtype)


def _in_srgb(
    colors: NDArray[Any], photometric: int, page: Any, options: ReadingOptions, notes: Notes
) -> tuple[NDArray[Any], bytes | None]:
    """Convert to grey or RGB in sRGB; also return the profile that the result is in, if any."""
    profile = page.tags.valueof(ICC_PROFILE)
    profile = profile if isinstance(profile, bytes) else None
    convert = is_converted(profile, options)
    if photometric in LAB:
        return _rgb_of_lab(colors, photometric, profile if convert else None, notes), None
    if convert and colors.dtype.kind == "u":
        return array_to_srgb(colors, profile, notes), None
    if colors.shape[2] == 4:
        whole = colors.dtype.kind == "u"
        colors = array_to_srgb(colors, None, notes) if whole else _rgb_of_cmyk(colors)
    return colors, kept_profile(profile, colors.shape[2])


def _rgb_of_cmyk(shares: NDArray[Any]) -> NDArray[Any]:
    """Convert floats in 0..1, of which no profile is heeded."""
    light = 1 - shares
    return np.asarray(light[:, :, :3] * light[:, :, 3:])


def _rgb_of_lab(
    colors: NDArray[np.uint8], photometric: int, profile: bytes | None, notes: Notes
) -> NDArray[Any]:
    """Convert 8-bit L*a*b*, whose a* and b* have a sign, or in ICC's an offset of 128."""
    if photometric == ICCLAB:  # to the first, which Pillow takes
        colors = colors ^ np.array([0, 128, 128], np.uint8)
    size = (colors.shape[1], colors.shape[0])
    image = Image.frombytes("LAB", size, np.ascontiguousarray(colors).tobytes(), "raw", "LAB")
    if profile and color_space(profile) == "LAB":
        return np.asarray(to_srgb(image, profile, notes))
    return np.asarray(image.convert("RGB"))
