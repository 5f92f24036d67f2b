"""Scenes of more distinct colours than there is memory for: their modes, pass by pass.

Each step of all climbs is a pass over the strips, whose sums of points add up, to the bit, to those
in memory, where points lie on a grid. What is held is the seeds, whose number does not depend
on that of the pixels.
"""

from __future__ import annotations

import functools
import itertools
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
from segment.pixels.bands import GRID, check_reach
from segment.pixels.colors import GRIDS, to_color_space
from segment.scenes.census import shown_rows
from segment.scenes.labelling import Labels
from segment.scenes.spectra import KeptSpectra, boxes_over
from segment.scenes.stepped import SteppedClimbs, asked, begun, ends_of, stepped
from segment.settings import Settings
from segment.strips.rows import SceneRows, Values
from segment.strips.scratch import Forgetful, Scratch
from segment.strips.strips import Strips
from segment.threads import available_cores

AT_ONCE = 1 << 18  # pixels in one tree
FEW = 1000  # places whose surfaces leave boxes between them
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


def can_be_passed_over(settings: Settings) -> bool:
    """Return whether modes can be found without counting colours whose sums are exact, to the bit.

    Sums by a Gaussian kernel depend on their order; climbs from all distinct colours are as many
    as these.
    """
    return settings.kernel == "flat" and settings.assign == "nearest"


