"""Merging: which adjacent regions become one, in what order, and whose clusters they are."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segment import segment_image
from segment.errors import InvalidInputError
from segment.regions import connected as module
from segment.regions.connected import connected_regions

SIDES = [(0, 1), (1, 0)]
CORNERS = [(1, 1), (1, -1)]


def steps_between(regions, colors, connectivity, reach):
    """The step of colour at each pair of neighbours that a border parts, by pair of regions."""
    height, width = regions.shape
    steps = {}

    def color(near, far):
        inside = 0 <= far[0] < height and 0 <= far[1] < width
        return colors[far if inside and regions[far] else near].astype(float)

    for (y, x), one in np.ndenumerate(regions):
        for dy, dx in SIDES if connectivity == 4 else SIDES + CORNERS:
            if y + dy < height and 0 <= x + dx < width:
                other = regions[y + dy, x + dx]
                if one and other and one != other:
                    here = color((y, x), (y - reach * dy, x - reach * dx))
                    there = color((y + dy, x + dx), (y + dy + reach * dy, x + dx + reach * dx))
                    step = np.float32(np.sqrt(sum((here - there) ** 2)))
                    steps.setdefault(frozenset((one, other)), []).append(float(step))
    return steps


def merged(regions, colors, connectivity, limit, reach=0):
    """The definition, word by word; a region goes by its lowest number, the first in scan order."""
    steps = steps_between(regions, colors, connectivity, reach)
    groups = {number: {number} for number in range(1, regions.max() + 1)}
    total = {n: (sum(colors[regions == n].astype(float)), (regions == n).sum()) for n in groups}
    waiting, pixels = set(groups), np.count_nonzero(regions)

    def difference(one, other):
        across = [
            s
            for pair, found in steps.items()
            if len(pair & groups[one]) == len(pair & groups[other]) == 1
            for s in found
        ]
        (a, n), (b, m) = total[one], total[other]
        if not across:
            return np.inf
        apart = np.sqrt(sum((a / n - b / m) ** 2)) + 2 * sum(across) / len(across)
        return apart * math.cbrt(n * m / (n + m) / pixels)

    while waiting:
        small = min(waiting, key=lambda number: (total[number][1], number))
        waiting.remove(small)
        larger = [n for n in groups if n != small and total[n][1] >= total[small][1]]
        least, other = min(((difference(small, n), n) for n in larger), default=(np.inf, 0))
        if least < limit:
            kept, gone = sorted([small, other])
            groups[kept] |= groups.pop(gone)
            (a, n), (b, m) = total[kept], total.pop(gone)
            total[kept] = a + b, n + m
            waiting = waiting - {gone} | {kept}
    table = np.zeros(regions.max() + 1, np.int32)
    for number, kept in enumerate(sorted(groups), start=1):
        table[list(groups[kept])] = number
    return table[regions]


@st.composite
def maps(draw):
    """A few labels, some pixels without, and so few colours that differences tie."""
    shape = draw(st.tuples(st.integers(1, 8), st.integers(1, 8)))
    labels = draw(arrays.arrays(np.int32, shape, elements=st.integers(0, 4)))
    channels = draw(st.sampled_from([1, 3]))
    levels = st.integers(0, draw(st.sampled_from([1, 3, 255])))
    colors = draw(arrays.arrays(np.uint8, (*shape, channels), elements=levels))
    return labels, colors.astype(draw(st.sampled_from(["uint8", "float32", "float64"])))


def drawn(text):
    """A map from rows of digits."""
    return np.array([[int(digit) for digit in row] for row in text.split()], np.int32)


@given(maps(), st.sampled_from([4, 8]), st.sampled_from([0, 0.5, 1, 2, 5, 50, 1e3]))
@settings(deadline=None, max_examples=300)
def test_merging_is_that_of_the_definition(map_and_colors, connectivity, limit):
    """Order, costs, ties and numbers are the oracle's, with and without a minimum size."""
    labels, colors = map_and_colors
    for min_size in (0, 3):
        options = {"connectivity": connectivity, "min_size": min_size}
        fine = connected_regions(labels, colors, **options)
        found = connected_regions(labels, colors, merge=limit, **options)
        assert found.map.tolist() == merged(fine.map, colors, connectivity, limit).tolist()


