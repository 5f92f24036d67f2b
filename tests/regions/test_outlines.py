"""Outlines: the rings of pixel edges around each region, and fewer corners of them."""

import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage import measure

from segment import errors
from segment.regions import outlines
from segment.regions.tracing import traced

MAPS = arrays.arrays(
    np.int32,
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    elements=st.sampled_from([0, 1, 2, 5]),
)


def drawn(picture):
    """Region map from lines of digits; a dot is a zero."""
    return np.array([list(map(int, line)) for line in picture.replace(".", "0").split()], np.int32)


def polygons_of(geometry):
    """The polygons of a geometry, one or many, each a list of rings."""
    several = geometry["type"] == "MultiPolygon"
    return geometry["coordinates"] if several else [geometry["coordinates"]]


def all_polygons(regions):
    """Label and rings of every polygon."""
    outlined = outlines.region_polygons(regions)
    return [(label, rings) for label, geometry in outlined for rings in polygons_of(geometry)]


def signed_area(ring):
    """The shoelace formula, over the numbers as they are."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring)) / 2


def painted(rings, shape):
    """Pixels whose centres have an odd number of sides to their right."""
    inside = np.zeros(shape, bool)
    for ring in rings:
        for (x0, y0), (x1, y1) in pairwise(ring):
            if x0 == x1:
                inside[min(y0, y1) : max(y0, y1), :x0] ^= True
    return inside


def grid_points(ring):
    """Every whole point that a ring passes, in the corners or between them, once round."""
    for (x0, y0), (x1, y1) in pairwise(ring):
        length = max(abs(x1 - x0), abs(y1 - y0))
        for step in range(length):
            yield x0 + (x1 - x0) // length * step, y0 + (y1 - y0) // length * step


@pytest.mark.parametrize(
    ("picture", "rings"),
    [
        pytest.param("1", [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]], id="one-pixel-image"),
        pytest.param("... ..1 ...", [[[2, 1], [3, 1], [3, 2], [2, 2], [2, 1]]], id="one-pixel"),
        pytest.param("111 111", [[[0, 0], [3, 0], [3, 2], [0, 2], [0, 0]]], id="whole-image"),
        pytest.param(
            "1. 1. 11",
            [[[0, 0], [1, 0], [1, 2], [2, 2], [2, 3], [0, 3], [0, 0]]],
            id="L",
        ),
        pytest.param(
            "111 1.1 111",
            [
                [[0, 0], [3, 0], [3, 3], [0, 3], [0, 0]],
                [[1, 2], [2, 2], [2, 1], [1, 1], [1, 2]],
            ],
            id="hole",
        ),
        pytest.param(
            "111 1.1 11.",
            [
                [[0, 0], [3, 0], [3, 2], [2, 2], [2, 3], [0, 3], [0, 0]],
                [[1, 2], [2, 2], [2, 1], [1, 1], [1, 2]],
            ],
            id="hole-touches-the-exterior-at-a-corner",
        ),
        pytest.param(
            "1111 11.1 1.11 1111",
            [
                [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]],
                [[2, 2], [3, 2], [3, 1], [2, 1], [2, 2]],
                [[1, 3], [2, 3], [2, 2], [1, 2], [1, 3]],
            ],
            id="holes-touch-at-a-corner",
        ),
    ],
)
def test_drawn_polygons(picture, rings):
    """A 4-connected region is a polygon: the exterior clockwise on the screen, holes against it."""
    expected = {"type": "Polygon", "coordinates": rings}
    assert list(outlines.region_polygons(drawn(picture))) == [(1, expected)]


def test_parts_that_touch_at_a_corner_are_polygons_of_their_own():
    """A region joined at a corner only is a MultiPolygon, its parts in scan order."""
    found = list(outlines.region_polygons(drawn(".11 3.. .3.")))
    one = [[[1, 0], [3, 0], [3, 1], [1, 1], [1, 0]]]
    parts = [
        [[[0, 1], [1, 1], [1, 2], [0, 2], [0, 1]]],
        [[[1, 2], [2, 2], [2, 3], [1, 3], [1, 2]]],
    ]
    assert found == [
        (1, {"type": "Polygon", "coordinates": [one[0]]}),
        (3, {"type": "MultiPolygon", "coordinates": parts}),
    ]


def test_a_part_in_the_hole_of_another_is_a_polygon_of_its_own():
    """Holes stay with the part around them, also where another part of the region lies inside."""
    (label, geometry), (inner, square) = outlines.region_polygons(
        drawn("11111 12221 12121 12221 11111")
    )
    assert (label, inner) == (1, 2)
    assert geometry["type"] == "MultiPolygon"
    assert geometry["coordinates"] == [
        [
            [[0, 0], [5, 0], [5, 5], [0, 5], [0, 0]],
            [[1, 4], [4, 4], [4, 1], [1, 1], [1, 4]],
        ],
        [[[2, 2], [3, 2], [3, 3], [2, 3], [2, 2]]],
    ]
    assert square["coordinates"] == [
        [[1, 1], [4, 1], [4, 4], [1, 4], [1, 1]],
        [[2, 3], [3, 3], [3, 2], [2, 2], [2, 3]],
    ]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int64", "uint64"])
def test_dtypes_and_layouts_do_not_matter(dtype):
    """The outlines are the same for every integer dtype and memory layout."""
    regions = drawn("1122 1.22 3123")
    expected = list(outlines.region_polygons(regions))
    assert list(outlines.region_polygons(regions.astype(dtype))) == expected
    assert list(outlines.region_polygons(np.asfortranarray(regions, dtype))) == expected


@given(MAPS)
@settings(deadline=None, max_examples=200)
def test_polygons_cover_the_map_without_gaps_or_overlaps(regions):
    """Painted back, the polygons give the map, and no pixel is painted twice."""
    back = np.zeros_like(regions)
    for label, rings in all_polygons(regions):
        inside = painted(rings, regions.shape)
        assert not back[inside].any()
        back[inside] = label
    np.testing.assert_array_equal(back, regions)


@given(MAPS)
@settings(deadline=None, max_examples=200)
def test_each_polygon_is_a_4_connected_part(regions):
    """One polygon covers one 4-connected part; within a region they come in scan order."""
    parts = measure.label(regions, background=0, connectivity=1)
    found = [(label, painted(rings, regions.shape)) for label, rings in all_polygons(regions)]
    numbers = [(label, *np.unique(parts[inside]).tolist()) for label, inside in found]
    assert numbers == sorted((regions[parts == k][0], k) for k in range(1, parts.max() + 1))


@given(MAPS)
@settings(deadline=None, max_examples=200)
def test_areas_are_pixel_counts(regions):
    """Exterior rings have positive areas, holes negative ones; their sum is the pixel count."""
    areas = dict.fromkeys(np.unique(regions[regions > 0]).tolist(), 0)
    for label, (exterior, *holes) in all_polygons(regions):
        assert signed_area(exterior) > 0
        assert all(signed_area(hole) < 0 for hole in holes)
        areas[label] += signed_area(exterior) + sum(map(signed_area, holes))
    assert areas == {label: (regions == label).sum() for label in areas}


@given(MAPS)
@settings(deadline=None, max_examples=200)
def test_rings_are_closed_and_simple(regions):
    """Rings end where they start, turn at every corner and pass no point twice."""
    for ring in (ring for _, rings in all_polygons(regions) for ring in rings):
        assert ring[0] == ring[-1]
        steps = np.diff([*ring, ring[1]], axis=0)
        assert ((steps == 0).sum(axis=1) == 1).all()
        assert (np.diff(steps[:, 0] == 0) != 0).all()
        points = list(grid_points(ring))
        assert len(points) == len(set(points))


@given(MAPS)
@settings(deadline=None, max_examples=100)
def test_rings_start_at_their_topmost_side_with_the_region_below(regions):
    """A ring starts with its first side to the right in scan order; so do holes one by one."""
    for _, (exterior, *holes) in all_polygons(regions):
        for ring in (exterior, *holes):
            sides = pairwise(ring)
            rightward = [(y0, x0) for (x0, y0), (x1, _) in sides if x1 > x0]
            assert rightward[0] == min(rightward)
        starts = [(hole[0][1], hole[0][0]) for hole in holes]
        assert starts == sorted(starts)


def test_a_map_without_regions_has_no_outlines():
    """Where all is 0 there is no polygon."""
    assert list(outlines.region_polygons(np.zeros((2, 3), np.int32))) == []


@pytest.mark.parametrize(
    ("regions", "got"),
    [
        pytest.param(np.ones((2, 2, 2), int), r"shape \(2, 2, 2\)", id="not-2D"),
        pytest.param(np.ones((0, 2), int), r"shape \(0, 2\)", id="empty"),
        pytest.param(np.ones((2, 2)), "float64", id="floats"),
        pytest.param(np.ones((2, 2), bool), "bool", id="bools"),
        pytest.param(np.array([[-1, 2]]), "labels from -1 to 2", id="negative"),
        pytest.param(np.array([[2**31]]), "to 2147483648", id="too-large"),
    ],
)
def test_other_arrays_are_refused(regions, got):
    """What is no region map is refused at once, before the first piece is asked for."""
    with pytest.raises(errors.InvalidInputError, match=f"regions: expected .*{got}"):
        outlines.region_polygons(regions)


def shapes_of(batches):
    """The geometries of batches by shapely, and their labels."""
    shapely = pytest.importorskip("shapely", reason="of the extra 'geo'")
    batches = list(batches)
    kind = shapely.GeometryType.MULTIPOLYGON
    shapes = [
        shapely.from_ragged_array(
            kind, each.corners.astype(float), (each.rings, each.polygons, each.regions)
        )
        for each in batches
    ]
    return np.concatenate(shapes), np.concatenate([each.labels for each in batches])


def blobs(seed=3, size=60):
    """A map of smooth regions that meet in threes, with a hole, and some that are none."""
    from scipy import ndimage

    noise = np.random.default_rng(seed).normal(size=(size, size))
    levels = ndimage.gaussian_filter(noise, 4) * 25
    return np.clip(np.rint(levels).astype(np.int32) + 3, 0, 6)


@given(MAPS)
@settings(deadline=None, max_examples=100)
def test_outlines_with_junctions_are_a_coverage(regions):
    """With junctions, neighbours share the ends of all their sides: shapely's valid coverage."""
    shapely = pytest.importorskip("shapely", reason="of the extra 'geo'")
    if regions.any():
        shapes, _ = shapes_of(traced([regions], regions.shape[1], junctions=True))
        assert shapely.is_valid(shapes).all()
        assert shapely.coverage_is_valid(shapes)


