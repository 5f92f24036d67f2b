"""A real scheduler and two workers: the same results, also when a worker is lost."""

import os
import re
import socket
import subprocess
import sys

import pytest

from tests.commands import kill, photos, results, run, start, wait_until

pytest.importorskip("distributed", reason="needs the extra dask")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def launch(*arguments, folder, log):
    """Start a process of Dask's in a folder; its talk goes to a file."""
    with log.open("w") as stream:
        command = [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
        return subprocess.Popen(command, cwd=folder, stdout=stream, stderr=stream)


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
    processes = [launch("scheduler", *host, *options, folder=folder, log=log)]
    for number in range(2):
        one = ("--nthreads", "1", "--no-nanny", *options)
        worker_log = folder / f"worker{number}.log"
        processes.append(launch("worker", address, *one, folder=folder, log=worker_log))
    wait_until(lambda: log.read_text().count("Register worker") == 2, 60)
    yield address, processes[1:], log
    for process in reversed(processes):
        process.terminate()
    for process in processes:
        process.wait(20)


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
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said
    assert "40 done" in said
    run(tmp_path / "in", "-o", tmp_path / "expected", "-b", "9", env=dict(os.environ))
    assert results(tmp_path / "out") == results(tmp_path / "expected")
