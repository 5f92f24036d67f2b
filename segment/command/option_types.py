"""What the command's options are made of: headings, types, defaults, what completes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from segment.bands import ALL, ScaleText
from segment.errors import InvalidInputError
from segment.results.naming import PRODUCTS
from segment.settings import Range, Settings, Several

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


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

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem  # here: only a shell asks for it

        chosen, comma, begun = incomplete.rpartition(",")
        return [
            CompletionItem(f"{chosen}{comma}{name}")
            for name in self.choices
            if name.startswith(begun)
        ]


class Name(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.5
    """The name of a file or a folder; an empty one, an unset variable of a script, is none."""

    name = "NAME"

    def __init__(self, *, folder: bool = False) -> None:
        self.folder = folder

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem  # likewise

        return [CompletionItem(incomplete, type="dir" if self.folder else "file")]

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not value:
            self.fail("expected a name, got an empty one; is a variable unset?", param, ctx)
        return str(value)


ALL_OPTIONS = (
    "segment: all options"  # of what a context knows: whether the help is that of --help-all
)
EXAMPLES_SHOWN = 3  # of the epilog, by --help


class GroupedCommand(click.Command):
    """Shows on --help, which fits on a screen, the options that have a `brief`, on --help-all all.

    Those stand under the headings that `option` and `setting` give them.
    """

    def groups(self, ctx: click.Context) -> dict[str, list[click.Option]]:
        """Return the options by their headings, click's own last."""
        groups: dict[str, list[click.Option]] = {}
        for param in self.get_params(ctx):
            if isinstance(param, click.Option) and not param.hidden:
                groups.setdefault(getattr(param, "group", "Other"), []).append(param)
        groups["Other"] = groups.pop("Other")
        return groups

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = "Show the options used most and exit."
        return option

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if ALL_OPTIONS in ctx.meta:
            return super().format_help_text(ctx, formatter)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text((self.help or "").partition("\n\n")[0])
        return None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups = self.groups(ctx)
        if ALL_OPTIONS in ctx.meta:
            for group, options in groups.items():
                records = (option.get_help_record(ctx) for option in options)
                with formatter.section(group):
                    formatter.write_dl([record for record in records if record])
            return
        options = [option for group in groups.values() for option in group]
        with formatter.section("Options"):
            formatter.write_dl([*_brief_records(options, ctx)], col_max=22)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        lines = (self.epilog or "").splitlines()
        if ALL_OPTIONS not in ctx.meta:  # below a line that keeps click from filling, and a heading
            del lines[2 + EXAMPLES_SHOWN :]
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text("\n".join(lines))


class GroupedOption(click.Option):
    """An option that knows its heading, and what --help says of it if it is one of the ten there.

    Parameters
    ----------
    group : str
        The heading on --help-all and in the manual page.
    brief : str, optional
        A few words for --help, which leaves options without them out.
    """

    def __init__(
        self, *args: Any, group: str = "Other", brief: str | None = None, **attributes: Any
    ) -> None:
        super().__init__(*args, **attributes)
        self.group = group
        self.brief = brief


def _brief_records(
    options: Iterable[click.Option], ctx: click.Context
) -> Iterator[tuple[str, str]]:
    for option in options:
        record = option.get_help_record(ctx)
        if record and isinstance(option, GroupedOption) and option.brief:
            default = option.default if option.show_default else None
            shown = "" if default is None else f"  [default: {default}]"
            yield record[0], f"{option.brief}{shown}"


def option(group: str, *names: str, **attributes: Any) -> Callable[[Any], Any]:
    """Return an option under a heading; `brief` makes it one of those on --help."""
    return click.option(*names, cls=GroupedOption, group=group, **attributes)


def help_all_option(command: Any) -> Any:
    """Return the command with an option that shows all of them."""

    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            ctx.meta[ALL_OPTIONS] = True
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit()

    return option(
        "Other",
        "--help-all",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        brief="Show all options, and more examples.",
        help="Show all options and exit.",
    )(command)


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
