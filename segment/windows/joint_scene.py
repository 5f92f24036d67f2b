"""A scene to its modes and labels in the joint domain, window by window, the same to the bit."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.errors import InvalidInputError
from segment.pixels.joint import bin_rows, in_buckets, label_pixels
from segment.settings import Settings
from segment.strips.rows import SceneRows
from segment.strips.strips import Crew, Told, nobody
from segment.windows.climb_sweep import ClimbSweep
from segment.windows.ground import (
    Ground,
    Sample,
    ground_of,
    in_space,
    joint_bandwidth,
    measured,
)
from segment.windows.mode_sweep import TooEarlyError
from segment.windows.planned_windows import planned_windows

Floats = NDArray[np.float64]
SETTLED = 10  # radii beyond which no climb is expected to end, above its seed and below


class Known(NamedTuple):
    """What is found in a scene.

    Attributes
    ----------
    modes : (K, 2 + C) float64 array
        The densest first.
    bandwidth : float
    n_iter : int
        Moves of the longest climb.
    largest : float
        Absolute value of a coordinate in the colour space.
    """

    modes: Floats
    bandwidth: float
    n_iter: int
    largest: float


class JointScene:
    """What labels the rows of a scene.

    Parameters
    ----------
    ground : Ground
    modes : (K, 2 + C) float64 array
        The densest first.
    """

    def __init__(self, ground: Ground, modes: Floats) -> None:
        self._ground, self._modes = ground, modes
        self._buckets = in_buckets(modes, ground.steps(), ground.shape)

    def __reduce__(self) -> tuple[Any, ...]:
        """Be sent with the modes alone, which are put into buckets again."""
        return JointScene, (self._ground, self._modes)

    def labels(self, rows: SceneRows, top: int, bottom: int) -> NDArray[np.int32]:
        """Return the labels of a strip, (h, W): 1..K, 0 for none. Any thread may call it."""
        ground = self._ground
        rows = in_space(rows, ground.settings.color_space)
        pyramid = ground.indexed(*rows.points(top, bottom), top)
        limit = np.inf if ground.settings.cluster_all else 1.0
        return label_pixels(pyramid, self._buckets, bandwidth=ground.reach, limit=limit)


def known_scene(rows: SceneRows, settings: Settings, known: Known) -> JointScene:
    """Return what labels the rows of a scene whose modes are known."""
    rows = in_space(rows, settings.color_space)
    ground = ground_of(rows, settings, known.bandwidth, known.largest)
    return JointScene(ground, known.modes)


def joint_modes(
    rows: SceneRows,
    settings: Settings,
    crew: Crew,
    window_rows: int,
    parts: int = 1,
    sample: Sample | None = None,
    told: Told = nobody,
) -> Known:
    """Find the modes of a scene in the joint domain, as `joint_clusters` does in memory.

    Parameters
    ----------
    rows : SceneRows
    settings : Settings
        With features "joint", kernel "flat" and assign "nearest".
    crew : Crew
        Who climbs, each in a window of its own.
    window_rows : int
        Rows that one of the crew may have in memory. The answer does not depend on it.
    parts : int
        Windows that there should be, so that all of the crew climb.
    sample : Sample, optional
        Where the settings have neither a bandwidth nor radii: the pixels of
        `sample_indices(pixels that take part, n_samples, seed)`.
    told : callable
        Is told how far it is: "climbing", the rows whose seeds have climbed, rows of all.

    Raises
    ------
    InvalidInputError
        For settings that need the whole image in memory; if the windows are too low for
        the spatial radius; and as `joint_clusters`.
    """
    check_joint(settings)
    rows = in_space(rows, settings.color_space)
    ground = ground_of(rows, settings, joint_bandwidth(rows, settings, sample))
    starts = bin_rows(rows.height, ground.units[0], ground.reach)
    windows = planned_windows(starts, ground.radius, window_rows, parts)
    own = [(window.first, window.end) for window in windows]
    ground = measured(ground, rows, crew, own)
    few = [(0, int(starts[1]))]  # hardly ever is more looked at to know it
    alone = not ground.bandwidth or all(
        alone for some in (few, own) for _, alone in crew.in_order(rows, ground.are_alone, some)
    )
    settled = SETTLED * ground.radius
    while True:
        try:
            sweep = ClimbSweep(ground, windows, settled, told)
            modes, n_iter = sweep.climb(crew, rows, alone=alone)
            return Known(modes, float(ground.bandwidth), n_iter, ground.largest)
        except TooEarlyError:  # hardly ever: a climb ended farther away
            settled = 2 * settled + 1


def check_joint(settings: Settings) -> None:
    """Raise InvalidInputError for what is not done in the joint domain beyond memory."""
    way_out = "scale the image down, cut it, or raise --memory"
    if settings.kernel == "gaussian":
        raise InvalidInputError(
            "kernel: expected 'flat' for joint features beyond memory, got 'gaussian', whose sums "
            f"depend on how the image is cut; {way_out}"
        )
    if settings.assign == "basin":
        raise InvalidInputError(
            "assign: expected 'nearest' for joint features beyond memory, got 'basin', which "
            f"climbs from every pixel and keeps where each ends; {way_out}"
        )
