"""Measured numbers and the limits that they have to keep."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A number that has to stay at or below its limit, or above it."""

    name: str
    value: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        return (
            f"{'ok  ' if self.holds else 'MISS'}  {self.name:58} "
            f"{self.value:9.2f} {self.unit:5} {sign} {self.limit:g}"
        )
