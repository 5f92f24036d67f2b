"""Pages of a file that Pillow opens: their pixels at the depth that they have."""

from __future__ import annotations

import contextlib
import logging
from fractions import Fraction
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from segment.decoding.pillow_gaps import complete, corrected, plain_source
from segment.decoding.sixteen_bits import bits_of, deep_colors, deep_rgb_of_cmyk, is_deep
from segment.reading.formats import check_density
from segment.reading.picture import Kept, Notes, Picture, check_size
from segment.reading.profiles import (
    channels_of,
    color_space,
    deep_to_srgb,
    in_8_bits,
    is_converted,
    kept_profile,
    to_srgb,
)
from segment.reading.reading_options import ReadingOptions
from segment.reading.values import (
    ORIENTATION,
    Missing,
    in_known_range,
    is_turned,
    upright,
    with_alpha,
)
from segment.tiff.places import Resolution

logging.getLogger("PIL").addHandler(logging.NullHandler())  # it talks of what fails here anyway
# Frames of these are no pages: layers, sizes of one icon, a phone's second rendering of a photo.
ONE_PAGE = {"MPO", "PSD", "ICO", "ICNS", "CUR"}
TALKATIVE = {"TIFF", "HEIF", "AVIF", "JXL"}  # libtiff; plug-ins, of which nothing is promised
PLAIN = {"1": "L", "L": "L", "LA": "LA", "La": "LA", "RGBA": "RGBA", "RGBa": "RGBA", "PA": "RGBA"}


class PillowPages:
    """A file that Pillow opens, page by page.

    Parameters
    ----------
    file : binary file
    formats : sequence of str
        Pillow's names of the formats that it may be in.
    options : ReadingOptions
    """

    def __init__(self, file: IO[bytes], formats: tuple[str, ...], options: ReadingOptions) -> None:
        self._file = file
        self._formats = formats
        self._options = options
        self._image = self._open()

    @property
    def silent(self) -> bool:
        """Whether what decodes it never writes to file descriptor 2."""
        return self._image.format not in TALKATIVE

    def has(self, page: int) -> bool:
        """Return whether there is a page of that number, from 0."""
        if page < 2:
            several = getattr(self._image, "is_animated", False)
            return page == 0 or (several and self._image.format not in ONE_PAGE)
        try:
            self._go(page)
        except EOFError:
            return False
        return True

    def read(self, page: int, notes: Notes, lenient: bool) -> Picture:
        """Read a page; where `lenient`, what there is of a damaged one, if Pillow was told so."""
        if lenient:  # what is half decoded would be taken for the whole
            self._image = self._open()
        self._go(page)
        image = self._image
        if not (lenient or page):
            check_density(image, self._file)
        profile: bytes | None = image.info.get("icc_profile") or None
        convert = is_converted(profile, self._options)
        resolution = _resolution(image)
        simple = channels_of(profile) if profile and convert else 0  # at full depth
        if image.mode == "CMYK":
            simple = 0
        if is_deep(image) and not page and (simple or not convert):
            values, alpha = _deep(image, deep_colors(image, self._open))
        else:
            _tell_lost_depth(image, self._file, notes)
            image.load()
            by_pillow = convert and not (simple == 1 and image.mode.startswith("I;16"))
            shown = corrected(image, image.format, self._file)
            values, alpha = plain_values(shown, profile if by_pillow else None, notes)
        if profile and simple == values.shape[2] and values.dtype == np.uint16:
            values = deep_to_srgb(values, profile)
        elif simple and values.dtype == np.uint16:
            notes.warnings.append("its colour profile does not fit; taken as sRGB")
        orientation = _orientation(image)
        if is_turned(orientation) and resolution:
            resolution = resolution.turned()
        depth, own = values.dtype.itemsize * 8, values
        missing = self._missing(values.shape) if lenient and not page else None
        values, missing = in_known_range(values, depth, missing, notes, self._options)
        pixels = with_alpha(values, alpha, missing)
        still = None if convert else kept_profile(profile, values.shape[2])
        stored = None if values is own else upright(own, orientation)
        return Picture(
            upright(pixels, orientation),
            Kept(resolution, still),
            turned=orientation != 1,
            stored=stored,
        )

    def _missing(self, shape: tuple[int, ...]) -> Missing:
        """Return which pixels of a damaged page are none, where that can be told: of a PNG."""
        if self._image.format != "PNG":
            return None
        from segment.decoding.png import rows_there

        missing = np.zeros(shape[:2], bool)
        missing[rows_there(self._file) :] = True
        return missing

    def _go(self, page: int) -> None:
        if self._image.tell() > page:
            self._image = self._open()
        if self._image.tell() < page:
            self._image.seek(page)
        check_size(*self._image.size, self._options)

    def _open(self) -> ImageFile.ImageFile:
        self._file.seek(0)
        try:
            image = Image.open(plain_source(self._file), formats=self._formats)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            check_size(*self._size_of_a_bomb(), self._options)  # which says more
            raise
        check_size(*image.size, self._options)
        complete(image, self._file, self._options.ignore_icc)
        return image

    def _size_of_a_bomb(self) -> tuple[int, int]:
        """Return the size that Pillow refused without a word; (1, 1) for one inside of it."""
        self._file.seek(0)
        head = self._file.read(16)
        for name in self._formats:
            factory, accepts = Image.OPEN[name]
            accepted = accepts is None or accepts(head)  # or what keeps it from that
            if accepted and not isinstance(accepted, str):
                self._file.seek(0)
                with contextlib.suppress(Exception):  # of another format, or a bomb inside it
                    return factory(self._file, "").size
        return 1, 1


