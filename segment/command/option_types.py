"""What the command's options are made of: their headings, their types, their defaults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from segment.bands import ALL, ScaleText
from segment.errors import InvalidInputError
from segment.results.naming import PRODUCTS
from segment.settings import Range, Settings, Several


class Products(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.5
    """A comma-separated list of what to write."""

    name = "LIST"
    # A sweep is an option of its own, and the tree comes with the hierarchy's map.
    choices = tuple(product for product in PRODUCTS if product not in ("sweep", "tree"))

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(name.strip() for name in value.split(",")))
        for name in names:
            if name not in self.choices:
                self.fail(f"{name!r} is not one of {', '.join(self.choices)}.", param, ctx)
        return (*names, "tree") if "hierarchy" in names else names


class Name(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.5
    """The name of a file or a folder; an empty one, an unset variable of a script, is none."""

    name = "NAME"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not value:
            self.fail("expected a name, got an empty one; is a variable unset?", param, ctx)
        return str(value)


class GroupedCommand(click.Command):
    """Shows the options under the heading that `option` and `setting` give them."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record and isinstance(param, click.Option):
                groups.setdefault(getattr(param, "group", "Other"), []).append(record)
        groups["Other"] = groups.pop("Other")
        for group, records in groups.items():
            with formatter.section(group):
                formatter.write_dl(records)


class GroupedOption(click.Option):
    """An option that knows its heading."""

    def __init__(self, *args: Any, group: str = "Other", **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.group = group


def option(group: str, *names: str, **attributes: Any) -> Callable[[Any], Any]:
    """Return an option under a heading."""
    return click.option(*names, cls=GroupedOption, group=group, **attributes)


def together(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return one decorator that adds several options to a command, in their order."""

    def add(command: Any) -> Any:
        for each in reversed(options):
            command = each(command)
        return command

    return add


def given(name: str) -> bool:
    """Return whether the command that is running was given a parameter, not its default."""
    source = click.get_current_context().get_parameter_source(name)
    return source in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)


def setting(*names: str, group: str = "Clustering", **attributes: Any) -> Callable[[Any], Any]:
    """Return an option with the default, the range and the effect that `Settings` gives it."""
    name = next(n for n in names if n.startswith("--")).split("/")[0].strip("- ").replace("-", "_")
    known = Settings.__dataclass_fields__[name]
    takes = known.metadata["takes"]
    attributes.setdefault("show_default", known.default is not None)
    return option(
        group,
        *names,
        default=known.default,
        type=attributes.pop("type") if "type" in attributes else _click_type(takes),
        metavar=attributes.pop("metavar", "NUMBER" if isinstance(takes, Range) else None),
        help=known.metadata["effect"],
        **attributes,
    )


def _click_type(takes: Range | tuple[Any, ...] | None) -> click.ParamType[Any] | None:
    if isinstance(takes, Range):
        kind = click.IntRange if takes.whole else click.FloatRange
        high = None if takes.high == float("inf") else takes.high
        return kind(takes.low, high, min_open=takes.above)  # type: ignore[arg-type]
    return click.Choice(takes) if takes else None


class PageNumber(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.5
    """A number from 1, or all."""

    name = "PAGE"

    def convert(self, value: Any, param: Any, ctx: Any) -> int | str:
        if value == "all":
            return "all"
        try:
            number = int(value)
        except ValueError:
            number = 0
        if number < 1:
            self.fail(f"{value!r} is neither 'all' nor a number from 1.", param, ctx)
        return number


class MemorySize(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.5
    """Bytes, or a share of what is free; it is resolved where an image is done."""

    name = "SIZE"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        from segment.memory_limit import memory_limit

        try:
            memory_limit(value)
        except InvalidInputError as error:
            self.fail(str(error), param, ctx)
        return str(value)


class Numbers(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.5
    """Comma-separated numbers, each as a setting takes it."""

    name = "LIST"

    def __init__(self, setting: str) -> None:
        takes = Settings.__dataclass_fields__[setting].metadata["takes"]
        self.setting = setting
        self.takes: Range = takes.each if isinstance(takes, Several) else takes

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, ...]:
        number = int if self.takes.whole else float
        try:
            numbers = tuple(number(part) for part in value.split(","))
            for one in numbers:
                self.takes.check(self.setting, one)
        except InvalidInputError as error:
            self.fail(str(error), param, ctx)
        except ValueError:
            whole = "whole " if self.takes.whole else ""
            self.fail(
                f"expected {whole}numbers with commas between them, got {value!r}", param, ctx
            )
        return numbers


class BandList(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.5
    """Comma-separated bands: numbers from 1 and names, or all."""

    name = "LIST"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int | str, ...]:
        words = [word.strip() for word in value.split(",")]
        bands = tuple(int(word) if word.isdecimal() else word for word in words)
        if "" in bands or 0 in bands or len(set(bands)) < len(bands):
            self.fail(
                "expected numbers from 1, names or all, each once, with commas between them, "
                f"got {value!r}",
                param,
                ctx,
            )
        if ALL in bands and len(bands) > 1:
            self.fail(f"expected nothing beside {ALL}, got {value!r}", param, ctx)
        return bands


class Scale(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.5
    """How bands compare, as the setting takes it."""

    name = "SCALE"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            ScaleText().check("scale", value)
        except InvalidInputError as error:
            self.fail(str(error), param, ctx)
        return str(value)
