"""A scene to strips for the memory there may be."""

from __future__ import annotations

from dataclasses import dataclass

from segment.errors import InvalidInputError
from segment.meanshift.points import MANY
from segment.memory_limit import FIXED
from segment.strips.remembered import Remembered
from segment.strips.rows import SceneRows
from segment.strips.strips import Strips, Threads, Told, nobody
from segment.threads import available_cores

COLOR_COUNTERS = 64 << 20  # of all 8-bit colours, 32 bits each, or twice that; or of their labels
HASHED = 96  # bytes of a pixel that no other is equal to, while strips are counted by hashing
LARGEST_STRIP = 1 << 22  # pixels beyond which nothing gets faster, but for whole rows of tiles
OF_REGIONS = 3  # where there are regions, they get twice as much as the strips at least


@dataclass(frozen=True)
class Plan:
    """How a scene is cut, and what is left beside the strips.

    Attributes
    ----------
    strips : Strips
    memory : int
        Bytes for what is known of its colours and regions.
    windows : int
        Bytes for climbs of joint features, which are over before that.
    remembered : Remembered
        Takes what colours leave of these. Where there are regions, or windows of joint features,
        nothing is left.
    """

    strips: Strips
    memory: int
    windows: int
    remembered: Remembered


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
    words = 1 if rows.height * rows.width < MANY else 2
    fixed = FIXED + (words * COLOR_COUNTERS if counted else 0)
    parts = OF_REGIONS if by_region else 1
    row = rows.width * _per_pixel(rows, by_region)
    least = fixed + 2 * row * parts
    if memory < least:
        raise InvalidInputError(
            f"memory: expected at least {-(-least >> 20)}M for rows of {rows.width} pixels, "
            f"got {memory >> 20}M; raise --memory"
        )
    room = (memory - fixed) // parts
    height, at_once = _cut(rows, room // row)
    whole = min(rows.source.preferred_rows, rows.height)
    tiles = at_once * whole * rows.bytes_of_row  # read at once by strips that are lower
    in_tiles = height >= whole or tiles + max(2 * row, room // 2) <= room
    if height < whole and in_tiles:
        height, at_once = _cut(rows, (room - tiles) // row)
        room -= tiles
    taken = (at_once + 1) * height * row
    strips = Strips(rows.height, height, Threads(at_once), told)
    left = memory - fixed - taken if by_region else memory - FIXED  # regions come beside strips
    if joint:
        return Plan(strips, left, memory - FIXED, Remembered())
    block = max(height, whole) if in_tiles else height
    spare = 0 if by_region else max(0, room - taken)
    return Plan(
        strips, left, memory - FIXED, Remembered(spare, rows.height, block, rows.bytes_of_row)
    )


def _cut(rows: SceneRows, fitting: int) -> tuple[int, int]:
    """Return how high strips are, and how many are worked on, if so many rows fit the memory."""
    whole = min(rows.source.preferred_rows, rows.height)
    cores = [count for count in range(available_cores(), 0, -1) if fitting // (count + 1)]
    at_once = next((count for count in cores if fitting // (count + 1) >= whole), cores[0])
    height = min(fitting // (at_once + 1), max(whole, LARGEST_STRIP // rows.width), rows.height)
    return height - height % whole if height >= whole else height, at_once


def _per_pixel(rows: SceneRows, by_region: bool) -> int:
    """Return bytes that a pixel of a strip takes on its way from the file to the results.

    Where points are looked up in a table these are its values, and its label and what is written of
    it, 4 bytes and a colour, when values are gone; elsewhere its points, and sums of them, too.
    """
    read = rows.bytes_of_row // rows.width
    if rows.is_tabled and not by_region:
        return read + 4 + (rows.channels + 1 if rows.has_alpha else rows.channels)
    return read + 12 + (rows.channels if rows.is_tabled else max(HASHED, 32 * rows.channels + 32))
