"""What figures are put together from: points with their modes, densities, climbs.

Each function draws on axes of matplotlib (extra `plot`), which its caller gives it.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from segment.errors import MissingPackageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")
Floats = NDArray[np.float64]
Colors = NDArray[Any]
Density = Callable[[Floats], Floats]
INK, FAINT, GROUND = "#1c1c1c", "#767676", "#f1f1ee"
STYLE: dict[str, Any] = {
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": FAINT,
    "axes.facecolor": GROUND,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "figure.facecolor": "white",
}
MODE: dict[str, Any] = {"s": 90, "edgecolors": INK, "linewidths": 1.4, "zorder": 10}
DPI = 120
STEPS = 480  # of a curve
GRID = 90  # of a surface, each way


_style_of_the_process = threading.RLock()  # or two threads would give back each other's style


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Let a function draw in the style of these figures, whatever the caller's is."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **options: P.kwargs) -> R:
        try:
            import matplotlib
        except ImportError:
            raise MissingPackageError(
                "matplotlib: expected it for figures, but it is not installed; "
                "pip install 'meanshift-segment[plot]'"
            ) from None
        with _style_of_the_process, matplotlib.rc_context(STYLE):
            return draw(*args, **options)

    return drawn


def empty_figure(width: float, height: float) -> Figure:
    """Return a figure of so many inches that no window shows and no list keeps."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08)
    return Figure(figsize=(width, height), dpi=DPI, layout=layout)


def draw_points(
    axes: Any, points: Floats, colors: Colors, modes: Floats, mode_colors: Colors
) -> None:
    """Draw points in two or three dimensions in their cluster's colour, the modes as rings."""
    extra: dict[str, Any] = {}
    if points.shape[1] == 3:
        extra["depthshade"] = False
        _plain_3d(axes, elevation=22)
    axes.scatter(*points.T, c=colors, s=5, alpha=0.55, linewidths=0, **extra)
    axes.scatter(*modes.T, c=mode_colors, **MODE, **extra)


def draw_curve(
    axes: Any, points: Floats, weights: Floats, density: Density, modes: Floats, colors: Colors
) -> None:
    """Draw one-dimensional points as bars, their density as a line, the modes on it."""
    low, high = float(points.min()), float(points.max())
    margin = 0.04 * (high - low) or 1.0
    places = np.linspace(low - margin, high + margin, STEPS)
    bins = int(min(128, max(8, weights.sum() ** 0.5)))
    counts, edges = np.histogram(points[:, 0], bins, (low - margin, high + margin), weights=weights)
    heights = density(places[:, None])
    top = max(float(heights.max()), float(density(modes).max()), 1e-12)
    axes.stairs(counts / max(counts.max(), 1) * top, edges, fill=True, color="#cfcfca")
    axes.plot(places, heights, color=INK, linewidth=1.4)
    axes.vlines(modes[:, 0], 0, density(modes), colors=FAINT, linewidth=0.8)
    axes.scatter(modes[:, 0], density(modes), c=colors, clip_on=False, **MODE)
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(0, top * 1.12)
    axes.set_yticks([])


def draw_surface(axes: Any, points: Floats, density: Density, modes: Floats) -> None:
    """Draw the density of two-dimensional points as a surface, the modes on its tops."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = np.where(high > low, 0.08 * (high - low), 1.0)
    x, y = (np.linspace(a, b, GRID) for a, b in zip(low - margin, high + margin, strict=True))
    xs, ys = np.meshgrid(x, y)
    heights = density(np.column_stack([xs.ravel(), ys.ravel()])).reshape(xs.shape)
    axes.plot_surface(xs, ys, heights, cmap="viridis", linewidth=0, rcount=GRID, ccount=GRID)
    lifted = density(modes) + 0.02 * heights.max()
    axes.scatter(*modes.T, lifted, c="white", depthshade=False, **MODE)
    axes.set_zticks([])
    _plain_3d(axes, elevation=38)


def draw_climbs(axes: Any, paths: Sequence[Floats], density: Density, colors: Colors) -> None:
    """Draw the density along climbs over the way walked, from the start (dot) to the mode."""
    if not paths:  # as with the modes of other images
        axes.text(0.5, 0.5, "no pixel climbs to these modes", ha="center", transform=axes.transAxes)
    for path, color in zip(paths, colors, strict=True):
        walked = np.append(0, np.linalg.norm(np.diff(path, axis=0), axis=1).cumsum())
        heights = density(path)
        axes.plot(walked, heights, color=INK, linewidth=3.2, zorder=2)  # so that white is seen, too
        axes.plot(walked, heights, color=color, linewidth=1.8, marker="o", markersize=3, zorder=3)
        axes.scatter(walked[-1:], heights[-1:], color=[color], clip_on=False, **MODE)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.03)
    axes.grid(color="white", linewidth=1)
    axes.set_axisbelow(True)


def _plain_3d(axes: Any, elevation: float) -> None:
    axes.computed_zorder = False  # else what lies behind may be drawn over the modes
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color(GROUND)
        axis.line.set_color(FAINT)
    axes.view_init(elev=elevation, azim=-58)
    axes.tick_params(labelsize=8, pad=0)
