"""Pixels in a unit of length: of a TIFF's tags, and of any other file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

UNITS: dict[int, Literal["inch", "cm", "none"]] = {1: "none", 2: "inch", 3: "cm"}
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296


@dataclass(frozen=True)
class Resolution:
    """Pixels in a unit of length, along x and y."""

    x: Fraction
    y: Fraction
    unit: Literal["inch", "cm", "none"] = "inch"

    @property
    def dpi(self) -> tuple[float, float] | None:
        """In dots per inch; None where no unit is known."""
        if self.unit == "none":
            return None
        factor = 2.54 if self.unit == "cm" else 1.0
        return float(self.x) * factor, float(self.y) * factor

    def turned(self) -> Resolution:
        """That of the image turned by a quarter."""
        return Resolution(self.y, self.x, self.unit)

    def if_sensible(self) -> Resolution | None:
        """Itself, unless it is damage or a joke: what writers take, and scanners reach."""
        return self if 0 < self.x < 1_000_000 and 0 < self.y < 1_000_000 else None


def resolution_of(page: Any) -> Resolution | None:
    """Return the resolution that a page, a tifffile.TiffPage, tells; None for none or damage."""
    try:
        x, y = (Fraction(*page.tags.valueof(code)) for code in (X_RESOLUTION, Y_RESOLUTION))
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    resolution = Resolution(x, y).if_sensible()
    if resolution is None:
        return None
    unit = UNITS.get(int(page.tags.valueof(RESOLUTION_UNIT, 2)), "none")
    return dataclasses.replace(resolution, unit=unit)
