"""A real scheduler and two workers: the same results, also when a worker is lost."""

import contextlib
import os
import pickle
import re
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
import tifffile

from segment.errors import ImageFileError
from segment.raster.opening import open_source
from segment.results.outputs import Output
from segment.running import scene_job
from segment.running.plan import RunOptions, Work
from segment.running.run import run as run_here
from segment.scenes import memory_plan
from segment.settings import Settings
from tests.commands import WAIT, is_running, kill, photos, results, run, start, wait_until

pytest.importorskip("distributed", reason="needs the extra dask")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def launch(*arguments, folder, log):
    """Start a process of Dask's in a folder, with a group of its own; its talk goes to a file."""
    with log.open("w") as stream:
        command = [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
        return subprocess.Popen(
            command, cwd=folder, stdout=stream, stderr=stream, start_new_session=True
        )


def end(process):
    """Kill a process and all that it started, and ask for it: a worker may not heed SIGTERM."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The address of a scheduler, and its two workers, which were started elsewhere."""
    folder = tmp_path_factory.mktemp("cluster")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    address, options = f"tcp://127.0.0.1:{port}", ("--no-dashboard",)
    log = folder / "scheduler.log"
    host = ("--host", "127.0.0.1", "--port", port)
    with contextlib.ExitStack() as started:

        def started_in(*arguments, log):
            process = launch(*arguments, *options, folder=folder, log=log)
            started.callback(end, process)
            return process

        started_in("scheduler", *host, log=log)
        one = ("worker", address, "--nthreads", "1", "--no-nanny")
        workers = [started_in(*one, log=folder / f"worker{number}.log") for number in range(2)]
        wait_until(lambda: log.read_text().count("Register worker") == 2)
        yield address, workers, log


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for processes")
def test_the_cluster_of_these_tests_ends(tmp_path):
    """Processes that are stopped, or start others and heed no signal, are ended and reaped."""
    script = "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    script += "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)'])\n"
    script += "print(child.pid, flush=True); time.sleep(3600)"
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True
    )
    with process.stdout as stream:
        child = int(stream.readline())
    os.kill(child, signal.SIGSTOP)
    end(process)
    wait_until(lambda: not is_running(child))
    assert process.returncode == -signal.SIGKILL


def test_a_cluster_gives_the_same_results(cluster, tmp_path):
    """The images of relative names are done by workers elsewhere: same names, same bytes."""
    address, _, _ = cluster
    photos(tmp_path / "in", 6, size=16)
    (tmp_path / "in" / "002.png").write_bytes(b"damaged")
    here = run("in", "-o", "here", "-j", "1", "--json", cwd=tmp_path)
    there = run("in", "-o", "there", "--scheduler", address, "--json", cwd=tmp_path)
    assert (there.returncode, here.returncode) == (1, 1)
    assert results(tmp_path / "there") == results(tmp_path / "here")
    lines = [
        re.sub(r'"seconds": [\d.]+', "", done.stdout).replace("there", "here")
        for done in (here, there)
    ]
    assert lines[0] == lines[1]
    again = run("in", "-o", "there", "--scheduler", address, "--existing", "skip", cwd=tmp_path)
    assert again.stderr.splitlines()[-1].startswith("0 done, 5 skipped, 1 failed")


def test_nobody_answers(tmp_path, monkeypatch):
    """An address without a scheduler is a usage error that says how to start one."""
    monkeypatch.setattr("segment.running.pools.ANSWERS_WITHIN", 0.3)
    from segment.running.pools import Cluster, ClusterError

    with pytest.raises(ClusterError, match=r"no scheduler answers .*start one: dask scheduler"):
        Cluster("tcp://127.0.0.1:1")


def test_dask_is_an_extra(monkeypatch):
    """Without Dask the message says what to install."""
    from segment.running.pools import Cluster, ClusterError

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"pip install 'meanshift-segment\[dask\]'"):
        Cluster("tcp://127.0.0.1:1")


