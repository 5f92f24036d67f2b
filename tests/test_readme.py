"""Commands of the README and of pages on folders and formats, typed into a shell as they stand."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
USES = README[README.index("## Ten uses") : README.index("## What is written")]
BLOCKS = re.findall(r"```sh\n(.*?)```\n(?:```\n(.*?)```\n)?", USES, re.DOTALL)
TIME = re.compile(r"[\d.]+ (s|images/s)$")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the samples, but for the largest, which would take the time of all others."""
    home = tmp_path_factory.mktemp("readme")
    large = shutil.ignore_patterns("dandelions*", "aitzgorri*")
    shutil.copytree(ROOT / "sample_images", home / "sample_images", ignore=large)
    return home


def typed(commands, folder):
    """What a shell makes of some commands."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-ec", commands],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize(("commands", "shown"), BLOCKS, ids=lambda text: text.split("\n")[0][:60])
def test_uses(folder, commands, shown):
    """Each block works in a shell, and its last lines are those shown, but for the times."""
    done = typed(commands, folder)
    assert done.returncode == 0, done.stderr
    said = [TIME.sub(r"\1", line) for line in done.stderr.splitlines()]
    for line in shown.splitlines():
        expected = TIME.sub(r"\1", line).replace("6 done", "4 done").replace("6 skip", "4 skip")
        assert expected in said


def test_shell_completion_knows_the_options():
    """The completion that the README describes offers the options that begin as typed."""
    words = {"COMP_WORDS": "meanshift-segment --quan", "COMP_CWORD": "1"}
    done = subprocess.run(
        [Path(sys.executable).with_name("meanshift-segment")],
        env=os.environ | words | {"_MEANSHIFT_SEGMENT_COMPLETE": "bash_complete"},
        capture_output=True,
        text=True,
    )
    assert "plain,--quantile" in done.stdout.splitlines()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("page", ["batch", "formats"])
def test_pages(tmp_path, page):
    """The first commands of the pages on folders and on formats work, `URL` being a photo's."""
    for name in ("photo.jpg", "photos/a.jpg", "photos/b/c.jpg", "scan.tif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((32, 24), 60).save(tmp_path / name)
    reads = "import io, sys; import numpy\nnumpy.load(io.BytesIO(sys.stdin.buffer.read()))\n"
    (tmp_path / "analyse.py").write_text(reads)
    text = (ROOT / "docs" / f"{page}.md").read_text()
    block = re.search(r"```sh\n(.*?)```", text, re.DOTALL)[1]
    done = typed(block.replace("URL", f"file://{tmp_path}/photo.jpg"), tmp_path)
    assert done.returncode == 0, done.stderr
    if page == "formats":
        assert (tmp_path / "segmented.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / "results" / "stdin_labels.png").exists()
    else:
        assert (tmp_path / "results" / "b" / "c_labels.png").exists()
        assert "scan.tif" in (tmp_path / "log.jsonl").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_commands_of_the_page_on_scenes(tmp_path):
    """All commands of the page on scenes work, on a smaller scene, and write what it says."""
    pytest.importorskip("pyogrio", reason="needs the extra geo")
    rasterio = pytest.importorskip("rasterio", reason="needs the extra geo")
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "make_scene.py", tmp_path / "docs")
    text = (ROOT / "docs" / "scenes.md").read_text()
    first, strips = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    done = typed((first + strips).replace("scene.tif\n", "scene.tif --size 200\n", 1), tmp_path)
    assert done.returncode == 0, done.stderr
    for line in re.search(r"```\n(scene.tif: .*?)```", text, re.DOTALL)[1].splitlines():
        assert line.split("  ")[0] in done.stderr
    with rasterio.open(tmp_path / "outputs" / "scene_labels.tif") as labels:
        assert (labels.crs.to_epsg(), labels.res, labels.nodata) == (32633, (10, 10), 0)
    assert (tmp_path / "strips" / "scene_regions.csv").exists()
