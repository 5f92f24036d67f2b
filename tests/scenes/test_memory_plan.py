"""How scenes are cut for the memory there may be."""

from dataclasses import replace

import numpy as np
import pytest

from segment import InvalidInputError
from segment.scenes import memory_plan
from segment.scenes.memory_plan import planned
from segment.strips.rows import SceneRows
from segment.strips.spare_file import SpareFile
from segment.threads import at_most
from tests.scenes.sources import ArraySource


def rows_of(height, width, preferred_rows=1, channels=3):
    image = np.broadcast_to(np.uint8(0), (height, width, channels))
    return SceneRows(ArraySource(image, preferred_rows=preferred_rows), range(channels))


@pytest.mark.parametrize("preferred", [16, 64, 256])
def test_strips_are_whole_rows_of_tiles_where_that_fits(preferred):
    """Strips begin where rows of tiles begin, so that no tile is decompressed twice."""
    with at_most(2):
        strips = planned(rows_of(5000, 1000, preferred), 300 << 20).strips
    assert strips.rows % preferred == 0
    assert strips.crew.at_once >= 1


def test_more_memory_gives_higher_strips_up_to_a_bound():
    """Strips grow with the memory until there is nothing to be gained."""
    rows = rows_of(50_000, 10_000)
    heights = [planned(rows, memory << 20).strips.rows for memory in (220, 260, 300, 60_000)]
    assert heights == sorted(set(heights))
    assert heights[-1] == memory_plan.LARGEST_STRIP // 10_000


def test_cores_are_given_up_for_whole_rows_of_tiles():
    """Where rows of tiles are too high for a strip on each core, fewer cores work."""
    rows = rows_of(4096, 4000, preferred_rows=512)
    memory = memory_plan.FIXED + memory_plan.COLOR_COUNTERS + 4000 * 11 * 512 * 2
    with at_most(8):
        strips = planned(rows, memory + (1 << 20)).strips
    assert (strips.rows, strips.crew.at_once) == (512, 1)


def test_a_limit_below_two_rows_is_an_error_that_names_what_is_needed():
    """The least that is worked in is what the error says."""
    rows = rows_of(100, 1_000_000)
    with pytest.raises(
        InvalidInputError, match=r"expected at least (\d+)M .* raise --memory"
    ) as told:
        planned(rows, 200 << 20)
    least = int(str(told.value).split("at least ")[1].split("M")[0])
    assert planned(rows, least << 20).strips.rows == 1


@pytest.mark.parametrize("memory", [200, 260, 300, 400, 1000])
@pytest.mark.parametrize("by_region", [False, True])
@pytest.mark.parametrize(("channels", "kind"), [(3, np.uint8), (4, np.uint16)])
def test_what_is_planned_fits_the_memory(memory, by_region, channels, kind):
    """Strips under way, rows of tiles read for them and rows remembered fit it together."""
    image = np.broadcast_to(kind(0), (4096, 2000, channels))
    rows = SceneRows(ArraySource(image, preferred_rows=512), range(channels))
    plan = planned(rows, memory << 20, by_region=by_region)
    at_once, height = plan.strips.crew.at_once, plan.strips.rows
    least = 2 * rows.bytes_of_row + 4 * rows.width  # of a pixel: read, as points, its label
    taken = memory_plan.FIXED + (at_once + 1) * height * least + plan.remembered.most
    taken += at_once * 512 * rows.bytes_of_row * (height < 512)
    assert taken <= memory << 20
    assert (plan.remembered.most == 0) >= by_region


def test_low_strips_share_the_rows_of_tiles_that_they_lie_in(tmp_path):
    """Where a row of tiles is too high for a strip it is read once for several, into a file."""
    image = np.broadcast_to(np.uint16(0), (1024, 2000, 4))
    source = ArraySource(image, preferred_rows=512)
    rows = SceneRows(source, range(4))
    plan = planned(rows, 200 << 20)
    assert plan.strips.rows < 256
    rows = replace(rows, remembered=plan.remembered)
    rows.remembered.spare = SpareFile(tmp_path / "spare", 1 << 30)
    for _ in range(2):
        for top, bottom in plan.strips:
            rows.stored(top, bottom)
    assert source.reads == [(0, 512), (512, 1024)]
