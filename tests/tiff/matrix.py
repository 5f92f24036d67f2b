"""Small TIFFs of hundreds of kinds, written by tifffile and GDAL, with what is in them."""

from __future__ import annotations

import itertools
import random
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from segment.tiff.libtiff import decompresses

HEIGHT, WIDTH = 23, 37  # neither fills strips, tiles or bytes
ZSTD = decompresses(50000)  # which old wheels of Pillow do not have
ORDERS = {"<": "LITTLE", ">": "BIG"}
INTEGERS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"]
FLOATS = ["f4", "f8"]


@dataclass(frozen=True)
class Kind:
    """A file and what it holds.

    Attributes
    ----------
    name : str
    values : (H, W, C) array
        As stored.
    bits : int
    photometric : str
    missing : (H, W) bool array or None
    alpha : bool
        Whether the last channel is alpha.
    rare : bool
        Whether it may be refused on a plain install.
    loss : float
        Largest difference by a lossy compression, of 255.
    """

    name: str
    values: Any
    bits: int
    photometric: str = "minisblack"
    missing: Any = None
    alpha: bool = False
    rare: bool = False
    loss: float = 0


def drawn(dtype: str, bands: int, bits: int = 0, seed: int = 0) -> Any:
    """Values over the whole range of a type, in smooth parts and in noise; one is the least."""
    kind, chance = np.dtype(dtype), np.random.default_rng(seed)
    slope = np.linspace(0, 1, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH, 1)
    share = np.where(np.arange(WIDTH)[:, None] % 9 < 5, slope, chance.random((HEIGHT, WIDTH, 1)))
    share = np.concatenate([np.roll(share, 5 * band, axis=1) for band in range(bands)], axis=2)
    if kind.kind == "f":
        return ((share - 0.25) * 8000).astype(kind)
    low, high = (0, (1 << bits) - 1) if bits else (np.iinfo(kind).min, np.iinfo(kind).max)
    return np.rint(float(low) + share * (float(high) - float(low)) * (1 - 2**-52)).clip(
        float(low), float(high) * (1 - 2**-52) if kind.itemsize == 8 else float(high)
    ).astype(kind)  # fmt: skip


def write_by_gdal(folder: Path) -> list[Kind]:
    """Types x byte orders x compressions x predictors, the rest by turns; depths; no-data."""
    kinds = []
    for dtype, order in itertools.product(INTEGERS + FLOATS, ORDERS):
        for compress, predictor in itertools.product(
            ["none", "lzw", "deflate", "packbits", "zstd", "lzma"], (1, 2, 3)
        ):
            if predictor > 1 and (
                compress in ("none", "packbits") or (predictor == 3) != (dtype[0] == "f")
            ):
                continue
            kinds.append(_by_gdal(folder, len(kinds), dtype, order, compress, predictor=predictor))
    for bits, (order, compress) in itertools.product(
        [*range(1, 8), *range(9, 16)], [("<", "none"), (">", "lzw"), ("<", "deflate")]
    ):
        dtype = "u1" if bits < 8 else "u2"
        kinds.append(_by_gdal(folder, len(kinds), dtype, order, compress, bits=bits))
    for dtype, no_data in itertools.product(["u1", "u2", "i2", "i4", "f4", "f8"], ["some", "none"]):
        kinds.append(_by_gdal(folder, len(kinds), dtype, "<", "lzw", no_data=no_data))
    for compress in ("ccittrle", "ccittfax3", "ccittfax4"):
        kinds.append(
            _by_gdal(folder, len(kinds), "u1", "<", compress, bits=1, bands=1, tiled=False)
        )
    for compress, dtype in itertools.product(
        ["lerc", "lerc_deflate", "lerc_zstd"], INTEGERS[:6] + FLOATS
    ):
        kinds.append(_by_gdal(folder, len(kinds), dtype, "<", compress, rare=True))
    kinds.append(_by_gdal(folder, len(kinds), "u1", "<", "webp", bands=3, rare=True, planar=False))
    for bands in (1, 3, 4):
        kinds.append(
            _by_gdal(folder, len(kinds), "u1", ">", "jpeg", bands=bands, loss=40, planar=False)
        )
    return kinds


