"""The result: a label map and what is known of its segments; to a file and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError, shown
from segment.method.archive import Archive, damaged
from segment.settings import Range, Settings, is_choice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from segment.pixels.bands import BandImage

ARCHIVE = Archive(
    "a segmentation",
    version=1,
    arrays={
        "labels": (np.int32, 2),
        "modes": (np.float64, 2),
        "colors": (np.uint8, 2),
        "mode_colors": (np.uint8, 2),
        "sizes": (np.int64, 1),
        "bandwidth": (np.float64, 0),
        "n_iter": (np.int64, 0),
    },
    later={"means": (np.float64, 2), "low": (np.float64, 1), "unit": (np.float64, 1)},
)


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The segments of an image.

    Attributes
    ----------
    labels : (H, W) int32 array
        0 for no segment (transparent, masked, or beyond every mode), else 1..K.
    modes : (K, d) float64 array
        The mode of each segment in the space of the points: (channels), or in the joint
        domain (x, y, channels) over their units. Densest first; by region in the order of the
        regions, the mode of its largest part.
    colors : (K, 3) uint8 array
        Mean sRGB colour of the pixels of each segment; of bands, those that pictures show.
    mode_colors : (K, 3) uint8 array
        The mode of each segment as an sRGB colour; of bands likewise.
    sizes : (K,) int64 array
        Number of pixels of each segment.
    bandwidth : float
        The one that was used.
    n_iter : int
        Moves of the longest climb.
    settings : Settings
        What was asked for.
    means : (K, C) float64 array
        Mean of each band, or channel of colour, over the pixels of each segment, in the units
        of 0..255 that `low` and `unit` bring the image to; 0 for a segment without pixels.
    low, unit : (C,) float64 arrays
        ``(image - low) / unit`` is what was clustered, but for another colour space: `unit` is what
        a bandwidth of 1 is in the values of a band.
    """

    __module__ = "segment"

    labels: NDArray[np.int32]
    modes: NDArray[np.float64]
    colors: NDArray[np.uint8]
    mode_colors: NDArray[np.uint8]
    sizes: NDArray[np.int64]
    bandwidth: float
    n_iter: int
    settings: Settings = field(default_factory=Settings)
    means: NDArray[np.float64] = None  # type: ignore[assignment]  # in files of 0.1: see below
    low: NDArray[np.float64] = None  # type: ignore[assignment]
    unit: NDArray[np.float64] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        """Fill in what older files do not have: 8-bit colours as they are."""
        if self.means is None:
            object.__setattr__(self, "means", self.colors.astype(np.float64))
        if self.low is None or self.unit is None:
            count = self.means.shape[1]
            object.__setattr__(self, "low", np.zeros(count))
            object.__setattr__(self, "unit", np.ones(count))

    def recolored(
        self, by: Literal["mean", "mode"] = "mean", *, ground: int = 0
    ) -> NDArray[np.uint8]:
        """Paint each segment in one colour.

        Parameters
        ----------
        by : {"mean", "mode"}, default "mean"
            The mean colour of its pixels, or its mode.
        ground : int in 0..255, default 0
            Grey level where there is no segment: black; 255 is white, as paper is.

        Returns
        -------
        image : (H, W, 3) uint8 array
        """
        return self.palette(by, ground=ground)[self.labels]

    def palette(
        self, by: Literal["mean", "mode"] = "mean", *, ground: int = 0
    ) -> NDArray[np.uint8]:
        """Return the colour of every label: (K + 1, 3) uint8, the grey level `ground` for 0."""
        if not is_choice(by, ("mean", "mode")):
            raise InvalidInputError(f"by: expected 'mean' or 'mode', got {shown(by)}")
        Range(0, 255, whole=True).check("ground", ground)
        colors = self.colors if by == "mean" else self.mode_colors
        return np.concatenate([np.full((1, 3), ground, np.uint8), colors])

    def boundaries(self, image: NDArray[Any] | None = None) -> NDArray[np.uint8]:
        """Draw the outlines of the segments over the image.

        Parameters
        ----------
        image : (H, W) or (H, W, C) array, optional
            The one that was segmented, or another of its size. Default: the recoloured one.

        Returns
        -------
        picture : (H, W, 3) uint8 array
            Yellow lines with dark sides; larger by a whole factor than an image whose longer
            side is below 160 pixels.
        """
        from segment.drawing.boundaries import draw_boundaries
        from segment.pixels.image import pixels_again

        if image is None:
            return draw_boundaries(self.recolored(), self.labels)
        return draw_boundaries(pixels_again(image, self.low, self.unit).rgb(), self.labels)

    def figure(self, image: NDArray[Any] | BandImage, name: str = "") -> Figure:
        """Draw image, segments and boundaries; for colour features also the colours and climbs.

        Parameters
        ----------
        image : (H, W) or (H, W, C) array
            The one that was segmented.
        name : str
            What the title starts with.

        Returns
        -------
        figure : matplotlib Figure
            See `segment.drawing.image_figure.segmentation_figure`.

        Raises
        ------
        MissingPackageError
            If matplotlib (extra `plot`) is not installed.
        """
        from segment.drawing.image_figure import segmentation_figure

        return segmentation_figure(image, self, name)

    def save(self, path: str | Path) -> None:
        """Write the segmentation to an ``.npz`` file, the whole file or nothing.

        Parameters
        ----------
        path : str or Path
            Any name; NumPy reads the arrays in it under the names of the attributes.

        Raises
        ------
        ImageFileError
            If the folder takes no file, or the disk is full.
        """
        ARCHIVE.write(self, path)

    @staticmethod
    def load(path: str | Path) -> Segmentation:
        """Read a segmentation that `save` wrote, equal to the bit.

        Raises
        ------
        ImageFileError
            If the file cannot be read.
        InvalidInputError
            If it is not a segmentation, a damaged one, or one of a later version.
        MemoryError
            If it is whole, and larger than the memory there is.
        """
        content, settings = ARCHIVE.read(path)
        if reason := _wrong_with(**content):
            raise damaged(path, reason)
        return Segmentation(**content, settings=settings)

    def _repr_png_(self) -> bytes:
        """Show the recoloured image in a notebook."""
        import io

        from PIL import Image

        file = io.BytesIO()
        Image.fromarray(self.recolored()).save(file, "PNG")
        return file.getvalue()

    def __repr__(self) -> str:
        height, width = self.labels.shape
        return (
            f"<Segmentation: {width} x {height}, {len(self.sizes)} segments, "
            f"bandwidth {self.bandwidth:.4g}>"
        )


