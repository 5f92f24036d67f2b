"""The README's commands, typed into a shell as they stand there, print what it shows."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize(("commands", "shown"), BLOCKS, ids=lambda text: text.split("\n")[0][:60])
def test_uses(folder, commands, shown):
    """Each block works in a shell, and its last lines are those shown, but for the times."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", commands],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
    )
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
