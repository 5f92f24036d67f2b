"""Labels of the pixels of a scene, strip by strip, once its modes are known."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from segment.meanshift.points import distinct_points
from segment.meanshift.tree import build_tree
from segment.method.color_clusters import ColorModes, nearest_labels
from segment.pixels.colors import to_color_space
from segment.scenes.census import Census, is_tabled, lookup, shown_rows
from segment.scenes.rows import SceneRows, Values
from segment.settings import Settings

Labels = NDArray[np.int32]
Labeller = Callable[[Values], Labels]


def strip_labels(rows: SceneRows, top: int, bottom: int, label: Labeller) -> Labels:
    """Return the labels of a strip, (h, W), 0 where no pixel takes part."""
    values, visible = rows.points(top, bottom)
    found = label(shown_rows(values, visible))
    if visible is None:
        return found.reshape(values.shape[:2])
    labels = np.zeros(visible.shape, np.int32)
    labels[visible] = found
    return labels


def labeller(rows: SceneRows, census: Census, modes: ColorModes, settings: Settings) -> Labeller:
    """Return what gives points, (n, C), the labels that the colours of the scene have.

    8-bit colours are looked up. Others are labelled as in memory: by the nearest mode, which is a
    function of a point alone, or where climbs decided by looking for it among all points.
    """
    if settings.assign == "nearest" and not is_tabled(rows):
        return functools.partial(_nearest, modes.places, modes.bandwidth, settings)
    return lookup(rows, census.points, modes.labels)


def _nearest(
    places: NDArray[np.float64], bandwidth: float, settings: Settings, points: Values
) -> Labels:
    if not len(points):
        return np.empty(0, np.int32)
    distinct = distinct_points(points)
    colors = to_color_space(distinct.points, settings.color_space)
    wide = np.repeat(colors, places.shape[1] // colors.shape[1], axis=1)
    tree = build_tree(wide, distinct.weights)
    return distinct.spread(nearest_labels(tree, places, settings, bandwidth))
