"""What kind of file it is, by its first bytes: names lie."""

from __future__ import annotations

from segment.errors import ImageFileError

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
    "BLP", "CUR", "DCX", "DDS", "FITS", "FLI", "FTEX", "GBR", "ICNS", "ICO",
    "IM", "MSP", "PCD", "PCX", "PIXAR", "PPM", "PSD", "QOI", "SGI", "SPIDER",
    "SUN", "TGA", "XBM", "XPM",
)
# fmt: on


def kind_of(head: bytes) -> str | None:
    """Tell Pillow's name of the format that a file begins like; None for one without a mark.

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
