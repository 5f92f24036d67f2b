"""--help for everybody on one screen, --help-all for those who look for something."""

import os
import re
import subprocess
import sys

import click
import pytest

from segment.command.cli import command
from tests.commands import run

TEN = {"--quantile", "--bandwidth", "--features", "--level", "--min-size", "--mask"} | {
    "--output-dir",
    "--write",
    "--report",
    "--recursive",
}
SCREEN = 24  # lines of a terminal that nobody has enlarged, and the prompt takes one


def shown_by(*arguments, columns=80):
    """What the command prints on a terminal of that width, and the options that it lists there."""
    done = run(*arguments, env=os.environ | {"COLUMNS": str(columns)})
    assert (done.returncode, done.stderr) == (0, "")
    listed = re.findall(
        r"^  (?:-\w, )?(--[a-z0-9-]+)(?: / (--[a-z-]+))?", done.stdout, re.MULTILINE
    )
    return done.stdout, {name for names in listed for name in names if name}


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help(flag):
    """The help is one screen: the ten options used most, --help-all for the others, examples."""
    text, listed = shown_by(flag)
    assert listed == TEN | {"--help-all"}
    assert len(text.splitlines()) < SCREEN
    assert "[default: 0.1]" in text
    last = text.split("Examples:")[1].strip().splitlines()
    assert last
    assert all(line.strip().startswith("meanshift-segment ") for line in last)


def test_help_all():
    """--help-all has every option under its heading, with its default, and all examples."""
    text, listed = shown_by("--help-all")
    assert listed == {
        name
        for option in command.get_params(click.Context(command))
        if isinstance(option, click.Option)
        for name in option.opts + option.secondary_opts
        if name.startswith("--")
    }
    headings = re.findall(r"^(\S.*):$", text, re.MULTILINE)
    assert {"Clustering", "Regions", "Hierarchy", "Output", "Input", "Messages"} < {*headings}
    assert headings[-1] == "Other"
    assert "[default: (on for joint features)]" in text
    examples = [line.strip() for line in command.epilog.splitlines()[2:]]
    assert [line.strip() for line in text.split("Examples:")[1].strip().splitlines()] == examples


@pytest.mark.parametrize("columns", [60, 120])
def test_help_fits_the_terminal(columns):
    """Lines of the help, but for examples, are no longer than the terminal is wide."""
    for flag in ("--help", "--help-all"):
        lines = shown_by(flag, columns=columns)[0].split("Examples:")[0].splitlines()
        assert max(map(len, lines)) <= min(columns, 100)
        assert max(map(len, lines)) > min(columns, 100) - 20


def test_help_imports_nothing_heavy():
    """--help is quick because neither NumPy nor Pillow is imported for it."""
    script = (
        "import sys\n"
        "from segment.command.cli import command\n"
        "try: command.main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(', '.join({'numpy', 'PIL', 'skimage', 'tqdm'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
