"""The command as a process, for the tests of whole runs; and in this one, which is quicker."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
from click.testing import CliRunner
from PIL import Image

from segment.command.cli import main
from segment.running.journal import NAME

WAIT = 300.0  # seconds after which a test gives up: no measure of speed, on no machine reached
COMMAND = [sys.executable, "-m", "segment"]


def run(*arguments, **options):
    """Run the command; return the finished process with its output as text."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT, **options)


def call(*arguments, input=None, cwd=".", text=True):
    """Run the command in this process, which is quicker; return what `run` does."""
    words = [*map(str, arguments)]
    with (
        contextlib.chdir(cwd),
        CliRunner().isolation(input) as (out, err, _),
        patch.object(sys, "argv", ["meanshift-segment", *words]),
        patch.object(os, "_exit") as leave,
    ):
        main()
    said = [stream.getvalue() for stream in (out, err)]
    said = [each.decode() for each in said] if text else said
    return subprocess.CompletedProcess(words, leave.call_args.args[0], *said)


def start(*arguments, **options):
    """Start the command."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)


# With these options the first image takes milliseconds, the second hours on any machine: what
# has to be interrupted is under way when the test says so, however busy the machine is.
SLOW = ("-b", "20", "--assign", "basin", "--kernel", "gaussian")


def endless(path):
    """Write an image that takes hours with the options `SLOW`."""
    pixels = np.random.default_rng(0).integers(0, 256, (600, 600, 3), np.uint8)
    Image.fromarray(pixels).save(path, compress_level=1)
    return path


def results(folder):
    """The files below a folder but the records: {path below it: content}."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != NAME
    }


def photos(folder, count, size=64):
    """Write so many small images, all different, with several segments each."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    for number in range(count):
        pixels = generator.integers(0, 40, (size, size, 3), np.uint8)
        pixels[: size // 2] += 90 + number % 100
        Image.fromarray(pixels).save(folder / f"{number:03}.png", compress_level=1)
    return folder


def plain_environment():
    """The environment without what decides on colours."""
    return {name: value for name, value in os.environ.items() if not name.endswith("_COLOR")}


def shown_on(terminal):
    """What comes out of our end of a terminal until the other one is closed; closes ours."""
    shown = b""
    try:
        while piece := os.read(terminal, 4096):
            shown += piece
    except OSError:  # Linux says so when the other side is closed
        pass
    os.close(terminal)
    return shown.decode()


def children(process):
    """The numbers of the processes that a process has started."""
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(number) for task in tasks for number in task.read_text().split()]


def is_running(process):
    """Return whether a process is there and no zombie that nobody has asked for yet."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_until(condition, seconds=WAIT):
    """Wait for something to become true; fail if it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def kill(process, number=signal.SIGKILL):
    """Send a signal to a process that may have ended by itself."""
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return
