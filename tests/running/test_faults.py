"""What may happen to a long run: signals, kills, full disks, folders and images that vanish."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from segment.writing import PART
from tests.commands import (
    COMMAND,
    SLOW,
    WAIT,
    children,
    endless,
    is_running,
    kill,
    photos,
    results,
    run,
    start,
    wait_until,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for processes")
TWO = ("--jobs", "2", "-b", "20")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sixty images, and what a run that nothing disturbs makes of them."""
    base = tmp_path_factory.mktemp("faults")
    photos(base / "in", 60)
    assert run(base / "in", "-o", base / "expected", *TWO).returncode == 0
    return base


def parts_in(folder):
    return [path for path in folder.rglob("*") if PART.fullmatch(path.name)]


def workers_of(process):
    wait_until(lambda: len(children(process.pid)) == 2)
    return children(process.pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_signals_end_a_run_in_good_order(tmp_path, number, jobs):
    """Ctrl-C and SIGTERM end a run in the middle, with the summary and whole files only."""
    photos(tmp_path / "in", 3, size=16)
    assert run(tmp_path / "in", "-o", tmp_path / "expected", *SLOW).returncode == 0
    endless(tmp_path / "in" / "003.png")
    process = start(tmp_path / "in", "-o", tmp_path / "out", "--jobs", jobs, *SLOW)
    for _ in range(3):
        process.stderr.readline()
    workers = children(process.pid)
    assert len(workers) == (2 if jobs == "2" else 0)
    process.send_signal(number)
    said = process.communicate(timeout=WAIT)[1]
    assert process.returncode == 130
    assert re.fullmatch(r"interrupted: 3 done, .* images/s\n", said)
    assert not any(map(is_running, workers))
    assert not parts_in(tmp_path)
    assert results(tmp_path / "out") == results(tmp_path / "expected")


def test_a_large_image_can_be_interrupted(tmp_path):
    """Ctrl-C is heard in the middle of a kernel that takes long."""
    endless(tmp_path / "000.png")
    command = [*COMMAND, tmp_path / "000.png", "-o", tmp_path / "out", *SLOW, "--progress"]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, bufsize=0)
    wait_for(process, b"segmenting")
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=WAIT)[1]
    assert process.returncode == 130
    assert said.endswith(b"interrupted: 0 done\n")
    assert results(tmp_path / "out") == {}


def wait_for(process, word):
    """Read what a process says until it says a word."""
    shown = b""
    while word not in shown:
        piece = process.stderr.read(4096)
        assert piece, shown
        shown += piece


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_search_for_one_model_can_be_interrupted(tmp_path, number):
    """Ctrl-C and SIGTERM are heard while the modes of all images are found; nothing is kept."""
    photos(tmp_path / "in", 2, size=8)
    script = "import sys, time; from segment.command.cli import main\n"
    script += "from segment.method import fitting\n"
    script += "say = lambda: print('climbs', file=sys.stderr)\n"
    script += "fitting.climb_colors = lambda *_: (say(), time.sleep(3600))\nmain()"
    kept = ("--fit-together", "--save-model", tmp_path / "kept.json", "-o", tmp_path / "out")
    command = [sys.executable, "-c", script, tmp_path / "in", *kept]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, bufsize=0)
    wait_for(process, b"climbs\n")
    process.send_signal(number)
    said = process.communicate(timeout=WAIT)[1]
    assert (process.returncode, said) == (130, b"interrupted: 0 done\n")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_the_summary_is_heard_while_an_image_is_read(tmp_path):
    """What is held back of the libraries' words while they read is not the run's own."""
    photos(tmp_path, 1, size=8)
    script = "import time; from segment.command.cli import main\n"
    script += "from segment.reading.pillow_pages import PillowPages\n"
    script += "PillowPages.read = lambda *_, **__: time.sleep(60)\nmain()"
    command = [sys.executable, "-c", script, str(tmp_path / "000.png"), "--progress"]
    process = subprocess.Popen(
        [*command, "-o", str(tmp_path / "out")], stderr=subprocess.PIPE, bufsize=0
    )
    shown = b""
    while b"reading" not in shown:  # the bar, after a second
        shown = process.stderr.read(4096)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=WAIT)[1].endswith(b"interrupted: 0 done\n")


def test_a_killed_worker_costs_its_image(folder, tmp_path):
    """kill -9 of a worker fails at most the image it had; a re-run with skip does that one."""
    process = start(folder / "in", "-o", tmp_path, *TWO)
    victim = workers_of(process)[0]
    process.stderr.readline()
    kill(victim)
    said = process.communicate(timeout=WAIT)[1]
    failed = [line for line in said.splitlines() if line.startswith("error: ")]
    assert len(failed) <= 1
    assert process.returncode == len(failed)
    assert all("its worker process was killed" in line for line in failed)
    assert not parts_in(tmp_path)
    again = run(folder / "in", "-o", tmp_path, *TWO, "--existing", "skip")
    assert again.returncode == 0
    assert f"{60 - len(failed)} skipped" in again.stderr
    assert results(tmp_path) == results(folder / "expected")


