"""The clusters of a scene in colour space: its colours counted, or too many for that."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segment.meanshift.bandwidth import sample_indices
from segment.method.color_clusters import (
    ColorModes,
    color_ground,
    color_modes,
    known_modes,
    sample_bandwidth,
)
from segment.method.model import Model
from segment.pixels.colors import mean_channels
from segment.scenes.census import (
    Census,
    Draw,
    TooManyColorsError,
    count_shown,
    give_way,
    sampled_points,
    take_census,
)
from segment.scenes.labelling import Labels, first_seen, is_exact, lookup, strip_labels
from segment.scenes.uncounted import (
    FoundModes,
    by_model,
    by_nearest,
    can_be_passed_over,
    in_parts,
    passed_over,
)
from segment.settings import Settings
from segment.strips.rows import SceneRows
from segment.strips.scratch import Forgetful, Scratch
from segment.strips.strips import Strips, Work
from segment.threads import Started

MANY_PASSES = (
    "has more distinct colours than the memory holds, so that its climbs took {} pass{}; faster "
    "with more --memory, --features joint or fewer --bands"
)


@dataclass(frozen=True, eq=False)
class SceneClusters:
    """Clusters of a scene: how its strips are labelled, what is known of the clusters.

    `means` are means and sizes, where they come without another look at the pixels; `pixels` are
    those that take part; `remarks` what users should know of how they were found.
    """

    labels: Work[Labels]
    places: NDArray[np.float64]
    bandwidth: float
    n_iter: int
    pixels: int
    means: tuple[NDArray[np.float64], NDArray[np.int64]] | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ColorScene:
    """A scene whose pixels are points in colour space.

    Attributes
    ----------
    rows : SceneRows
    settings : Settings
    strips : Strips
    scratch : Scratch or Forgetful
        Where stages that are done are kept, and taken up again.
    memory : int
        Bytes for distinct colours, or for seeds.
    model : Model or None
    """

    rows: SceneRows
    settings: Settings
    strips: Strips
    scratch: Scratch | Forgetful
    memory: int
    model: Model | None

    def clusters(self) -> SceneClusters:
        """Return its clusters: those of its counted colours, if there is memory for these.

        Raises
        ------
        InvalidInputError
            If neither colours nor seeds fit the memory, or counted colours alone would do.
        """
        kept = self.scratch.load("uncounted")
        if kept is None or int(kept["memory"]) < self.memory:
            draw = self._draw()
            try:
                return self._counted(self._census(draw), draw)
            except TooManyColorsError as error:
                if (way_out := self._way_out()) is not None:
                    raise TooManyColorsError(f"{error}; {way_out}") from None
            shown = count_shown(self.rows, self.strips)
            kept = {"shown": shown, "memory": np.asarray(self.memory)}
            self.scratch.save("uncounted", **kept)
        return self._uncounted(kept["shown"])

    def _way_out(self) -> str | None:
        """Return what to do where colours have to be counted; None where they need not be."""
        if not is_exact(self.rows, "rgb"):  # neither climbs nor means
            return (
                "choose a --scale other than depth, such as 2%,98%, by which 16 bits need not be "
                "counted, raise --memory, or take --features joint"
            )
        if self.model is not None or can_be_passed_over(self.settings):
            return None
        return "take --assign nearest and --kernel flat, which count none, or raise --memory"

    def _counted(self, census: Census, draw: Draw | None) -> SceneClusters:
        modes = self._modes(census, draw)
        label = lookup(self.rows, census, modes.labels)
        return SceneClusters(
            functools.partial(strip_labels, label=label),
            modes.places,
            modes.bandwidth,
            modes.n_iter,
            int(census.shown.sum()),
            mean_channels(census.points, census.weights, modes.labels, len(modes.places)),
        )

    def _uncounted(self, shown: NDArray[np.int64]) -> SceneClusters:
        """Return clusters of colours that are too many to be counted, `shown` of them in a row."""
        settings, model = self.settings, self.model
        remarks: tuple[str, ...] = ()
        if model is None:
            found = self._passed_over(shown)
            label = functools.partial(by_nearest, modes=found, settings=settings)
            remarks = (MANY_PASSES.format(found.n_iter + 1, "es" if found.n_iter else ""),)
        else:
            found = FoundModes(model.modes, model.bandwidth, model.n_iter)
            label = functools.partial(by_model, settings=settings, model=model)
        of_values = functools.partial(in_parts, scaled=self.rows.scaled, label=label)
        labels = functools.partial(strip_labels, label=of_values)
        return SceneClusters(labels, *found, int(shown.sum()), remarks=remarks)

    def _passed_over(self, shown: NDArray[np.int64]) -> FoundModes:
        known = self.scratch.load("modes")
        if known is not None:
            numbers = float(known["bandwidth"]), int(known["n_iter"])
            return FoundModes(known["places"], *numbers)
        bandwidth = self._bandwidth(shown, None)
        given = self.rows, self.settings, bandwidth, self.strips, self.scratch
        found = passed_over(*given, pixels=int(shown.sum()), memory=self.memory)
        self._save(found)
        return found

    def _census(self, draw: Draw | None) -> Census:
        known = self.scratch.load("census")
        if known is None:
            census = take_census(self.rows, self.strips, self.memory, draw)
            self.scratch.save("census", **vars(census))
            return census
        census = Census(**known)
        give_way(self.rows.remembered, self.memory, len(census.points), self.rows.channels)
        return census

    def _modes(self, census: Census, draw: Draw | None) -> ColorModes:
        known = self.scratch.load("modes")
        if known is not None and "labels" in known:  # of colours that were counted
            numbers = float(known["bandwidth"]), int(known["n_iter"])
            return ColorModes(known["labels"], known["places"], *numbers)
        if self.model is not None:
            return known_modes(census.distinct, self.settings, self.model)
        bandwidth = self._bandwidth(census.shown, draw)
        self.strips.told("climbing", 0, 1)
        ground = color_ground(census.distinct, self.settings)
        in_scan_order = functools.partial(first_seen, self.rows, self.strips, census)
        modes = color_modes(ground, self.settings, bandwidth, in_scan_order)
        self._save(modes)
        return modes

    def _save(self, modes: ColorModes | FoundModes) -> None:
        arrays = {name: np.asarray(value) for name, value in modes._asdict().items()}
        self.scratch.save("modes", **arrays)

    def _draw(self) -> Draw | None:
        """Begin to draw the sample that there is if no pixel is hidden, where one is needed."""
        settings, known = self.settings, self.scratch.load("modes") is not None
        if self.model is not None or known or settings.bandwidth is not None:
            return None
        total = self.rows.height * self.rows.width
        return Draw(Started(lambda: sample_indices(total, settings.n_samples, settings.seed)))

    def _bandwidth(self, shown: NDArray[np.int64], draw: Draw | None) -> float:
        """Return the bandwidth asked for, in its own type, or that of a sample."""
        settings = self.settings
        if settings.bandwidth is not None:
            return settings.bandwidth
        total = int(shown.sum())
        if draw is not None and total == self.rows.height * self.rows.width:
            places, taken = draw.places.result(), draw.taken
        else:
            places, taken = sample_indices(total, settings.n_samples, settings.seed), {}
        wanted = np.asarray(places, np.int64)
        sample, _, _ = sampled_points(self.rows, self.strips, shown, wanted, taken)
        return sample_bandwidth(sample, settings)
