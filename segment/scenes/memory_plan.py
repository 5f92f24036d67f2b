"""A scene to strips for the memory there may be."""

from __future__ import annotations

from dataclasses import dataclass

from segment.errors import InvalidInputError
from segment.memory_limit import FIXED
from segment.strips.rows import SceneRows
from segment.strips.strips import Strips, Threads, Told, nobody
from segment.threads import available_cores

COLOR_COUNTERS = 128 << 20  # of all 8-bit colours; the table of their labels is half of it
HASHED = 96  # bytes of a pixel that no other is equal to, while strips are counted by hashing
LARGEST_STRIP = 1 << 24  # pixels beyond which nothing gets faster
OF_REGIONS = 3  # where there are regions, they get twice as much as the strips at least


@dataclass(frozen=True)
class Plan:
    """How a scene is cut, and what is left for what is known of its colours and regions.

    `windows` is what there is for climbs of joint features, which are over before that.
    """

    strips: Strips
    memory: int
    windows: int


def planned(
    rows: SceneRows,
    memory: int,
    *,
    by_region: bool = False,
    joint: bool = False,
    told: Told = nobody,
) -> Plan:
    """Return how to cut a scene for so many bytes.

    Strips are as high as the memory allows for those that are under way, one on each core, and one
    that is written; in whole rows of the file's tiles if that fits, on fewer cores if need be:
    what is cut in a row of tiles is decompressed twice.

    Raises
    ------
    InvalidInputError
        If the memory is too small to work in: how much is needed at least.
    """
    counted = rows.in_bytes and rows.channels == 3 and not joint
    fixed = FIXED + (COLOR_COUNTERS if counted else 0)
    parts = OF_REGIONS if by_region else 1
    row = rows.width * _per_pixel(rows)
    least = fixed + 2 * row * parts
    if memory < least:
        raise InvalidInputError(
            f"memory: expected at least {-(-least >> 20)}M for rows of {rows.width} pixels, "
            f"got {memory >> 20}M; raise --memory"
        )
    fitting = (memory - fixed) // parts // row
    whole = min(rows.source.preferred_rows, rows.height)
    cores = [count for count in range(available_cores(), 0, -1) if fitting // (count + 1)]
    at_once = next((count for count in cores if fitting // (count + 1) >= whole), cores[0])
    height = min(fitting // (at_once + 1), max(whole, LARGEST_STRIP // rows.width), rows.height)
    if height >= whole:
        height -= height % whole
    left = memory - FIXED
    if by_region:  # strips, the table of colours and what is known of regions are there at once
        left = memory - fixed - (at_once + 1) * height * row
    return Plan(Strips(rows.height, height, Threads(at_once), told), left, memory - FIXED)


def _per_pixel(rows: SceneRows) -> int:
    """Return bytes that a pixel of a strip takes on its way from the file to the results."""
    item = rows.dtype.itemsize
    points = rows.channels if rows.is_tabled else max(HASHED, 32 * rows.channels + 32)
    return (rows.channels + 1) * item + points + 12
