"""Options that show several bandwidths side by side, to choose from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from segment.errors import InvalidInputError
from segment.options import option, together
from segment.ranges import Range
from segment.settings import Settings


class Numbers(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.5
    """Comma-separated numbers, each as a setting takes it."""

    name = "LIST"

    def __init__(self, setting: str) -> None:
        self.setting = setting
        self.takes: Range = Settings.__dataclass_fields__[setting].metadata["takes"]

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, ...]:
        try:
            numbers = tuple(float(part) for part in value.split(","))
            for number in numbers:
                self.takes.check(self.setting, number)
        except InvalidInputError as error:
            self.fail(str(error), param, ctx)
        except ValueError:
            self.fail(f"expected numbers with commas between them, got {value!r}", param, ctx)
        return numbers


choosing_options = together(
    option(
        "Choosing",
        "--sweep",
        type=Numbers("quantile"),
        metavar="Q,Q,...",
        help="Instead of a segmentation one sheet: the image with several quantiles.",
    ),
    option(
        "Choosing",
        "--sweep-bandwidth",
        type=Numbers("bandwidth"),
        metavar="H,H,...",
        help="The same for several bandwidths.",
    ),
)


def swept(
    settings: Settings, quantiles: tuple[float, ...] | None, bandwidths: tuple[float, ...] | None
) -> tuple[Settings, ...]:
    """Return the settings of each panel of a sweep; none if none is asked for."""
    if quantiles is not None:
        return tuple(replace(settings, quantile=quantile) for quantile in quantiles)
    return tuple(replace(settings, bandwidth=bandwidth) for bandwidth in bandwidths or ())
