"""An image that is segmented again and again: what lasts from one setting to the next is kept."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segment.method.pipeline import Prepared
from segment.method.segmentation import Segmentation
from segment.pixels.image import Pixels, pixels_of
from segment.settings import Settings

if TYPE_CHECKING:
    from segment.method.hierarchy import Hierarchy

Stages = Generator[str, None, Segmentation]
OF_THE_POINTS = (  # settings that say what a point is: those that differ in others share an index
    "features",
    "color_space",
    "spatial_weight",
    "spatial_radius",
    "range_radius",
)


@dataclass(frozen=True, eq=False)
class Picture:
    """What is to be segmented.

    Attributes
    ----------
    image : (H, W) or (H, W, C) array
        As `segment_image` takes it.
    visible : (H, W) bool array or None
        Pixels that take part; None for all.
    alpha : bool or None
        Whether the last channel is alpha; None where that of two or four is.
    """

    image: NDArray[Any]
    visible: NDArray[np.bool_] | None = None
    alpha: bool | None = None

    def same(self, other: Picture) -> bool:
        """Return whether another one has the same pixels: 10 ms for 12 million."""
        if self.alpha != other.alpha or (self.visible is None) != (other.visible is None):
            return False
        pairs = [(self.image, other.image), (self.visible, other.visible)]
        return all(
            a is b or (a.dtype == b.dtype and np.array_equal(a, b))
            for a, b in pairs
            if a is not None and b is not None
        )


class Segmenter:
    """Segments pictures, and keeps of the latest its pixels, its index and its hierarchy."""

    def __init__(self) -> None:
        self._picture: Picture | None = None
        self._pixels: Pixels | None = None
        self._tree: Hierarchy | None = None
        self._index: tuple[tuple[Any, ...], Prepared] | None = None

    def stages(self, picture: Picture, settings: Settings) -> Stages:
        """Yield the name of each stage as it begins; return the segmentation.

        The work can be left between two stages, and what they prepared is kept.

        Raises
        ------
        InvalidInputError
            If the image is not what `segment_image` takes, or there are no segments.
        """
        if self._picture is None or not self._picture.same(picture):
            self._pixels, self._tree, self._index = None, None, None
            self._picture = picture
        if self._pixels is None:
            self._pixels = pixels_of(picture.image, picture.visible, alpha=picture.alpha)
        if settings.by_tree:
            return (yield from self._cut(self._pixels, settings))
        return (yield from self._clustered(self._pixels, settings))

    def _cut(self, pixels: Pixels, settings: Settings) -> Stages:
        if self._tree is None:
            from segment.method.hierarchy import hierarchy_of  # 60 ms that the others do not need

            yield "finding the hierarchy"
            self._tree = hierarchy_of(pixels)
        return self._tree.cut(settings.level, segments=settings.segments, keep=settings.keep or ())

    def _clustered(self, pixels: Pixels, settings: Settings) -> Stages:
        kind = tuple(getattr(settings, name) for name in OF_THE_POINTS)
        if self._index is None or self._index[0] != kind:
            yield "preparing"
            self._index = kind, Prepared(pixels, settings)
        yield "segmenting"
        return self._index[1].segment(settings)