@pytest.mark.parametrize("tolerance", [0.8, 1.5, 4, 30])
@pytest.mark.parametrize("none", [False, True])
def test_simplified_neighbours_share_their_corners(none, tolerance):
    """Simplified polygons are valid, a coverage without gaps or overlaps, of fewer corners."""
    shapely = pytest.importorskip("shapely", reason="of the extra 'geo'")
    regions = blobs() + (not none)
    exact, _ = shapes_of(traced([regions], 60, junctions=True))
    shapes, labels = shapes_of(outlines.simplified([regions], 60, tolerance))
    assert labels.tolist() == np.unique(regions[regions > 0]).tolist()
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    covered = shapely.union_all(shapes)
    assert shapely.area(shapes).sum() == shapely.area(covered)
    assert none or shapely.area(covered) == regions.size
    count = shapely.get_num_coordinates
    assert count(shapes).sum() < (0.7 if tolerance > 1 else 1) * count(exact).sum()
    corners = set(map(tuple, shapely.get_coordinates(exact)))
    assert set(map(tuple, shapely.get_coordinates(shapes))) <= corners


@given(MAPS, st.sampled_from([0.6, 1.1, 3]))
@settings(deadline=None, max_examples=100)
def test_any_map_simplified_is_a_coverage(regions, tolerance):
    """Of any map, with holes, corners that touch and pixels of no region, the same holds."""
    shapely = pytest.importorskip("shapely", reason="of the extra 'geo'")
    if regions.any():
        shapes, _ = shapes_of(outlines.simplified([regions], regions.shape[1], tolerance))
        assert shapely.is_valid(shapes).all()
        assert shapely.coverage_is_valid(shapes)
        assert shapely.area(shapes).sum() == pytest.approx(shapely.area(shapely.union_all(shapes)))


