"""Layers of napari to pictures, and label maps to where these lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.napari_plugin.segmenter import Picture


@dataclass(frozen=True)
class Slice:
    """Where the plane that a view shows lies in a layer's data.

    Attributes
    ----------
    index : tuple of slice or int
        A slice along the two axes that are shown, a number along others.
    """

    index: tuple[slice | int, ...]

    @property
    def origin(self) -> NDArray[np.float64]:
        """The coordinates of its first pixel in those of the data."""
        return np.array([0.0 if isinstance(part, slice) else part for part in self.index])

    def in_all_axes(self, plane: NDArray[Any]) -> NDArray[Any]:
        """Return a plane with an axis of one for each that is not shown."""
        kept = tuple(part if isinstance(part, slice) else None for part in self.index)
        return plane[kept]


def shown_slice(layer: Any, point: Sequence[float], displayed: Sequence[int]) -> Slice:
    """Return which plane of an image layer a viewer shows.

    Parameters
    ----------
    layer : napari.layers.Image
    point : sequence of float
        `viewer.dims.point`, where the viewer is, in the coordinates of the world.
    displayed : sequence of int
        `viewer.dims.displayed`, the axes of the view.

    Raises
    ------
    InvalidInputError
        If the view is not of two axes of the layer, or beside its data.
    """
    axes = sorted(axis - (len(point) - layer.ndim) for axis in displayed)
    if len(axes) != 2 or axes[0] < 0:
        raise InvalidInputError(
            f"{layer.name}: expected a view of two of its axes, got {len(displayed)}; "
            "show it in 2D: one slice is segmented at a time"
        )
    places = np.rint(layer.world_to_data(point)[-layer.ndim :]).astype(int)
    index: list[slice | int] = []
    for axis, (place, size) in enumerate(zip(places.tolist(), _data(layer).shape, strict=False)):
        if axis not in axes and not 0 <= place < size:
            raise InvalidInputError(
                f"{layer.name}: expected a slice from 0 to {size - 1} along axis {axis}, got "
                f"{place}; move the slider below the view to its data"
            )
        index.append(slice(None) if axis in axes else place)
    return Slice(tuple(index))


def picture_of(layers: Sequence[Any], where: Slice) -> Picture:
    """Return a plane of image layers as it is to be segmented.

    One layer of colours, or of grey of 8 bits, is taken as it is. Other grey goes from 0 to 1
    within the contrast limits of the layer, as it is seen; so do several layers, each a channel
    and none of them alpha. NaN and infinity take no part.

    Raises
    ------
    InvalidInputError
        If no pixel has a finite value in all of them.
    """
    planes = [np.asarray(_data(layer)[where.index]) for layer in layers]
    if len(planes) == 1 and (layers[0].rgb or planes[0].dtype in (np.uint8, np.bool_)):
        return Picture(planes[0])
    finite = np.logical_and.reduce([np.isfinite(plane) for plane in planes])
    if not finite.any():
        raise InvalidInputError(
            f"{layers[0].name}: expected some values, got NaN or infinity alone"
        )
    seen = [_seen(*pair) for pair in zip(layers, planes, strict=True)]
    image = seen[0] if len(seen) == 1 else np.stack(seen, axis=-1)
    return Picture(image, None if finite.all() else finite, alpha=False)


def _seen(layer: Any, plane: NDArray[Any]) -> NDArray[np.float64]:
    """Return how bright each pixel is shown, from 0 to 1; 0 where there is no number."""
    low, high = (float(limit) for limit in layer.contrast_limits)
    values = np.where(np.isfinite(plane), plane, low)
    return ((values - low) / ((high - low) or 1.0)).clip(0, 1)


def channels_with(layer: Any, others: Sequence[Any]) -> list[Any]:
    """Return the layers that make one image with a layer: shown, grey, of its shape; in order."""
    if layer.rgb:
        return [layer]
    shape = _data(layer).shape
    return [
        other
        for other in others
        if other is layer or (other.visible and not other.rgb and _data(other).shape == shape)
    ]


def pixels_in(layer: Any, where: Slice) -> int:
    """Return how many pixels a plane has, without reading it."""
    sizes = zip(_data(layer).shape, where.index, strict=False)
    return int(np.prod([size for size, part in sizes if isinstance(part, slice)]))


def place_of(layer: Any, where: Slice) -> dict[str, Any]:
    """Return what puts labels on a plane of a layer, as `viewer.add_labels` takes it."""
    corner = layer.affine.inverse(layer.data_to_world(where.origin))
    return {
        "scale": layer.scale,
        "rotate": layer.rotate,
        "shear": layer.shear,
        "affine": layer.affine,
        "translate": np.asarray(corner),
        "units": layer.units,
        "axis_labels": layer.axis_labels,
    }


def _data(layer: Any) -> Any:
    """Return the data of a layer, of several resolutions the finest."""
    return layer.data[0] if layer.multiscale else layer.data
