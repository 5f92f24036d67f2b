"""The joint domain: pixels as points, and the bins of those as seeds."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import cluster
from sklearn.neighbors import NearestNeighbors

from segment import InvalidInputError, segment_image
from segment.meanshift.modes import climb_to_ends
from segment.pixels.joint import build_pyramid, joint_points, joint_seeds, pixel_points
from tests import oracles


def test_points_are_those_of_the_oracle():
    """Points are (x, y, channels) over their units, in scan order, of the visible pixels only."""
    image = np.arange(105, dtype=np.uint8).reshape(5, 7, 3)
    visible = image[..., 0] % 2 == 0
    expected = oracles.joint_points(image, 3.7, 11.3)
    np.testing.assert_array_equal(pixel_points(image, None, (3.7, 11.3)), expected)
    np.testing.assert_array_equal(
        pixel_points(image, visible, (3.7, 11.3)), expected[visible.ravel()]
    )
    (one,) = joint_points(image[2:3, 4], np.array([4]), np.array([2]), (3.7, 11.3))
    np.testing.assert_array_equal(one, expected[2 * 7 + 4])


def row_column_color(seed):
    return seed[1], seed[0], *seed[2:]


def expected_seeds(points, bin_size, min_bin_freq):
    """What scikit-learn's seeds are, by row of bins, then column, then colour."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Binning data failed")
        seeds = cluster.get_bin_seeds(points, bin_size, min_bin_freq)
    if seeds is points:
        return points
    rows = sorted(seeds.tolist(), key=row_column_color)
    return np.array(rows, dtype=seeds.dtype).reshape(-1, points.shape[1])


@st.composite
def images(draw):
    """Few values or many, whole or not, of some size, with or without a mask."""
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    shape = draw(st.tuples(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3])))
    image = rng.integers(0, draw(st.sampled_from([1, 5, 256])), shape).astype(np.uint8)
    visible = (
        rng.random(shape[:2]) < draw(st.sampled_from([0.05, 0.7])) if draw(st.booleans()) else None
    )
    if visible is not None:
        visible.flat[rng.integers(visible.size)] = True
    scale = draw(st.sampled_from([None, 1.0, 0.1, -7.3]))
    return image if scale is None else image * scale, visible


UNITS = [(1.0, 1.0), (4.0, 16.0), (7.3, 9.1), (0.3, 200.0), (1e30, 5.0), (3.0, 1e-7), (1e-9, 1e-6)]


@given(
    images(),
    st.sampled_from(UNITS),
    st.sampled_from([0.5, 1.0, 3.37, 50.0]),
    st.sampled_from([float, np.float64]),
    st.sampled_from([1, 1, 2, 5]),
)
@settings(deadline=None, max_examples=300)
def test_seeds_are_those_of_scikit_learn(drawn, units, bin_size, kind, min_bin_freq):
    """Seeds and their dtype are scikit-learn's for the same points, in the order that is said."""
    image, visible = drawn
    points = pixel_points(image, visible, units)
    assume(min_bin_freq == 1 or expected_seeds(points, kind(bin_size), 1) is not points)
    expected = expected_seeds(points, kind(bin_size), min_bin_freq)
    found = joint_seeds(image, visible, units, kind(bin_size), min_bin_freq)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_seeds_of_a_photo(bundled_photos):
    """On a photo, too, seeds are scikit-learn's, whatever the number of strips."""
    image = bundled_photos["chelsea"]
    for units in ((7.3, 9.1), (1.7, 60.0), (500.0, 25.0)):
        expected = expected_seeds(pixel_points(image, None, units), 1.0, 1)
        np.testing.assert_array_equal(joint_seeds(image, None, units, 1.0), expected)


@pytest.mark.parametrize(
    ("values", "options", "seeds"),
    [
        pytest.param([[9, 9, 40]], {}, [[0, 0, 1], [1, 0, 4]], id="ascending-by-column"),
        pytest.param([[40, 9], [9, 9]], {}, [[0, 0, 1], [0, 0, 4]], id="then-by-value"),
        pytest.param([[9], [9], [9]], {}, [[0, 0, 1], [0, 1, 1]], id="by-row-of-bins"),
        pytest.param([[9, 9, 9, 9]], {"min_bin_freq": 2}, [[0, 0, 1]], id="enough-pixels"),
        pytest.param([[9, 9]], {"min_bin_freq": 3}, [], id="too-few-everywhere"),
        pytest.param([[9, 99]], {}, [[0, 0, 0.9], [0.5, 0, 9.9]], id="each-alone-in-its-bin"),
        pytest.param([[9, 9]], {"bandwidth": 0}, [[0, 0, 0.9], [0.5, 0, 0.9]], id="no-bin-size"),
    ],
)
@pytest.mark.parametrize("kind", ["uint8", "float64"])
def test_drawn_seeds(values, options, seeds, kind):
    """Bins are 2 pixels wide and 10 levels high, halves to even: columns 0 and 1 lie in bin 0."""
    image = np.array(values)[..., None].astype(kind)
    options = {"bandwidth": 1.0} | options
    found = joint_seeds(image, None, (2.0, 10.0), **options)
    assert found.shape == (len(seeds), 3)
    np.testing.assert_allclose(found, np.reshape(seeds, (-1, 3)))


