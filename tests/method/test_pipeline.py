"""The whole method on images: exact where the contract says so, near elsewhere."""

import numpy as np
import pytest
from skimage import color
from sklearn.cluster import MeanShift, estimate_bandwidth

from segment import InvalidInputError, segment_image
from segment.pixels.colors import GRIDS

QUANTILES = (0.05, 0.1, 0.2)
TWO_COLORS = np.array([[[250, 0, 0]] * 3 + [[0, 0, 250]] * 2], np.uint8)


def scikit_learn(points, quantile, **options):
    bandwidth = estimate_bandwidth(points, quantile=quantile, n_samples=500, random_state=0)
    return MeanShift(bandwidth=bandwidth, bin_seeding=True, **options).fit(points)


def assert_exact(image, quantile=0.1, **options):
    """Bandwidth, modes, labels and moves are scikit-learn's; labels one higher, orphans 0."""
    points = image.reshape(-1, 3 if image.ndim == 3 else 1)
    theirs = scikit_learn(points, quantile, **options)
    ours = segment_image(image, quantile=quantile, **options)
    assert ours.bandwidth == theirs.bandwidth
    np.testing.assert_array_equal(ours.modes, theirs.cluster_centers_)
    np.testing.assert_array_equal(ours.labels.ravel(), theirs.labels_ + 1)
    assert ours.n_iter == theirs.n_iter_
    return ours


def assert_same(segmentation, other):
    np.testing.assert_array_equal(segmentation.labels, other.labels)
    np.testing.assert_array_equal(segmentation.modes, other.modes)
    np.testing.assert_array_equal(segmentation.colors, other.colors)


@pytest.mark.parametrize("number", range(12))
def test_photos_get_the_answer_of_scikit_learn(bsds_photos, number):
    """On photos, modes, labels and moves are scikit-learn's to the bit."""
    options = [{}, {"min_bin_freq": 5}, {"cluster_all": False}, {"max_iter": 2}][number % 4]
    assert_exact(bsds_photos[number][::5, ::5], QUANTILES[number % 3], **options)


@pytest.mark.parametrize("channels", [1, 3])
def test_scikit_learn_gives_its_answer_without_its_checks(
    bundled_photos, quick_scikit_learn, monkeypatch, channels
):
    """Modes, labels and moves that tests ask of scikit-learn are those it has as it is."""
    points = bundled_photos["coffee"][::2, ::2, :channels].reshape(-1, channels)
    quick = scikit_learn(points, 0.1)
    monkeypatch.setattr("sklearn.cluster._mean_shift.NearestNeighbors", quick_scikit_learn)
    whole = scikit_learn(points, 0.1)
    np.testing.assert_array_equal(quick.cluster_centers_, whole.cluster_centers_)
    np.testing.assert_array_equal(quick.labels_, whole.labels_)
    assert quick.n_iter_ == whole.n_iter_


@pytest.mark.parametrize("number", [2, 5])
def test_full_photos_get_the_answer_of_scikit_learn(bsds_photos, number):
    """On photos at full size, modes, labels and moves are scikit-learn's to the bit."""
    assert_exact(bsds_photos[number], 0.2)


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket", "retina"])
def test_bundled_photos_get_the_answer_of_scikit_learn(bundled_photos, name):
    """On photos that every installation has, all is scikit-learn's to the bit."""
    image = bundled_photos[name][::2, ::2]
    assert_exact(image)
    assert_exact(image, 0.15, cluster_all=False, min_bin_freq=2)


def test_gray_photos_get_the_answer_of_scikit_learn(bundled_photos):
    """On (H, W) images, clustered in one dimension, all is scikit-learn's to the bit."""
    image = bundled_photos["astronaut"][:, :, 1]
    segmentation = assert_exact(image, 0.05)
    assert segmentation.modes.shape[1] == 1
    assert_same(segment_image(image[:, :, None], quantile=0.05), segmentation)


def test_the_last_of_equal_ends_counts_in_the_order_of_the_pixels():
    """Where climbs end at one place with different weights, all is scikit-learn's even so."""
    ends = {(19, 20, 20): 26, (9, 20, 20): 2, (13, 29, 20): 2, (13, 11, 20): 2}
    ends |= {(16, 29, 20): 11, (16, 11, 20): 11, (200, 200, 200): 40}
    pixels = np.repeat(np.array([*ends], np.uint8), [*ends.values()], axis=0)
    options = {"bandwidth": 10.0, "max_iter": 0}
    for rows in (pixels, pixels[::-1]):
        theirs = MeanShift(bin_seeding=True, **options).fit(rows)
        np.testing.assert_array_equal(
            segment_image(rows[None], **options).modes, theirs.cluster_centers_
        )


