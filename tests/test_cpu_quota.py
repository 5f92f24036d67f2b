"""The cores that a container's quota is worth, from files as Linux has them."""

import pytest

from segment import threads
from segment.cpu_quota import quota_in_cores

V1 = "4:cpu,cpuacct:/docker/abc\n2:memory:/docker/abc\n1:name=systemd:/docker/abc\n"
OWN = "sys/fs/cgroup/user.slice/job.scope/cpu.max"


@pytest.fixture(autouse=True)
def afresh():
    """What was read of another system is forgotten before and after."""
    quota_in_cores.cache_clear()
    yield
    quota_in_cores.cache_clear()


def system(root, groups, files):
    """The files of a system: what a process is told of its groups, and the groups."""
    for name, content in {"proc/self/cgroup": groups, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    return str(root)


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("10000 100000", 1),
        ("1000 100000", 1),
        ("400000 50000", 8),
        ("max 100000", None),
        ("", None),
        ("some thing", None),
        ("100000 0", None),
    ],
)
def test_version_2(tmp_path, quota, cores):
    """The quota in cpu.max over its period is rounded up to whole cores; "max" is none."""
    root = system(tmp_path, "0::/", {"sys/fs/cgroup/cpu.max": quota})
    assert quota_in_cores(root) == cores


@pytest.mark.parametrize(
    ("own", "parent", "cores"),
    [
        ("max 100000", "300000 100000", 3),
        ("200000 100000", "300000 100000", 2),
        ("500000 100000", "300000 100000", 3),
        ("max 100000", "max 100000", None),
    ],
)
def test_the_smallest_quota_of_all_groups_around_counts(tmp_path, own, parent, cores):
    """A process is under the quotas of its own group and of every group around that."""
    files = {OWN: own, "sys/fs/cgroup/user.slice/cpu.max": parent}
    root = system(tmp_path, "0::/user.slice/job.scope", files)
    assert quota_in_cores(root) == cores


@pytest.mark.parametrize("folder", ["cpu", "cpu,cpuacct", "cpu/docker/abc"])
@pytest.mark.parametrize(("quota", "cores"), [("250000", 3), ("-1", None), ("0", None)])
def test_version_1(tmp_path, folder, quota, cores):
    """The two files of the cpu controller tell it, whether the group is seen from within or not."""
    place = f"sys/fs/cgroup/{folder}"
    files = {f"{place}/cpu.cfs_quota_us": quota, f"{place}/cpu.cfs_period_us": "100000"}
    assert quota_in_cores(system(tmp_path, V1, files)) == cores


def test_a_group_of_the_system_outside_counts_from_its_mount(tmp_path):
    """In a container whose group's path is not there, the quota at the mount is its own."""
    files = {"sys/fs/cgroup/cpu.max": "100000 100000"}
    assert quota_in_cores(system(tmp_path, "0::/../../kubepods/pod1", files)) == 1


def test_no_groups(tmp_path):
    """A system without control groups has no quota."""
    assert quota_in_cores(str(tmp_path)) is None


def test_the_cores_available_are_within_the_quota(monkeypatch):
    """Of the cores that a process may run on it takes no more than its quota is worth."""
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(16)), raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    for quota, cores in ((None, 16), (3, 3), (64, 16)):
        monkeypatch.setattr(threads, "quota_in_cores", lambda quota=quota: quota)
        assert threads.available_cores() == cores
        with threads.at_most(2):
            assert threads.available_cores() == 2
