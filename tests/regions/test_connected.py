"""Connected regions: components, absorption of the small ones, whose clusters they were."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage import measure

from segment.errors import InvalidInputError
from segment.regions import connected as module
from segment.regions.connected import connected_regions

SIDES = [(-1, 0), (0, -1), (0, 1), (1, 0)]
CORNERS = [(-1, -1), (-1, 1), (1, -1), (1, 1)]


def around(pixel, connectivity):
    """The places next to a pixel, some of them beyond the image."""
    steps = SIDES if connectivity == 4 else SIDES + CORNERS
    return {(pixel[0] + dy, pixel[1] + dx) for dy, dx in steps}


def flooded(labels, connectivity):
    """Connected sets of pixels with one label, by flood fill, in scan order."""
    todo = {place: label for place, label in np.ndenumerate(labels) if label}
    areas = []
    while todo:
        first = min(todo)
        label, area, front = todo[first], set(), [first]
        while front:
            pixel = front.pop()
            if todo.get(pixel) == label:
                del todo[pixel]
                area.add(pixel)
                front += around(pixel, connectivity)
        areas.append(area)
    return areas


def squared_distance(one, other):
    """Between the mean colours of two areas, given as their sums and sizes."""
    (sums, size), (other_sums, other_size) = one, other
    pairs = zip(sums, other_sums, strict=True)
    return sum((a / size - b / other_size) ** 2 for a, b in pairs)


def absorbed(areas, colors, connectivity, min_size):
    """The definition, word by word: the smallest joins its nearest neighbour, again and again.

    An area goes by its first pixel, which is what `min` finds, also to settle ties.
    """
    areas = {min(area): area for area in areas}
    total = {
        first: (sum(colors[pixel].astype(float) for pixel in sorted(area)), len(area))
        for first, area in areas.items()
    }
    while True:
        beside = {}
        for first, area in areas.items():
            if len(area) < min_size:
                touched = {place for pixel in area for place in around(pixel, connectivity)} - area
                found = {other for other in areas if areas[other] & touched}
                beside.update({first: found} if found else {})
        if not beside:
            return [areas[first] for first in sorted(areas)]
        _, small = min((len(areas[first]), first) for first in beside)
        _, other = min((squared_distance(total[small], total[o]), o) for o in beside[small])
        pixels = areas.pop(small) | areas.pop(other)
        (sums, size), (other_sums, other_size) = total.pop(small), total.pop(other)
        areas[min(pixels)] = pixels
        total[min(pixels)] = (sums + other_sums, size + other_size)


def label_of(area, parts, labels):
    """The label of the largest of the parts in an area, at a tie that of the first."""
    largest = max((part for part in parts if part <= area), key=len)  # of several the first
    return labels[min(largest)]


def painted(areas, shape):
    """A map of the areas, numbered as they come."""
    numbers = np.zeros(shape, np.int32)
    for number, area in enumerate(areas, start=1):
        for pixel in area:
            numbers[pixel] = number
    return numbers


@st.composite
def maps(draw):
    """A few labels, some pixels without, and so few colours that distances tie."""
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    few = st.integers(0, draw(st.integers(1, min(4, shape[0] * shape[1]))))
    labels = draw(arrays.arrays(np.int32, shape, elements=few))
    channels = draw(st.sampled_from([1, 3, 5]))
    levels = st.integers(0, draw(st.sampled_from([1, 3, 255])))
    colors = draw(arrays.arrays(np.uint8, (*shape, channels), elements=levels))
    kind = draw(st.sampled_from(["uint8", "float32", "float64", "tenths"]))
    return labels, colors / 10 if kind == "tenths" else colors.astype(kind)


def drawn(text):
    """A map from rows of digits."""
    return np.array([[int(digit) for digit in row] for row in text.split()], np.int32)


@given(maps(), st.sampled_from([4, 8]), st.integers(0, 90), st.sampled_from([1, 2, 5]))
@settings(deadline=None, max_examples=500)
def test_regions_are_those_of_the_definition(map_and_colors, connectivity, min_size, cores):
    """Components, absorption, ties, numbers, clusters are the oracle's on any number of cores."""
    labels, colors = map_and_colors
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("segment.threads.available_cores", lambda: cores)
        patch.setattr(module, "SLICE", 1)
        patch.setattr("segment.regions.absorbing.SLICE", 1)
        found = connected_regions(labels, colors, connectivity=connectivity, min_size=min_size)
    areas = absorbed(flooded(labels, connectivity), colors, connectivity, min_size)
    assert (found.map.dtype, found.clusters.dtype) == (np.int32, np.int32)
    assert found.map.tolist() == painted(areas, labels.shape).tolist()
    parts = flooded(labels, connectivity)
    assert found.clusters.tolist() == [label_of(area, parts, labels) for area in areas]


