"""Zarr of either version and OME-Zarr by strips, through the zarr package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.bands import Band, unique_names, usual_names
from segment.errors import ImageFileError
from segment.raster.blocks import Blocks
from segment.raster.source import Colors
from segment.raster.steady_file import SteadyFile, reopened
from segment.tiff.no_data import no_data_of, visible_among
from segment.tiff.places import GeoTag, Resolution

ROWS, COLUMNS = {"y", "lat", "latitude", "northing"}, {"x", "lon", "longitude", "easting"}
CHANNELS = {"c", "channel", "channels", "band", "bands"}
UNNAMED = {2: ("y", "x"), 3: ("y", "x", "c")}  # as everywhere in this package


class ZarrSource:
    """An array in a folder; see `segment.raster.source.RasterSource`.

    Axes are known by their names: those of OME-Zarr's multiscales, of which the first level is
    read, of Zarr 3's dimension names or of xarray's attribute. An array without names is (H, W) or
    (H, W, C). All other axes must have one place. Chunks that are not there are the fill value, as
    Zarr has it.

    Parameters
    ----------
    path : Path
        The folder of an array, or of a group with one image.
    allow_damaged : bool
        Go on where a chunk is damaged.
    """

    several = False
    colors: Colors = "none"
    alpha_is_sure = False

    def __init__(self, path: Path, allow_damaged: bool = False) -> None:
        self._arguments = path.absolute(), allow_damaged
        node = _opened(path)
        self._array, axes, names = _image_in(node)
        self._header = _header_of(path, self._array)
        shape = self._array.shape
        self._rows, self._columns, self._channels = _axes(axes, shape)
        self.height, self.width = shape[self._rows], shape[self._columns]
        dtype = np.dtype(self._array.dtype)
        if dtype.kind not in "buif" or not (self.height and self.width):
            raise ImageFileError(
                f"has {dtype} values of shape {shape}, expected real numbers (H, W, C); convert it"
            )
        self._dtype = dtype.newbyteorder("=")
        attributes = self._array.attrs
        value = no_data_of(str(attributes.get("_FillValue", "")), self._dtype)
        unit = attributes.get("units")
        count = 1 if self._channels is None else shape[self._channels]
        own = len(names) == count and all(names)
        names = unique_names(names) if own else usual_names(count)
        self.bands = tuple(
            Band(
                at + 1,
                names[at],
                self._dtype.name,
                self._dtype.itemsize * 8,
                unit if isinstance(unit, str) else None,
                value,
            )
            for at in range(count)
        )
        blocks = getattr(self._array, "shards", None) or self._array.chunks
        sizes = blocks[self._rows], blocks[self._columns]
        self._blocks = Blocks(self.height, self.width, *sizes, allow_damaged)
        self.preferred_rows = self._blocks.rows
        self.geo: tuple[GeoTag, ...] = ()
        self.resolution: Resolution | None = None
        self.profile: bytes | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(self._blocks.damaged)

    def read(
        self, top: int, bottom: int, bands: Sequence[int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        values = np.empty((bottom - top, self.width, len(bands)), self._dtype)

        def window(rows: slice, columns: slice) -> NDArray[Any]:
            return self._window(rows, columns, list(bands))

        self._header.check()
        hidden = self._blocks.fill(values, top, window)
        self._header.check()
        value = self.bands[0].no_data
        return values, visible_among(values, range(len(bands)), value, hidden)

    def __reduce__(self) -> tuple[Any, ...]:
        return reopened, (ZarrSource, self._arguments)

    def check(self) -> None:
        self._header.check()

    def close(self) -> None:
        """Do nothing: files of chunks are open only while they are read."""

    def _window(self, rows: slice, columns: slice, bands: list[int]) -> NDArray[Any]:
        where: list[Any] = [0] * self._array.ndim
        where[self._rows], where[self._columns] = rows, columns
        if self._channels is None:
            part = np.asarray(self._array[tuple(where)])
            part = part if self._rows < self._columns else part.T
            return np.repeat(part[:, :, None], len(bands), axis=2)
        lowest = min(bands)
        where[self._channels] = slice(lowest, max(bands) + 1)
        part = np.asarray(self._array[tuple(where)])
        kept = sorted((self._rows, self._columns, self._channels))
        order = [kept.index(axis) for axis in (self._rows, self._columns, self._channels)]
        return part.transpose(order)[:, :, [band - lowest for band in bands]]


def _opened(path: Path) -> Any:
    try:
        import zarr
    except ImportError:
        raise ImageFileError(
            "is Zarr, which needs a package; pip install 'meanshift-segment[zarr]'"
        ) from None
    return zarr.open(path, mode="r")


def _header_of(path: Path, array: Any) -> SteadyFile:
    """Return the file that has the shape of an array: one that grows is written anew."""
    folder = path / array.path
    names = (folder / "zarr.json", folder / ".zarray")
    return SteadyFile(next(name for name in names if name.is_file()))


def _image_in(node: Any) -> tuple[Any, Sequence[str], Sequence[str]]:
    """Return an image's array, the names of its axes and those of its bands."""
    attributes = node.attrs.asdict()
    if not hasattr(node, "arrays"):
        return node, _axis_names(node), _band_names(attributes)
    inner = attributes.get("ome", attributes)
    scales = inner.get("multiscales") if isinstance(inner, Mapping) else None
    if scales:
        array = node[scales[0]["datasets"][0]["path"]]
        axes = [axis["name"] if isinstance(axis, Mapping) else axis for axis in scales[0]["axes"]]
        channels = inner.get("omero", {}).get("channels", ())
        return array, axes, [str(channel.get("label", "")) for channel in channels]
    arrays = {name: array for name, array in node.arrays() if array.ndim >= 2}
    if len(arrays) != 1:
        raise ImageFileError(
            f"is a Zarr group of the arrays {', '.join(sorted(arrays)) or 'none'}, expected one "
            "image; name the folder of one of them"
        )
    (array,) = arrays.values()
    return array, _axis_names(array), _band_names(array.attrs.asdict())


def _axis_names(array: Any) -> Sequence[str]:
    names = getattr(array.metadata, "dimension_names", None)
    names = names or array.attrs.get("_ARRAY_DIMENSIONS")
    if names and all(names):
        return [str(name) for name in names]
    if array.ndim not in UNNAMED:
        raise ImageFileError(
            f"is Zarr of shape {array.shape} without names of its axes, expected (H, W) or "
            "(H, W, C); give it dimension names"
        )
    return UNNAMED[array.ndim]


def _band_names(attributes: Mapping[str, Any]) -> Sequence[str]:
    names = attributes.get("band_names") or attributes.get("long_name") or ()
    return [str(name) for name in names] if isinstance(names, list | tuple) else [str(names)]


def _axes(names: Sequence[str], shape: Sequence[int]) -> tuple[int, int, int | None]:
    """Return which axes are rows, columns and channels; None where there is no such axis."""
    found: dict[str, int] = {}
    for axis, name in enumerate(names):
        for kind, known in (("rows", ROWS), ("columns", COLUMNS), ("channels", CHANNELS)):
            if name.lower() in known:
                found.setdefault(kind, axis)
    left = [axis for axis in range(len(shape)) if axis not in found.values() and shape[axis] != 1]
    if len(names) != len(shape) or not {"rows", "columns"} <= set(found) or left:
        raise ImageFileError(
            f"is Zarr with the axes {', '.join(names)} of shape {tuple(shape)}, expected y, x and "
            "c, and others of one place; cut out one image"
        )
    return found["rows"], found["columns"], found.get("channels")
