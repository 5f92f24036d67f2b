"""The memory that a run may take, from files as Linux has them."""

import pytest

from segment import InvalidInputError
from segment.memory_limit import free_memory, memory_limit
from tests.test_cpu_quota import system

FREE = {"proc/meminfo": "MemTotal: 9000 kB\nMemAvailable:    4096 kB\n"}


@pytest.mark.parametrize(
    ("wanted", "limit"),
    [("1k", 1 << 10), ("2G", 2 << 30), ("1.5MiB", 3 << 19), ("7", 7), ("3 TB", 3 << 40)],
)
def test_sizes(wanted, limit):
    """K, M, G and T are powers of 1,024, in capital or small letters, with or without a B."""
    assert memory_limit(wanted) == limit


@pytest.mark.parametrize(
    ("wanted", "limit"), [(None, 2 << 20), ("25%", 1 << 20), ("100 %", 4 << 20)]
)
def test_shares(tmp_path, wanted, limit):
    """A share is one of what is free, and half of that if nothing is said."""
    assert memory_limit(wanted, system(tmp_path, "0::/", FREE)) == limit


@pytest.mark.parametrize("wanted", ["", "much", "-1G", "0", "101%", "0%", "1X", "1e9", "nan"])
def test_what_is_no_size_is_refused(wanted):
    """Whatever is neither a size nor a share is an error that says what is expected."""
    with pytest.raises(InvalidInputError, match="expected bytes such as 512M or 2G, or a share"):
        memory_limit(wanted)


def test_a_control_group_of_version_2_leaves_less(tmp_path):
    """Free is what a group's limit leaves, if that is less; old pages of files count as free."""
    folder = "sys/fs/cgroup/job.scope"
    files = {
        **FREE,
        f"{folder}/memory.max": "1000000",
        f"{folder}/memory.current": "900000",
        f"{folder}/memory.stat": "anon 7\ninactive_file 5000\nactive_file 3",
    }
    assert free_memory(system(tmp_path, "0::/job.scope", files)) == 105_000


def test_a_control_group_of_version_1_leaves_less(tmp_path):
    """The same by the files of version 1."""
    folder = "sys/fs/cgroup/memory/docker/abc"
    files = {
        **FREE,
        f"{folder}/memory.limit_in_bytes": "2000000",
        f"{folder}/memory.usage_in_bytes": "500000",
        f"{folder}/memory.stat": "total_inactive_file 0",
    }
    assert free_memory(system(tmp_path, "2:memory:/docker/abc", files)) == 1_500_000


def test_a_group_without_a_limit_leaves_all(tmp_path):
    """A limit of "max" is none."""
    files = {**FREE, "sys/fs/cgroup/memory.max": "max", "sys/fs/cgroup/memory.current": "5"}
    assert free_memory(system(tmp_path, "0::/", files)) == 4 << 20
