"""Small regions of a scene: absorbed as in memory, in passes over the strips or by their graph."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segment.regions.connected import connected_regions
from segment.scenes import scene_regions, small_regions
from segment.settings import Settings
from segment.strips.rows import SceneRows
from segment.strips.scratch import Forgetful
from segment.strips.strips import Strips, Threads
from tests.scenes.sources import ArraySource

MAPS = arrays(
    np.int32, st.tuples(st.integers(1, 14), st.integers(1, 9)), elements=st.integers(0, 3)
)
ALL = 1 << 40


def found_in(labels, colors, height, asked, memory):
    """Return the regions of a scene with labels, cut into strips, and their map."""
    rows, strips = SceneRows(ArraySource(colors), [0]), Strips(len(labels), height, Threads(2))
    with mock.patch.object(scene_regions, "most_regions", return_value=ALL):
        found = scene_regions.scene_regions(
            rows,
            lambda rows, top, bottom: labels[top:bottom].copy(),
            asked,
            strips,
            Forgetful(),
            pixels=labels.size,
            memory=memory,
        )
    return found, np.concatenate([found.labels(rows, *strip) for strip in strips])


def check(labels, colors, height, min_size, connectivity, memory):
    """Assert that a scene has the regions of the map, their clusters and their means."""
    options = {"connectivity": connectivity, "min_size": min_size}
    whole = connected_regions(labels, colors, **options)
    found, region_map = found_in(labels, colors, height, Settings(**options), memory)
    assert np.array_equal(region_map, whole.map)
    assert np.array_equal(found.clusters, whole.clusters)
    for number in range(1, len(whole.clusters) + 1):
        values = colors[whole.map == number]
        assert found.sizes[number - 1] == len(values)
        assert found.means[number - 1, 0] == values.sum(dtype=float) / len(values)


@given(
    MAPS,
    st.integers(0, 9),
    st.integers(1, 14),
    st.integers(2, 30),
    st.sampled_from([4, 8]),
    st.sampled_from([0, 1500, 4000, ALL]),
)
@example(np.array([[1], [2], [2], [2], [1], [3]], np.int32), 3, 1, 4, 4, 0)
@settings(deadline=None, max_examples=80)
def test_whatever_the_memory_regions_are_those_of_the_map(
    labels, seed, height, min_size, connectivity, memory
):
    """Passes over the strips, a graph, and some of both give what memory gives, to the bit."""
    colors = np.random.default_rng(seed).integers(0, 4, labels.shape, np.uint8) * np.uint8(60)
    check(labels, colors, height, min_size, connectivity, memory)


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("memory", [0, 1 << 21, ALL])
def test_a_noisy_scene_is_absorbed_in_any_memory(connectivity, memory):
    """Thousands of regions of a few pixels, cut into strips of 7 rows, end as in memory."""
    generator = np.random.default_rng(5)
    colors = generator.integers(0, 256, (90, 120), np.uint8)
    check(colors // np.int32(60) + np.int32(1), colors, 7, 40, connectivity, memory)


def test_passes_go_on_until_the_graph_fits():
    """The regions of the graph are those that its memory holds, not one pass later."""
    generator = np.random.default_rng(5)
    colors = generator.integers(0, 256, (90, 120), np.uint8)
    labels = colors // np.int32(60) + np.int32(1)
    counts = []

    def counted(listed, sums, min_size):
        counts.append(len(sums))
        return small_regions_absorbed(listed, sums, min_size)

    small_regions_absorbed = small_regions.absorbed
    asked = Settings(min_size=40)
    with mock.patch.object(small_regions, "absorbed", counted):
        for memory in (ALL, 1 << 19, 200_000):
            found_in(labels, colors, 7, asked, memory)
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) == 3
    assert small_regions._bytes_of_graph(np.empty((counts[1], 2))) <= 1 << 19
    assert small_regions._bytes_of_graph(np.empty((counts[2], 2))) <= 200_000
