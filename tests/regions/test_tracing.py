"""Outlines by strips: the same rings however the rows are cut, in memory that is bounded."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage import measure

from segment import errors, segment_image
from segment.regions import outlines, tracing

SAMPLES = Path(__file__).parents[2] / "sample_images"

MAPS = arrays.arrays(
    np.int32,
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    elements=st.sampled_from([0, 1, 2, 5]),
)
TURNS = {(1, 0): (0, 1), (0, 1): (-1, 0), (-1, 0): (0, -1), (0, -1): (1, 0)}  # to the right


def slow_outlines(regions):
    """Polygons of each label by walking sides of single pixels, part by part, as the words say."""
    parts = measure.label(regions, background=0, connectivity=1)
    found = {}
    for part in range(1, parts.max() + 1):
        inside = {(int(x), int(y)) for y, x in np.argwhere(parts == part)}
        sides = set()  # from a corner in a direction, the part on the right
        for x, y in inside:
            around = [((x, y - 1), (x, y), (1, 0)), ((x + 1, y), (x + 1, y), (0, 1))]
            around += [((x, y + 1), (x + 1, y + 1), (-1, 0)), ((x - 1, y), (x, y + 1), (0, -1))]
            sides |= {(place, way) for other, place, way in around if other not in inside}
        rings = []
        while starts := [(y, x) for (x, y), way in sides if way == (1, 0)]:
            y, x = min(starts)
            rings.append(walked((x, y), sides))
        label = int(regions.ravel()[(parts.ravel() == part).argmax()])
        found.setdefault(label, []).append(rings)
    return [(label, found[label]) for label in sorted(found)]


def walked(place, sides):
    """Corners of the ring that runs right from a place, its sides taken out; left before right."""
    way, ring = (1, 0), [list(place)]
    while True:
        sides.remove((place, way))
        place = (place[0] + way[0], place[1] + way[1])
        right = TURNS[way]
        left = (-right[0], -right[1])
        if [*place] == ring[0]:
            return [*ring, ring[0]]
        turn = next(each for each in (left, way, right) if (place, each) in sides)
        if turn != way:
            ring.append([*place])
        way = turn


def nested(batches):
    """Label and polygons as nested lists."""
    for outlined in batches:
        for label, geometry in outlines.geometries(outlined):
            several = geometry["type"] == "MultiPolygon"
            yield label, geometry["coordinates"] if several else [geometry["coordinates"]]


def traced(regions, cuts=(), **options):
    """Polygons of a map that comes in strips."""
    strips = [strip for strip in np.split(regions, sorted(cuts)) if len(strip)]
    return list(nested(tracing.traced(strips, regions.shape[1], **options)))


@given(MAPS, st.sets(st.integers(1, 8)))
@settings(deadline=None, max_examples=150)
def test_outlines_are_those_of_a_slow_walk_however_the_rows_are_cut(regions, cuts):
    """Strips of any heights give the rings that a walk around each part of the whole map gives."""
    assert traced(regions, cuts) == slow_outlines(regions)


@pytest.mark.parametrize("heights", [1, 7])
def test_strips_of_a_photo_give_what_the_whole_gives(heights):
    """Of a photo's clusters, in many parts with holes, strips give the same geometries."""
    from PIL import Image

    photo = np.asarray(Image.open(SAMPLES / "coffee.png").convert("RGB"))[:100]
    labels = segment_image(photo, bandwidth=12).labels
    whole = list(nested(tracing.traced([labels], labels.shape[1])))
    assert traced(labels, range(heights, len(labels), heights)) == whole


def test_what_has_closed_goes_to_a_file_beyond_a_bound(tmp_path):
    """Beyond the bound corners lie in a temporary file, the outlines are the same, and it goes."""
    regions = np.random.default_rng(0).integers(0, 3, (60, 50))
    expected = traced(regions)
    with tracing.OutlineTracer(50, in_memory=100, folder=str(tmp_path)) as tracer:
        for row in regions:
            tracer.add(row[None])
        assert tracer._corners._rolled
        found = list(nested(tracer.outlines()))
    assert found == expected
    assert not list(tmp_path.iterdir())


def test_regions_come_by_batches(monkeypatch):
    """Many outlines come some at a time, each region whole, in the order of the labels."""
    monkeypatch.setattr(tracing, "BATCH", 50)
    monkeypatch.setattr(tracing, "GAP", 3)
    regions = np.random.default_rng(1).integers(0, 40, (30, 20))
    batches = list(tracing.traced([regions], 20))
    assert len(batches) > 10
    assert [label for each in batches for label in each.labels] == list(range(1, 40))
    assert list(nested(batches)) == slow_outlines(regions)


def test_a_temporary_file_that_cannot_be_written(tmp_path):
    """Where the file of closed rings cannot be made, the error says where it was to lie."""
    with tracing.OutlineTracer(9, in_memory=10, folder=str(tmp_path / "none")) as tracer:
        tracer.add(np.ones((2, 9), int))
        with pytest.raises(errors.ImageFileError, match=r"a temporary file in .*none: "):
            tracer.add(np.zeros((2, 9), int))


def test_strips_of_another_width_are_refused():
    """Every strip is as wide as was said."""
    with (
        tracing.OutlineTracer(3) as tracer,
        pytest.raises(errors.InvalidInputError, match="expected strips 3 wide, got one 2 wide"),
    ):
        tracer.add(np.ones((1, 2), int))


@pytest.mark.parametrize(
    ("regions", "what"),
    [
        pytest.param(np.arange(1, 18)[None], "corners", id="corners"),
        pytest.param(np.arange(1, 30)[:, None], "parts", id="parts"),
    ],
)
def test_more_than_32_bits_number(monkeypatch, regions, what):
    """A map with more open corners or more parts than are numbered is refused."""
    monkeypatch.setattr(tracing, "LARGEST_LABEL", 20)
    with pytest.raises(errors.InvalidInputError, match=f"expected at most 20 {what}; merge"):
        traced(regions)


def straightened(ring):
    """A closed ring without the corners at which it goes straight on."""
    ways = [(np.sign(x1 - x0), np.sign(y1 - y0)) for (x0, y0), (x1, y1) in pairwise(ring)]
    corners = [
        corner
        for corner, way, before in zip(ring, ways, [ways[-1], *ways], strict=False)
        if way != before
    ]
    return [*corners, corners[0]]


@given(MAPS, st.sets(st.integers(1, 8)))
@settings(deadline=None, max_examples=150)
def test_with_junctions_neighbours_have_the_ends_of_shared_sides_in_common(regions, cuts):
    """A corner of one polygon on the side of another is a corner of that too; all else is equal."""
    found = traced(regions, cuts, junctions=True)
    plain = [(k, [[straightened(ring) for ring in rings] for rings in each]) for k, each in found]
    assert plain == slow_outlines(regions)
    rings = [ring for _, each in found for polygon in each for ring in polygon]
    corners = {tuple(corner) for ring in rings for corner in ring}
    for ring in rings:
        for (x0, y0), (x1, y1) in pairwise(ring):
            steps = max(abs(x1 - x0), abs(y1 - y0))
            between = {
                (x0 + (x1 - x0) // steps * step, y0 + (y1 - y0) // steps * step)
                for step in range(1, steps)
            }
            assert not between & corners
