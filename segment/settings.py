"""Every number that tunes a segmentation: its default, range, unit and effect, in one place.

The command line takes its defaults, ranges and help from here; the library its
defaults and checks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from segment.errors import InvalidInputError
from segment.ranges import Range

ColorSpace = Literal["rgb", "lab", "luv", "hsv", "gray"]
Features = Literal["color"]
Kernel = Literal["flat"]
Assign = Literal["nearest"]
COLOR_SPACES: tuple[ColorSpace, ...] = get_args(ColorSpace)
FEATURES: tuple[Features, ...] = get_args(Features)
KERNELS: tuple[Kernel, ...] = get_args(Kernel)
ASSIGNS: tuple[Assign, ...] = get_args(Assign)


def _setting(default: Any, takes: Range | tuple[str, ...] | None, effect: str) -> Any:
    return field(default=default, metadata={"takes": takes, "effect": effect})


@dataclass(frozen=True)
class Settings:
    """What `segment_image` does with an image, and nothing about files.

    Raises
    ------
    InvalidInputError
        If a value is out of range: which, what it may be, what came.

    Examples
    --------
    >>> Settings(quantile=0.2).max_iter
    300
    >>> Settings(min_bin_freq=0)
    Traceback (most recent call last):
    segment.errors.InvalidInputError: min_bin_freq: expected a whole number >= 1, got 0
    """

    quantile: float = _setting(
        0.1,
        Range(0, 1, above=True),
        "Share of the sample that the kernel reaches; larger: wider bandwidth, fewer segments.",
    )
    n_samples: int = _setting(
        500, Range(1, whole=True), "Pixels sampled for the bandwidth; its time grows as the square."
    )
    seed: int = _setting(0, Range(0, 2**32 - 1, whole=True), "Seed of that sample.")
    bandwidth: float | None = _setting(
        None,
        Range(1e-6, 1e30),
        "Radius of the kernel in units of the colour space; wins over the quantile.",
    )
    features: Features = _setting("color", FEATURES, "Pixels as points in colour space.")
    color_space: ColorSpace = _setting(
        "rgb", COLOR_SPACES, "Space in which distances between colours are taken."
    )
    kernel: Kernel = _setting("flat", KERNELS, "Weight of the points within the bandwidth.")
    assign: Assign = _setting("nearest", ASSIGNS, "A pixel takes its nearest mode.")
    min_bin_freq: int = _setting(
        1, Range(1, whole=True), "Bins with fewer pixels give no seed; larger: fewer segments."
    )
    max_iter: int = _setting(300, Range(0, 2**31 - 1, whole=True), "Longest climb to a mode.")
    cluster_all: bool = _setting(
        True, None, "Label every pixel; off: those beyond the bandwidth of every mode get 0."
    )

    def __post_init__(self) -> None:
        for setting in fields(self):
            value, takes = getattr(self, setting.name), setting.metadata["takes"]
            if isinstance(takes, Range):
                if value is not None or setting.default is not None:
                    takes.check(setting.name, value)
            elif value not in (takes or (True, False)):
                expected = f"one of {', '.join(takes)}" if takes else "True or False"
                raise InvalidInputError(f"{setting.name}: expected {expected}, got {value!r}")
