"""What GDAL reads by windows, through rasterio: VRT, JPEG 2000, IMG, HDF, ..."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.bands import Band, unique_names, usual_names
from segment.errors import ImageFileError, UnknownKindError
from segment.raster.blocks import Blocks
from segment.raster.source import Colors
from segment.raster.steady_file import SteadyFile, reopened
from segment.tiff.no_data import no_data_of, visible_among
from segment.tiff.places import GeoTag, Resolution, geo_tags

_filters = threading.Lock()


class RasterioSource:
    """A dataset of GDAL; see `segment.raster.source.RasterSource`.

    It is opened anew for each strip: so several threads can read at once, and GDAL's cache of
    blocks, which would grow to a share of all memory, ends with each of them.

    Parameters
    ----------
    path : Path
    allow_damaged : bool
        Go on where a block is damaged.
    """

    several = False
    colors: Colors = "none"
    alpha_is_sure = False

    def __init__(self, path: Path, allow_damaged: bool = False) -> None:
        self._file = SteadyFile(path)
        self._arguments = path.absolute(), allow_damaged
        with _opened(path) as dataset:
            self.height, self.width = int(dataset.height), int(dataset.width)
            self._dtype = _type_of(dataset)
            self.bands = _bands(dataset)
            self._masked = _has_mask(dataset)
            rows, columns = dataset.block_shapes[0]
            self.geo: tuple[GeoTag, ...] = placed(dataset.crs, dataset.transform, *dataset.gcps)
        self._blocks = Blocks(self.height, self.width, rows, columns, allow_damaged)
        self.preferred_rows = self._blocks.rows
        self.resolution: Resolution | None = None
        self.profile: bytes | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(self._blocks.damaged)

    def read(
        self, top: int, bottom: int, bands: Sequence[int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        values = np.empty((bottom - top, self.width, len(bands)), self._dtype)
        masked = np.zeros(values.shape[:2], bool) if self._masked else None

        def window(rows: slice, columns: slice) -> NDArray[Any]:
            where = (rows.start, rows.stop), (columns.start, columns.stop)
            with _opened(self._file.path) as dataset:
                if masked is not None:
                    inside = slice(rows.start - top, rows.stop - top)
                    masked[inside, columns] = dataset.read_masks(1, window=where) == 0
                found = dataset.read([band + 1 for band in bands], window=where)
            return np.asarray(np.moveaxis(found, 0, -1))

        self._file.check()
        hidden = self._blocks.fill(values, top, window)
        self._file.check()
        if masked is not None:
            hidden = masked if hidden is None else hidden | masked
        used = [at for at, band in enumerate(bands) if not self.bands[band].is_alpha]
        value = tuple(self.bands[bands[at]].no_data for at in used)
        return values, visible_among(values, used, value, hidden)

    def __reduce__(self) -> tuple[Any, ...]:
        return reopened, (RasterioSource, self._arguments, self._file.size)

    def check(self) -> None:
        self._file.check()

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""


def placed(
    crs: Any, transform: Any, points: Any = (), crs_of_points: Any = None
) -> tuple[GeoTag, ...]:
    """Return GeoTIFF's tags for a place on the map: those that GDAL writes for it.

    Parameters
    ----------
    crs : rasterio.crs.CRS or None
    transform : Affine
    points : sequence of rasterio.control.GroundControlPoint
        Where there are any they stand in for the transform.
    crs_of_points : rasterio.crs.CRS or None
    """
    import rasterio
    import tifffile

    place: dict[str, Any] = {"crs": crs, "transform": transform}
    if points:
        place = {"crs": crs_of_points, "gcps": points}
    elif crs is None and transform.is_identity:
        return ()
    one = {"driver": "GTiff", "height": 1, "width": 1, "count": 1, "dtype": "uint8"}
    with rasterio.MemoryFile() as memory:
        with memory.open(**one, **place) as dataset:
            dataset.write(np.zeros((1, 1, 1), np.uint8))
        with tifffile.TiffFile(memory) as tiff:
            return geo_tags(tiff.pages[0])


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        import rasterio
        from rasterio.errors import NotGeoreferencedWarning
    except ImportError:
        raise ImageFileError(
            "is not an image of a kind known here; what GDAL reads (VRT, IMG, ...) takes "
            "pip install 'meanshift-segment[geo]'"
        ) from None
    with _filters, warnings.catch_warnings():  # whose filters are the process's own
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        try:
            dataset = rasterio.open(path)
        except rasterio.RasterioIOError as error:
            raise UnknownKindError(
                "is not an image of a kind that GDAL reads by strips, or is damaged; "
                "save it as TIFF"
            ) from error
    with dataset:
        yield dataset


def _type_of(dataset: Any) -> np.dtype[Any]:
    from rasterio.enums import ColorInterp

    if not dataset.count:
        raise ImageFileError("holds no image but several within; name one of them, as GDAL does")
    types = sorted(set(dataset.dtypes))
    if len(types) > 1:
        raise ImageFileError(f"has bands of the types {', '.join(types)}, expected one; convert it")
    try:
        dtype: np.dtype[Any] = np.dtype(types[0])
    except TypeError:
        dtype = np.dtype(np.void)
    if dtype.kind not in "buif":
        raise ImageFileError(f"has {types[0]} values, expected real numbers; convert it")
    if ColorInterp.palette in dataset.colorinterp:
        raise ImageFileError("has a palette; convert it (gdal_translate -expand rgb)")
    return dtype


def _bands(dataset: Any) -> tuple[Band, ...]:
    from rasterio.enums import ColorInterp

    opaque = [interpretation != ColorInterp.alpha for interpretation in dataset.colorinterp]
    names_of_others = iter(usual_names(sum(opaque)))
    usual = [next(names_of_others) if other else "alpha" for other in opaque]
    told = [own or other for own, other in zip(dataset.descriptions, usual, strict=True)]
    names = unique_names(told)
    return tuple(_band(dataset, number, names[number - 1]) for number in dataset.indexes)


def _band(dataset: Any, number: int, name: str) -> Band:
    from rasterio.enums import ColorInterp

    at = number - 1
    dtype = np.dtype(dataset.dtypes[at])
    bits = dataset.tags(number, ns="IMAGE_STRUCTURE").get("NBITS", "")
    return Band(
        number,
        name,
        dtype.name,
        int(bits) if bits.isdecimal() else dtype.itemsize * 8,
        dataset.units[at] or None,
        no_data_of(str(dataset.nodatavals[at]), dtype),
        dataset.colorinterp[at] == ColorInterp.alpha,
    )


def _has_mask(dataset: Any) -> bool:
    """Return whether the file has a mask of its own, which is neither alpha nor no-data."""
    from rasterio.enums import MaskFlags

    return bool(dataset.mask_flag_enums[0] == [MaskFlags.per_dataset])
