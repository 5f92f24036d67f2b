"""Write what completes the command in bash, zsh and fish into share/, from the command's options.

The files are static: a shell that asks click itself would start Python for every word. shtab 1.13
writes such files, too, but knows neither a second name of a switch (--no-connected), nor lists with
commas, nor, in bash, --option=value and names with spaces.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from segment.command.cli import command

NAME = "meanshift-segment"
SHARE = Path(__file__).parents[1] / "share"
NOTE = f"# Completion of {NAME}, written by docs/make_completions.py from its options."


class Completed(NamedTuple):
    """An option as a shell has to know it.

    `takes` says what follows it: "nothing", "file", "dir", one of the `words`, a "list" of them
    with commas between, or some other "value". With `excluded` it need not be offered again.
    """

    names: list[str]
    excluded: list[str]
    summary: str
    metavar: str
    takes: str
    words: list[str]


def completed() -> Iterator[Completed]:
    """Yield the options of the command, switches that turn something off apart from the others."""
    context = click.Context(command, info_name=NAME, **command.context_settings)
    for option in command.get_params(context):
        if isinstance(option, click.Option):
            metavar = option.make_metavar(context)
            both = [*option.opts, *option.secondary_opts]
            excluded = ["-", "*"] if option.is_eager else both
            takes = taken(option, context)
            yield Completed(option.opts, excluded, summary(option), metavar, *takes)
            if option.secondary_opts:
                about = f"The opposite of {option.opts[-1]}"
                yield Completed(option.secondary_opts, excluded, about, metavar, *takes)


def summary(option: Any) -> str:
    """Return what an option does in one line: its brief, or the gist of its help."""
    gist = re.sub(r" \([^()]*\)", "", option.help).partition(". ")[0].partition("; ")[0]
    return (getattr(option, "brief", None) or gist).rstrip(".")


def taken(option: click.Option, context: click.Context) -> tuple[str, list[str]]:
    """Return what follows an option, and the words to choose from, as click completes it."""
    if option.is_flag:
        return "nothing", []
    items = option.type.shell_complete(context, option, "")
    if not items:
        return "value", []
    if items[0].type != "plain":
        return items[0].type, []
    words = [str(item.value) for item in items]
    more = option.type.shell_complete(context, option, f"{words[0]},")
    return "list" if more else "words", words


BASH = """\
{note}

_{function}() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} option=${{COMP_WORDS[COMP_CWORD - 1]}}
    if [[ $word == "=" ]]; then # bash takes --option=value for three words
        word=
    elif [[ $option == "=" ]]; then
        option=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    COMPREPLY=() # with nothing in it, readline completes names of files
    case $option in
{cases}
    *)
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W "{names}" -- "$word"))
        fi
        ;;
    esac
}}

complete -o default -F _{function} {name}
"""
# Without compopt, as in the bash 3.2 of macOS, names of files are offered for all of these values.
BASH_VALUES = {
    "file": ";;",
    "dir": "compopt +o default -o dirnames 2>/dev/null ;;",
    "value": "compopt +o default 2>/dev/null ;;",
    "words": 'COMPREPLY=($(compgen -W "{words}" -- "$word")) ;;',
    "list": """\
COMPREPLY=($(compgen -P "${{word%"${{word##*,}}"}}" -W "{words}" -- "${{word##*,}}"))
        compopt -o nospace 2>/dev/null
        ;;""",
}


def bash(options: list[Completed]) -> str:
    """Return the file for bash."""
    cases: dict[str, list[str]] = {}
    for option in options:
        if option.takes != "nothing":
            action = BASH_VALUES[option.takes].format(words=" ".join(option.words))
            cases.setdefault(action, []).extend(option.names)
    return BASH.format(
        note=NOTE,
        function=NAME.replace("-", "_"),
        name=NAME,
        names=" ".join(name for option in options for name in option.names),
        cases="\n".join(
            f"    {' | '.join(names)})\n        {action}" for action, names in cases.items()
        ),
    )


ZSH_VALUES = {
    "nothing": "",
    "file": ":{metavar}:_files",
    "dir": ":{metavar}:_files -/",
    "value": ":{metavar}: ",
    "words": ":{name}:({words})",
    "list": ":{name}:_values -s , {name} {words}",
}


def zsh(options: list[Completed]) -> str:
    """Return the file for zsh."""
    lines = [f"#compdef {NAME}", NOTE, "", "_arguments -s -S : \\"]
    for option in options:
        names = option.names
        if option.takes != "nothing":  # which stands in the same word or in the next one
            names = [f"{name}{'=' if name.startswith('--') else '+'}" for name in names]
        spelling = f"{{{','.join(names)}}}" if len(names) > 1 else names[0]
        value = ZSH_VALUES[option.takes].format(
            metavar=option.metavar.replace(":", r"\:"),
            name=option.names[-1].lstrip("-"),
            words=" ".join(option.words),
        )
        about = option.summary.replace("[", r"\[").replace("]", r"\]")
        told = f"[{about}]{value}".replace("'", r"'\''")
        lines.append(f"    '({' '.join(option.excluded)})'{spelling}'{told}' \\")
    return "\n".join([*lines, "    '*:INPUT:_files'", ""])


# Of --option=value fish completes the value alone, its own functions the whole word.
FISH_VALUES = {
    "nothing": "",
    "file": " -r -F",
    "dir": " -x -a '(__fish_complete_directories"
    """ (commandline -t | string replace -r "^--.*=" ""))'""",
    "value": " -x",
    "words": " -x -a '{words}'",
    "list": """ -x -a '(__fish_complete_list , "string split \\" \\" \\"{words}\\"")'""",
}


def fish(options: list[Completed]) -> str:
    """Return the file for fish."""
    lines = [NOTE, ""]
    for option in options:
        names = (
            f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}"
            for name in option.names
        )
        value = FISH_VALUES[option.takes].format(words=" ".join(option.words))
        about = option.summary.replace("\\", r"\\").replace("'", r"\'")
        lines.append(f"complete -c {NAME}{''.join(names)}{value} -d '{about}'")
    return "\n".join([*lines, ""])


def files() -> dict[Path, str]:
    """Return the files below share/ by their places there."""
    options = [*completed()]
    return {
        Path("bash-completion", "completions", NAME): bash(options),
        Path("zsh", "site-functions", f"_{NAME}"): zsh(options),
        Path("fish", "vendor_completions.d", f"{NAME}.fish"): fish(options),
    }


if __name__ == "__main__":
    for place, text in files().items():
        (SHARE / place).parent.mkdir(parents=True, exist_ok=True)
        (SHARE / place).write_text(text, newline="\n")
