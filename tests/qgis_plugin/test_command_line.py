"""The command that QGIS runs: found, given its arguments, listened to, ended."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from segment import progress
from segment.command.cli import command as real
from segment.qgis_plugin.command_line import (
    COLOR_SPACES,
    FEATURES,
    METHODS,
    OPTIONS,
    STAGES,
    CommandError,
    arguments,
    find_command,
    progress_in,
    run,
)
from segment.settings import COLOR_SPACES as KNOWN_SPACES
from segment.settings import FEATURES as KNOWN_FEATURES
from segment.settings import Settings

VALUES = {
    "level": 1.0,
    "quantile": 0.2,
    "bandwidth": 12.0,
    "features": "joint",
    "color-space": "lab",
    "spatial-weight": 0.5,
    "spatial-radius": 7.0,
    "range-radius": 9.0,
    "min-size": 30,
}


def program(path, text):
    """A program of Python as a command."""
    path.write_text(text)
    return [sys.executable, str(path)]


def listened(command, cancelled=lambda: False):
    """What a command gives, what it says, how far it tells that it is."""
    said, steps = [], []
    outcome = run(command, tell=said.append, advance=steps.append, cancelled=cancelled)
    return outcome, said, steps


def test_choices_are_those_of_the_settings():
    """Features, colour spaces, stages and options are those that the package has."""
    assert FEATURES == KNOWN_FEATURES
    assert COLOR_SPACES == KNOWN_SPACES
    assert tuple(STAGES) == progress.STAGES
    named = {option for options in OPTIONS.values() for option in options}
    assert named <= {name.replace("_", "-") for name in Settings.__dataclass_fields__}
    known = {name for parameter in real.params for name in parameter.opts}
    written = [word for word in arguments("a", "b", "c", "level", VALUES) if word.startswith("-")]
    assert set(written) <= known


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("level", "--level 1.0"),
        (
            "quantile",
            "--quantile 0.2 --features joint --color-space lab --spatial-weight 0.5 --min-size 30",
        ),
        (
            "bandwidth",
            "--bandwidth 12.0 --features joint --color-space lab --spatial-weight 0.5"
            " --min-size 30",
        ),
        (
            "radii",
            "--spatial-radius 7.0 --range-radius 9.0 --color-space lab --min-size 30"
            " --features joint",
        ),
    ],
)
def test_a_method_has_its_options(method, said):
    """Of all parameters the command gets those of the method."""
    words = arguments("a.tif", "out", "labels.tif", method, VALUES)
    assert words[:7] == [
        str(Path("a.tif").absolute()),
        "--labels",
        "labels.tif",
        "--write",
        "polygons,regions",
        "-o",
        "out",
    ]
    assert words[7:11] == ["--polygon-crs", "pixels", "--json", "--progress"]
    assert words[11:] == said.split()


def test_bands_are_those_of_the_command():
    """Chosen bands go to the command by their numbers, in their order."""
    words = arguments("a", "b", "c", "level", VALUES, [3, 4, 1])
    assert words[words.index("--bands") + 1] == "3,4,1"
    assert "--bands" not in arguments("a", "b", "c", "level", VALUES)


def test_what_is_not_given_is_left_to_the_command():
    """None is no option, and position has no weight where it does not count."""
    values = VALUES | {"features": "color", "min-size": None}
    words = arguments("a", "b", "c", "quantile", values)
    assert "--min-size" not in words
    assert "--spatial-weight" not in words
    assert len({method for method in METHODS if arguments("a", "b", "c", method, VALUES)}) == 4


@pytest.mark.parametrize(
    ("line", "percent"),
    [
        ("reading               00:01", 5),
        ("segmenting ██▌        00:12", 15),
        ("writing    ██████▋    01:00", 75),
        ("                      00:02", 0),
        ("a.tif: labels.tif  600 x 400, 402 segments, 0.5 s", None),
        ("warning: a.tif: has 4 channels; took the first three", None),
        ("", None),
    ],
)
def test_the_bar_is_told_from_messages(line, percent):
    """Lines of the bar tell a stage; others are for the user."""
    assert progress_in(line) == percent


def test_the_real_bar_is_understood(tmp_path):
    """Each stage of the real bar, drawn by tqdm as the command draws it, is a percentage."""
    script = (
        "import time\nfrom segment import progress\n"
        "progress.SLOW = -1\nbar = progress.StagesBar()\n"
        "for stage in progress.STAGES:\n"
        "    bar.enter(stage); bar.look(); time.sleep(0.15)\n"
        "bar.close(); print('{}')\n"
    )
    outcome, said, steps = listened(program(tmp_path / "bar.py", script))
    assert outcome == {}
    assert said == []
    assert list(dict.fromkeys(step for step in steps if step)) == [5, 15, 75]


def test_the_real_command_gives_its_outcome(tmp_path):
    """Labels, polygons and the table are where the outcome says."""
    Image.new("RGB", (6, 4), (200, 9, 9)).save(tmp_path / "photo.png")
    words = arguments(
        str(tmp_path / "photo.png"), str(tmp_path), str(tmp_path / "l.tif"), "level", VALUES
    )
    outcome, _, _ = listened([sys.executable, "-m", "segment", *words])
    assert outcome["segments"] == 1
    names = {Path(name).name for name in outcome["outputs"]}
    assert names == {"l.tif", "photo_polygons.geojson", "photo_regions.csv"}
    assert all(Path(name).exists() for name in outcome["outputs"])


def test_failures_are_told_in_the_words_of_the_command(tmp_path):
    """An image that cannot be read is an error with what the command says of it."""
    (tmp_path / "no.tif").write_text("no image")
    words = arguments(str(tmp_path / "no.tif"), str(tmp_path), str(tmp_path / "l.tif"), "level", {})
    with pytest.raises(CommandError, match=r"^error: .*no\.tif: "):
        listened([sys.executable, "-m", "segment", *words])
    with pytest.raises(CommandError, match="ended with code 3"):
        listened(program(tmp_path / "a.py", "raise SystemExit(3)"))


def test_cancelling_ends_the_command_and_nothing_else(tmp_path):
    """The child that was started is ended at once; another of the same kind goes on."""
    sleeping = program(tmp_path / "sleep.py", "import time\nprint(flush=True)\ntime.sleep(60)\n")
    script = (
        "import os, sys, time\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "print('working', file=sys.stderr, flush=True)\ntime.sleep(60)\n"
    )
    heard = []
    with subprocess.Popen(sleeping, stdout=subprocess.PIPE) as other:
        start = time.monotonic()
        command = program(tmp_path / "work.py", script)
        outcome = run(command, tell=heard.append, advance=heard.append, cancelled=lambda: heard)
        assert time.monotonic() - start < 30
        assert outcome is None
        assert other.poll() is None
        other.terminate()
    assert heard == ["working"]
    if os.name == "posix":
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)


def test_another_python_is_not_led_astray(tmp_path, monkeypatch):
    """What QGIS sets for its own Python does not reach the command's."""
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    script = "import json, os\nprint(json.dumps([n for n in os.environ if n.startswith('PYTHON')]))"
    monkeypatch.delenv("PYTHONWARNINGS", raising=False)
    outcome, _, _ = listened(program(tmp_path / "a.py", script))
    assert not {"PYTHONHOME", "PYTHONPATH"} & set(outcome)


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """No command on the PATH, none named."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MEANSHIFT_SEGMENT", raising=False)
    return tmp_path


def make_command(folder):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ("meanshift-segment.exe" if os.name == "nt" else "meanshift-segment")
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_command_is_found_where_it_was_installed(nowhere):
    """That of the environment of the plug-in comes first, through links, then one on the PATH."""
    home = nowhere / "venv" / "lib" / "python3.11" / "site-packages" / "segment" / "qgis_plugin"
    home.mkdir(parents=True)
    (home / "command_line.py").touch()
    link = nowhere / "plugins"
    link.symlink_to(home)
    with pytest.raises(CommandError, match="pip install meanshift-segment"):
        find_command(here=link / "command_line.py")
    on_path = make_command(nowhere)
    assert find_command(here=link / "command_line.py") == str(on_path)
    beside = make_command(nowhere / "venv" / "bin")
    assert find_command(here=link / "command_line.py") == str(beside)


def test_the_command_that_is_named_is_taken(nowhere, monkeypatch):
    """The parameter wins over the variable, which wins over what lies about."""
    make_command(nowhere)
    first, second = make_command(nowhere / "a"), make_command(nowhere / "b")
    monkeypatch.setenv("MEANSHIFT_SEGMENT", str(first))
    assert find_command() == str(first)
    assert find_command(str(second)) == str(second)
    with pytest.raises(CommandError, match="at '/no/such', but there is no program there"):
        find_command("/no/such")
