"""What the documents say is what the command does."""

import re
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

from segment.command.cli import command

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def options():
    context = click.Context(command)
    return [p for p in command.get_params(context) if isinstance(p, click.Option)]


def table_rows():
    """The rows of the README's table of options: {option: the rest of the row}."""
    rows = re.findall(r"^\| (`-.*?) \|(.*)\|$", README, re.MULTILINE)
    return {name: rest for names, rest in rows for name in re.findall(r"--[a-z0-9-]+", names)}


def test_every_option_is_in_the_readme_and_no_other():
    """The README's table has the options of --help, all of them and only them."""
    known = {name for option in options() for name in option.opts + option.secondary_opts}
    assert set(table_rows()) == {name for name in known if name.startswith("--")}


def test_defaults_in_the_readme():
    """The README's table gives each option the default that it has."""
    rows = table_rows()
    for option in options():
        if not option.is_flag and isinstance(option.default, (str, int, float)):
            shown = option.default if isinstance(option.default, str) else f"{option.default:g}"
            assert rows[option.opts[-1]].split("|")[0].strip() == shown


def test_settings_that_the_readme_runs_exist():
    """Every option in the README's and the help's examples is one of the command's."""
    known = {name for option in options() for name in option.opts + option.secondary_opts}
    examples = re.findall(r"meanshift-segment (.*)", README + command.epilog)
    used = {word for line in examples for word in re.findall(r"(?<!\S)--?[a-z][a-z0-9-]*", line)}
    assert used
    assert used <= known


def test_readme_starts_with_two_commands_of_one_line():
    """The first block of the README is the two commands that .ci/run takes from it."""
    first = re.search(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = first[1].splitlines()
    assert len(lines) == 2
    assert all(line.startswith("python3 -m venv .venv && ") for line in lines)
    assert README[: first.start()].count("\n") < 6


@pytest.mark.skipif(sys.platform == "win32", reason="paths with slashes")
def test_library_example(monkeypatch, tmp_path):
    """The README's library example runs and gives what its comments say."""
    monkeypatch.chdir(tmp_path)
    for name in ("sample_images", "outputs"):
        (tmp_path / name).mkdir()
    photo = ROOT / "sample_images" / "coffee.png"
    (tmp_path / "sample_images" / "coffee.png").write_bytes(photo.read_bytes())
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    names = {}
    exec(code, names)
    segmentation = names["segmentation"]
    assert segmentation.labels.shape == (400, 600)
    assert f"{segmentation.bandwidth:.2f}" == re.search(r"bandwidth +# ([\d.]+)\.\.\.", code)[1]
    assert (tmp_path / "outputs" / "coffee_again.png").exists()


def test_picture_is_what_the_tool_makes():
    """The README's before and after picture shows the tool's own result, pixel by pixel."""
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        import make_pictures
    finally:
        sys.path.pop(0)
    committed = np.asarray(Image.open(ROOT / "docs" / "before_after.png"))
    assert np.array_equal(committed, np.asarray(make_pictures.before_after()))
