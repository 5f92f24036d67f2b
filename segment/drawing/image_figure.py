"""A segmentation as a figure (extra `plot`: matplotlib)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segment.drawing.boundaries import draw_boundaries
from segment.drawing.panels import draw_climbs, draw_curve, draw_points, empty_figure, styled
from segment.drawing.scaling import shrunk_size
from segment.errors import InvalidInputError, shown
from segment.meanshift.density import climb_paths, kernel_density
from segment.meanshift.modes import climb_to_ends
from segment.meanshift.points import distinct_points
from segment.meanshift.tree import build_tree
from segment.pixels.bands import BandImage
from segment.pixels.colors import to_color_space
from segment.pixels.image import Pixels, pixels_again
from segment.settings import Settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 13.0  # inches
LONGEST = 900  # pixels of a picture on a figure, which has no room for more
POINTS = 6_000  # that are drawn of a cloud
CLIMBS = 6
AXES = {
    "rgb": ("red", "green", "blue"),
    "lab": ("L*", "a*", "b*"),
    "luv": ("L*", "u*", "v*"),
    "hsv": ("hue", "saturation", "value"),
}


LABELS = ("xlabel", "ylabel", "zlabel")


class Drawn(Protocol):
    """What is drawn of a `Segmentation`; its attributes say what these are."""

    @property
    def labels(self) -> NDArray[np.int32]: ...
    @property
    def modes(self) -> NDArray[np.float64]: ...
    @property
    def mode_colors(self) -> NDArray[np.uint8]: ...
    @property
    def sizes(self) -> NDArray[np.int64]: ...
    @property
    def bandwidth(self) -> float: ...
    @property
    def low(self) -> NDArray[np.float64]: ...
    @property
    def unit(self) -> NDArray[np.float64]: ...
    @property
    def settings(self) -> Settings: ...
    def palette(self) -> NDArray[np.uint8]: ...
    def recolored(self, *, ground: int) -> NDArray[np.uint8]: ...


@styled
def segmentation_figure(
    image: NDArray[Any] | BandImage, segmentation: Drawn, name: str = ""
) -> Figure:
    """Draw an image, its segments and their boundaries; for colour features the colours, too.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array, or BandImage
        The one that was segmented.
    segmentation : Segmentation
    name : str
        What the title starts with.

    Returns
    -------
    figure : matplotlib Figure
        Below the three pictures, for features "color": up to 6,000 pixels in the colour space in
        the colour of their segment with the modes marked (for grey, the density with its
        modes), and the density along climbs to the modes of the six largest segments, each from
        the farthest pixel drawn that climbs there. Of bands those are drawn that pictures show.

    Raises
    ------
    InvalidInputError
        If the image has not the size of the labels, or for features "color" other bands.
    MissingPackageError
        If matplotlib is not installed.
    """
    if not isinstance(name, str):
        raise InvalidInputError(f"name: expected text, got {shown(name)}")
    pixels = _pixels_of(image, segmentation)
    height, width = pixels.shape
    below = 4.6 if segmentation.settings.features == "color" else 0.0
    above = min(max((WIDTH - 0.8) / 3 * height / width, 1.2), 7.0)
    figure = empty_figure(WIDTH, above + below + 0.9)
    parts: Any = figure.subfigures(2, 1, height_ratios=[above + 0.9, max(below, 0.01)])
    upper, lower = parts
    count = int(np.count_nonzero(segmentation.sizes))
    facts = [f"bandwidth {segmentation.bandwidth:.4g}", f"{count} segment{'s' * (count != 1)}"]
    title = " · ".join([name] * bool(name) + facts).replace("$", r"\$")  # no mathematics
    upper.suptitle(title, x=0.012, ha="left", weight="bold")
    _draw_pictures(upper, pixels.rgb(), segmentation)
    if below:
        names = image.names if isinstance(image, BandImage) else ()
        _draw_colors(lower, pixels, segmentation, names)
    return figure


def _pixels_of(image: NDArray[Any] | BandImage, segmentation: Drawn) -> Pixels:
    pixels = pixels_again(image, segmentation.low, segmentation.unit)
    if segmentation.labels.shape != pixels.shape:
        raise InvalidInputError(
            f"image: expected shape {segmentation.labels.shape} like the labels, "
            f"got {pixels.shape}; give the image that was segmented"
        )
    bands, known = pixels.colors.shape[1], len(segmentation.low)
    if segmentation.settings.features == "color" and bands != known:
        raise InvalidInputError(
            f"image: expected {known} bands, got {bands}; give the image that was segmented"
        )
    return pixels


def _draw_pictures(figure: Any, image: NDArray[np.uint8], segmentation: Drawn) -> None:
    size = shrunk_size(image.shape, LONGEST)
    labels = np.asarray(Image.fromarray(segmentation.labels).resize(size, Image.Resampling.NEAREST))
    painted = segmentation.recolored(ground=255)  # as the photo beside it
    small, flat = (
        np.asarray(Image.fromarray(each).resize(size, Image.Resampling.BOX))
        for each in (image, painted)
    )
    outlined = draw_boundaries(small, labels)
    titles = ("original", "segments", "boundaries")
    for axes, picture, title in zip(
        figure.subplots(1, 3), (small, flat, outlined), titles, strict=True
    ):
        axes.imshow(picture, interpolation="auto")
        axes.set_title(title)
        axes.set_axis_off()


def _draw_colors(figure: Any, pixels: Pixels, segmentation: Drawn, bands: tuple[str, ...]) -> None:
    settings = segmentation.settings
    distinct = distinct_points(pixels.shown)
    modes, firsts = np.unique(segmentation.modes, axis=0, return_index=True)
    colors = segmentation.mode_colors[firsts] / 255
    points = np.asarray(to_color_space(distinct.points, settings.color_space), np.float64)
    if points.shape[1] < modes.shape[1]:  # grey pixels by a model of colours
        points = np.repeat(points, modes.shape[1], axis=1)

    def density(places: NDArray[Any]) -> NDArray[np.float64]:
        how: dict[str, Any] = {"bandwidth": segmentation.bandwidth, "kernel": settings.kernel}
        return kernel_density(places, points, distinct.weights, **how)

    rows = distinct.spread(np.arange(len(points), dtype=np.int32))
    shown = segmentation.labels.reshape(-1)
    shown = shown if pixels.visible is None else shown[pixels.visible]
    chosen = _sample(np.flatnonzero(shown))
    some, labels = points[rows[chosen]], shown[chosen]
    if points.shape[1] == 1:
        left, right = figure.subplots(1, 2)
        left.set(title="density of the grey values, and the modes", xlabel="grey value")
        draw_curve(left, points, distinct.weights, density, modes, colors)
    else:
        deep = {"projection": "3d"} if points.shape[1] > 2 else {}
        left, right = figure.add_subplot(1, 2, 1, **deep), figure.add_subplot(1, 2, 2)
        at, labeled = _axes_of(pixels, settings, bands)
        left.set(title="pixels and modes", **labeled)
        painted = segmentation.palette()[labels] / 255
        draw_points(left, some[:, at], painted, modes[:, at], colors)
    known = {"kernel": settings.kernel, "max_iter": settings.max_iter}
    climb: dict[str, Any] = {"bandwidth": segmentation.bandwidth, **known}
    tree = build_tree(points, distinct.weights)
    ends = climb_to_ends(tree, some, **climb)
    starts, reached = _starts(some, labels, ends.places[ends.which], segmentation)
    paths = climb_paths(tree, some[starts], **climb)
    draw_climbs(right, paths, density, segmentation.mode_colors[reached] / 255)
    right.set(title="density along climbs to the modes of the largest segments")
    right.set(xlabel="way walked in the colour space", ylabel="density (1: all pixels)")


def _axes_of(
    pixels: Pixels, settings: Settings, bands: tuple[str, ...]
) -> tuple[list[int], dict[str, str]]:
    """Return which coordinates of the points are drawn, and the labels of their axes."""
    count = pixels.colors.shape[1]
    if pixels.view is None or settings.color_space != "rgb":
        return [0, 1, 2], dict(zip(LABELS, AXES[settings.color_space], strict=True))
    shown = pixels.view.places
    at = list(shown) if shown and len(shown) == 3 else list(range(min(count, 3)))
    names = bands or tuple(f"band {number}" for number in range(1, count + 1))
    return at, {label: names[place] for label, place in zip(LABELS, at, strict=False)}


def _sample(places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return some of the places, at random: a stride would follow the columns of the image."""
    if len(places) <= POINTS:
        return places
    return np.sort(np.random.RandomState(0).choice(places, POINTS, replace=False))


def _starts(
    some: NDArray[np.float64],
    labels: NDArray[np.int32],
    ends: NDArray[np.float64],
    segmentation: Drawn,
) -> tuple[list[int], list[int]]:
    """Return the farthest pixel that climbs to each largest segment's mode, and the modes' rows."""
    starts: list[int] = []
    rows: list[int] = []
    modes = segmentation.modes
    for row in np.argsort(-segmentation.sizes, kind="stable").tolist():
        off = np.linalg.norm(ends - modes[row], axis=1)
        reaching = np.flatnonzero((off <= segmentation.bandwidth / 2) & (labels == row + 1))
        if len(reaching) and len(rows) < CLIMBS:
            way = np.linalg.norm(some[reaching] - modes[row], axis=1)
            starts.append(int(reaching[way.argmax()]))
            rows.append(row)
    return starts, rows