def _by_gdal(
    folder: Path,
    number: int,
    dtype: str,
    order: str,
    compress: str,
    *,
    predictor: int = 1,
    bits: int = 0,
    bands: int = 0,
    tiled: bool | None = None,
    planar: bool | None = None,
    no_data: str = "",
    rare: bool = False,
    loss: float = 0,
) -> Kind:
    import rasterio

    chance = random.Random(number)
    bands = bands or chance.choice([1, 1, 2, 3, 5])
    tiled = chance.random() < 0.5 if tiled is None else tiled
    planar = chance.random() < 0.5 if planar is None else planar
    photometric = "rgb" if bands in (3, 4) else chance.choice(["minisblack", "miniswhite"])
    if np.dtype(dtype).kind != "u" or np.dtype(dtype).itemsize > 2 or (bands > 1 and bands != 3):
        photometric = "rgb" if bands in (3, 4) else "minisblack"
    values = drawn(dtype, bands, bits, number)
    options: dict[str, Any] = {
        "COMPRESS": compress,
        "ENDIANNESS": ORDERS[order],
        "PHOTOMETRIC": photometric,
        "INTERLEAVE": "band" if planar else "pixel",
        "BIGTIFF": chance.choice(["yes", "no"]),
        "ALPHA": "no",
    }
    options |= {"PREDICTOR": predictor} if predictor > 1 else {}
    options |= {"NBITS": bits} if bits else {}
    options |= {"WEBP_LOSSLESS": "yes"} if compress == "webp" else {}
    options |= {"JPEG_QUALITY": 95} if compress == "jpeg" else {}
    if tiled:
        options |= {"tiled": True, "blockxsize": 16, "blockysize": 16}
    else:
        options |= {"blockysize": chance.choice([1, 5, 16, 64])}
    missing = None
    if no_data:
        value = float(values[3, 4, 0]) if no_data == "some" else float(np.dtype(dtype).type(77))
        for band in range(bands):
            values[3:7, 4:9, band] = value
        used = values == value
        missing = used.all(axis=2) if dtype in ("u1", "u2") else used.any(axis=2)
        options["nodata"] = value
    name = f"gdal{number}-{dtype}{order}{bits or ''}-{compress}{predictor}-{bands}{photometric}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has no place on the map
        with rasterio.open(
            folder / f"{name}.tif",
            "w",
            driver="GTiff",
            width=WIDTH,
            height=HEIGHT,
            count=bands,
            dtype=np.dtype(dtype).name,
            **options,
        ) as file:
            file.write(np.moveaxis(values, -1, 0))
    depth = bits or np.dtype(dtype).itemsize * 8
    rare = rare or (compress == "zstd" and not ZSTD)
    return Kind(name, values, depth, photometric, missing, False, rare, loss)


def write_by_tifffile(folder: Path) -> list[Kind]:
    """Types x byte orders x compressions x photometric kinds, the rest by turns."""
    kinds = []
    for dtype, order, compression in itertools.product(
        ["u1", "u2", "i2", "f2", "f4"], ORDERS, [None, "lzw", "zlib", "packbits", "zstd"]
    ):
        for photometric, bands, extra in [
            ("minisblack", 1, ()),
            ("miniswhite", 1, ()),
            ("minisblack", 2, ("unassalpha",)),
            ("rgb", 3, ()),
            ("rgb", 4, ("unassalpha",)),
            ("rgb", 4, ("unspecified",)),
            ("separated", 4, ()),
        ]:
            if photometric in ("miniswhite", "separated") and dtype not in ("u1", "u2"):
                continue
            kinds.append(
                _by_tifffile(
                    folder, len(kinds), dtype, order, compression, photometric, bands, extra
                )
            )
    for compression in ("jpeg2000", "jpegxl", "png", "jpegxr"):
        kinds.append(
            _by_tifffile(folder, len(kinds), "u1", "<", compression, "rgb", 3, (), planar=False)
        )
    return kinds


def _by_tifffile(
    folder: Path,
    number: int,
    dtype: str,
    order: str,
    compression: str | None,
    photometric: str,
    bands: int,
    extra: tuple[str, ...],
    planar: bool | None = None,
) -> Kind:
    import tifffile

    chance = random.Random(number)
    values = drawn(dtype, bands, 0, number)
    if dtype[0] == "f":  # alpha of floats is a share
        values = ((values + 2000) / 8000).astype(dtype).clip(0, 1)
    planar = bands > 1 and chance.random() < 0.5 if planar is None else planar
    predictor = compression in ("lzw", "zlib", "zstd") and dtype != "f2" and chance.random() < 0.6
    rare = compression in ("jpeg2000", "jpegxl", "png", "jpegxr") or (
        compression == "zstd" and not ZSTD
    )
    options: dict[str, Any] = {"tile": (16, 16)} if chance.random() < 0.5 else {"rowsperstrip": 7}
    if compression == "jpegxl":
        options["compressionargs"] = {"lossless": True}
    stored = np.moveaxis(values, -1, 0) if planar else values
    name = f"tifffile{number}-{dtype}{order}-{compression}{predictor}-{bands}{photometric}{planar}"
    tifffile.imwrite(
        folder / f"{name}.tif",
        stored if bands > 1 else values[:, :, 0],
        photometric=photometric,
        planarconfig=None if bands == 1 else "separate" if planar else "contig",
        compression=compression,
        predictor=predictor,
        byteorder=order,
        bigtiff=chance.random() < 0.3,
        extrasamples=extra or None,
        metadata=None,
        **options,
    )
    alpha = extra == ("unassalpha",)
    bits = np.dtype(dtype).itemsize * 8
    return Kind(
        name, values, bits, photometric, None, alpha, rare, 3 if compression == "jpegxr" else 0
    )