def _wrong_with(
    labels: NDArray[np.int32],
    sizes: NDArray[np.int64],
    bandwidth: float,
    n_iter: int,
    **others: Any,
) -> str | None:
    """Return what of the arrays of a file contradicts the others."""
    count = len(sizes)
    same = {len(others[name]) for name in ("modes", "colors", "mode_colors")}
    if same != {count} or not labels.size or labels.min() < 0 or labels.max() > count:
        return "labels without a segment"
    if {others[name].shape[1] for name in ("colors", "mode_colors")} != {3}:
        return "colours that are not of three channels"
    if not _are_of_bands(count, **{name: others.get(name) for name in ARCHIVE.later}):
        return "means and units that do not fit each other"
    if bandwidth not in Range(0) or n_iter not in Range(0, whole=True):
        return f"bandwidth {bandwidth}, {n_iter} iterations"
    return None


def _are_of_bands(
    count: int,
    means: NDArray[np.float64] | None,
    low: NDArray[np.float64] | None,
    unit: NDArray[np.float64] | None,
) -> bool:
    """Return whether means and scale are of the same bands, or all missing."""
    if means is None or low is None or unit is None:
        return means is low is unit
    finite = all(np.isfinite(values).all() for values in (means, low, unit))
    same = means.shape == (count, len(low)) and len(unit) == len(low) > 0
    return bool(same and finite and (unit > 0).all())
