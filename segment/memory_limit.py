"""How much memory a run may take, of what is free within control groups; what an image takes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from segment.cpu_quota import groups_of
from segment.errors import InvalidInputError, shown

FIXED = 128 << 20  # bytes of the program, its libraries and buffers
USUAL_SHARE = 0.5  # of what is free
UNKNOWN = 4 << 30  # bytes that are taken for free where the system does not tell
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(%|[KMGT]?)(?:i?B)?", re.IGNORECASE)
UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
MEMORY = "expected bytes such as 512M or 2G, or a share such as 50%"


def memory_limit(wanted: str | None, root: str = "/") -> int:
    """Return how many bytes may be taken.

    Parameters
    ----------
    wanted : str or None
        Bytes, with K, M, G or T for powers of 1,024; or a share of what is free. None for half of
        what is free.
    root : str
        Where the files of the system begin.

    Raises
    ------
    InvalidInputError
        If it is neither, or nothing.

    Examples
    --------
    >>> memory_limit("512M"), memory_limit("1.5 GiB"), memory_limit("100")
    (536870912, 1610612736, 100)
    >>> memory_limit("much")
    Traceback (most recent call last):
    segment.InvalidInputError: memory: expected bytes such as 512M or 2G, or a share such as 50%, \
got 'much'
    """
    if wanted is None:
        return int(free_memory(root) * USUAL_SHARE)
    match = SIZE.fullmatch(wanted.strip())
    number = float(match[1]) if match else 0.0
    if match is None or number <= 0 or (match[2] == "%" and number > 100):
        raise InvalidInputError(f"memory: {MEMORY}, got {shown(wanted)}")
    if match[2] == "%":
        return int(free_memory(root) * number / 100)
    return int(number * (1 << UNITS[match[2].upper()]))


def free_memory(root: str = "/") -> int:
    """Return the bytes that could be taken: what the system has, or a control group leaves.

    Notes
    -----
    Version 2 of control groups has a group's limit in ``memory.max`` and what it takes in
    ``memory.current``, version 1 in ``memory.limit_in_bytes`` and ``memory.usage_in_bytes``. Of
    what is taken, pages of files that nobody has looked at for a while count as free.
    """
    return min([_of_system(Path(root)), *_of_groups(Path(root))])


def _of_system(root: Path) -> int:
    try:
        match = re.search(r"^MemAvailable:\s+(\d+) kB", (root / "proc/meminfo").read_text(), re.M)
        if match:
            return int(match[1]) << 10
    except OSError:
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):  # of Windows, and of systems that do not tell
        return UNKNOWN


def _of_groups(root: Path) -> Iterator[int]:
    for folder in groups_of(root, "memory"):
        for limit, taken in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ):
            try:
                left = int((folder / limit).read_text()) - int((folder / taken).read_text())
                yield max(0, left + _cached(folder))
            except (OSError, ValueError):  # no such group, or "max"
                continue


def _cached(folder: Path) -> int:
    match = re.search(
        r"^(?:total_)?inactive_file (\d+)$", (folder / "memory.stat").read_text(), re.M
    )
    return int(match[1]) if match else 0


def needed_in_memory(
    pixels: int, channels: int, item_bytes: int, *, by_region: bool, joint: bool = False
) -> int:
    """Return about how many bytes an image takes that is segmented in memory.

    The values as stored, their points (8-bit values are those), labels and what is written; where
    points are not of 8 bits also the keys by which equal ones are found; regions if there are
    any, and in the joint domain the pyramid.

    Examples
    --------
    >>> needed_in_memory(400_000_000, 3, 1, by_region=False) >> 20
    4705
    """
    points = 0 if item_bytes == 1 and channels in (1, 3) else 24 * channels + 24
    regions = 8 + (0 if points else 8 * channels) if by_region else 0
    pyramid = 16 + 4 * channels if joint else 0
    return FIXED + pixels * (channels * item_bytes + points + 9 + regions + pyramid)
