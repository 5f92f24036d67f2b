"""Files to arrays and back: every result appears under its name only when it is complete."""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from segment.errors import ImageFileError

MAX_PIXELS = 500_000_000
Image.MAX_IMAGE_PIXELS = None  # Pillow's own guard; `_check_size` has the limit that is stated
logging.getLogger("PIL").addHandler(logging.NullHandler())  # it talks of what fails here anyway

# Runs of equal labels are what there is to compress: zlib's run-length strategy gives smaller
# files than level 6 on label maps and takes half the time.
RUN_LENGTHS = 3
PNG: dict[str, Any] = {"format": "PNG", "compress_type": RUN_LENGTHS}


def read_image(path: Path) -> NDArray[Any]:
    """Read an image upright.

    Parameters
    ----------
    path : Path

    Returns
    -------
    image : (H, W), (H, W, 2), (H, W, 3) or (H, W, 4) array
        Grey, grey and alpha, RGB, RGB and alpha; uint8, but grey of more bits as it is:
        uint16, int32 or float32.

    Raises
    ------
    ImageFileError
        If there is no such file, or it is not an image, not a whole one, or too large.
    """
    try:
        with _quiet(), Image.open(path) as image:
            _check_size(image)
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            return np.asarray(_in_plain_mode(image))
    except (ImageFileError, MemoryError):
        raise
    except FileNotFoundError:
        raise ImageFileError("no such file; check the name") from None
    except IsADirectoryError:
        raise ImageFileError("is a folder; name the image files in it") from None
    except PermissionError:
        raise ImageFileError("may not be read; check its permissions") from None
    except UnidentifiedImageError:
        raise ImageFileError(_not_an_image(path)) from None
    except Exception as error:  # plug-ins raise anything at all over damaged files
        if isinstance(error, OSError) and error.errno:
            raise ImageFileError(f"cannot be read: {error.strerror}; check its name") from None
        raise ImageFileError(f"is damaged ({error}); get a complete copy of it") from None


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Read an image as a mask: (H, W), where it is neither black nor fully transparent."""
    image = read_image(path)
    values = image if image.ndim == 3 else image[:, :, None]
    if values.shape[2] in (2, 4):
        values = values[:, :, :-1] * (values[:, :, -1:] != 0)
    return np.asarray((values != 0).any(axis=2))


def write_labels(labels: NDArray[np.int32], path: Path) -> None:
    """Write a label map as grey PNG, 8 bits to a pixel, or 16 from 256 segments on.

    Parameters
    ----------
    labels : (H, W) int32 array
        At most 65,535; see `label_suffix`.
    path : Path
        ``.png``; or ``.tif``, which holds 32 bits to a pixel.
    """
    if path.suffix == ".tif":
        image, options = Image.fromarray(labels), {"format": "TIFF", "compression": "tiff_lzw"}
    else:
        if labels.max() > 65535:
            raise ImageFileError(f"{path}: expected at most 65,535 segments for PNG; use .tif")
        kind = np.uint8 if labels.max() < 256 else np.uint16
        image, options = Image.fromarray(labels.astype(kind)), dict(PNG)
    write_whole(path, lambda file: image.save(file, **options))


def label_suffix(count: int) -> str:
    """Tell the format that holds so many segments without wrapping: PNG, beyond 65,535 TIFF."""
    return ".png" if count < 65536 else ".tif"


def write_segmented(
    labels: NDArray[np.int32], palette: NDArray[np.uint8], path: Path, *, transparent: bool
) -> None:
    """Write the recoloured image as PNG: indexed colours where 256 of them are enough.

    Parameters
    ----------
    labels : (H, W) int32 array
        Rows of the palette.
    palette : (K + 1, 3) uint8 array
    path : Path
    transparent : bool
        Make label 0 transparent.
    """
    options: dict[str, Any] = dict(PNG)
    if len(palette) <= 256:
        image = Image.fromarray(labels.astype(np.uint8))
        image.putpalette(palette.tobytes())
        if transparent:
            options["transparency"] = 0
    else:
        colors = palette
        if transparent:
            alpha = np.full((len(palette), 1), 255, np.uint8)
            alpha[0] = 0
            colors = np.concatenate([palette, alpha], axis=1)
        image = Image.fromarray(colors[labels])
    write_whole(path, lambda file: image.save(file, **options))


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write beside the target under a passing name, then rename: all of the file or nothing.

    Raises
    ------
    ImageFileError
        If the folder takes no file, or the disk is full.
    """
    passing = path.with_name(f".{os.getpid():x}-{time.monotonic_ns():x}.part")
    try:
        with passing.open("xb") as file:
            try:
                write(file)
                file.close()
                passing.replace(path)
            except BaseException:
                passing.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise ImageFileError(f"cannot write {path}: {error.strerror or error}") from None


def make_folder(path: Path) -> None:
    """Make a folder for results, and those above it, unless it is there."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageFileError(
            f"cannot make the folder {path}: {error.strerror}; choose another with -o"
        ) from None
    if not os.access(path, os.W_OK):
        raise ImageFileError(f"cannot write into {path}; choose another folder with -o")


class _quiet(warnings.catch_warnings):
    """Pillow warns of sizes and of damaged metadata; what matters is checked here."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.simplefilter("ignore")


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise ImageFileError(
            f"has {image.width} x {image.height} pixels, expected at most {MAX_PIXELS:,}; "
            "split it or scale it down"
        )


def _in_plain_mode(image: Image.Image) -> Image.Image:
    """Grey or RGB, with alpha where there is any; 16-bit grey stays as it is."""
    if image.mode in ("L", "LA", "RGB", "RGBA") and "transparency" not in image.info:
        return image
    if image.mode.startswith(("I", "F")):
        return image
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")


def _not_an_image(path: Path) -> str:
    if not path.stat().st_size:
        return "is empty; expected an image"
    return "is not an image in a format that Pillow reads; expected JPEG, PNG, TIFF, WebP, ..."