@given(maps(), st.sampled_from([4, 8]), st.integers(1, 4), st.sampled_from([1, 5, 50]))
@settings(deadline=None, max_examples=200)
def test_steps_are_taken_farther_out_in_large_images(map_and_colors, connectivity, blur, limit):
    """The step across a border spans a share of the image, but for pixels that are not there."""
    labels, colors = map_and_colors
    fine = connected_regions(labels, colors, connectivity=connectivity)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLUR", blur)
        found = connected_regions(labels, colors, connectivity=connectivity, merge=limit)
    reach = max(labels.shape) // blur
    assert found.map.tolist() == merged(fine.map, colors, connectivity, limit, reach).tolist()


@given(maps(), st.sampled_from([4, 8]), st.sampled_from([1, 5, 50]))
@settings(deadline=None, max_examples=100)
def test_merging_never_splits(map_and_colors, connectivity, limit):
    """Each region becomes part of one, connected, that has the cluster of a largest part."""
    labels, colors = map_and_colors
    fine = connected_regions(labels, colors, connectivity=connectivity)
    coarse = connected_regions(labels, colors, connectivity=connectivity, merge=limit)
    again = connected_regions(coarse.map, colors, connectivity=connectivity)
    assert again.map.tolist() == coarse.map.tolist()
    sizes = np.bincount(fine.map.ravel())
    for number, cluster in enumerate(coarse.clusters, start=1):
        parts = np.unique(fine.map[coarse.map == number])
        assert sizes[parts].sum() == np.count_nonzero(coarse.map == number)
        largest = parts[np.argmax(sizes[parts])]  # of several the first
        assert cluster == fine.clusters[largest - 1]


@pytest.mark.parametrize(
    ("labels", "colors", "limit", "regions"),
    [
        pytest.param("1122", "0033", 0, "1122", id="off"),
        pytest.param("1122", "0033", 5.66, "1122", id="not-below"),  # 9 * (1 / 4) ** (1 / 3)
        pytest.param("1122", "0033", 5.67, "1111", id="below"),
        pytest.param("1102", "0003", 99, "1102", id="nothing-is-not-bridged"),
        pytest.param("11233", "00577", 5, "11222", id="nearest"),
        pytest.param("1112333", "0002444", 3, "1111222", id="tie-to-the-first"),
        pytest.param("111222 111222", "005500 555550", 4, "111111 111111", id="soft-border"),
        pytest.param("1111222333333", "0000333888888", 7, "1111111222222", id="means-move"),
        pytest.param("11111111222", "00000000888", 11, "11111111222", id="large-ones-stay"),
        pytest.param("11111111112", "00000000008", 11, "11111111111", id="small-ones-go"),
    ],
)
def test_drawn_maps(labels, colors, limit, regions):
    """Drawn maps: label, grey value and region of each pixel."""
    found = connected_regions(drawn(labels), drawn(colors), merge=limit)
    assert found.map.tolist() == drawn(regions).tolist()


def test_a_segment_below_the_limit_is_merged_by_the_whole_method():
    """`segment_image` numbers regions once it merges, and merges what clustering kept apart."""
    image = np.zeros((20, 20, 3), np.uint8)
    image[:, 10:], image[5:8, 5:8] = 100, 60
    options = {"bandwidth": 20}
    apart = segment_image(image, connected=True, **options)
    assert np.unique(apart.labels).tolist() == [1, 2, 3]
    together = segment_image(image, merge=100, **options)
    assert together.sizes.tolist() == [200, 200]
    assert together.labels[6, 6] == 1
    assert together.colors[0].tolist() == [round(60 * 9 / 200)] * 3
    assert together.mode_colors.tolist() == [[0] * 3, [100] * 3]


def test_many_specks_and_a_large_region():
    """Ninety thousand specks join what surrounds them, and the regions keep their numbers."""
    labels = np.ones((600, 600), np.int32)
    specks = labels[::2, ::2].shape
    labels[1::2, 1::2] = np.arange(2, 2 + specks[0] * specks[1]).reshape(specks)
    colors = np.where(labels > 1, 200, 100).astype(np.uint8)
    assert connected_regions(labels, colors).map.max() == 90_001
    assert connected_regions(labels, colors, merge=9).map.max() == 1
    assert connected_regions(labels, colors, merge=1).map.max() == 90_001


@pytest.mark.parametrize("merge", [-1, float("nan"), float("inf"), "1"])
def test_what_is_no_limit_is_refused(merge):
    """The limit is a number of at least 0."""
    with pytest.raises(InvalidInputError, match=r"merge: expected a number >= 0, got"):
        connected_regions([[1, 2]], [[1, 2]], merge=merge)
