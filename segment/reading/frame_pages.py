"""Pages of a file that a decoder of ours opens: frames brought to the known range and to sRGB."""

from __future__ import annotations

import math
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segment.bands import Band, chosen_places, shown_places, usual_names
from segment.decoding import jpeg2000, jpeg_xl
from segment.decoding.frame import Frames
from segment.errors import ImageFileError
from segment.npy import ObjectsError, read_array, read_header
from segment.reading.formats import pillow_formats
from segment.reading.picture import Kept, Notes, Picture, Scene, check_size, taken
from segment.reading.pillow_pages import plain_values
from segment.reading.profiles import array_to_srgb, is_converted, kept_profile
from segment.reading.reading_options import MaskReading, ReadingOptions
from segment.reading.values import in_known_range, nothing_left, with_alpha

MOST_BANDS = 1024  # as of a TIFF


def frames_of(kind: str, file: IO[bytes]) -> Frames | None:
    """Return the frames of a file that Pillow cannot read rightly; None where it can.

    Raises
    ------
    ImageFileError
        If what could read them is missing, or nothing could.
    """
    if kind == "FITS":
        from segment.decoding.fits import FitsFrames

        return FitsFrames(file)
    if kind == "PSD":
        from segment.decoding.psd import PsdFrames

        return PsdFrames(file)
    if kind == "BMP":
        from segment.decoding.bmp import BmpFrames

        return BmpFrames(file)
    if kind == "JPEG2000":
        header = jpeg2000.header_of(file)
        return None if header.is_pillows else jpeg2000.Jpeg2000Frames(file, header)
    return _jpeg_xl(file) if kind == "JXL" else None


def _jpeg_xl(file: IO[bytes]) -> Frames | None:
    formats = pillow_formats("JXL")
    header = jpeg_xl.header_of(file)
    if not header.animated and header.depth == 8:
        return None
    file.seek(0)
    with Image.open(file, formats=formats) as image:
        size, profile = image.size, image.info.get("icc_profile")
    try:
        return jpeg_xl.JpegXlFrames(file, header, size, profile)
    except ImportError:
        if not header.animated:
            return None  # Pillow's plug-in has 8 of the bits
        raise ImageFileError(
            "is an animated JPEG XL, which needs imagecodecs; "
            "pip install 'meanshift-segment[formats]'"
        ) from None


class FramePages:
    """A file of frames, page by page."""

    def __init__(self, frames: Frames, options: ReadingOptions) -> None:
        self._frames = frames
        self._options = options

    def has(self, page: int) -> bool:
        """Return whether there is a page of that number, from 0."""
        return page < len(self._frames)

    def read(self, page: int, notes: Notes, lenient: bool) -> Picture:
        """Read a page; where `lenient`, what there is of a damaged one."""
        check_size(*self._frames.size(page), self._options)
        frame = self._frames.frame(page, lenient)
        notes.warnings += frame.warnings
        profile = frame.profile or None
        convert = is_converted(profile, self._options)
        by = profile if convert else None
        missing, alpha = frame.missing, frame.alpha
        stored = None
        if isinstance(frame.pixels, Image.Image):
            values, alpha = plain_values(frame.pixels, by, notes)
        else:
            known, missing = in_known_range(frame.pixels, frame.bits, missing, notes, self._options)
            values = array_to_srgb(known, by, notes)
            if values is known and known is not frame.pixels:
                stored = frame.pixels
        if alpha is not None:
            bits = min(frame.bits, alpha.dtype.itemsize * 8)
            alpha = in_known_range(alpha[:, :, None], bits, None, Notes())[0][:, :, 0]
        still = None if convert else kept_profile(profile, values.shape[2])
        pixels = with_alpha(values, alpha, missing)
        return Picture(pixels, Kept(profile=still), stored=stored)


class NpyPages:
    """An array that NumPy wrote: (H, W) or (H, W, C), bands without alpha; one page."""

    def __init__(self, file: IO[bytes], options: ReadingOptions) -> None:
        self._file = file
        self._options = options

    def has(self, page: int) -> bool:
        """Return whether there is a page of that number, from 0."""
        return page == 0

    def read(self, page: int, notes: Notes, lenient: bool) -> Picture:
        """Read the array."""
        self._file.seek(0)
        try:
            dtype, shape, _, _ = read_header(self._file)
        except ObjectsError as error:
            raise ImageFileError(
                "is an array of Python's objects, which are not read, expected real numbers; "
                "save it by astype"
            ) from error
        if len(shape) not in (2, 3) or dtype.kind not in "biuf":
            raise ImageFileError(
                f"is an array of shape {shape} and type {dtype}, expected real numbers of shape "
                "(H, W) or (H, W, C); save an image"
            )
        check_size(shape[1], shape[0], self._options)
        if not 0 < math.prod(shape[2:]) <= MOST_BANDS:
            raise ImageFileError(
                f"has {shape[2]} bands, expected 1 to {MOST_BANDS}; move the axis of the bands "
                "to the end"
            )
        self._file.seek(0)
        array = read_array(self._file)
        values = array if array.ndim == 3 else array[:, :, None]
        chosen = self._options.bands or self._options.show_bands
        is_photo = values.shape[2] in (1, 3) and chosen is None
        if is_photo or isinstance(self._options, MaskReading):
            bits = 1 if dtype.kind == "b" else dtype.itemsize * 8
            known, missing = in_known_range(values, bits, None, notes, self._options)
            stored = None if known is values else values
            return Picture(with_alpha(known, None, missing), stored=stored)
        return self._scene(values)

    def _scene(self, values: NDArray[Any]) -> Picture:
        bits, kind = values.dtype.itemsize * 8, str(values.dtype)
        names = enumerate(usual_names(values.shape[2]), 1)
        bands = tuple(Band(number, name, kind, bits) for number, name in names)
        places = chosen_places(bands, self._options.bands)
        shown = shown_places(bands, self._options.show_bands, places)
        used, visible = taken(values, places), None
        if values.dtype.kind == "f":
            visible = np.isfinite(used).all(axis=2)
            if not visible.any():
                raise nothing_left(transparent=False)
        scene = Scene.of(values, visible, places, shown)
        return Picture(used, bands=tuple(bands[place] for place in places), scene=scene)
