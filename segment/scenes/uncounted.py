"""Scenes of more distinct colours than there is memory for: their modes, pass by pass.

Each step of all climbs is a pass over the strips, whose sums of points add up, to the bit, to those
in memory, where points lie on a grid. What is held is the seeds, whose number does not depend
on that of the pixels.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.meanshift.modes import Ends, choose_modes
from segment.meanshift.points import DistinctPoints, RowTable, rough_order
from segment.meanshift.seeds import centers_of, occupied_bins
from segment.meanshift.tree import add_balls, add_boxes, build_tree
from segment.method.color_clusters import color_ground, known_modes, nearest_labels
from segment.method.model import Model
from segment.pixels.colors import to_color_space
from segment.scenes.census import per_color, shown_rows
from segment.scenes.labelling import Labels, is_exact
from segment.scenes.spectra import KeptSpectra, boxes_over
from segment.scenes.stepped import SteppedClimbs, asked, begun, ends_of, stepped
from segment.settings import Settings
from segment.strips.rows import SceneRows, Values
from segment.strips.scratch import Forgetful, Scratch
from segment.strips.strips import Strips

AT_ONCE = 1 << 18  # pixels in one tree: about 50 MB of four bands
DIGITS = 2  # of the order of spectra that are kept: 2^8 cells a side for four bands
Floats = NDArray[np.float64]
Label = Callable[[Values], Labels]


class FoundModes(NamedTuple):
    """Modes of colours that were not counted.

    Attributes
    ----------
    places : (K, d) float64 array
    bandwidth : float
    n_iter : int
    """

    places: Floats
    bandwidth: float
    n_iter: int


class Passes(NamedTuple):
    """What all passes over a scene have to know.

    Attributes
    ----------
    settings : Settings
    bandwidth : float
        In its own type, which decides on that of the seeds.
    spectra : KeptSpectra or None
        Where the first pass keeps what the others need; None if each reads the scene itself.
    """

    settings: Settings
    bandwidth: float
    spectra: KeptSpectra | None


def can_be_passed_over(rows: SceneRows, settings: Settings) -> bool:
    """Return whether modes can be found without counting colours, to the bit.

    Sums of 16-bit photos, and of Gaussian kernels, are not the same in any order; climbs from all
    distinct colours are as many as these.
    """
    exact = settings.kernel == "flat" and is_exact(rows, "rgb")
    return exact and settings.assign == "nearest"


def passed_over(
    rows: SceneRows,
    settings: Settings,
    bandwidth: float,
    strips: Strips,
    scratch: Scratch | Forgetful,
    memory: int,
) -> FoundModes:
    """Return the modes of a scene, as `color_modes` finds them of counted colours.

    Parameters
    ----------
    rows, settings
        Which `can_be_passed_over`.
    bandwidth : float
        In its own type, as `bin_seeds` takes it.
    strips : Strips
    scratch : Scratch or Forgetful
        Where climbs are kept after each step, and taken up again.
    memory : int
        Bytes for seeds and their climbs.

    Raises
    ------
    InvalidInputError
        If the bandwidth is 0, there are more bins than fit the memory, or none of them is a seed.
    """
    if not bandwidth:
        raise InvalidInputError(
            "bandwidth: expected more than 0 where distinct colours are too many to be counted, "
            "got 0, as the sample has it; set one, or raise the quantile"
        )
    spectra = None
    if isinstance(scratch, Scratch):
        spectra = KeptSpectra(scratch, rows.dtype, rows.channels)
    passes, climbs = Passes(settings, bandwidth, spectra), _kept(scratch, strips)
    if climbs is None:
        climbs = begun(_seeds(rows, passes, strips, memory // per_color(rows.channels)))
    ends = _climbed(rows, climbs, passes, strips, scratch)
    modes = choose_modes(ends, float(bandwidth))
    return FoundModes(modes.places, float(bandwidth), ends.n_iter)


def nearest_of_strip(rows: SceneRows, top: int, bottom: int, label: Label) -> Labels:
    """Return the labels of a strip, (h, W), 0 where no pixel takes part.

    Parameters
    ----------
    rows : SceneRows
    top, bottom : int
        First row, and the one behind the last.
    label : callable
        Gives points, (n, C), their labels.
    """
    points, visible = rows.points(top, bottom)
    every = shown_rows(points, visible)
    found = np.empty(len(every), np.int32)
    for part in _parts(len(every)):
        order = rough_order(every[part].astype(np.float64))
        found[part][order] = label(every[part][order])
    if visible is None:
        return found.reshape(points.shape[:2])
    labels = np.zeros(points.shape[:2], np.int32)
    labels[visible] = found
    return labels


def by_nearest(points: Values, modes: FoundModes, settings: Settings) -> Labels:
    """Return the labels of points, (n, C), by their nearest modes."""
    tree = color_ground(_alone(points), settings).tree
    return nearest_labels(tree, modes.places, settings, modes.bandwidth)


def by_model(points: Values, settings: Settings, model: Model) -> Labels:
    """Return the labels that a model gives points, (n, C)."""
    return known_modes(_alone(points), settings, model).labels


def _alone(points: Values) -> DistinctPoints:
    return DistinctPoints(points, np.ones(len(points)), lambda numbers: numbers)


def _seeds(rows: SceneRows, passes: Passes, strips: Strips, most: int) -> NDArray[Any]:
    """Return the seeds of a scene, as `bin_seeds` does of its pixels; keep its spectra."""
    count = functools.partial(_bins, passes=passes, most=most)
    bins, counts = strips.merged("seeding", rows, count, functools.partial(_both, most=most))
    return centers_of(bins[counts >= passes.settings.min_bin_freq], passes.bandwidth)


Bins = tuple[Floats, NDArray[np.int64]]  # numbers of cells, (m, d), and points in each


def _bins(rows: SceneRows, top: int, bottom: int, passes: Passes, most: int) -> Bins:
    """Return the bins of a strip that hold points, in the order of their first ones."""
    points = _points(rows, top, bottom, passes.settings)
    if not len(points):
        return np.empty((0, 0)), np.empty(0, np.int64)
    table = RowTable(points.shape[1], np.float64)
    for part in _parts(len(points)):
        bins, counts = occupied_bins(points[part], np.ones(len(points[part])), passes.bandwidth)
        table.add(bins + 0.0, counts.astype(np.int64))  # -0.0 is 0.0
    if passes.spectra is not None:
        order = rough_order(points, DIGITS)
        values = shown_rows(*rows.stored(top, bottom))[order]
        passes.spectra.keep(top, bottom, values, boxes_over(points[order]))
    return _checked((table.rows, table.counts), most)


def _both(one: Bins, other: Bins, most: int) -> Bins:
    if not (len(one[0]) and len(other[0])):
        return one if len(one[0]) else other
    table = RowTable(one[0].shape[1], np.float64)
    table.add(*one)
    table.add(*other)
    return _checked((table.rows, table.counts), most)


def _checked(bins: Bins, most: int) -> Bins:
    if len(bins[0]) > most:
        raise InvalidInputError(
            f"bandwidth: expected at most {most:,} bins of it for the memory there may be, got "
            f"{len(bins[0]):,} and more; raise the bandwidth, or --memory"
        )
    return bins


def _climbed(
    rows: SceneRows,
    climbs: SteppedClimbs,
    passes: Passes,
    strips: Strips,
    scratch: Scratch | Forgetful,
) -> Ends:
    """Return the ends of climbs; keep where they stand after each step."""
    bandwidth, most = float(passes.bandwidth), passes.settings.max_iter
    while climbs.going.any():
        _keep(scratch, strips, climbs)
        places, which = asked(climbs)
        add = functools.partial(_sums, passes=passes, places=places)
        sums = np.zeros((len(places), places.shape[1] + 1))
        for _, _, own in strips.in_order(f"climbing, step {climbs.moves + 1}", rows, add):
            sums += own
        climbs = stepped(climbs, sums[which], bandwidth=bandwidth, max_iter=most)
    return ends_of(climbs, bandwidth)


def _keep(scratch: Scratch | Forgetful, strips: Strips, climbs: SteppedClimbs) -> None:
    kept = {**climbs._asdict(), "rows": strips.rows}
    scratch.save("climbs", **{name: np.asarray(value) for name, value in kept.items()})


def _kept(scratch: Scratch | Forgetful, strips: Strips) -> SteppedClimbs | None:
    """Return climbs that were interrupted, if spectra were kept of strips of that height."""
    kept = scratch.load("climbs")
    if kept is None or int(kept["rows"]) != strips.rows:
        return None
    return SteppedClimbs(kept["places"], kept["weights"], kept["going"], int(kept["moves"]))


def _sums(rows: SceneRows, top: int, bottom: int, passes: Passes, places: Floats) -> Floats:
    """Return the sums of the points of a strip around some places, as `add_balls` has them."""
    bandwidth = float(passes.bandwidth)
    sums, points = np.zeros((len(places), places.shape[1] + 1)), np.empty((0, places.shape[1]))
    if passes.spectra is None:
        points = _points(rows, top, bottom, passes.settings)
        points = points[rough_order(points)] if len(points) else points
    elif (boxes := passes.spectra.boxes(top, bottom)) is not None:
        cut = add_boxes(boxes, places, bandwidth, sums)
        values = passes.spectra.values(top, bottom, boxes, cut)
        points = _in_space(rows.points_of(values[None])[0], passes.settings)
    for part in _parts(len(points)):
        add_balls(build_tree(points[part], np.ones(len(points[part]))), places, bandwidth, sums)
    return sums


def _points(rows: SceneRows, top: int, bottom: int, settings: Settings) -> Floats:
    """Return the points of a strip that take part, (n, d), in scan order, in the colour space."""
    return _in_space(shown_rows(*rows.points(top, bottom)), settings)


def _in_space(points: Values, settings: Settings) -> Floats:
    return np.ascontiguousarray(to_color_space(points, settings.color_space), np.float64)


def _parts(count: int) -> Iterator[slice]:
    for first in range(0, count, AT_ONCE):
        yield slice(first, min(first + AT_ONCE, count))
