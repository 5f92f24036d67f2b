"""Every number that tunes a segmentation: its default, range, unit and effect, in one place.

The command line takes its defaults, ranges and help from here; the library its
defaults and checks.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, fields
from math import inf, isfinite
from numbers import Integral, Rational, Real
from typing import Any, Literal, get_args

from segment.bands import ScaleText
from segment.errors import InvalidInputError, shown


@dataclass(frozen=True)
class Range:
    """Finite numbers from `low` on, or above it, up to and with `high`; all of them or whole ones.

    Examples
    --------
    >>> Range(0, 1, above=True).check("quantile", 0)
    Traceback (most recent call last):
    segment.InvalidInputError: quantile: expected a number in (0, 1], got 0
    """

    low: float
    high: float = inf
    whole: bool = False
    above: bool = False

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, Integral if self.whole else Real) or isinstance(value, bool):
            return False
        try:
            number = float(value)
        except OverflowError:
            return False
        above_low = number > self.low if self.above else number >= self.low
        return above_low and number <= self.high and isfinite(number)

    def __str__(self) -> str:
        noun = "a whole number" if self.whole else "a number"
        if self.high == inf:
            return f"{noun} {'>' if self.above else '>='} {self.low:.12g}"
        return f"{noun} in {'(' if self.above else '['}{self.low:.12g}, {self.high:.12g}]"

    def check(self, name: str, value: object) -> None:
        """Raise InvalidInputError unless the value lies in the range."""
        if value not in self:
            raise InvalidInputError(f"{name}: expected {self}, got {shown(value)}")


def plain(value: Any) -> Any:
    """Return a truth value, a whole number or a name of NumPy's as Python has it, and fractions.

    Floats of NumPy stay: of which kind a bandwidth is decides on the dtype of the seeds.
    """
    numpy = sys.modules.get("numpy")  # before it is imported nobody has any of its values
    if numpy and isinstance(value, (numpy.bool_, numpy.integer, numpy.str_)):
        return value.item()
    if isinstance(value, Rational) and not isinstance(value, Integral):
        try:
            return float(value)
        except OverflowError:
            return value
    return value


def is_choice(value: object, choices: tuple[Any, ...]) -> bool:
    """Return whether a value is one of the choices, and of the type of one: 1 is not True.

    Examples
    --------
    >>> is_choice(True, (True, False)), is_choice(1, (True, False)), is_choice([4], (4, 8))
    (True, False, False)
    """
    value = plain(value)
    return type(value) in {type(choice) for choice in choices} and value in choices


@dataclass(frozen=True)
class Several:
    """Any number of numbers, each of a range.

    Examples
    --------
    >>> Several(Range(0, whole=True)).check("keep", (3, -1))
    Traceback (most recent call last):
    segment.InvalidInputError: keep: expected a whole number >= 0, got -1
    """

    each: Range

    def check(self, name: str, values: object) -> None:
        """Raise InvalidInputError unless they are a tuple or list, and all lie in the range."""
        if not isinstance(values, tuple | list):
            raise InvalidInputError(f"{name}: expected a tuple of numbers, got {shown(values)}")
        for value in values:
            self.each.check(name, value)


ColorSpace = Literal["rgb", "lab", "luv", "hsv", "gray"]
Features = Literal["color", "joint"]
Kernel = Literal["flat", "gaussian"]
Assign = Literal["nearest", "basin"]
Connectivity = Literal[4, 8]
COLOR_SPACES: tuple[ColorSpace, ...] = get_args(ColorSpace)
FEATURES: tuple[Features, ...] = get_args(Features)
KERNELS: tuple[Kernel, ...] = get_args(Kernel)
ASSIGNS: tuple[Assign, ...] = get_args(Assign)
CONNECTIVITIES: tuple[Connectivity, ...] = get_args(Connectivity)
USUAL_LEVEL = 1.0  # of the hierarchy: it agrees best with what people draw, over many photos
SHARE = 1000  # of the pixels, that a region of the joint domain has at least, if not said otherwise


Takes = Range | Several | ScaleText | tuple[Any, ...] | None


def _setting(default: Any, takes: Takes, effect: str) -> Any:
    return field(default=default, metadata={"takes": takes, "effect": effect})


@dataclass(frozen=True)
class Settings:
    """What `segment_image` does with an image, and nothing about files.

    Raises
    ------
    InvalidInputError
        If a value is out of range: which, what it may be, what was given.

    Examples
    --------
    >>> Settings(quantile=0.2).max_iter
    300
    >>> Settings(min_bin_freq=0)
    Traceback (most recent call last):
    segment.InvalidInputError: min_bin_freq: expected a whole number >= 1, got 0
    """

    quantile: float = _setting(
        0.1,
        Range(0, 1, above=True),
        "Estimates the bandwidth: the mean distance within which a pixel has this share of all "
        "pixels. Larger: wider bandwidth, fewer segments.",
    )
    n_samples: int = _setting(
        500,
        Range(1, whole=True),
        "Pixels drawn at random for that estimate; time and memory grow with its square.",
    )
    seed: int = _setting(0, Range(0, 2**32 - 1, whole=True), "Seed of the draw.")
    bandwidth: float | None = _setting(
        None,
        Range(1e-6, 1e30),
        "Radius of the kernel: colours nearer than this are averaged. In units of the colour "
        "space (RGB: 0 to 255). Wins over --quantile. Larger: fewer segments.",
    )
    target_segments: int | None = _setting(
        None,
        Range(1, 2**31 - 1, whole=True),
        "Search for the bandwidth whose number of segments is nearest to this one.",
    )
    features: Features = _setting(
        "color",
        FEATURES,
        "What makes pixels alike: their colour, or colour and position (joint).",
    )
    color_space: ColorSpace = _setting(
        "rgb", COLOR_SPACES, "Space in which distances between colours are measured."
    )
    scale: str = _setting(
        "depth",
        ScaleText(),
        "How the values of bands compare, always in units of 0 to 255: by their depth (depth), "
        "each band from its smallest to its largest value (range), by its standard deviation "
        "(std: 255 are eight of them), or between limits: LOW,HIGH for all bands, LOW%,HIGH% for "
        "percentiles of each, such as 2%,98%.",
    )
    spatial_weight: float = _setting(
        0.25,
        Range(0, 1e6),
        "With joint features: how much position counts beside colour. At 1 the longer side of the "
        "image counts as much as the whole range of a colour channel. Larger: more compact "
        "segments.",
    )
    spatial_radius: float | None = _setting(
        None,
        Range(1e-3, 1e9),
        "With joint features: radius in pixels, hs in the literature. Goes with --range-radius, "
        "in place of --bandwidth and --spatial-weight.",
    )
    range_radius: float | None = _setting(
        None,
        Range(1e-6, 1e6),
        "With joint features: radius in units of the colour space, hr in the literature.",
    )
    kernel: Kernel = _setting(
        "flat",
        KERNELS,
        "How pixels around a place are weighted: all alike up to the bandwidth (flat), or less "
        "with distance, up to three bandwidths (gaussian; smoother, slower).",
    )
    assign: Assign = _setting(
        "nearest",
        ASSIGNS,
        "A pixel joins the mode nearest to it, or the one it climbs to itself (basin; slower).",
    )
    min_bin_freq: int = _setting(
        1,
        Range(1, whole=True),
        "Climbs start in grid cells with at least this many pixels. Larger: fewer segments.",
    )
    max_iter: int = _setting(
        300, Range(0, 2**31 - 1, whole=True), "Steps after which a climb to a mode is stopped."
    )
    cluster_all: bool = _setting(
        True,
        None,
        "Whether every pixel joins a segment; if not, those farther than the bandwidth from every "
        "mode get label 0.",
    )
    connected: bool | None = _setting(
        None,
        None,
        "Whether each connected region is a segment, or each cluster of colour, wherever it lies.",
    )
    connectivity: Connectivity = _setting(
        4, CONNECTIVITIES, "Pixels are connected by their sides (4), or by their corners, too (8)."
    )
    min_size: int | None = _setting(
        None,
        Range(0, 2**31 - 1, whole=True),
        "Regions with fewer pixels are absorbed by the adjacent region nearest in colour.",
    )
    level: float | None = _setting(
        None,
        Range(0, 1e6),
        "Take the regions of the hierarchy at this level: one number from fine (0) to coarse, in "
        "place of all of clustering. 1 agrees best with what people draw. Larger: fewer segments.",
    )
    segments: int | None = _setting(
        None,
        Range(1, 2**31 - 1, whole=True),
        "Take the level of the hierarchy that has this number of segments.",
    )
    keep: tuple[int, ...] | None = _setting(
        None,
        Several(Range(0, 2**31 - 1, whole=True)),
        "With --level or --segments: regions of the hierarchy that are segments whatever these "
        "say, by the numbers that --explore shows.",
    )

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = plain(getattr(self, setting.name))
            _check(setting.name, value, setting.default, setting.metadata)
            object.__setattr__(self, setting.name, value)
        if self.keep is not None:  # what comes from JSON or NumPy is equal to what went there
            object.__setattr__(self, "keep", tuple(map(int, self.keep)) or None)
        if self.by_tree:
            self._check_alone()
        elif self.keep:
            raise InvalidInputError("keep: expected a level or segments with it; give one of them")
        if (self.spatial_radius is None) != (self.range_radius is None):
            raise InvalidInputError(
                "spatial_radius and range_radius: expected both or neither; give the other one, too"
            )
        if self.spatial_radius is not None and self.features != "joint":
            raise InvalidInputError(
                "spatial_radius: expected features 'joint' with it, got 'color'; set features"
            )
        if self.target_segments and (self.bandwidth or self.spatial_radius) is not None:
            raise InvalidInputError(
                "target_segments: expected none beside a bandwidth or radii; leave one of them out"
            )
        if self.spatial_radius is not None and self.bandwidth is not None:
            raise InvalidInputError(
                "bandwidth: expected none beside spatial_radius and range_radius; leave it out"
            )
        if self.connected is False and self.min_size:
            raise InvalidInputError(
                f"min_size: expected 0 without connected regions, got {self.min_size}; "
                "have regions connected, or leave it out"
            )

    def _check_alone(self) -> None:
        """Refuse all that has no meaning for the hierarchy, which has no other settings."""
        name = "level" if self.level is not None else "segments"
        for other in fields(self):
            value = getattr(self, other.name)
            if other.name not in (name, "keep") and value != other.default:
                raise InvalidInputError(
                    f"{name}: expected no {other.name} beside it, got {value!r}; "
                    "the hierarchy has no other settings; leave one of them out"
                )

    @property
    def by_tree(self) -> bool:
        """Whether segments are a cut of the hierarchy."""
        return self.level is not None or self.segments is not None

    @property
    def by_region(self) -> bool:
        """Whether connected regions are numbered: as asked for, or as the features suggest."""
        if self.connected is not None:
            return self.connected
        return self.features == "joint" or bool(self.min_size)

    def smallest_region(self, pixels: int) -> int:
        """Return the pixels of the smallest region of an image of so many: as set, or a share.

        >>> Settings(features="joint").smallest_region(154_401)
        154
        """
        if self.min_size is not None:
            return self.min_size
        return pixels // SHARE if self.features == "joint" else 0


def _check(name: str, value: Any, default: Any, metadata: Any) -> None:
    takes = metadata["takes"]
    if value is None and default is None:
        return
    if isinstance(takes, Range | Several | ScaleText):
        takes.check(name, value)
    elif not is_choice(value, takes or (True, False)):
        expected = f"one of {', '.join(map(str, takes))}" if takes else "True or False"
        raise InvalidInputError(f"{name}: expected {expected}, got {shown(value)}")
