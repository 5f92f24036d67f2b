"""Pages of a file that a decoder of ours opens: frames brought to the known range and to sRGB."""

from __future__ import annotations

from typing import IO

from PIL import Image

from segment.decoding import jpeg2000, jpeg_xl
from segment.decoding.frame import Frames
from segment.errors import ImageFileError
from segment.reading.formats import pillow_formats
from segment.reading.picture import Kept, Notes, Picture, check_size
from segment.reading.pillow_pages import plain_values
from segment.reading.profiles import array_to_srgb, is_srgb, kept_profile
from segment.reading.reading_options import ReadingOptions
from segment.reading.values import in_known_range, with_alpha


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
        convert = bool(profile) and not self._options.ignore_icc and not is_srgb(profile or b"")
        by = profile if convert else None
        missing, alpha = frame.missing, frame.alpha
        if isinstance(frame.pixels, Image.Image):
            values, alpha = plain_values(frame.pixels, by, notes)
        else:
            values, missing = in_known_range(
                frame.pixels, frame.bits, missing, notes, self._options
            )
            values = array_to_srgb(values, by, notes)
        if alpha is not None:
            bits = min(frame.bits, alpha.dtype.itemsize * 8)
            alpha = in_known_range(alpha[:, :, None], bits, None, Notes())[0][:, :, 0]
        still = None if convert else kept_profile(profile, values)
        return Picture(with_alpha(values, alpha, missing), Kept(profile=still))
