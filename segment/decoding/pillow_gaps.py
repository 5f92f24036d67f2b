"""What Pillow's plug-ins leave out of an image that they open: the file says it, we add it.

What knows one format is imported when one is met: most images are of one that needs none of it.
"""

from __future__ import annotations

from typing import IO

from PIL import Image, ImageChops, ImageFile

from segment.errors import ImageFileError

OPAQUE = {"LA": "L", "RGBA": "RGB", "P": "RGB"}


def plain_source(file: IO[bytes]) -> IO[bytes]:
    """Return what Pillow is to open in place of a file: the file, but for an XPM."""
    place = file.tell()
    is_xpm = file.read(9) == b"/* XPM */"
    file.seek(place)
    if not is_xpm:
        return file
    from segment.decoding.xpm import with_plain_colors

    return with_plain_colors(file)


def complete(image: ImageFile.ImageFile, file: IO[bytes], ignore_icc: bool) -> None:
    """Add to an opened image, before it is loaded, what its colours are.

    Raises
    ------
    ImageFileError
        If Pillow would give others than the file has.
    """
    place = file.tell()  # where some decoders go on
    if image.format == "JPEG2000":
        from segment.decoding.jpeg2000 import header_of

        if profile := header_of(file).profile:
            image.info["icc_profile"] = profile
    elif image.format == "PNG":
        from segment.decoding.png import profile_of

        _spread_transparent_grey(image, file)
        own = None if ignore_icc else profile_of(file)
        if own is not None:
            image.info["icc_profile"] = own
    elif image.format == "SUN":
        _put_padding_first(image)
    elif image.format == "BMP" and image.palette:  # there are files with more colours than numbers
        image.palette.palette = bytes(image.palette.palette)[
            : 256 * len(image.palette.rawmode or "")
        ]
    _refuse_wrong_colors(image, file)
    file.seek(place)


def _refuse_wrong_colors(image: ImageFile.ImageFile, file: IO[bytes]) -> None:
    file.seek(0)
    head = file.read(128)
    if image.format == "SGI" and any(head[104:108]):
        raise ImageFileError("is an SGI image of colour numbers; save it as PNG")
    if image.format == "SUN" and head[15] == 1 and any(head[28:32]):
        raise ImageFileError("is a bilevel Sun raster in colours; save it as PNG")
    if image.format == "DDS" and getattr(image, "pixel_format", "").startswith("BC6H"):
        raise ImageFileError("is a DDS of HDR colours (BC6H); save it as a TIFF of floats")
    if image.format == "IM" and getattr(image, "lut", None):
        raise ImageFileError("is an IM image with a table of greys; save it as PNG")


def corrected(image: Image.Image, kind: str | None, file: IO[bytes]) -> Image.Image:
    """Return a loaded image without what is no part of it: meaningless alpha, what is cut off."""
    if kind == "TGA" and image.mode in OPAQUE and _has_no_alpha(file):
        return image.convert(OPAQUE[image.mode])
    if kind == "XBM":  # ones are ink
        return ImageChops.invert(image)
    if kind == "AVIF":
        from segment.decoding.clean_aperture import shown_part

        part = shown_part(file, *image.size)
        return image.crop(part) if part else image
    return image


def _has_no_alpha(file: IO[bytes]) -> bool:
    """Return whether the header of a TGA says that no bits are alpha; Truevision, field 5.6."""
    file.seek(17)
    return not file.read(1)[0] & 0b1111


def _spread_transparent_grey(image: ImageFile.ImageFile, file: IO[bytes]) -> None:
    """Bring the transparent grey of a PNG of 2 or 4 bits to 8, as Pillow brings the samples."""
    key = image.info.get("transparency")
    file.seek(24)
    bits, color = file.read(2)
    top = (1 << bits) - 1
    if color == 0 and bits in (2, 4) and isinstance(key, int) and key <= top:
        image.info["transparency"] = key * 255 // top


def _put_padding_first(image: ImageFile.ImageFile) -> None:
    """Let 32 bits of a Sun raster start with the byte that means nothing, as Sun's do."""
    other = {"BGRX": "XBGR", "RGBX": "XRGB"}
    for number, tile in enumerate(image.tile):
        if isinstance(tile.args, tuple) and tile.args[0] in other:
            args = (other[tile.args[0]], *tile.args[1:])
            image.tile[number] = tile._replace(args=args)
