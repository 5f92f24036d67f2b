"""Which format a file is in, by its first bytes, what reads that, and what no reader should try."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING

from segment.errors import ImageFileError

if TYPE_CHECKING:
    from PIL import ImageFile

SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG2000",
    b"\xff\x4f\xff\x51": "JPEG2000",
    b"\xff\x0a": "JXL",
    b"\0\0\0\x0cJXL \r\n\x87\n": "JXL",
    b"SIMPLE  =": "FITS",
    b"8BPS": "PSD",
    b"\x93NUMPY": "NPY",
}
BRANDS = {b"avif": "AVIF", b"avis": "AVIF"} | dict.fromkeys(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIF"
)
# Rendered by other programs, or only recognised: Pillow would call Ghostscript for the first.
REFUSED = {
    b"%!PS": "a PostScript drawing",
    b"\xc5\xd0\xd3\xc6": "a PostScript drawing",
    b"%PDF": "a PDF document",
    b"<svg": "an SVG drawing",
    b"<?xm": "an XML document",
    b"\xd7\xcd\xc6\x9a": "a Windows metafile",
    b"\x01\0\0\0": "a Windows metafile",
}
# What else Pillow reads; their plug-ins find out by themselves.
# fmt: off
OTHERS = (
    "BLP", "CUR", "DCX", "DDS", "FLI", "FTEX", "GBR", "ICNS", "ICO",
    "IM", "MSP", "PCD", "PCX", "PIXAR", "PPM", "QOI", "SGI", "SPIDER",
    "SUN", "TGA", "XBM", "XPM",
)
# fmt: on
# Kinds of which parts can be read with the values of the whole; None is what only GDAL may know.
BY_STRIPS = ("TIFF", "NPY", "PNG", None)


def kind_of(head: bytes) -> str | None:
    """Return Pillow's name of the format that a file begins like; None for one without a mark.

    Raises
    ------
    ImageFileError
        If it is a drawing or a document, which has no pixels.

    Examples
    --------
    >>> kind_of(b"GIF89a..."), kind_of(b"....ftypheic"), kind_of(b"?")
    ('GIF', 'HEIF', None)
    """
    for signature, kind in SIGNATURES.items():
        if head.startswith(signature):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        if b"avif" in head[8:64]:
            return "AVIF"
        return BRANDS.get(head[8:12])
    for signature, what in REFUSED.items():
        if head.startswith(signature):
            raise ImageFileError(f"is {what}; export it as PNG")
    return None


def is_by_strips(head: bytes | None) -> bool:
    """Return whether a file may be read by strips with the values that it has when read whole.

    Parameters
    ----------
    head : bytes or None
        How it begins; of a folder, which Zarr is, nothing; None for a stream.
    """
    return head is not None and (not head or kind_of(head) in (*BY_STRIPS, "JPEG2000"))


def size_of_png(head: bytes) -> tuple[int, int, int]:
    """Return how many pixels a PNG has, at most how many channels, and bytes to each."""
    width, height = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    grey = head[25:26] in (b"\0", b"\4")
    return width * height, 1 if grey else 3, 2 if head[24:25] == b"\x10" else 1


def pillow_formats(kind: str | None) -> tuple[str, ...]:
    """Return Pillow's names of the formats that a file of a kind may be in.

    Raises
    ------
    ImageFileError
        If it takes a plug-in that is not installed.
    """
    if kind is None:
        return OTHERS
    if kind == "JPEG":
        return ("JPEG", "MPO")
    try:
        if kind == "HEIF":
            import pillow_heif

            pillow_heif.register_heif_opener()
        elif kind == "JXL":
            import pillow_jxl  # noqa: F401
        elif kind == "AVIF":
            _need_avif()
    except ImportError:
        name = {"HEIF": "HEIC", "JXL": "JPEG XL"}.get(kind, kind)
        raise ImageFileError(
            f"is a {name} image, which needs a plug-in; pip install 'meanshift-segment[formats]'"
        ) from None
    return (kind,)


def _need_avif() -> None:
    from PIL import features

    if not features.check("avif"):
        import pillow_avif  # noqa: F401


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
