"""A scene to strips for the memory there may be; and what an image takes that is not cut."""

from __future__ import annotations

from dataclasses import dataclass

from segment.errors import InvalidInputError
from segment.scenes.rows import SceneRows
from segment.scenes.strips import Strips, Told, nobody
from segment.threads import available_cores

FIXED = 160 << 20  # bytes of the program, its libraries and buffers
COLOR_TABLES = 224 << 20  # counters and labels of all 8-bit colours
LARGEST_STRIP = 1 << 23  # pixels beyond which nothing gets faster
COLORS_SHARE = 3  # the strips take a third of what is left, or more where colours are few


@dataclass(frozen=True)
class Plan:
    """How a scene is cut, and what is left for what is known of its colours and regions."""

    strips: Strips
    memory: int


def needed_in_memory(pixels: int, channels: int, item_bytes: int, *, by_region: bool) -> int:
    """Return about how many bytes an image takes that is segmented in memory.

    The values as stored, their points (8-bit values are those), labels and what is written; where
    points are not of 8 bits also the keys by which equal ones are found; regions if there are any.

    Examples
    --------
    >>> needed_in_memory(400_000_000, 3, 1, by_region=False) >> 20
    4596
    """
    points = 0 if item_bytes == 1 and channels in (1, 3) else 24 * channels + 24
    regions = 8 + (0 if points else 8 * channels) if by_region else 0
    return FIXED + pixels * (channels * item_bytes + points + 9 + regions)


def planned(rows: SceneRows, memory: int, told: Told = nobody) -> Plan:
    """Return how to cut a scene for so many bytes.

    Strips are as high as a third of the memory allows for all of those that are under way, in
    whole rows of the file's tiles if that fits.

    Raises
    ------
    InvalidInputError
        If the memory is too small to work in: how much is needed at least.
    """
    tables = COLOR_TABLES if rows.in_bytes and rows.channels == 3 else 0
    left = memory - FIXED - tables
    row = rows.width * _per_pixel(rows)
    cores = available_cores()
    least = FIXED + tables + 2 * COLORS_SHARE * row
    if memory < least:
        raise InvalidInputError(
            f"memory: expected at least {-(-least >> 20)}M for rows of {rows.width} pixels, "
            f"got {memory >> 20}M; raise --memory"
        )
    share = left // COLORS_SHARE if not tables else left * 2 // COLORS_SHARE
    at_once = max(1, min(cores, share // row - 1))
    height = min(share // (row * (at_once + 1)), -(-LARGEST_STRIP // rows.width), rows.height)
    whole = rows.source.preferred_rows
    while at_once > 1 and height < whole <= share // (row * 2):  # tiles are worth more than cores
        at_once -= 1
        height = min(share // (row * (at_once + 1)), rows.height)
    if height >= whole:
        height -= height % whole
    strips = Strips(rows.height, max(1, height), at_once, told)
    return Plan(strips, left - share)


def _per_pixel(rows: SceneRows) -> int:
    """Return bytes that a pixel of a strip takes on its way from the file to the results."""
    item = rows.dtype.itemsize
    points = rows.channels if rows.in_bytes else 32 * rows.channels + 32
    return (rows.channels + 1) * item + 2 * points + 16
