"""Label maps and recoloured images to files: as few bits as hold the labels or colours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from segment.errors import ImageFileError
from segment.reading.picture import Kept
from segment.results.naming import MOST_IN_PNG, LabelFormat, Product
from segment.tiff.places import ZERO_IS_NO_DATA, with_no_data
from segment.writing import MADE_HERE, write_whole

if TYPE_CHECKING:
    from segment.raster.sink import RasterSink

# Runs of equal labels are what there is to compress: zlib's run-length strategy gives smaller
# files than level 6 on label maps and takes half the time.
RUN_LENGTHS = 3
IN_PALETTE = 256
TO_A_LEVEL = 10_000  # grey levels of an ultrametric contour map
SOFTWARE = PngImagePlugin.PngInfo()  # by it results are known when their folder is scanned
SOFTWARE.add_text("Software", MADE_HERE.decode())
SIGNED: dict[str, Any] = {"format": "PNG", "pnginfo": SOFTWARE}
PNG: dict[str, Any] = {**SIGNED, "compress_type": RUN_LENGTHS}
# Pillow puts a colour profile, which may be long, before all texts; only a chunk of a private
# kind goes behind the pixels.
SOFTWARE_TWICE = PngImagePlugin.PngInfo()
SOFTWARE_TWICE.add_text("Software", MADE_HERE.decode())
SOFTWARE_TWICE.add(b"msSw", MADE_HERE, after_idat=True)


def write_segmented(
    labels: NDArray[np.int32],
    palette: NDArray[np.uint8],
    path: Path,
    *,
    transparent: bool,
    alpha: NDArray[np.uint8] | None = None,
    kept: Kept = Kept(),  # noqa: B008
) -> None:
    """Write the recoloured image.

    Parameters
    ----------
    labels : (H, W) int32 array
        Rows of the palette.
    palette : (K + 1, 3) uint8 array
    path : Path
    transparent : bool
        Make label 0 transparent.
    alpha : (H, W) uint8 array, optional
        Of the pixels with another label, where some can be seen through.
    kept : Kept
        The resolution and the colour profile go into the file.
    """
    options = {**PNG, **png_options(kept)}
    if alpha is None and len(palette) <= 256:
        image = Image.fromarray(labels.astype(np.uint8))
        image.putpalette(palette.tobytes())
        if transparent:
            options["transparency"] = 0
    else:
        image = Image.fromarray(_colors(labels, palette, transparent, alpha))
    write_whole(path, lambda file: image.save(file, **options))


def png_options(kept: Kept) -> dict[str, Any]:
    """Return options for Pillow's writer of PNG: what of an image's file goes into the result."""
    options: dict[str, Any] = {}
    if kept.resolution and kept.resolution.dpi:
        options["dpi"] = kept.resolution.dpi
    if kept.profile:
        options["icc_profile"] = kept.profile
        options["pnginfo"] = SOFTWARE_TWICE
    return options


def partial_alpha(pixels: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Return the alpha of a picture in 8 bits if it has more than all and nothing, else None.

    Parameters
    ----------
    pixels : (H, W) or (H, W, C) array
        uint8, uint16 or floats in 0..1, alpha last where C is 2 or 4.
    """
    if pixels.ndim == 2 or pixels.shape[2] not in (2, 4):
        return None
    alpha = pixels[:, :, -1]
    if alpha.dtype != np.uint8:
        top = 65535 if alpha.dtype.kind == "u" else 1
        alpha = np.ceil(alpha * (255 / top)).astype(np.uint8)  # what is visible stays so
    return alpha if ((alpha > 0) & (alpha < 255)).any() else None


def _colors(
    labels: NDArray[np.int32],
    palette: NDArray[np.uint8],
    transparent: bool,
    alpha: NDArray[np.uint8] | None,
) -> NDArray[np.uint8]:
    if alpha is None and not transparent:
        return palette[labels]
    last = np.full((len(palette), 1), 255, np.uint8)
    last[0] = 0 if transparent else 255
    colors = np.concatenate([palette, last], axis=1)[labels]
    if alpha is not None:
        colors[:, :, 3] = np.minimum(colors[:, :, 3], alpha)
    return colors


def write_labels(
    labels: NDArray[np.int32],
    path: Path,
    label_format: LabelFormat,
    kept: Kept = Kept(),  # noqa: B008
) -> None:
    """Write a label map.

    Parameters
    ----------
    labels : (H, W) int32 array
        Not negative.
    path : Path
    label_format : {"png", "tiff", "npy"}
        PNG: grey, 8 or 16 bits to a pixel. TIFF: unsigned, 8, 16 or 32 bits, deflated. NPY:
        the array itself.
    kept : Kept
        The resolution goes into PNG and TIFF, the place on the map into TIFF.

    Raises
    ------
    ImageFileError
        If PNG cannot hold the labels, or the file cannot be written.
    """
    top = int(labels.max())
    if label_format == "npy":
        write_whole(path, lambda file: np.save(file, labels))
    elif label_format == "tiff":
        kind = np.uint8 if top < 256 else np.uint16 if top < 65536 else np.uint32
        write_whole(path, lambda file: _write_tiff(file, labels.astype(kind), kept))
    elif top > MOST_IN_PNG:
        raise ImageFileError(f"{path}: expected at most 65,535 segments for PNG; use .tif")
    else:
        image = Image.fromarray(labels.astype(np.uint8 if top < 256 else np.uint16))
        dpi = kept.resolution.dpi if kept.resolution else None
        options: dict[str, Any] = {**PNG, "dpi": dpi} if dpi else PNG
        write_whole(path, lambda file: image.save(file, **options))