@pytest.mark.parametrize("space", ["lab", "luv", "hsv", "gray"])
@pytest.mark.parametrize("name", ["chelsea", "coffee"])
def test_color_spaces_stay_within_the_tolerance(bundled_photos, name, space):
    """Elsewhere modes are within 1e-3 bandwidth of scikit-learn's, and 99.9 % of labels equal."""
    image = bundled_photos[name][::2, ::2]
    if space == "gray":
        points = color.rgb2gray(image).reshape(-1, 1) * 255
    else:
        points = getattr(color, f"rgb2{space}")(image).reshape(-1, 3)
    theirs = scikit_learn(points, 0.1)
    ours = segment_image(image, color_space=space)
    h = theirs.bandwidth
    assert ours.bandwidth == pytest.approx(h, rel=1e-9, abs=GRIDS[space])  # of the coordinates
    np.testing.assert_allclose(ours.modes, theirs.cluster_centers_, rtol=0, atol=1e-3 * h)
    assert np.mean(ours.labels.ravel() == theirs.labels_ + 1) >= 0.999


@pytest.mark.parametrize("scale", [257, 1 / 255], ids=["16-bit", "float"])
def test_depth_does_not_matter(bundled_photos, scale):
    """16-bit and float images give the labels, modes and colours of the 8-bit image."""
    image = bundled_photos["coffee"]
    scaled = image * scale if scale < 1 else image.astype(np.uint16) * scale
    assert scaled.dtype == (np.float64 if scale < 1 else np.uint16)
    for options in ({}, {"bandwidth": 17.3, "cluster_all": False}):
        assert_same(segment_image(scaled, **options), segment_image(image, **options))


@pytest.mark.parametrize(
    "shape", [(1, 1, 3), (1, 9, 3), (9, 1, 3), (4, 5), (1, 1), (3, 3, 1)], ids=str
)
@pytest.mark.parametrize("space", ["rgb", "lab", "gray"])
def test_one_color_is_one_segment(shape, space):
    """An image of one colour is one segment of that colour, with an estimated bandwidth of 0."""
    segmentation = segment_image(np.full(shape, 77, np.uint8), color_space=space)
    assert segmentation.labels.tolist() == np.ones(shape[:2]).tolist()
    assert segmentation.colors.tolist() == segmentation.mode_colors.tolist() == [[77] * 3]
    assert segmentation.sizes.tolist() == [np.prod(shape[:2])]
    assert segmentation.n_iter == 0
    assert segmentation.bandwidth == 0


def test_two_colors_are_two_segments():
    """The colour of more pixels is segment 1; its pixels need not be neighbours."""
    segmentation = segment_image(TWO_COLORS[:, [0, 3, 1, 4, 2]], bandwidth=30)
    assert segmentation.labels.tolist() == [[1, 2, 1, 2, 1]]
    assert segmentation.modes.tolist() == [[250, 0, 0], [0, 0, 250]]


@pytest.mark.parametrize("bandwidth", [1e3, 1e9, 1e30])
def test_a_bandwidth_beyond_the_data_gives_one_segment(bundled_photos, bandwidth):
    """If the kernel reaches all pixels, they are one segment, whose mode is their mean."""
    image = bundled_photos["rocket"]
    segmentation = segment_image(image, bandwidth=bandwidth)
    assert (segmentation.labels == 1).all()
    assert segmentation.modes.tolist() == [image.reshape(-1, 3).mean(axis=0).tolist()]


@pytest.mark.parametrize("channels", [1, 3], ids=["gray", "rgb"])
@pytest.mark.parametrize("options", [{"bandwidth": 1.5}, {"quantile": 0.01}], ids=str)
def test_every_pixel_its_own_bin(channels, options):
    """Where each pixel is alone in its bin or the bandwidth is 0, the pixels are the seeds."""
    image = np.arange(0, 240, 20, dtype=np.uint8)[: 4 * channels].reshape(2, 2, channels)
    segmentation = segment_image(image, **options)
    assert segmentation.labels.tolist() == [[4, 3], [2, 1]]
    assert segmentation.modes.tolist() == image.reshape(4, channels)[::-1].tolist()


def test_repeated_colors_with_no_bandwidth_are_segments_by_size():
    """With an estimated bandwidth of 0, each colour is a segment, the most frequent first."""
    segmentation = segment_image(TWO_COLORS[:, ::-1], quantile=0.01)
    assert segmentation.bandwidth == 0
    assert segmentation.labels.tolist() == [[2, 2, 1, 1, 1]]
    assert segmentation.sizes.tolist() == [3, 2]