def _tell_lost_depth(image: ImageFile.ImageFile, file: IO[bytes], notes: Notes) -> None:
    bits = bits_of(image, file)
    if bits > 8:
        way_out = "; --ignore-icc reads all" if is_deep(image) and not image.tell() else ""
        notes.warnings.append(f"read with 8 of its {bits} bits a channel{way_out}")


def _deep(
    image: Image.Image, values: NDArray[np.uint16]
) -> tuple[NDArray[np.uint16], NDArray[Any] | None]:
    if values.shape[2] == 2 or image.mode == "RGBA":
        return values[:, :, :-1], values[:, :, -1]
    if image.mode == "CMYK":
        return deep_rgb_of_cmyk(values), None
    colors = values[:, :, :3]
    key = image.info.get("transparency")
    return colors, None if key is None else (colors != np.array(key)).any(axis=2)


def _plain(image: Image.Image, profile: bytes | None, notes: Notes) -> Image.Image:
    """Return grey or RGB, with alpha where there is any; grey of more than 8 bits as it is."""
    if image.mode.startswith(("I", "F")):
        if not profile or image.mode == "F":
            return image
        image = Image.fromarray(in_8_bits(np.asarray(image), notes))
    transparent = "transparency" in image.info
    if profile and image.mode in ("CMYK", "LAB") and color_space(profile) == image.mode:
        return to_srgb(image, profile, notes)
    mode = PLAIN.get(image.mode, "RGB")
    if transparent:
        mode = "LA" if mode == "L" else "RGBA"
    plain = image if image.mode == mode and not transparent else image.convert(mode)
    return to_srgb(plain, profile, notes) if profile else plain


def plain_values(
    image: Image.Image, profile: bytes | None, notes: Notes
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Take a loaded image apart into grey or RGB, (H, W, C), converted by a profile, and alpha."""
    return _values(_plain(image, profile, notes))


def _values(image: Image.Image) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Take an image in a plain mode apart into values, (H, W, C), and alpha."""
    values = np.asarray(image)
    if image.mode.startswith(("I", "F")):
        key = image.info.get("transparency")
        if image.mode.startswith("I;16") or (image.format == "PPM" and image.mode == "I"):
            values = values.astype(np.uint16)
        alpha = values != key if isinstance(key, int) else None
        return values[:, :, None], alpha
    if values.ndim == 2:
        return values[:, :, None], None
    if values.shape[2] in (2, 4):
        return values[:, :, :-1], values[:, :, -1]
    return values, None


def _orientation(image: Image.Image) -> int:
    """As it is after loading: Pillow turns TIFFs by itself."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # damaged EXIF is no reason to refuse the pixels
        return 1


def _resolution(image: Image.Image) -> Resolution | None:
    try:
        x, y = (Fraction(float(value)).limit_denominator(10_000) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    return Resolution(x, y).if_sensible()
