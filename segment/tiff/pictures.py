"""Compressions of whole pictures (LERC, JPEG 2000, WebP, ...): tifffile's with imagecodecs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from segment.errors import ImageFileError
from segment.tiff.layout import Layout
from segment.tiff.stored import Damage, stored


def check_codec(page: Any) -> None:
    """Refuse a page with a compression that nothing here decodes, by its name."""
    name = name_of(page.compression)
    try:
        tifffile.TIFF.DECOMPRESSORS[int(page.compression)]
    except KeyError as error:
        if "imagecodecs" not in str(error):
            raise refused(f"{name} compression") from error
        raise _needs_plugin(name) from error
    if page.dtype is None:
        raise refused(f"samples of {page.bitspersample} bits with {name} compression")


def _needs_plugin(compression: str) -> ImageFileError:
    return ImageFileError(
        f"is a TIFF with {compression} compression, which needs a plug-in; "
        "pip install 'meanshift-segment[formats]'"
    )


def refused(kind: str) -> ImageFileError:
    """Return the error for a TIFF of a kind that is not read."""
    return ImageFileError(f"is a TIFF of a kind that is not read here: {kind}; save it anew")


def name_of(compression: Any) -> str:
    """Return the name of a compression by its number."""
    return str(getattr(compression, "name", compression))


def pictures(page: Any, file: IO[bytes], layout: Layout, damage: Damage) -> NDArray[Any]:
    """Decode a compression of whole pictures by tifffile with imagecodecs."""
    content = np.zeros((layout.number, layout.rows, layout.columns, layout.samples), page.dtype)
    tables = {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader}
    gone = layout.left_out()
    for segment, piece in enumerate(stored(file, layout, damage)):
        number = layout.number_in_page(segment)
        with damage.of(layout, segment), _known(page):
            picture = None if gone[segment] else page.decode(piece, number, **tables)[0]
            if picture is not None:
                down, across = picture.shape[1:3]
                content[segment, :down, :across] = picture[0]
    return content


@contextmanager
def _known(page: Any) -> Iterator[None]:
    """Tell what a decoder lacks from what a file lacks."""
    name = name_of(page.compression)
    try:
        yield
    except Exception as error:
        if isinstance(error, ImportError) or "requires the 'imagecodecs'" in str(error):
            raise _needs_plugin(name) from error
        if isinstance(error, NotImplementedError):
            raise refused(f"{name} compression: {error}") from error
        raise
