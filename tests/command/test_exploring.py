"""The explorer from the command line: a page is written and opened, its command does the same."""

import os
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from segment import InvalidInputError, hierarchy, segment_image
from segment.regions.tree_cut import cut_tree
from tests.browser import Browser
from tests.command.test_cli import names_in
from tests.commands import COMMAND, call, run

pytestmark = pytest.mark.skipif(os.name == "nt", reason="BROWSER is a command of POSIX")


@pytest.fixture
def photo(tmp_path, bundled_photos):
    """A photo as a PNG file with a name to be quoted."""
    path = tmp_path / "my photo's.png"
    Image.fromarray(bundled_photos["coffee"]).save(path)
    return path


@pytest.fixture
def told(tmp_path, monkeypatch):
    """The file into which the browser that is opened writes its address."""
    script, told = tmp_path / "browser.py", tmp_path / "told"
    script.write_text("import pathlib, sys\npathlib.Path(sys.argv[1]).write_text(sys.argv[2])\n")
    monkeypatch.setenv("BROWSER", f"{sys.executable} {script} {told} %s")
    return told


def test_explore_writes_the_page_alone_and_opens_it(photo, tmp_path, told):
    """--explore writes nothing but the page, and the browser gets its address."""
    done = run(photo, "--explore", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert names_in(tmp_path / "out") == ["my photo's_explorer.html"]
    assert told.read_text() == (tmp_path / "out" / "my photo's_explorer.html").as_uri()


def test_explore_beside_other_results(photo, tmp_path, told):
    """What --write says is written as well; the page begins with what was asked for."""
    done = run(photo, "--explore", "--write", "labels", "--segments", 7, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert names_in(tmp_path / "out") == ["my photo's_explorer.html", "my photo's_labels.png"]
    text = (tmp_path / "out" / "my photo's_explorer.html").read_text()
    assert re.search(r'"segments":7,"kept":\[\]', text)


def test_without_a_display_the_page_is_only_written(photo, tmp_path, monkeypatch):
    """Where no browser can be seen, the command says which page to open."""
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    done = run(photo, "--explore", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    if sys.platform != "darwin":
        assert "_explorer.html: open it in a browser" in done.stderr


def test_pages_of_many_images_are_not_opened(tmp_path, bundled_photos, told):
    """--write explorer writes a page for each image and opens none."""
    for name in ("coffee", "chelsea"):
        Image.fromarray(bundled_photos[name]).save(tmp_path / f"{name}.png")
    images = [tmp_path / "coffee.png", tmp_path / "chelsea.png"]
    done = run(*images, "--write", "explorer", "-j", 1, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert names_in(tmp_path / "out") == ["chelsea_explorer.html", "coffee_explorer.html"]
    assert not told.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--features", "joint"], "'--explore' and '--features' exclude each other"),
        (["--sweep", "0.1,0.2"], "'--explore' and '--sweep' exclude each other"),
        (["--page", "all"], "--explore takes one page"),
        (["--keep", "3"], "keep: expected a level or segments with it"),
        (["--segments", "3", "--keep", "a"], "expected whole numbers with commas between them"),
        (["--segments", "3", "--keep", "-1"], "expected a whole number in [0, 2147483647], got -1"),
    ],
)
def test_what_does_not_go_together(photo, tmp_path, options, words):
    """Options without a meaning for the tree, and numbers that are none, are usage errors."""
    explore = [] if "--keep" in options else ["--explore"]
    done = call(photo, *explore, *options, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())


def test_explore_takes_one_image(photo, tmp_path):
    """With several inputs --explore is a usage error that says what to do."""
    other = tmp_path / "b.png"
    Image.new("RGB", (9, 9)).save(other)
    done = call(photo, other, "--explore", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert "--explore takes one input, got 2; --write explorer makes a page for each" in done.stderr


def test_regions_of_another_tree(photo, tmp_path):
    """Kept regions that the tree does not have fail with the numbers that it has."""
    done = call(photo, "--segments", 3, "--keep", "99999", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "keep: expected numbers of regions in 0.." in done.stderr


def test_kept_regions_in_the_library(bundled_photos):
    """A cut keeps the regions that are named; segment_image gives the same."""
    image = bundled_photos["coffee"]
    tree = hierarchy(image)
    n, top = len(tree.sizes), len(tree.sizes) + len(tree.merges) - 1
    keep = tuple(int(node) for node in tree.merges[-1, :2])
    found = tree.cut(segments=1, keep=keep)
    assert len(found.sizes) == 2
    table = cut_tree(tree.merges, n, len(tree.merges), keep)
    assert np.array_equal(found.labels, np.append(0, table)[tree.labels])
    again = segment_image(image, segments=1, keep=keep)
    assert np.array_equal(again.labels, found.labels)
    assert again.settings.keep == keep
    with pytest.raises(InvalidInputError, match=f"lies within {top}"):
        tree.cut(segments=1, keep=[top, keep[0]])


def test_the_page_s_command_makes_its_choice(photo, tmp_path, told):
    """What is copied from the page writes the label map that is saved from it, pixel for pixel."""
    shown = photo.name
    done = run(shown, "--explore", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    browser = Browser(tmp_path / "profile")
    try:
        browser.resize(1000, 700)
        browser.open(told.read_text())
        browser.wait("document.getElementById('busy').hidden")
        browser.do(
            "choose(regionsChosen(9));"
            "for (const [at, tool] of"
            "[[2000, 'split'], [5000, 'split'], [5000, 'keep'], [7000, 'merge']])"
            "{ here.base = view.map[at]; act(tool); }"
            "by.value = 'level'; by.dispatchEvent(new Event('change'))"
        )
        command = browser.do("document.getElementById('command').textContent")
        labels = np.array(browser.do("[...view.map].map(base => cut.labels[base])"))
        colors = browser.do("cut.regions.slice(1).map(region => [...tree.colorOf(region)])")
    finally:
        browser.close()
    words = shlex.split(command)
    assert words[:2] == ["meanshift-segment", shown]
    assert "--keep" in words
    again = [*COMMAND, *words[1:], "-o", "again"]
    subprocess.run(again, check=True, cwd=tmp_path, capture_output=True)
    with Image.open(tmp_path / "again" / "my photo's_labels.png") as image:
        assert np.array_equal(np.asarray(image).ravel(), labels)
    with Image.open(tmp_path / "again" / "my photo's_segmented.png") as image:
        assert np.array_equal(
            np.asarray(image.convert("RGB")).reshape(-1, 3), np.array(colors)[labels - 1]
        )


def test_report_has_the_slider(photo, tmp_path):
    """A run that cuts the tree gives its report the tree of each thumbnail."""
    report = tmp_path / "report.html"
    done = call(photo, "--segments", 5, "--report", report, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert '"tree":{"leaves":' in report.read_text()