def test_killed_runs_leave_whole_files_and_can_be_resumed(folder, tmp_path):
    """However often a run is killed, and when: the last one finishes the job, same bytes."""
    chance = random.Random(1)
    expected = results(folder / "expected")
    command = (folder / "in", "-o", tmp_path, *TWO, "--existing", "skip")
    for _ in range(6):
        process = start(*command)
        time.sleep(chance.uniform(0.05, 1.0))
        workers = children(process.pid)
        process.kill()
        process.communicate()
        wait_until(lambda workers=workers: not any(map(is_running, workers)))
        whole = {name: made for name, made in results(tmp_path).items() if ".part" not in name}
        assert whole.items() <= expected.items()
    done = run(*command)
    assert done.returncode == 0
    assert results(tmp_path) == expected
    assert run(*command).stderr == "0 done, 60 skipped\n"


def test_a_run_killed_with_its_workers_leaves_nothing_for_long(folder, tmp_path):
    """What a run left that was killed together with its workers is gone after the next run."""
    for _ in range(4):
        process = start(folder / "in", "-o", tmp_path, *TWO)
        workers = workers_of(process)
        process.stderr.readline()
        for victim in (*workers, process.pid):
            kill(victim)
        process.communicate()
        wait_until(lambda workers=workers: not any(map(is_running, workers)))
    assert run(folder / "in", "-o", tmp_path, *TWO).returncode == 0
    assert results(tmp_path) == results(folder / "expected")


def test_images_and_folders_that_vanish(folder, tmp_path):
    """An image that is deleted during a run fails by name; a results' folder is made anew."""
    shutil.copytree(folder / "in", tmp_path / "in")
    script = """
import os, shutil, sys
from segment.command.cli import main
from segment.running.outcomes import Console
add = Console.add
def add_and_remove(console, outcome):
    add(console, outcome)
    if outcome.input.endswith("000.png"):
        os.unlink(outcome.input.replace("000.png", "059.png"))
        shutil.rmtree(sys.argv[3])
Console.add = add_and_remove
main()
"""
    command = [sys.executable, "-c", script, tmp_path / "in", "-o", tmp_path / "out", "-b", "20"]
    done = subprocess.run(
        [*map(str, command), "-j", "1"], capture_output=True, text=True, timeout=WAIT
    )
    assert done.returncode == 1
    assert f"error: {tmp_path / 'in' / '059.png'}: no such file; check the name\n" in done.stderr
    assert "Traceback" not in done.stderr
    expected = results(folder / "expected")
    gone = {name for name in expected if name.startswith(("000", "059"))}
    assert results(tmp_path / "out") == {name: expected[name] for name in expected.keys() - gone}


def test_a_full_disk(folder, tmp_path):
    """A disk that is full fails image by image, leaves no half file, and a re-run goes on."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("may not mount a small disk here")
    try:
        done = run(folder / "in", "-o", disk, *TWO)
        failed = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert done.returncode == 1
        assert failed
        assert all("No space left on device" in line for line in failed)
        assert f"{60 - len(failed)} done, {len(failed)} failed" in done.stderr
        assert results(disk).items() <= results(folder / "expected").items()
        subprocess.run(["mount", "-o", "remount,size=16m", str(disk)], check=True)
        again = run(folder / "in", "-o", disk, *TWO, "--existing", "skip")
        assert again.returncode == 0
        assert results(disk) == results(folder / "expected")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_folder_that_takes_no_files(folder, tmp_path):
    """A read-only folder fails each image by name, in one line that says what to do."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(disk)]
    mounted = shutil.which("mount") and not subprocess.run(mount, capture_output=True).returncode
    if not mounted:
        if os.geteuid() == 0:
            pytest.skip("permissions do not bind the superuser, and nothing may be mounted")
        disk.chmod(0o555)
    try:
        done = run(folder / "in" / "000.png", folder / "in" / "001.png", "-o", disk, *TWO)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(disk)], check=True)
    assert done.returncode == 1
    first, second, _ = done.stderr.splitlines()
    reason = f"cannot write into {disk}; choose another folder with -o"
    assert first == f"error: {folder / 'in' / '000.png'}: {reason}"
    assert "001.png" in second


def test_memory_that_runs_out_costs_one_image(tmp_path):
    """An image too large for the memory there is fails by name; the others are done."""
    photos(tmp_path / "in", 3)
    Image.new("RGB", (8000, 8000)).save(tmp_path / "in" / "001.png", compress_level=1)
    script = "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (6 << 26, 6 << 26)); "
    script += "from segment.command.cli import main; main()"
    command = [sys.executable, "-c", script, str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    done = subprocess.run([*command, *TWO], capture_output=True, text=True, timeout=WAIT)
    (failed,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert failed.startswith(f"error: {tmp_path / 'in' / '001.png'}: needs more memory than there")
    assert "2 done, 1 failed" in done.stderr
    assert "Traceback" not in done.stderr


def test_signals_that_the_caller_ignores_stay_ignored(folder, tmp_path):
    """A run under nohup-like protection from Ctrl-C is not ended by it."""
    process = subprocess.Popen(
        [*COMMAND, str(folder / "in"), "-o", str(tmp_path), *TWO],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert "60 done" in process.communicate(timeout=WAIT)[1]
    assert process.returncode == 0