def test_a_lost_worker_loses_no_image(cluster, tmp_path):
    """A worker that is killed in the middle of a run has its images done by the other."""
    address, workers, _ = cluster
    photos(tmp_path / "in", 40, size=128)
    process = start(tmp_path / "in", "-o", tmp_path / "out", "-b", "9", "--scheduler", address)
    process.stderr.readline()
    kill(workers[0].pid)
    said = process.communicate(timeout=WAIT)[1]
    assert process.returncode == 0, said
    assert "40 done" in said
    run(tmp_path / "in", "-o", tmp_path / "expected", "-b", "9", env=dict(os.environ))
    assert results(tmp_path / "out") == results(tmp_path / "expected")


def scene(path):
    """Write a tiled image of squares with some noise."""
    generator = np.random.default_rng(2)
    blocks = generator.integers(0, 90, (24, 12, 3)).repeat(10, axis=0).repeat(10, axis=1)
    image = (blocks * 2 + generator.integers(0, 9, blocks.shape)).astype(np.uint8)
    tifffile.imwrite(path, image, photometric="rgb", tile=(16, 32))
    return path


def shared(monkeypatch, source, folder, address, **settings):
    """Do one image, however small, by strips on a cluster, or here; return the exit code."""
    monkeypatch.setattr(scene_job, "SHARED_FROM", 1)
    monkeypatch.setattr(memory_plan, "FIXED", 0)
    monkeypatch.setattr(memory_plan, "COLOR_COUNTERS", 0)
    products = ("labels", "segmented", "regions", "polygons")
    output = Output(folder, products, label_format="tiff")
    memory = "4M" if address else "600K"
    work = Work(Settings(**settings), output, memory=memory)
    return run_here([str(source)], work, RunOptions(scheduler=address), as_json=False, verbosity=-1)


@pytest.mark.parametrize(
    "settings",
    [
        {"min_size": 30, "bandwidth": 9.0, "color_space": "lab"},
        {"features": "joint", "spatial_radius": 2.0, "range_radius": 12.0},
    ],
)
def test_a_large_image_is_shared_out(cluster, tmp_path, monkeypatch, settings):
    """The strips of one image are done by the workers: same names, same bytes as here."""
    address, _, _ = cluster
    source = scene(tmp_path / "a.tif")
    assert shared(monkeypatch, source, tmp_path / "there", address, **settings) == 0
    assert shared(monkeypatch, source, tmp_path / "here", None, **settings) == 0
    assert results(tmp_path / "there") == results(tmp_path / "here")
    assert len(results(tmp_path / "here")) == 4


@pytest.mark.parametrize("stage", ["counting", "climbing", "writing"])
def test_a_lost_worker_loses_no_strip(cluster, tmp_path, monkeypatch, stage):
    """A worker that is killed in a stage has its strips done again; the bytes are the same."""
    address, workers, _ = cluster
    living = [worker for worker in workers if worker.poll() is None]
    extra = launch(
        "worker",
        address,
        "--nthreads",
        "1",
        "--no-nanny",
        "--no-dashboard",
        folder=tmp_path,
        log=tmp_path / "extra.log",
    )
    try:
        wait_until(lambda: "Registered to" in (tmp_path / "extra.log").read_text())
        assert living

        def advance(name, done, total):
            if name == stage and 0 < done < total and extra.poll() is None:
                kill(extra.pid)
                extra.wait()

        source = scene(tmp_path / "a.tif")
        settings = {"min_size": 30, "bandwidth": 9.0}
        if stage == "climbing":
            settings = {"features": "joint", "spatial_radius": 2.0, "range_radius": 12.0}
        with monkeypatch.context() as patch:
            patch.setattr(scene_job, "advance", advance)
            assert shared(patch, source, tmp_path / "there", address, **settings) == 0
        assert extra.poll() is not None
        assert shared(monkeypatch, source, tmp_path / "here", None, **settings) == 0
        assert results(tmp_path / "there") == results(tmp_path / "here")
    finally:
        end(extra)


def test_workers_that_do_not_see_the_file_say_so(cluster, tmp_path):
    """A file that a worker has not, or another of that name, is one clear error."""
    path = scene(tmp_path / "a.tif")
    packed = pickle.dumps(open_source(path))
    tifffile.imwrite(path, np.zeros((9, 9), np.uint8))
    with pytest.raises(ImageFileError, match=r"is another file for a worker .* same paths"):
        pickle.loads(packed)
    path.unlink()
    with pytest.raises(ImageFileError, match=r"is not there for a worker .* a shared file system"):
        pickle.loads(packed)
