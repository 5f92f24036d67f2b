"""Write the manual page of the command, share/man/man1, from its options.

In the macros of man(7), which every system has. click-man 0.6 makes such a page, too, but knows no
headings, leaves defaults and line breaks of examples to chance, and dates a page by the clock.
"""

import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from segment import __version__
from segment.command.cli import command

NAME = "meanshift-segment"
PLACE = Path("man", "man1", f"{NAME}.1")  # below share/
SHARE = Path(__file__).parents[1] / "share"
REVISED = "2026-11-26"  # by hand: with a clock no two builds would be the same
SPELT = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
EXIT_CODES = {
    "0": "All images were done, or skipped as asked.",
    "1": "An image failed, or the run as a whole.",
    "2": "The options or their values cannot be used.",
    "130": "The run was interrupted.",
    "141": "Whoever read standard output closed it.",
}
VARIABLES = {
    "NO_COLOR": "If set and not empty, messages on a terminal have no colours.",
    "FORCE_COLOR": "If set and not empty, and NO_COLOR is not, messages have colours, also in "
    "pipes and files.",
    "TERM": "Messages have no colours on a terminal that is dumb.",
    "MEANSHIFT_SEGMENT_SIMD": "The instruction set to use, baseline, v3 or v4, instead of the best "
    "that the processor has. The results are the same.",
}


def page() -> str:
    """Return the manual page."""
    context = click.Context(command, info_name=NAME, **command.context_settings)
    about, *more = (command.help or "").split("\n\n")
    about = about[0].lower() + about[1:].rstrip(".")
    lines = [
        r".\" Written by docs/make_man_page.py from the options of the command.",
        f'.TH {roff(NAME.upper())} 1 {REVISED} "{roff(f"{NAME} {__version__}")}" "User Commands"',
        ".ad l",
        ".nh",  # names of options stay whole, to be found and copied
        *(".SH NAME", filled(f"{NAME} - {about}")),
        *(".SH SYNOPSIS", f".B {roff(NAME)}", r"[\fIOPTION\fR]... \fIINPUT\fR..."),
        *(".SH DESCRIPTION", "\n.PP\n".join(filled(" ".join(part.split())) for part in more)),
        ".SH OPTIONS",
        *options(context),
        *(".SH EXIT STATUS", *tagged(EXIT_CODES), ".SH ENVIRONMENT", *tagged(VARIABLES)),
        *(".SH EXAMPLES", ".EX"),
        *(roff(line.strip()) for line in (command.epilog or "").splitlines()[2:]),
        ".EE",
    ]
    return "\n".join([*lines, ""])


def options(context: click.Context) -> Iterator[str]:
    """Yield the options under their headings."""
    for group, members in command.groups(context).items():
        yield f".SS {roff(group)}"
        for option in members:
            metavar = "" if option.is_flag else rf" \fI{roff(option.make_metavar(context))}\fR"
            names = (rf"\fB{roff(name)}\fR" for name in (*option.opts, *option.secondary_opts))
            record = option.get_help_record(context)
            yield from (".TP", f"{', '.join(names)}{metavar}", filled(record[1]))


def tagged(meanings: dict[str, str]) -> Iterator[str]:
    """Yield paragraphs with a name in bold each."""
    for name, meaning in meanings.items():
        yield from (".TP", f".B {roff(name)}", filled(meaning))


def filled(text: str) -> str:
    """Return text in lines of 80 characters at most, none of which is a request."""
    words = roff(" ".join(text.split()))
    lines = textwrap.wrap(words, 80, break_long_words=False, break_on_hyphens=False)
    return "\n".join(rf"\&{line}" if line.startswith(".") else line for line in lines)


def roff(text: str) -> str:
    """Return text whose dashes and quotes are those typed, when they are copied from the page."""
    return "".join(SPELT.get(character, character) for character in text)


if __name__ == "__main__":
    (SHARE / PLACE).parent.mkdir(parents=True, exist_ok=True)
    (SHARE / PLACE).write_text(page(), newline="\n")