def passed_over(
    rows: SceneRows,
    settings: Settings,
    bandwidth: float,
    strips: Strips,
    scratch: Scratch | Forgetful,
    *,
    pixels: int,
    memory: int,
) -> FoundModes:
    """Return the modes of a scene, as `color_modes` finds them of counted colours.

    Parameters
    ----------
    rows, settings
        Of exact sums, and which `can_be_passed_over`.
    bandwidth : float
        In its own type, as `bin_seeds` takes it.
    strips : Strips
    scratch : Scratch or Forgetful
        Where climbs are kept after each step, and taken up again.
    pixels : int
        That take part.
    memory : int
        Bytes for seeds and their climbs, and for rows that are remembered.

    Raises
    ------
    InvalidInputError
        If the bandwidth is 0, there are more bins than fit the memory, none of them is a seed, or
        sums of points are not exact.
    """
    if not bandwidth:
        raise InvalidInputError(
            "bandwidth: expected more than 0 where distinct colours are too many to be counted, "
            "got 0, as the sample has it; set one, or raise the quantile"
        )
    half = memory // 2
    rows.remembered.keep_within(half)
    folder = scratch.room(pixels * rows.channels * (rows.dtype.itemsize + 1))
    spectra = None if folder is None else KeptSpectra(folder, rows.dtype, rows.channels)
    passes = Passes(settings, bandwidth, spectra)
    climbs = _kept(scratch, strips, spectra)
    if climbs is None:
        climbs = begun(_seeds(rows, passes, strips, half // per_seed(rows.channels)))
    ends = _climbed(rows, climbs, passes, strips, scratch)
    modes = choose_modes(ends, float(bandwidth))
    return FoundModes(modes.places, float(bandwidth), ends.n_iter)


def per_seed(channels: int) -> int:
    """Return bytes that a seed takes: its bin, its climb, and its sums of strips under way.

    >>> per_seed(4) == 356 + 80 * available_cores()
    True
    """
    return 100 + 64 * channels + 16 * (channels + 1) * available_cores()


def in_parts(values: Values, scaled: Callable[[Values], Values], label: Label) -> Labels:
    """Return the labels of stored values, (n, C), those of their points, as `label` gives them."""
    found = np.empty(len(values), np.int32)
    for part in _parts(len(values)):
        points = np.ascontiguousarray(scaled(values[part]))
        check_reach(points)
        order = _near(points)
        found[part][order] = label(points[order])
    return found


def by_nearest(points: Values, modes: FoundModes, settings: Settings) -> Labels:
    """Return the labels of points, (n, C), by their nearest modes."""
    tree = color_ground(_once_each(points), settings).tree
    return nearest_labels(tree, modes.places, settings, modes.bandwidth)


def by_model(points: Values, settings: Settings, model: Model) -> Labels:
    """Return the labels that a model gives points, (n, C)."""
    return known_modes(_once_each(points), settings, model).labels


def _once_each(points: Values) -> DistinctPoints:
    return DistinctPoints(points, np.ones(len(points)), lambda numbers: numbers)


def _seeds(rows: SceneRows, passes: Passes, strips: Strips, most: int) -> NDArray[Any]:
    """Return the seeds of a scene, as `bin_seeds` does of its pixels; keep its spectra."""
    if passes.spectra is not None:
        passes.spectra.clear()
    count = functools.partial(_bins, passes=passes, most=most)
    bins, counts = strips.merged("seeding", rows, count, functools.partial(_both, most=most))
    return centers_of(bins[counts >= passes.settings.min_bin_freq], passes.bandwidth)


Bins = tuple[Floats, NDArray[np.int64]]  # numbers of cells, (m, d), and points in each


def _bins(rows: SceneRows, top: int, bottom: int, passes: Passes, most: int) -> Bins:
    """Return the bins of a strip that hold points, in the order of their first ones."""
    values = shown_rows(*rows.stored(top, bottom))
    points = _points(rows, values, passes.settings)
    if passes.spectra is not None:
        order = _near(points, DIGITS)
        boxes = boxes_over(points[order].astype(np.float64, copy=False))
        passes.spectra.keep(top, bottom, values[order], boxes)
    table = RowTable(points.shape[1], np.float64)
    for part in _parts(len(points)):
        bins, counts = occupied_bins(points[part], np.ones(len(points[part])), passes.bandwidth)
        table.add(bins + 0.0, counts.astype(np.int64))  # -0.0 is 0.0
    return _checked((table.rows, table.counts), most)


def _both(one: Bins, other: Bins, most: int) -> Bins:
    table = RowTable(one[0].shape[1], np.float64)
    table.add(*one)
    table.add(*other)
    return _checked((table.rows, table.counts), most)


def _checked(bins: Bins, most: int) -> Bins:
    if len(bins[0]) > most:
        raise InvalidInputError(
            f"bandwidth: expected at most {most:,} bins as wide as it for the memory there may be, "
            f"got {len(bins[0]):,} and more; raise the bandwidth, or --memory"
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
        _check_exact(rows, places, sums, passes)
        climbs = stepped(climbs, sums[which], bandwidth=bandwidth, max_iter=most)
    return ends_of(climbs, bandwidth)


def _keep(scratch: Scratch | Forgetful, strips: Strips, climbs: SteppedClimbs) -> None:
    kept = {**climbs._asdict(), "rows": strips.rows}
    scratch.save("climbs", **{name: np.asarray(value) for name, value in kept.items()})


def _kept(
    scratch: Scratch | Forgetful, strips: Strips, spectra: KeptSpectra | None
) -> SteppedClimbs | None:
    """Return climbs that were interrupted, if what they need is there, in strips of that height."""
    kept = scratch.load("climbs")
    if kept is None or int(kept["rows"]) != strips.rows:
        return None
    if spectra is not None and not all(itertools.starmap(spectra.holds, strips)):
        return None
    return SteppedClimbs(kept["places"], kept["weights"], kept["going"], int(kept["moves"]))


def _check_exact(rows: SceneRows, places: Floats, sums: Floats, passes: Passes) -> None:
    """Raise InvalidInputError if sums in balls may have been rounded, by the order of their points.

    Doubles hold 53 bits of the grid that the points lie on.
    """
    space = passes.settings.color_space
    grid = 1.0 if rows.in_bytes and space == "rgb" else GRIDS.get(space, GRID)
    largest = np.abs(places).max(axis=1) + float(passes.bandwidth)
    if (sums[:, -1] * largest).max() >= 2.0**53 * grid:
        raise InvalidInputError(
            "image: expected values that add up exactly where they are too many to count, got "
            f"{sums[:, -1].max():,.0f} points up to {largest.max():.3g} in one kernel; choose a "
            "scale of smaller numbers, a smaller bandwidth, or features='joint'"
        )


def _sums(rows: SceneRows, top: int, bottom: int, passes: Passes, places: Floats) -> Floats:
    """Return the sums of the points of a strip around some places, as `add_balls` has them."""
    bandwidth, sums = float(passes.bandwidth), np.zeros((len(places), places.shape[1] + 1))
    if passes.spectra is None:
        points = _points(rows, shown_rows(*rows.stored(top, bottom)), passes.settings)
        points = points[_near(points)]
    else:
        boxes = passes.spectra.boxes(top, bottom)
        cut = np.ones(len(boxes.sums), np.bool_)
        if len(places) <= FEW:
            cut = add_boxes(boxes, places, bandwidth, sums)
        values = passes.spectra.values(top, bottom, boxes, cut)
        points = _points(rows, values, passes.settings)
    for part in _parts(len(points)):
        add_balls(build_tree(points[part], np.ones(len(points[part]))), places, bandwidth, sums)
    return sums


def _points(rows: SceneRows, values: Values, settings: Settings) -> Values:
    """Return the points of stored values that take part, (n, C), in the colour space."""
    points = rows.points_of(values[None])[0]
    check_reach(points)
    return np.ascontiguousarray(to_color_space(points, settings.color_space))


def _near(points: Values, digits: int = 1) -> NDArray[np.intp]:
    """Return the order of `rough_order`, of no points, too."""
    if not len(points):
        return np.empty(0, np.intp)
    return rough_order(points.astype(np.float64, copy=False), digits)


def _parts(count: int) -> Iterator[slice]:
    for first in range(0, count, AT_ONCE):
        yield slice(first, min(first + AT_ONCE, count))
