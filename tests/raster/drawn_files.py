"""The same values in files of every kind that is read by strips."""

from pathlib import Path

import numpy as np
import tifffile

VALUES = np.random.default_rng(3).integers(0, 4096, (70, 53, 4), np.uint16)
MAP = (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_000_000.0)  # of a pixel 10 m wide in UTM zone 33
NAMES = ("blue", "green", "red", "nir")
FILES = (
    "tiled.tif", "planes.tif", "one_strip.tif", "strips.tif", "packed.tif", "mosaic.vrt",
    "lossless.jp2", "plain.npy", "turned.npy", "axes.zarr", "older.zarr", "image.ome.zarr",
)  # fmt: skip


def write_all(folder: Path) -> None:
    """Write `VALUES` into every file of `FILES`."""
    planes = np.ascontiguousarray(np.moveaxis(VALUES, -1, 0))
    _by_gdal(folder, planes)
    _by_tifffile(folder, planes)
    np.save(folder / "plain.npy", VALUES)
    np.save(folder / "turned.npy", VALUES.astype(">u2"))
    _zarr(folder, planes)


def _by_gdal(folder: Path, planes: np.ndarray) -> None:
    import rasterio

    place = {"crs": "EPSG:32633", "transform": rasterio.Affine(*MAP)}
    size = {"height": 70, "width": 53, "count": 4, "dtype": "uint16"}
    tiles = {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate"}
    with rasterio.open(folder / "tiled.tif", "w", driver="GTiff", **size, **place, **tiles) as file:
        file.write(planes)
        for number, name in enumerate(NAMES, start=1):
            file.set_band_description(number, name)
            file.set_band_unit(number, "reflectance")
    with rasterio.open(
        folder / "lossless.jp2", "w", driver="JP2OpenJPEG", **size, **place, QUALITY=100,
        REVERSIBLE="YES", BLOCKXSIZE=32, BLOCKYSIZE=32,
    ) as file:  # fmt: skip
        file.write(planes)
    bands = "".join(
        f'<VRTRasterBand dataType="UInt16" band="{band}"><SimpleSource>'
        f'<SourceFilename relativeToVRT="1">tiled.tif</SourceFilename><SourceBand>{band}'
        "</SourceBand></SimpleSource></VRTRasterBand>"
        for band in range(1, 5)
    )
    place = f"<SRS>EPSG:32633</SRS><GeoTransform>{MAP[2]},10,0,{MAP[5]},0,-10</GeoTransform>"
    text = f'<VRTDataset rasterXSize="53" rasterYSize="70">{place}{bands}</VRTDataset>'
    (folder / "mosaic.vrt").write_text(text)


def _by_tifffile(folder: Path, planes: np.ndarray) -> None:
    plain = {"photometric": "minisblack", "metadata": None}
    planar = {**plain, "planarconfig": "separate", "compression": "lzw", "predictor": True}
    pixels = {**plain, "planarconfig": "contig"}
    tifffile.imwrite(folder / "planes.tif", planes, tile=(16, 32), bigtiff=True, **planar)
    tifffile.imwrite(folder / "one_strip.tif", VALUES, byteorder=">", **pixels)
    strips = {"rowsperstrip": 7, "compression": "zstd", "predictor": True}
    tifffile.imwrite(folder / "strips.tif", VALUES, **strips, **pixels)
    write_packed(folder / "packed.tif", VALUES)


def write_packed(path: Path, values: np.ndarray) -> None:
    """Write 12 bits a sample without gaps, in strips of 9 rows, by GDAL."""
    import rasterio

    size = {"height": len(values), "width": values.shape[1], "count": 4, "dtype": "uint16"}
    place = {"crs": "EPSG:32633", "transform": rasterio.Affine(*MAP)}
    options = {"NBITS": 12, "blockysize": 9, "interleave": "pixel"}
    with rasterio.open(path, "w", driver="GTiff", **size, **place, **options) as file:
        file.write(np.moveaxis(values, -1, 0))


def _zarr(folder: Path, planes: np.ndarray) -> None:
    import zarr

    names = ["y", "x", "band"]
    new = zarr.create_array(
        folder / "axes.zarr", shape=VALUES.shape, chunks=(16, 16, 4), dtype="u2",
        dimension_names=names,
    )  # fmt: skip
    new[:] = VALUES
    old = zarr.create_array(
        folder / "older.zarr", shape=planes.shape, chunks=(1, 16, 16), dtype=">u2", zarr_format=2,
        attributes={"_ARRAY_DIMENSIONS": ["band", "y", "x"], "band_names": list(NAMES)},
    )  # fmt: skip
    old[:] = planes
    group = zarr.open_group(folder / "image.ome.zarr", mode="w")
    level = group.create_array("0", shape=(1, 4, 1, 70, 53), chunks=(1, 1, 1, 16, 16), dtype="u2")
    level[:] = planes[None, :, None]
    scales = [{"axes": [{"name": name} for name in "tczyx"], "datasets": [{"path": "0"}]}]
    labels = {"channels": [{"label": name} for name in NAMES]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": scales, "omero": labels}
