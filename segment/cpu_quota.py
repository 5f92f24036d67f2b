"""How many cores' worth of time a container may take: the quotas of Linux control groups."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from pathlib import Path


@functools.lru_cache(maxsize=1)
def quota_in_cores(root: str = "/") -> int | None:
    """Return the smallest quota that this process is under in cores; None without any.

    Rounded up, one at least, as joblib and Dask do it. Read once, in a fraction of a
    millisecond.

    Parameters
    ----------
    root : str
        Where the files of the system begin.

    Notes
    -----
    A process is in a group, that in another, and each may have a quota. Version 2 has it in
    ``cpu.max``, version 1 in two files of its cpu controller. In a container the path of the
    group is often the one outside, of which only the end is there: then what is above counts,
    up to the mount itself.
    """
    cores = [
        max(1, math.ceil(share))
        for folder in groups_of(Path(root), "cpu")
        if (share := _share(folder))
    ]
    return min(cores, default=None)


def groups_of(root: Path, controller: str) -> Iterator[Path]:
    """Return the folders of the groups that this process is in, and of all groups around them.

    Parameters
    ----------
    root : Path
        Where the files of the system begin.
    controller : str
        Of version 1: "cpu" or "memory".
    """
    try:
        lines = (root / "proc/self/cgroup").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    own = {"": "/", controller: "/"}
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        kind = controller if controller in controllers.split(",") else controllers
        if kind in own:
            own[kind] = path
    mounts = root / "sys/fs/cgroup"
    places = [(mounts, own[""]), (mounts / "unified", own[""])]
    names = ("cpu", "cpu,cpuacct") if controller == "cpu" else (controller,)
    places += [(mounts / name, own[controller]) for name in names]
    for mount, path in places:
        inside = [part for part in path.split("/") if part not in ("", "..")]
        for depth in range(len(inside), -1, -1):
            yield mount.joinpath(*inside[:depth])


def _share(folder: Path) -> float | None:
    """Return the quota of one group in cores; None for none."""
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota, period = (
                (folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period")
            )
        share = int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):  # no such group; "max"; nothing we know
        return None
    return share if share > 0 else None