@given(maps(), st.sampled_from([4, 8]), st.integers(0, 20))
@settings(deadline=None, max_examples=200)
def test_regions_are_connected_and_large_enough(map_and_colors, connectivity, min_size):
    """Regions are connected, numbered in scan order, and only those without neighbours small."""
    labels, colors = map_and_colors
    found = connected_regions(labels, colors, connectivity=connectivity, min_size=min_size).map
    assert ((found == 0) == (labels == 0)).all()
    assert painted(flooded(found, connectivity), found.shape).tolist() == found.tolist()
    for area in flooded(found, connectivity):
        touched = {place for pixel in area for place in around(pixel, connectivity)} - area
        alone = not any(found[place] for place in np.ndindex(found.shape) if place in touched)
        assert len(area) >= min_size or alone


@given(maps(), st.sampled_from([4, 8]), st.integers(0, 20))
@settings(deadline=None, max_examples=100)
def test_absorption_never_splits(map_and_colors, connectivity, min_size):
    """Pixels in one region without a minimum size stay together with one."""
    labels, colors = map_and_colors
    fine = connected_regions(labels, colors, connectivity=connectivity).map
    coarse = connected_regions(labels, colors, connectivity=connectivity, min_size=min_size).map
    pairs = set(zip(fine.ravel().tolist(), coarse.ravel().tolist(), strict=True))
    assert len(pairs) == len(np.unique(fine))


@pytest.mark.parametrize(
    ("labels", "colors", "connectivity", "min_size", "regions"),
    [
        pytest.param("121 111", "000 000", 4, 0, "121 111", id="unlike-neighbours"),
        pytest.param("12 21", "00 00", 4, 0, "12 34", id="corners-do-not-connect"),
        pytest.param("12 21", "00 00", 8, 0, "12 21", id="corners-connect"),
        pytest.param("101 111", "000 000", 4, 0, "101 111", id="connected-around-nothing"),
        pytest.param("101", "000", 8, 9, "102", id="nothing-is-not-bridged"),
        pytest.param("10 01", "00 00", 4, 9, "10 02", id="corners-are-no-neighbours"),
        pytest.param("10 02", "00 00", 8, 9, "10 01", id="corners-are-neighbours"),
        pytest.param("11233", "00577", 4, 2, "11222", id="nearest-mean"),
        pytest.param("11233", "00444", 4, 1, "11233", id="large-enough"),
        pytest.param("11233", "00488", 4, 2, "11122", id="distance-tie-to-the-first"),
        pytest.param("112333", "004555", 4, 3, "111111", id="smallest-first"),
        pytest.param("123", "019", 4, 2, "111", id="last-one-joins-what-has-grown"),
        pytest.param("1234", "0369", 4, 2, "1122", id="equal-sizes-in-scan-order"),
        pytest.param("122233444", "944433111", 4, 3, "111122222", id="means-move"),
    ],
)
def test_drawn_maps(labels, colors, connectivity, min_size, regions):
    """Drawn maps: label, grey value and region of each pixel."""
    options = {"connectivity": connectivity, "min_size": min_size}
    found = connected_regions(drawn(labels), drawn(colors), **options)
    assert found.map.tolist() == drawn(regions).tolist()


@pytest.mark.parametrize(
    ("labels", "min_size", "clusters"),
    [
        pytest.param("131 331", 0, [1, 3, 1], id="own-labels"),
        pytest.param("4422233", 3, [2], id="largest-part"),
        pytest.param("2211", 3, [2], id="first-part-at-a-tie"),
        pytest.param("52212", 6, [2], id="parts-of-one-label-do-not-add-up"),
        pytest.param("221112", 6, [1], id="of-three-parts"),
        pytest.param("0770999", 3, [7, 9], id="alone"),
        pytest.param("000", 3, [], id="nothing"),
    ],
)
def test_clusters_are_those_of_the_largest_parts(labels, min_size, clusters):
    """A region goes by the label of the largest part it was put together from, or the first."""
    regions = connected_regions(drawn(labels), drawn(labels) * 0, min_size=min_size)
    assert regions.clusters.tolist() == clusters


