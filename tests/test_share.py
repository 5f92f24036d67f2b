"""What is installed beside the package: completion in shells, and the manual page."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import click
import pytest

from docs import make_completions, make_man_page
from segment.command.cli import command
from tests.commands import WAIT, shown_on

ROOT = Path(__file__).parents[1]
SHARE = ROOT / "share"
WRITTEN = make_completions.files() | {make_man_page.PLACE: make_man_page.page()}
PAGE = SHARE / make_man_page.PLACE
BASH, ZSH, FISH = (SHARE / place for place in make_completions.files())


@pytest.mark.parametrize("place", WRITTEN, ids=str)
def test_files_are_those_of_the_options(place):
    """Each file is what its script in docs/ makes of the options of today."""
    assert (SHARE / place).read_text() == WRITTEN[place], "an option has changed: make share"


def test_files_are_installed_where_shells_and_man_look():
    """A wheel has each of the files, in the same folder below share/, and no others."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    data = project["tool"]["setuptools"]["data-files"]
    assert {SHARE / place for place in WRITTEN} == {p for p in SHARE.rglob("*") if p.is_file()}
    assert data == {
        (Path("share") / place.parent).as_posix(): [(Path("share") / place).as_posix()]
        for place in WRITTEN
    }


def needs(program):
    """Skip the tests of a program that is not there."""
    return pytest.mark.skipif(not shutil.which(program), reason=f"needs {program}")


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(("groff", "-man", "-ww", "-Tutf8", "-z"), marks=needs("groff")),
        pytest.param(("mandoc", "-Tlint"), marks=needs("mandoc")),
    ],
    ids=lambda check: check[0],
)
def test_the_page_is_flawless(check):
    """Neither groff nor mandoc finds anything to warn of."""
    done = subprocess.run([*check, PAGE], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs("groff")
def test_the_page_has_all_options_and_examples():
    """The page as it is shown has every option with its default, and examples to be copied."""
    plain = ["groff", "-man", "-Tutf8", "-P-cbou", "-rLL=100n", PAGE]
    text = subprocess.run(plain, capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^       ((?:--?[a-z0-9-]+(?:, )?)+)", text, re.MULTILINE)
    context = click.Context(command, **command.context_settings)
    assert sorted(name for names in listed for name in names.split(", ")) == sorted(
        name
        for option in command.get_params(context)
        if isinstance(option, click.Option)
        for name in option.opts + option.secondary_opts
    )
    assert "[default: labels,segmented]" in " ".join(text.split())
    for line in command.epilog.splitlines()[2:]:
        assert f"       {line.strip()}\n" in text


# As somebody types them: each tab completes a word. A file and a folder are there.
LINES = {
    "--quan\t 0.2": "--quantile 0.2",
    "--no-con\t": "--no-connected",
    "--features j\t": "--features joint",
    "--features=j\t": "--features=joint",
    "--write lab\t": "--write labels",
    "--write labels,reg\t": "--write labels,regions",
    "--recolor mo\tph\t": "--recolor mode photo one.png",
    "ph\t-o ou\tx": "photo one.png -o out here/x",
    "--mask ph\t": "--mask photo one.png",
    "-b ph\t": "-b ph",  # a number, which no file is
}
SETUPS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], f"source {BASH}"),
    "zsh": (
        ["zsh", "-f", "-i"],
        f"fpath=({ZSH.parent} $fpath); autoload -U compinit; compinit -uD",
    ),
}


@pytest.fixture
def folder(tmp_path):
    """A folder with a file and a folder, both of names with spaces."""
    (tmp_path / "photo one.png").touch()
    (tmp_path / "out here").mkdir()
    return tmp_path


@pytest.mark.parametrize("shell", [pytest.param(name, marks=needs(name)) for name in SETUPS])
def test_tabs_complete_what_is_typed(shell, folder):
    """In bash and in zsh, on a terminal, tabs make the lines that are meant."""
    pty = pytest.importorskip("pty", reason="needs a terminal of POSIX")
    version = subprocess.run([shell, "--version"], capture_output=True, text=True).stdout
    if "version 3." in version:
        pytest.skip("bash before 4 takes --option=value for one word")
    start, setup = SETUPS[shell]
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "dumb", "PS1": "", "INPUTRC": os.devnull}
    process = subprocess.Popen(
        start,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    print_it = "meanshift-segment() { printf '%s\\037' \"$@\" >> typed; echo >> typed; }"
    typed = "".join(f"meanshift-segment {line}\n" for line in LINES)
    os.write(ours, f"{setup}\n{print_it}\n{typed}exit\n".encode())
    shown = shown_on(ours)
    assert process.wait(WAIT) == 0, shown
    made = (folder / "typed").read_text().splitlines()
    assert [line.strip("\x1f").replace("\x1f", " ") for line in made] == [*LINES.values()], shown


def offered(line, folder):
    """What fish offers to put in place of the last word."""
    script = f"source {FISH}; complete -C 'meanshift-segment {line}'"
    command = ["fish", "--no-config", "-c", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return [line.partition("\t")[0] for line in done.stdout.splitlines()]


@needs("fish")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--quan", ["--quantile"]),
        ("--no-con", ["--no-connected"]),
        ("--features ", ["color", "joint"]),
        ("--features=j", ["--features=joint"]),
        ("--write labels,reg", ["labels,regions"]),
        ("ph", ["photo one.png"]),
        ("--mask ph", ["photo one.png"]),
        ("-o ", ["out here/"]),
        ("--output-dir=o", ["--output-dir=out here/"]),
        ("--quantile ", []),
    ],
)
def test_what_fish_offers(line, words, folder):
    """In fish words, names of files and folders are offered where they are meant."""
    assert offered(line, folder) == words


def test_click_completes_the_same():
    """Asked as click has it, the command itself completes choices, lists and files, too."""
    parameters = {param.name: param for param in command.params}
    context = click.Context(command)

    def items(name, begun):
        found = parameters[name].shell_complete(context, begun)
        return [(item.type, item.value) for item in found]

    assert items("features", "j") == [("plain", "joint")]
    assert items("write", "labels,reg") == [("plain", "labels,regions")]
    assert items("images", "ph") == [("file", "ph")]
    assert items("output_dir", "") == [("dir", "")]