def write_heights(
    heights: NDArray[np.float32],
    path: Path,
    kept: Kept = Kept(),  # noqa: B008
) -> None:
    """Write an ultrametric contour map as grey PNG of 16 bits, 10,000 to a level of 1.

    Parameters
    ----------
    heights : (H, W) float32 array
        Not negative; from 6.5535 on all are alike.
    path : Path
    kept : Kept
        The resolution goes into the file.
    """
    scaled = np.rint(heights.astype(np.float64) * TO_A_LEVEL).clip(0, 65535).astype(np.uint16)
    dpi = kept.resolution.dpi if kept.resolution else None
    options: dict[str, Any] = {**SIGNED, "dpi": dpi} if dpi else SIGNED
    image = Image.fromarray(scaled)
    write_whole(path, lambda file: image.save(file, **options))


def _write_tiff(file: IO[bytes], labels: NDArray[Any], kept: Kept) -> None:
    import tifffile

    tags = kept.geo if labels.all() else with_no_data(kept.geo)
    tifffile.imwrite(
        file,
        labels,
        photometric="minisblack",
        compression="zlib",
        compressionargs={"level": 1},  # a fifth of the time of level 6 for runs of equal labels
        metadata=None,
        software=MADE_HERE.decode(),
        extratags=list(tags),
        **(kept.resolution.tiff_options() if kept.resolution else {}),
    )


@dataclass(frozen=True, eq=False)
class TiledRasters:
    """Label map and recoloured image as they are written by strips, whatever the memory.

    Attributes
    ----------
    height, width : int
    colors : (K, 3) uint8 array
        Of the labels 1..K.
    kept : Kept
        What of the image's file goes into theirs.
    is_whole : bool
        Whether every pixel has a label. Otherwise 0 is no data in a label map that is on a map,
        and in a palette.
    has_alpha : bool
        Whether pixels that have a label can be seen through.
    overviews : bool
        Make TIFFs cloud-optimised GeoTIFFs.
    as_int32 : bool
        Whether labels are of that type, which those in NPY have; else of the smallest.
    """

    height: int
    width: int
    colors: NDArray[np.uint8]
    kept: Kept
    is_whole: bool
    has_alpha: bool = False
    overviews: bool = False
    as_int32: bool = False

    def sink(self, product: Product, path: Path, key: str | None = None) -> RasterSink:
        """Return what a product is written with: labels as Zarr or NPY by their name, else TIFF."""
        from segment.raster.opening import open_sink  # most runs write none

        size, kept = (path, self.height, self.width), self.kept
        options: Any = {"overviews": self.overviews, "key": key}
        if product == "labels":
            kept = kept if self.is_whole else kept._replace(geo=with_no_data(kept.geo))
            ends: Any = {".zarr": "zarr", ".npy": "npy"}
            kind = ends.get(path.suffix.lower(), "tiff")
            return open_sink(*size, self._label_type, kept, kind=kind, **options)
        if not self._in_palette:
            return open_sink(*size, np.uint8, kept, channels=self._channels, **options)
        if not self.is_whole:
            kept = kept._replace(geo=(*kept.geo, ZERO_IS_NO_DATA))
        palette = np.concatenate([np.zeros((1, 3), np.uint8), self.colors])
        return open_sink(*size, np.uint8, kept, palette=palette, **options)

    def rows(
        self, product: Product, labels: NDArray[np.int32], alpha: NDArray[np.uint8] | None = None
    ) -> NDArray[Any]:
        """Return what the sink of a product takes for rows of labels, (h, W)."""
        if product == "labels":
            return labels.astype(self._label_type, copy=False)
        if self._in_palette:
            return labels.astype(np.uint8)
        opaque = np.append(self.colors, np.full((len(self.colors), 1), 255, np.uint8), axis=1)
        words = np.concatenate([np.zeros((1, 4), np.uint8), opaque]).view(np.uint32).reshape(-1)
        colors = words[labels].view(np.uint8).reshape(*labels.shape, 4)  # a colour at a time
        if alpha is not None:
            colors[:, :, 3] = np.minimum(colors[:, :, 3], alpha)
        return np.ascontiguousarray(colors[:, :, : self._channels])

    @property
    def _label_type(self) -> np.dtype[Any]:
        from segment.raster.sink import label_type

        return np.dtype(np.int32) if self.as_int32 else label_type(len(self.colors))

    @property
    def _in_palette(self) -> bool:
        return len(self.colors) < IN_PALETTE and not self.has_alpha

    @property
    def _channels(self) -> int:
        return 3 if self.is_whole and not self.has_alpha else 4