@pytest.mark.parametrize("connectivity", [4, 8])
def test_components_are_those_of_scikit_image(connectivity):
    """On larger maps, without and with a minimum size no region reaches, as skimage's label."""
    labels = np.random.default_rng(0).integers(0, 3, (211, 173)).repeat(3, axis=1)
    expected = measure.label(labels, connectivity=connectivity // 4, background=0)
    np.testing.assert_array_equal(
        connected_regions(labels, labels, connectivity=connectivity).map, expected
    )
    whole = measure.label(labels > 0, connectivity=connectivity // 4)
    found = connected_regions(labels, labels, connectivity=connectivity, min_size=10**20)
    np.testing.assert_array_equal(found.map, whole)


def test_more_regions_than_16_bits_hold():
    """Ninety thousand regions of one pixel keep their numbers, and none stays below a size."""
    labels = np.arange(1, 90_001).reshape(300, 300)
    regions = connected_regions(labels, labels)
    np.testing.assert_array_equal(regions.map, labels)
    np.testing.assert_array_equal(regions.clusters, labels.ravel())
    pairs = connected_regions(labels, labels // 2 * 2.0 + labels / 1e6, min_size=2)
    assert np.bincount(pairs.map.ravel())[1:].min() == 2


@pytest.mark.parametrize("connectivity", [4, 8])
def test_a_hundred_thousand_specks_go_to_what_is_around_them(connectivity):
    """Specks join the half of the image they lie in; those between the halves, the nearer one."""
    expected = np.repeat([[1, 2]], 400, axis=1).repeat(500, axis=0)
    specks = np.zeros(expected.shape, bool)
    specks[1::2, 1::2] = True
    labels, colors = np.where(specks, 3, expected), np.where(expected == 1, 10, 200)
    colors[specks] = 150
    expected[1::2, 399] = 2  # between the halves: 150 is nearer to the right one
    found = connected_regions(labels, colors, connectivity=connectivity, min_size=2)
    np.testing.assert_array_equal(found.map, expected)
    assert found.clusters.tolist() == [1, 2]
    assert connected_regions(labels, colors, connectivity=connectivity).map.max() == 100_002


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (3, 4)])
def test_nothing_labelled(shape):
    """Without labels there is no region, whatever the colours."""
    nothing = connected_regions(np.zeros(shape, np.int32), np.full(shape, np.nan), min_size=5)
    assert nothing.map.tolist() == np.zeros(shape).tolist()
    assert nothing.clusters.tolist() == []


def test_arrays_of_any_layout():
    """Transposed, strided and read-only arrays are taken, and left as they are."""
    rng = np.random.default_rng(1)
    labels, colors = rng.integers(0, 3, (20, 30)), rng.integers(0, 9, (20, 30, 3))
    for array in (labels, colors):
        array.flags.writeable = False
    found = connected_regions(labels.T[::2], colors.transpose(1, 0, 2)[::2], min_size=4)
    copies = labels.T[::2].astype(np.int32), colors.transpose(1, 0, 2)[::2].astype(np.uint8)
    expected = connected_regions(*copies, min_size=4)
    assert found.map.tolist() == expected.map.tolist()
    assert found.clusters.tolist() == expected.clusters.tolist()


GOOD = np.ones((2, 3), np.int32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param((GOOD[0], GOOD[0]), r"labels: .* shape \(3,\), dtype int32", id="1d"),
        pytest.param((GOOD[:0], GOOD[:0]), r"labels: .* non-empty .* \(0, 3\)", id="empty"),
        pytest.param((GOOD * 1.0, GOOD), "labels: .* whole numbers, .* float64", id="float"),
        pytest.param((-GOOD, GOOD), "labels: .* with labels from -1 to -1", id="negative"),
        pytest.param((GOOD * np.int64(2**31), GOOD), "labels: .* to 2147483648", id="beyond-int32"),
        pytest.param((GOOD, GOOD.T), r"colors: .* \(2, 3, C\), got shape \(3, 2\)", id="shape"),
        pytest.param((GOOD, GOOD[..., None, None]), "colors: expected", id="4d"),
        pytest.param((GOOD, np.ones((2, 3, 0))), r"colors: .* \(2, 3, 0\)", id="no-band"),
        pytest.param((GOOD, GOOD * 1j), "colors: .* complex128", id="complex"),
        pytest.param((GOOD, GOOD, 6), "connectivity: expected 4 or 8, got 6", id="connectivity"),
        pytest.param((GOOD, GOOD, 4, -1), "min_size: expected a whole number >= 0", id="min-size"),
        pytest.param(([[1, 2]], [[1, np.nan]], 4, 2), "colors: contains NaN", id="nan"),
    ],
)
def test_what_regions_do_not_take(arguments, message):
    """Errors tell which argument is wrong, what was expected and what was got."""
    labels, colors, *rest = arguments
    options = dict(zip(["connectivity", "min_size"], rest, strict=False))
    with pytest.raises(InvalidInputError, match=message):
        connected_regions(labels, colors, **options)
