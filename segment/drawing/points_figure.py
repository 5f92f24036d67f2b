"""Clustered points as a figure (extra `plot`: matplotlib)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.drawing.panels import draw_curve, draw_points, draw_surface, empty_figure, styled
from segment.errors import InvalidInputError, shown
from segment.meanshift.density import kernel_density
from segment.meanshift.estimator import MeanShift
from segment.validation import checked_bandwidth, checked_matrix

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def cluster_figure(X: ArrayLike, model: MeanShift, *, bandwidth: float | None = None) -> Figure:
    """Draw points coloured by cluster with their modes, and the density that was climbed.

    Parameters
    ----------
    X : (n, d) array-like, d in 1..3
        The points; those that the model was fitted to, or others.
    model : MeanShift
        Fitted.
    bandwidth : float, >= 1e-150, optional
        Of the density. Default: the model's; to be given where the model estimated it.

    Returns
    -------
    figure : matplotlib Figure
        d = 1: a histogram, the density and the modes on it. d = 2: the points with the modes,
        and the density as a surface with the modes. d = 3: the points with the modes.

    Raises
    ------
    InvalidInputError
        If there are more than three dimensions, no bandwidth is known, or something is not what
        it should be.
    NotFittedError
        If the model is not fitted.
    MissingPackageError
        If matplotlib is not installed.
    """
    points = checked_matrix(X).astype(np.float64)
    if points.shape[1] > 3:
        raise InvalidInputError(
            f"X: expected 1 to 3 features to draw, got {points.shape[1]}; choose some of them"
        )
    if not isinstance(model, MeanShift):
        raise InvalidInputError(f"model: expected a fitted MeanShift, got {shown(model)}")
    labels = model.predict(X)  # with the names of its columns
    radius = _radius(model, bandwidth, needed=points.shape[1] < 3)
    modes = np.asarray(model.cluster_centers_, np.float64)
    colors = _distinct_hues(len(modes))
    ones = np.ones(len(points))

    def density(places: NDArray[Any]) -> NDArray[np.float64]:
        return kernel_density(
            places, points, ones, bandwidth=float(radius or 0), kernel=model.kernel
        )

    if points.shape[1] == 1:
        figure = empty_figure(7.5, 4.2)
        axes = figure.subplots()
        axes.set_title("density and modes")
        draw_curve(axes, points, ones, density, modes, colors)
        return figure
    figure = empty_figure(11 if points.shape[1] == 2 else 6.5, 5)
    wide, solid = (2, None) if points.shape[1] == 2 else (1, "3d")
    axes = figure.add_subplot(1, wide, 1, projection=solid)
    axes.set_title(f"{len(modes)} cluster{'s' * (len(modes) != 1)} and their modes")
    draw_points(axes, points, colors[labels], modes, colors)
    if points.shape[1] == 2:
        surface = figure.add_subplot(1, 2, 2, projection="3d")
        surface.set_title(f"density, bandwidth {radius:.4g}")
        draw_surface(surface, points, density, modes)
    return figure


cluster_figure.__module__ = "segment"


def _radius(model: MeanShift, bandwidth: float | None, *, needed: bool) -> float | None:
    """Return the bandwidth of the density: the one given, or the model's."""
    radius = model.bandwidth if bandwidth is None else bandwidth
    if radius is not None:
        return float(checked_bandwidth("bandwidth", radius))
    if needed:
        raise InvalidInputError(
            "bandwidth: expected that of the model, which estimated its own; "
            "give estimate_bandwidth(X)"
        )
    return None


def _distinct_hues(count: int) -> NDArray[np.float64]:
    """Return the colours for clusters: matplotlib's ten, again from the start after the tenth."""
    from matplotlib import colormaps

    return np.asarray(colormaps["tab10"](np.arange(count) % 10))