def test_pixels_alone_in_their_bins_are_too_few():
    """Where each pixel is alone in its bin and more are asked for, there is no seed."""
    image = np.array([[[9], [99]]], np.uint8)
    assert len(joint_seeds(image, None, (2.0, 10.0), 1.0, min_bin_freq=2)) == 0


def test_masked_pixels_fill_no_bin():
    """Only visible pixels are counted, and rows of bins without any are passed over."""
    image = np.full((9, 3, 1), 7, np.uint8)
    visible = np.zeros((9, 3), bool)
    visible[0, :2] = visible[8] = True
    found = joint_seeds(image, visible, (3.0, 7.0), 1.0, min_bin_freq=2)
    assert found.tolist() == [[0, 0, 1], [0, 3, 1]]


def test_cells_too_far_out_for_single_precision():
    """Bins beyond the range of float32 become infinite, as in scikit-learn, without a word."""
    image = np.array([[[1e40], [1e40], [0.0]]])
    with np.errstate(over="ignore"):
        expected = expected_seeds(pixel_points(image, None, (9.0, 1e-3)), 1.0, 1)
    np.testing.assert_array_equal(joint_seeds(image, None, (9.0, 1e-3), 1.0), expected)


CORNER = {"spatial_radius": 20.2, "range_radius": 20.2}


def corner_image():
    """Two pixels in the corner of bin 0 of all five dimensions, farther from its centre than h.

    They lie at 9/20.2 and 10/20.2 across and 10/20.2 in the other dimensions: 1.09 and 1.11
    bandwidths from the centre.
    """
    image, mask = np.full((32, 32, 3), 10, np.uint8), np.zeros((32, 32), bool)
    mask[10, 9:11] = True
    return image, mask


def test_a_seed_with_no_pixel_around_is_dropped():
    """A seed in the centre of a bin with pixels in a corner only is dropped, others climb."""
    image, mask = corner_image()
    mask[20, 20] = mask[20, 21] = True
    image[20, 20:22] = 101
    seeds = joint_seeds(image, mask, (20.2, 20.2), 1.0)
    assert seeds.tolist() == [[0] * 5, [1, 1, 5, 5, 5]]
    ends = climb_to_ends(build_pyramid(image, mask, (20.2, 20.2)), seeds, bandwidth=1.0)
    assert ends.which.tolist() == [-1, 0]
    assert ends.weights.tolist() == [2]
    found = segment_image(image, features="joint", mask=mask, connected=False, **CORNER)
    assert found.labels[mask].tolist() == [1] * 4, "the nearest mode is far, but the only one"
    found = segment_image(
        image, features="joint", mask=mask, connected=False, cluster_all=False, **CORNER
    )
    assert found.labels[mask].tolist() == [0, 0, 1, 1]


def test_an_image_of_which_all_seeds_are_dropped_is_an_error():
    """If no seed has a pixel within the bandwidth, the error says what to do."""
    image, mask = corner_image()
    with pytest.raises(InvalidInputError, match=r"within bandwidth=1.* of any seed\. Try"):
        segment_image(image, features="joint", mask=mask, **CORNER)


def test_dropped_seeds_are_those_of_scikit_learn():
    """The seeds that are dropped are those with no point in scikit-learn's ball around them."""
    image, units = np.random.default_rng(0).integers(0, 256, (90, 100, 3), np.uint8), (6.3, 41.7)
    seeds = joint_seeds(image, None, units, 1.0)
    ends = climb_to_ends(build_pyramid(image, None, units), seeds, bandwidth=1.0, max_iter=0)
    tree = NearestNeighbors(n_neighbors=1).fit(pixel_points(image, None, units))
    lonely = tree.kneighbors(seeds)[0][:, 0] > 1
    np.testing.assert_array_equal(ends.which < 0, lonely)
    assert lonely.sum() >= 3