def test_transparent_pixels_take_no_part(bundled_photos):
    """Pixels with alpha 0 get label 0; the others get what they get without them."""
    image = bundled_photos["chelsea"]
    half = image.shape[0] // 2
    alpha = np.full((*image.shape[:2], 1), 255, np.uint8)
    alpha[half:] = 0
    segmentation = segment_image(np.concatenate([image, alpha], axis=2), cluster_all=False)
    alone = segment_image(image[:half], cluster_all=False)
    np.testing.assert_array_equal(segmentation.labels[:half], alone.labels)
    assert not segmentation.labels[half:].any()
    np.testing.assert_array_equal(segmentation.modes, alone.modes)
    np.testing.assert_array_equal(segmentation.sizes, alone.sizes)
    assert segmentation.bandwidth == alone.bandwidth
    opaque = np.dstack([image, np.full_like(alpha, 1)])
    assert_same(segment_image(opaque), segment_image(image))


def test_orphans_lie_beyond_the_bandwidth():
    """A pixel exactly as far from its mode as the bandwidth is labelled; one farther off gets 0."""
    image = np.array([[14, 14, 14, 24, 25]], np.uint8)
    options = {"bandwidth": 10, "min_bin_freq": 3, "max_iter": 0}  # one seed, 10; its ball: 0 to 20
    assert segment_image(image, cluster_all=False, **options).labels.tolist() == [[1, 1, 1, 1, 0]]
    assert segment_image(image, **options).labels.tolist() == [[1, 1, 1, 1, 1]]


def test_a_fully_transparent_image_is_refused():
    """An image of which nothing is visible is an error that says so."""
    with pytest.raises(InvalidInputError, match="every pixel is transparent"):
        segment_image(np.zeros((3, 3, 4), np.uint8))


def test_threads_do_not_change_the_answer(bundled_photos):
    """Labels, modes and colours are the same for any number of threads."""
    expected = segment_image(bundled_photos["astronaut"], threads=1)
    for threads in (2, 5):
        assert_same(segment_image(bundled_photos["astronaut"], threads=threads), expected)


@pytest.mark.parametrize(
    "options",
    [
        *({"bandwidth": value} for value in (0, -2, np.nan, np.inf, "wide")),
        *({"quantile": value} for value in (0, 1.1, None)),
        *({"threads": value} for value in (-1, 1.5)),
        {"color_space": "cmyk"},
        {"n_samples": 0},
        {"seed": -1},
        {"min_bin_freq": 0},
        {"max_iter": -1},
    ],
    ids=str,
)
def test_parameters_out_of_range_are_refused(options):
    """A parameter out of range is an error that names it."""
    with pytest.raises(InvalidInputError, match=f"{next(iter(options))}: expected"):
        segment_image(TWO_COLORS, **({"bandwidth": 30} | options))


def test_bins_without_enough_pixels_are_an_error():
    """If no bin holds min_bin_freq pixels, the error names what to change."""
    with pytest.raises(InvalidInputError, match="min_bin_freq"):
        segment_image(TWO_COLORS, bandwidth=30, min_bin_freq=4)


@pytest.mark.parametrize("cluster_all", [True, False], ids=["cluster-all", "orphans"])
def test_a_segmentation_describes_its_segments(bundled_photos, cluster_all):
    """Sizes count the pixels of each label; colours are their means and paint them; 0 is black."""
    image = bundled_photos["coffee"]
    found = segment_image(image, quantile=0.05, cluster_all=cluster_all)
    count = len(found.modes)
    assert found.labels.shape == image.shape[:2]
    assert (found.labels.dtype, found.modes.dtype) == (np.int32, np.float64)
    assert (found.colors.dtype, found.mode_colors.dtype) == (np.uint8, np.uint8)
    assert found.sizes.dtype == np.int64
    assert (type(found.bandwidth), type(found.n_iter)) == (float, int)
    assert found.sizes.sum() == np.count_nonzero(found.labels)
    assert found.labels.all() == cluster_all
    for label in range(1, count + 1):
        inside = found.labels == label
        assert found.sizes[label - 1] == inside.sum()
        mean = np.rint(image[inside].mean(axis=0))
        np.testing.assert_array_equal(found.recolored()[inside], [mean] * inside.sum())
    np.testing.assert_array_equal(found.mode_colors, np.rint(found.modes))
    np.testing.assert_array_equal(found.palette(), [[0] * 3, *found.colors.tolist()])
    np.testing.assert_array_equal(found.recolored("mode"), found.palette("mode")[found.labels])
    assert not found.recolored()[found.labels == 0].any()
    assert (
        repr(found)
        == f"<Segmentation: 120 x 80, {count} segments, bandwidth {found.bandwidth:.4g}>"
    )
