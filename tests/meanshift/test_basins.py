"""Basins and the Gaussian kernel, in both feature spaces, against the slow, obvious versions."""

import numpy as np
import pytest
from skimage import color, data

from segment import InvalidInputError, MeanShift, mean_shift, segment_image
from segment.pixels.joint import pixel_points
from tests import oracles

PHOTO = data.astronaut()[60:272:8, 170:330:8]  # 27 x 20 pixels, all different
RADII = {"spatial_radius": 5.3, "range_radius": 37.1}


def in_space(image, space):
    """The pixels as points in colour space."""
    converted = image if space == "rgb" else color.rgb2lab(image)
    return converted.reshape(-1, 3).astype(np.float64)


def points_of(features, space, image=PHOTO):
    """The points of an image, and the options and the bandwidth to go with them."""
    if features == "color":
        bandwidth = {"rgb": 31.7, "lab": 11.3}[space]
        return in_space(image, space), {"bandwidth": bandwidth}, bandwidth
    radii = RADII if space == "rgb" else RADII | {"range_radius": 12.7}
    values = in_space(image, space).reshape(image.shape)
    points = pixel_points(values, None, (radii["spatial_radius"], radii["range_radius"]))
    return points, {"features": "joint", "connected": False} | radii, 1.0


def assert_modes_and_labels(found, modes, labels, tolerance):
    """Modes pair off with those of the oracle; 99.9 % of the labels are those of the pairs."""
    assert len(modes) > 2
    far = np.linalg.norm(found.modes[:, None] - modes, axis=2)
    pair = far.argmin(axis=1)
    assert sorted(pair) == list(range(len(modes)))
    assert far.min(axis=1).max() <= tolerance
    assert np.mean(np.append(-1, pair)[found.labels.ravel()] == labels) >= 0.999


@pytest.mark.parametrize("kernel", ["flat", "gaussian"])
@pytest.mark.parametrize("space", ["rgb", "lab"])
@pytest.mark.parametrize("features", ["color", "joint"])
def test_basins_are_those_of_the_oracle(features, space, kernel):
    """Each pixel climbs from its own point and takes the mode nearest to its end.

    With a Gaussian, the ends of climbs to one mode lie apart, by a few moves of 1e-3 bandwidth:
    of those that weigh the same but for rounding, as when two climbs come from opposite sides,
    any may stand for the mode.
    """
    points, options, bandwidth = points_of(features, space)
    if kernel == "gaussian":  # as wide as the flat kernel, or all is one mode
        options, bandwidth = narrower(options), bandwidth / (3 if features == "color" else 1)
        points = points * (3 if features == "joint" else 1)
    modes, labels, climbs = oracles.basins(points, bandwidth, kernel)
    found = segment_image(PHOTO, color_space=space, kernel=kernel, assign="basin", **options)
    modes = same_of_equals(found.modes, modes, climbs, bandwidth)
    assert_modes_and_labels(found, modes, labels, 1e-3 * bandwidth)


def same_of_equals(found, modes, climbs, bandwidth):
    """For each mode, of the ends beside it that weigh the same, the one nearest to one found."""
    ends, weights = np.array([end for end, *_ in climbs]), np.array([w for _, w, _ in climbs])
    chosen = []
    for mode in modes:
        far = np.linalg.norm(ends - mode, axis=1)
        equal = (weights >= weights[far.argmin()] * (1 - 1e-6)) & (far <= 0.02 * bandwidth)
        gap = np.linalg.norm(found[:, None] - ends[equal], axis=2).min(axis=0)
        chosen.append(ends[equal][gap.argmin()])
    return np.array(chosen)


def narrower(options):
    """A third of the bandwidth or of the radii."""
    widths = ("bandwidth", "spatial_radius", "range_radius")
    return {name: value / 3 if name in widths else value for name, value in options.items()}


@pytest.mark.parametrize("space", ["rgb", "lab"])
@pytest.mark.parametrize("features", ["color", "joint"])
def test_gaussian_modes_are_those_of_the_oracle(features, space):
    """With the Gaussian kernel, bin seeds climb to the oracle's modes; pixels take the nearest."""
    points, options, bandwidth = points_of(features, space)
    options, bandwidth = narrower(options), bandwidth / (3 if features == "color" else 1)
    points = points * (3 if features == "joint" else 1)
    climbs = [
        oracles.kernel_climb(points, seed, bandwidth, "gaussian")
        for seed in oracles.bin_seeds(points, bandwidth)
    ]
    climbs = [climb for climb in climbs if climb]
    ends, weights, _ = zip(*climbs, strict=True)
    modes = oracles.choose_modes(np.array(ends), weights, bandwidth)
    found = segment_image(PHOTO, color_space=space, kernel="gaussian", **options)
    modes = same_of_equals(found.modes, modes, climbs, bandwidth)
    labels, far = oracles.nearest_mode(points, modes)
    assert_modes_and_labels(found, modes, labels, 1e-3 * bandwidth)
    found = segment_image(PHOTO, color_space=space, kernel="gaussian", cluster_all=False, **options)
    assert (far > bandwidth).any()
    assert_modes_and_labels(found, modes, np.where(far > bandwidth, -1, labels), 1e-3 * bandwidth)


