"""Files that would take long for their size: refused by their bytes, before any decoding."""

from __future__ import annotations

import re
from typing import IO

from PIL import ImageFile

from segment.errors import ImageFileError

# The most pixels that a byte can stand for. JPEG: progressive, one bit for the mean of each
# 8 x 8 block, and none for the rest; twice that, to be safe. PNG: 1 bit to a pixel, deflated by
# 1032 at most.
DENSEST = {"JPEG": 1024, "MPO": 1024, "PNG": 8 * 1032}
MOST_PAGES = 10_000  # of a file
MOST_SCANS = 100  # of a progressive JPEG, each a pass over all pixels; cameras make about ten
COMMENT = re.compile(rb"#[^\n\r]*")


def check_text_header(head: bytes) -> None:
    """Refuse a Netpbm file whose header does not end soon: Pillow reads it byte by byte.

    Parameters
    ----------
    head : bytes
        The first 4096 bytes at least, or all.
    """
    if re.match(rb"P[1-6fy]", head) and len(COMMENT.sub(b" ", head).split()) < 3:
        raise ImageFileError("is damaged: its header does not end; get a new copy")


def check_density(image: ImageFile.ImageFile, file: IO[bytes]) -> None:
    """Refuse an opened image whose file is too small for its pixels, or made to be slow."""
    place = file.tell()  # where some decoders go on
    size = file.seek(0, 2)
    densest = DENSEST.get(image.format or "")
    if densest and image.width * image.height > densest * size:
        raise EOFError(f"{size} bytes for {image.width} x {image.height} pixels")
    if image.format in ("JPEG", "MPO") and image.info.get("progressive"):
        file.seek(0)
        scans = file.read().count(b"\xff\xda")  # in compressed data FF is followed by 00
        if scans > MOST_SCANS:
            raise ImageFileError(
                f"is a JPEG of {scans} scans, expected at most {MOST_SCANS}; save it anew"
            )
    file.seek(place)