def test_simplified_rings_run_as_all_others():
    """Exteriors run clockwise on the screen, holes against it, also with fewer corners."""
    pytest.importorskip("shapely", reason="of the extra 'geo'")
    batches = outlines.simplified([blobs()], 60, 1.5)
    found = [each for batch in batches for each in outlines.geometries(batch)]
    assert [label for label, _ in found] == list(range(1, 7))
    polygons = [rings for _, geometry in found for rings in polygons_of(geometry)]
    assert any(len(rings) > 1 for rings in polygons)
    for exterior, *holes in polygons:
        assert signed_area(exterior) > 0
        assert all(signed_area(hole) < 0 for hole in holes)


def test_strips_and_batches_are_simplified_together(monkeypatch):
    """What comes in strips and batches goes out in batches, of the same shapes as the whole."""
    shapely = pytest.importorskip("shapely", reason="of the extra 'geo'")
    regions = blobs() + 1
    whole, _ = shapes_of(outlines.simplified([regions], 60, 2))
    monkeypatch.setattr("segment.regions.tracing.BATCH", 10)
    batches = list(outlines.simplified(np.split(regions, [7, 30]), 60, 2))
    assert len(batches) > 3
    assert shapely.equals_exact(shapes_of(batches)[0], whole).all()


def test_nothing_simplified_is_nothing():
    """A map without regions has no outlines to simplify."""
    pytest.importorskip("shapely", reason="of the extra 'geo'")
    assert list(outlines.simplified([np.zeros((2, 2), int)], 2, 1)) == []


def test_simplifying_names_the_package_it_needs(monkeypatch):
    """Without shapely the error says which extra to install."""
    monkeypatch.setitem(sys.modules, "shapely", None)
    with pytest.raises(errors.MissingPackageError, match=r"shapely: .*meanshift-segment\[geo\]"):
        list(outlines.simplified([np.ones((1, 1), int)], 1, 1))
