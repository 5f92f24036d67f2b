"""Colours are for terminals, and only where nobody forbids them."""

import io
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from segment.messages import bad, caution, good, in_color, say
from tests.commands import COMMAND, plain_environment, run, shown_on

RED, YELLOW, GREEN, PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[0m"


class Watched(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("environment", "watched", "colored"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": ""}, False, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ],
    ids=str,
)
def test_who_decides_on_colours(monkeypatch, environment, watched, colored):
    """NO_COLOR wins over FORCE_COLOR, which wins over what the terminal is; empty is not set."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert in_color(Watched() if watched else io.StringIO()) is colored


def test_a_closed_stream_has_no_colours(monkeypatch):
    """A stream that is closed is no terminal, and the absence of one says nothing."""
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    closed = io.StringIO()
    closed.close()
    assert not in_color(closed)
    monkeypatch.setattr(sys, "stderr", None)
    say("nobody hears")


def test_parts_of_a_line_in_colour(monkeypatch):
    """Each part ends its own colour, and codes in a name of a file are spelt, not obeyed."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Watched())
    say(bad("error:"), " \x1b[5m.png", caution("b"), good("\n"))
    red, rest = f"{RED}error:{PLAIN}", f"{YELLOW}b{PLAIN}{GREEN}\\x0a{PLAIN}"
    assert sys.stderr.getvalue() == f"{red} \\x1b[5m.png{rest}\n"


def on_terminals(*arguments, **environment):
    """Run the command with a terminal for each stream; return what they show: stdout, stderr."""
    pty = pytest.importorskip("pty", reason="needs a terminal of POSIX")
    (out, outs), (err, errs) = pty.openpty(), pty.openpty()
    command = [*COMMAND, *map(str, arguments)]
    process = subprocess.Popen(
        command, stdout=outs, stderr=errs, env=plain_environment() | {"TERM": "xterm"} | environment
    )
    os.close(outs)
    os.close(errs)
    said = shown_on(err)  # first: stdout has room for all that these runs print
    process.wait()
    return shown_on(out), said


@pytest.fixture
def inputs(tmp_path):
    """A good image, one that is damaged, one that is cut off, and where results go."""
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "good.png")
    whole = (tmp_path / "good.png").read_bytes()
    (tmp_path / "short.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "bad.png").write_bytes(b"damaged")
    names = (tmp_path / f"{name}.png" for name in ("good", "bad", "short"))
    return [*names, "--allow-truncated", "-b", "90", "-j", "1", "-o", tmp_path / "out"]


def test_a_terminal_shows_what_went_wrong_in_colour(inputs):
    """Errors are red, warnings yellow and what is done green, on stderr alone."""
    out, err = on_terminals(*inputs)
    assert out == ""
    assert f"{RED}error:{PLAIN} {inputs[1]}: " in err
    assert f"{YELLOW}warning:{PLAIN} {inputs[2]}: " in err
    assert re.search(r"\x1b\[32m2 done\x1b\[0m, \x1b\[31m1 failed\x1b\[0m, [\d.]+ images/s", err)
    assert "3/3" in err, "the bar is there, too"


@pytest.mark.parametrize("forbids", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_a_terminal_without_colours(inputs, forbids):
    """NO_COLOR and a dumb terminal get the same lines without codes of colours."""
    err = on_terminals(*inputs, **forbids)[1]
    assert f"error: {inputs[1]}: " in err
    assert not re.search(r"\x1b\[\d*m", err)


def test_usage_errors_are_red(tmp_path):
    """What click finds wrong is said in the same colours, its hint without."""
    out, err = on_terminals("--nope")
    assert out == ""
    assert err.startswith("Usage: ")
    assert f"\r\n{RED}Error:{PLAIN} No such option" in err
    assert err.count("\x1b") == 2


def test_what_programs_read_is_never_in_colour(inputs, tmp_path):
    """Pipes, JSON on a terminal and the record of a run have no codes."""
    assert "\x1b" not in run(*inputs, env=plain_environment()).stderr
    out, _ = on_terminals(*inputs, "--json")
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["ok", "failed", "ok"]
    forced = run(*inputs, "--json", env=plain_environment() | {"FORCE_COLOR": "1"})
    assert f"{RED}error:{PLAIN}" in forced.stderr
    assert "\x1b" not in forced.stdout
    records = [path for path in (tmp_path / "out").iterdir() if path.suffix != ".png"]
    assert records
    assert not any(b"\x1b" in path.read_bytes() for path in records)
