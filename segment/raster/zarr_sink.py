"""Zarr 3 by strips, laid out as OME-Zarr 0.5 has an image: a row of chunks in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError
from segment.raster.sink import Contents, Keepsakes
from segment.raster.tiles import TILE, TiledSink
from segment.tiff.places import SCALE, TIE_POINTS
from segment.unfinished import remove

ARRAY = "0"  # the only level


class ZarrSink(TiledSink):
    """A Zarr group under way, with one array; see `segment.raster.sink.RasterSink`.

    The array has the axes y and x, or c, y and x; chunks of 512 x 512 pixels, Zstandard as the
    zarr package has it by default. The group says by OME-Zarr's `multiscales` where a pixel lies:
    in map units, where the image is north up, else in pixels.

    Parameters
    ----------
    path : Path
        A folder that is there is replaced.
    contents : Contents
    key : str, optional
        As for `TiffSink`.
    """

    def __init__(self, path: Path, contents: Contents, key: str | None = None) -> None:
        super().__init__(path, contents, "zarr", key)

    def _begin(self) -> None:
        self._array = self._opened()

    def _close(self) -> None:
        """Do nothing: files of chunks are open only while they are written."""

    def _complete(self) -> None:
        self._unfinished.finish()

    def _opened(self) -> Any:
        """Open what an earlier run left, or make a new group in its place."""
        try:
            import zarr
        except ImportError:
            raise ImageFileError(
                "a result in Zarr needs a package; pip install 'meanshift-segment[zarr]'"
            ) from None
        part, contents = self._unfinished.part, self._contents
        if self._unfinished.rows:
            return zarr.open_group(part, mode="r+")[ARRAY]
        remove(part)
        group = zarr.open_group(part, mode="w", zarr_format=3, attributes=_attributes(contents))
        channels = (contents.channels,) if contents.channels > 1 else ()
        return group.create_array(
            ARRAY,
            shape=(*channels, contents.height, contents.width),
            chunks=(*(1 for _ in channels), TILE, TILE),
            dtype=contents.dtype,
            dimension_names=_axes(contents),
            fill_value=0,
        )

    def _put(self, rows: NDArray[Any]) -> None:
        top = len(self._unfinished.rows) * TILE
        where = slice(top, top + len(rows))
        if self._contents.channels == 1:
            self._array[where] = rows[:, :, 0]
        else:
            self._array[:, where] = np.moveaxis(rows, -1, 0)
        self._unfinished.add([])


def _axes(contents: Contents) -> tuple[str, ...]:
    return ("c", "y", "x") if contents.channels > 1 else ("y", "x")


def _attributes(contents: Contents) -> dict[str, Any]:
    scale, origin = _placed(contents.kept)
    kinds = {"c": "channel", "y": "space", "x": "space"}
    extra = len(_axes(contents)) - 2
    moves = [
        {"type": "scale", "scale": [1.0] * extra + scale},
        {"type": "translation", "translation": [0.0] * extra + origin},
    ]
    multiscale = {
        "axes": [{"name": name, "type": kinds[name]} for name in _axes(contents)],
        "datasets": [{"path": ARRAY, "coordinateTransformations": moves}],
    }
    return {"ome": {"version": "0.5", "multiscales": [multiscale]}}


def _placed(kept: Keepsakes) -> tuple[list[float], list[float]]:
    """Return the size of a pixel and the place of the first one's centre, along y and x."""
    tags = {code: value for code, _, _, value, _ in kept.geo}
    scale, points = tags.get(SCALE), tags.get(TIE_POINTS)
    if not scale or not points or len(points) != 6:
        return [1.0, 1.0], [0.0, 0.0]
    column, row, _, x, y, _ = points
    down, across = -float(scale[1]), float(scale[0])
    return [down, across], [y + (0.5 - row) * down, x + (0.5 - column) * across]
