"""The result: a label map and what is known of its segments; to a file and back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError, InvalidInputError, shown
from segment.method.archive import read_arrays
from segment.settings import Range, Settings, is_choice
from segment.validation import checked_path
from segment.writing import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VERSION = 1  # of the archive
SHAPES = {
    "labels": (np.int32, 2),
    "modes": (np.float64, 2),
    "colors": (np.uint8, 2),
    "mode_colors": (np.uint8, 2),
    "sizes": (np.int64, 1),
    "bandwidth": (np.float64, 0),
    "n_iter": (np.int64, 0),
}


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
        Mean sRGB colour of the pixels of each segment.
    mode_colors : (K, 3) uint8 array
        The mode of each segment as an sRGB colour.
    sizes : (K,) int64 array
        Number of pixels of each segment.
    bandwidth : float
        The one that was used.
    n_iter : int
        Moves of the longest climb.
    settings : Settings
        What was asked for.
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
        from segment.pixels.image import pixels_of

        ground = self.recolored() if image is None else pixels_of(image).rgb()
        return draw_boundaries(ground, self.labels)

    def figure(self, image: NDArray[Any], name: str = "") -> Figure:
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
            See `segment.figure.segmentation_figure`.

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
        _write(self, path)

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
        return _read(path)

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


def _write(segmentation: Segmentation, path: str | Path) -> None:
    """Write a segmentation as compressed arrays, with its settings as JSON text among them."""
    content = {"version": VERSION, "settings": asdict(segmentation.settings)}
    about = json.dumps(content, default=float)  # float32 and fractions are settings, too
    arrays: dict[str, Any] = {"about": np.asarray(about)}
    for name, (kind, _) in SHAPES.items():
        arrays[name] = np.asarray(getattr(segmentation, name), kind)
    write_whole(checked_path(path), lambda file: np.savez_compressed(file, **arrays))


def _read(path: str | Path) -> Segmentation:
    """Read what `_write` wrote; nothing in the file is executed, whoever made it."""
    name = checked_path(path)
    with contextlib.ExitStack() as stack:
        with _told(name, "is not a segmentation, or a damaged one"):
            file = stack.enter_context(name.open("rb"))
            about = json.loads(str(read_arrays(file, {"about": ("U", 0)})["about"]))
            version = about["version"]
        if type(version) is not int or version != VERSION:
            raise InvalidInputError(
                f"{name}: expected a segmentation of version {VERSION}, got {shown(version)}; "
                "install the meanshift-segment that made it"
            )
        with _told(name, "is damaged"):
            return _checked(read_arrays(file, SHAPES), about["settings"])


@contextlib.contextmanager
def _told(path: Path, what: str) -> Iterator[None]:
    """Make two of all errors that damage brings about in zipfile, zlib, json and NumPy."""
    try:
        yield
    except MemoryError:
        raise
    except OSError as error:
        said = error.strerror or error
        raise ImageFileError(f"{path}: cannot be read: {said}; check it") from None
    except Exception as error:
        raise InvalidInputError(f"{path}: {what} ({error}); save it again") from None


def _checked(content: dict[str, Any], settings: Any) -> Segmentation:
    """Put together what was read; an error says which parts do not fit."""
    if not isinstance(settings, dict):
        raise TypeError("no settings")
    count, labels = len(content["sizes"]), content["labels"]
    same = {len(content[name]) for name in ("modes", "colors", "mode_colors")}
    if same != {count} or not labels.size or labels.min() < 0 or labels.max() > count:
        raise ValueError("labels without a segment")
    if {content[name].shape[1] for name in ("colors", "mode_colors")} != {3}:
        raise ValueError("colours that are not of three channels")
    content["bandwidth"] = float(content["bandwidth"])
    content["n_iter"] = int(content["n_iter"])
    Range(0).check("bandwidth", content["bandwidth"])
    Range(0, whole=True).check("n_iter", content["n_iter"])
    known = {setting.name for setting in fields(Settings)}
    asked = Settings(**{name: settings[name] for name in known & set(settings)})
    return Segmentation(**content, settings=asked)
