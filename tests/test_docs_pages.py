"""The pages in docs/: their commands run, their notebooks give what they show."""

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from segment.command.cli import command

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ("choosing", "explorer", "hierarchy", "models", "report", "viewers")


def commands(page):
    """The lines of a page's shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", (DOCS / f"{page}.md").read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder with the sample images, where results may go."""
    (tmp_path / "sample_images").mkdir()
    for name in ("coffee.png", "camera.png", "astronaut.png"):
        photo = DOCS.parent / "sample_images" / name
        (tmp_path / "sample_images" / name).write_bytes(photo.read_bytes())
    (tmp_path / "outputs").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BROWSER", "true")  # which pages are opened with
    return tmp_path


def module(monkeypatch, name):
    monkeypatch.syspath_prepend(DOCS)
    return __import__(name)


@pytest.mark.parametrize("page", PAGES)
def test_commands_run(checkout, page):
    """Every command of a page works, in the order of the page."""
    lines = commands(page)
    assert lines
    for line in lines:
        words = shlex.split(line)
        for product, package in (("figure", "matplotlib"), ("rois", "roifile")):
            if product in " ".join(words):
                pytest.importorskip(package, reason="needs an extra")
        done = CliRunner().invoke(command, words[1:], standalone_mode=False)
        assert words[0] == "meanshift-segment"
        assert done.exception is None, (line, done.exception)
        assert done.return_value == 0, (line, done.output)


def test_output_of_the_target_is_what_the_page_shows(checkout):
    """The line that choosing.md shows for a target is the one that is printed, but for the time."""
    page = (DOCS / "choosing.md").read_text()
    shown = re.search(r"```\n(sample_images/.*?), [\d.]+ s\n```", page)[1]
    (line,) = (line for line in commands("choosing") if "--target-segments" in line)
    done = CliRunner().invoke(command, shlex.split(line)[1:])
    assert done.output.startswith(shown)


def near(a, b):
    """Whether two pictures are the same but for what versions of a font library change."""
    a, b = (np.asarray(image.convert("RGB")).astype(int) for image in (a, b))
    return a.shape == b.shape and np.abs(a - b).mean() < 2


def test_sweep_picture_is_what_the_tool_makes(monkeypatch):
    """The sheet in choosing.md is the one that its first command writes."""
    made = module(monkeypatch, "make_pictures").sweep_sheet()
    with Image.open(DOCS / "sweep.png") as committed:
        assert near(made, committed)


@pytest.mark.skipif(sys.platform == "win32", reason="names with slashes")
@pytest.mark.parametrize("page", ["example", "scikit"])
def test_notebook_gives_what_it_shows(page, checkout, monkeypatch):
    """Running a notebook again gives its page as it is, its text and its pictures."""
    if page == "example":
        pytest.importorskip("matplotlib", "3.11", reason="its figures are Matplotlib 3.11's")
    made = checkout / "docs"
    made.mkdir()
    module(monkeypatch, "make_example").write_page(page, made)
    assert (made / f"{page}.md").read_text() == (DOCS / f"{page}.md").read_text()
    names = sorted(path.name for path in (made / page).iterdir())
    assert names == sorted(path.name for path in (DOCS / page).iterdir())
    for name in names:
        with (
            Image.open(made / page / name) as ours,
            Image.open(DOCS / page / name) as committed,
        ):
            assert near(ours, committed), name


@pytest.mark.parametrize("page", [*PAGES, "example", "scikit"])
def test_links_lead_somewhere(page):
    """Every page and picture that a page links to is there."""
    links = re.findall(r"\]\(([^)#]+)\)", (DOCS / f"{page}.md").read_text())
    assert links
    for link in links:
        assert (DOCS / link).exists(), link