@pytest.mark.parametrize("features", ["color", "joint"])
def test_orphans_of_basins_lie_beyond_the_bandwidth_of_every_mode(features):
    """Without `cluster_all`, pixels farther than the bandwidth from every mode get 0."""
    points, options, bandwidth = points_of(features, "rgb")
    every = segment_image(PHOTO, assign="basin", **options)
    some = segment_image(PHOTO, assign="basin", cluster_all=False, **options)
    far = oracles.nearest_mode(points, every.modes)[1] > bandwidth
    assert far.any()
    np.testing.assert_array_equal(some.labels.ravel(), np.where(far, 0, every.labels.ravel()))


@pytest.mark.parametrize("kernel", ["flat", "gaussian"])
def test_masked_pixels_are_in_no_basin(kernel):
    """Basins of a masked image are those of its visible pixels."""
    mask = PHOTO[..., 0] % 3 > 0
    units = RADII["spatial_radius"], RADII["range_radius"]
    points = pixel_points(PHOTO, mask, units)
    modes, labels, _ = oracles.basins(points, 1.0, kernel)
    options = {"features": "joint", "connected": False, "assign": "basin", "kernel": kernel}
    found = segment_image(PHOTO, mask=mask, **RADII, **options)
    assert not found.labels[~mask].any()
    expected = np.full(mask.shape, -1)
    expected[mask] = labels
    assert_modes_and_labels(found, modes, expected.ravel(), 1e-3 if kernel == "flat" else 1e-2)


@pytest.mark.parametrize(("assign", "label"), [("nearest", 2), ("basin", 1)])
def test_a_drawn_basin_differs_from_the_nearest_mode(assign, label):
    """Value 18 is nearer to the mode at 25 than to that at 10.7, where it climbs to."""
    values = np.array([[10] * 20 + [18] * 2 + [24] + [30] * 3], np.uint8)
    found = segment_image(values, bandwidth=8, assign=assign)
    assert found.modes.ravel().tolist() == [236 / 22, 25]
    assert found.labels.tolist() == [[1] * 20 + [label] * 2 + [2] * 4]


@pytest.mark.parametrize("kernel", ["flat", "gaussian"])
@pytest.mark.parametrize("assign", ["nearest", "basin"])
def test_the_estimator_is_that_of_the_oracle(kernel, assign):
    """`MeanShift` and `mean_shift` know both kernels and both ways to label."""
    points = np.random.default_rng(2).normal(0, 1, (120, 4)) + np.repeat(np.eye(4) * 6, 30, axis=0)
    bandwidth = 1.9 if kernel == "flat" else 0.9
    modes, labels, _ = oracles.basins(points, bandwidth, kernel)
    if assign == "nearest":
        labels = oracles.nearest_mode(points, modes)[0]
    model = MeanShift(bandwidth=bandwidth, kernel=kernel, assign=assign).fit(points)
    assert len(modes) > 3
    np.testing.assert_allclose(model.cluster_centers_, modes, rtol=0, atol=1e-3 * bandwidth)
    assert np.mean(model.labels_ == labels) >= 0.999
    found = mean_shift(points, bandwidth=bandwidth, kernel=kernel, assign=assign)
    np.testing.assert_array_equal(found[1], model.labels_)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": "cubic"}, "kernel: expected flat or gaussian, got 'cubic'"),
        ({"kernel": True}, "kernel: expected flat or gaussian, got True"),
        ({"assign": None}, "assign: expected nearest or basin, got None"),
        ({"assign": "basin", "bin_seeding": True}, "assign: expected 'nearest' with seeds or"),
        ({"assign": "basin", "seeds": [[1, 2]]}, "assign: expected 'nearest' with seeds or"),
    ],
    ids=str,
)
def test_what_the_estimator_does_not_take(options, message):
    """Unknown kernels, and basins with seeds of their own, are errors."""
    with pytest.raises(InvalidInputError, match=message):
        MeanShift(bandwidth=1, **options).fit([[1, 2], [3, 4]])
