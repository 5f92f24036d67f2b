"""Images in the joint domain: near scikit-learn's answer, the same on any threads, at any size."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import color, data, transform
from sklearn.cluster import MeanShift, estimate_bandwidth

from benchmarks.region_scores import region_scores
from segment import segment_image
from segment.meanshift.modes import choose_modes, climb_to_ends
from segment.pixels.joint import build_pyramid, joint_seeds, label_pixels, pixel_points

SAMPLES = Path(__file__).parents[2] / "sample_images"
JOINT = {"features": "joint", "connected": False}


def crop(name):
    """A textured part of a photo, 36 x 50 pixels."""
    if name == "chelsea":
        return data.chelsea()[110:146, 190:240]
    top, left = {"coffee": (180, 270), "astronaut": (230, 210)}[name]
    image = np.asarray(Image.open(SAMPLES / f"{name}.png").convert("RGB"))
    return image[top : top + 36, left : left + 50]


def coordinates(image, space):
    """The image in a colour space, as scikit-image converts it."""
    if space == "rgb" or image.ndim == 2:
        return image.reshape(*image.shape[:2], -1)
    if space == "gray":
        return color.rgb2gray(image)[..., None] * 255
    return getattr(color, f"rgb2{space}")(image)


def assert_near(ours, theirs, bandwidth, shown=...):
    """Modes pair off within 1e-3 bandwidth; 99.9 % of the labels are those of the pairs."""
    far = np.linalg.norm(ours.modes[:, None] - theirs.cluster_centers_, axis=2) / bandwidth
    pair = far.argmin(axis=1)
    assert sorted(pair) == list(range(len(theirs.cluster_centers_)))
    assert far.min(axis=1).max() <= 1e-3
    labels = np.append(-1, pair)[ours.labels[shown].ravel()]
    assert np.mean(labels == theirs.labels_) >= 0.999


@pytest.mark.parametrize(
    ("name", "space", "radii", "options"),
    [
        ("coffee", "rgb", (7.3, 9.1), {}),
        ("astronaut", "rgb", (15.7, 20.3), {"cluster_all": False}),
        ("chelsea", "rgb", (5.9, 33.7), {"min_bin_freq": 3}),
        ("coffee", "lab", (6.6, 7.7), {}),
        ("chelsea", "luv", (9.3, 12.1), {"max_iter": 5}),
        ("astronaut", "hsv", (8.2, 0.13), {}),
        ("chelsea", "gray", (7.7, 14.3), {}),
        ("coffee", "grey image", (11.3, 12.9), {"cluster_all": False}),
    ],
)
def test_radii_give_the_answer_of_scikit_learn(name, space, radii, options):
    """With two radii, modes and labels are scikit-learn's on (x / hs, y / hs, colour / hr), h = 1.

    Pixels exactly on the surface of a ball, and modes of equal weight at the same x, are told
    apart by the noise of rounding in scikit-learn: hence textured crops and odd radii.
    """
    image = crop(name)[..., 1] if space == "grey image" else crop(name)
    points = pixel_points(coordinates(image, space), None, radii)
    theirs = MeanShift(bandwidth=1.0, bin_seeding=True, **options).fit(points)
    ours = segment_image(
        image,
        color_space="rgb" if space == "grey image" else space,
        spatial_radius=radii[0],
        range_radius=radii[1],
        **JOINT,
        **options,
    )
    assert (ours.bandwidth, ours.n_iter) == (1, theirs.n_iter_)
    assert_near(ours, theirs, 1)


@pytest.mark.parametrize(
    ("name", "space", "weight", "options"),
    [
        ("chelsea", "rgb", 0.5, {"bandwidth": 20.3}),
        ("astronaut", "rgb", 1.0, {"quantile": 0.05, "n_samples": 300, "seed": 3}),
        ("coffee", "lab", 0.37, {"quantile": 0.02}),
        ("astronaut", "hsv", 0.8, {"quantile": 0.04}),
    ],
)
def test_a_weight_gives_the_answer_of_scikit_learn(name, space, weight, options):
    """The longer side times the weight spans a channel; bandwidth and modes are as for that.

    The grid of the colour space moves the bandwidth by less than a millionth.
    """
    image = crop(name)
    span = {"rgb": 255, "lab": 100, "hsv": 1}[space]
    points = pixel_points(coordinates(image, space), None, (50 / (weight * span), 1))
    bandwidth = options.get("bandwidth") or estimate_bandwidth(
        points,
        quantile=options["quantile"],
        n_samples=options.get("n_samples", 500),
        random_state=options.get("seed", 0),
    )
    theirs = MeanShift(bandwidth=bandwidth, bin_seeding=True).fit(points)
    ours = segment_image(image, color_space=space, spatial_weight=weight, **JOINT, **options)
    assert ours.bandwidth == pytest.approx(bandwidth, rel=1e-9 if space == "rgb" else 1e-6)
    assert_near(ours, theirs, bandwidth)


def test_a_mask_leaves_scikit_learn_the_other_pixels():
    """Masked pixels get label 0 and take no part, neither in the bandwidth nor in the climbs."""
    image = crop("coffee")
    mask = np.add.outer(np.arange(36), np.arange(50)) % 7 > 0
    mask[15:25, 10:40] = False
    points = pixel_points(image, mask, (50 / (0.5 * 255), 1))
    bandwidth = estimate_bandwidth(points, quantile=0.05, n_samples=500, random_state=0)
    theirs = MeanShift(bandwidth=bandwidth, bin_seeding=True).fit(points)
    ours = segment_image(image, spatial_weight=0.5, quantile=0.05, mask=mask * 7, **JOINT)
    assert ours.bandwidth == pytest.approx(bandwidth, rel=1e-9)
    assert not ours.labels[~mask].any()
    assert_near(ours, theirs, bandwidth, shown=mask)


def assert_same(found, expected):
    for name in ("labels", "modes", "colors", "mode_colors", "sizes"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert (found.bandwidth, found.n_iter) == (expected.bandwidth, expected.n_iter)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"color_space": "lab", "spatial_radius": 7.5, "range_radius": 8.5, "cluster_all": False},
        {"assign": "basin", "bandwidth": 20, "min_size": 9},
        {"kernel": "gaussian", "bandwidth": 9, "connected": False},
        {"features": "color", "kernel": "gaussian", "bandwidth": 12},
    ],
    ids=str,
)
def test_threads_do_not_change_the_answer(monkeypatch, options):
    """Labels, modes and all else are the same to the bit on one thread, two and five."""
    image = data.astronaut()[100:430, 200:230]  # 330 rows: enough for five threads
    options = {"features": "joint", "spatial_weight": 0.5} | options
    found = []
    for threads in (1, 2, 5):
        for module in ("threads", "meanshift.modes"):
            monkeypatch.setattr(f"segment.{module}.available_cores", lambda n=threads: n)
        found.append(segment_image(image, threads=threads, **options))
    assert len(found[0].sizes) > 3
    for other in found[1:]:
        assert_same(other, found[0])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("coffee", {"bandwidth": 45}),
        ("astronaut", {"n_samples": 1500}),
        ("astronaut", {"n_samples": 1500, "quantile": 0.05}),
    ],
)
def test_a_photo_of_half_the_size_gives_about_the_same_segments(name, options):
    """At half the resolution there are about as many segments, and they cover each other."""
    image = np.asarray(Image.open(SAMPLES / f"{name}.png").convert("RGB"))
    half = np.rint(transform.downscale_local_mean(image, (2, 2, 1))).astype(np.uint8)
    options = {"features": "joint", "spatial_weight": 0.5} | options
    large, small = segment_image(image, **options), segment_image(half, **options)
    assert small.bandwidth == pytest.approx(large.bandwidth, rel=0.05), "from another sample"
    assert len(small.sizes) == pytest.approx(len(large.sizes), rel=0.15)
    enlarged = small.labels.repeat(2, axis=0).repeat(2, axis=1)
    assert region_scores(enlarged, [large.labels]).covering > 0.8


def test_no_weight_is_clustering_by_colour():
    """With a weight of 0 position does not matter: modes and labels are those of colour alone."""
    image = crop("chelsea")
    options = {"bandwidth": 22.3, "cluster_all": False}
    joint = segment_image(image, spatial_weight=0, **JOINT, **options)
    alone = segment_image(image, **options)
    np.testing.assert_array_equal(joint.labels, alone.labels)
    np.testing.assert_allclose(joint.modes[:, 2:], alone.modes, rtol=0, atol=1e-9)


def test_no_weight_labels_every_pixel_in_any_space():
    """With a weight of 0, flat parts are labelled as all others are."""
    image = data.rocket()[113:313, 220:420]
    assert segment_image(image, color_space="hsv", spatial_weight=0, **JOINT).labels.all()


@pytest.mark.parametrize(
    ("count", "kind"),
    [*((count, np.uint8) for count in (2, 4, 5, 8, 13)), (4, np.float64), (13, np.float64)],
)
def test_any_number_of_bands_gives_the_answer_of_scikit_learn(count, kind):
    """Of 2 to 13 bands, 8 bits or floats, joint modes and labels are scikit-learn's."""
    photos = [crop(name)[:24, :30] for name in ("coffee", "astronaut", "chelsea")]
    photos += [photo[::-1] for photo in photos[:2]]
    image = np.concatenate(photos, axis=2)[..., :count]
    image = image if kind == np.uint8 else np.rint(image**1.3 / 1.7 * 2**12) / 2**12
    units = (9.3, 21.7 * np.sqrt(count) * (1 if kind == np.uint8 else 2.6))
    theirs = MeanShift(bandwidth=1.0, bin_seeding=True).fit(pixel_points(image, None, units))
    pyramid = build_pyramid(image, None, units)
    ends = climb_to_ends(pyramid, joint_seeds(image, None, units, 1.0), bandwidth=1.0)
    modes = choose_modes(ends, 1.0).places
    assert ends.n_iter == theirs.n_iter_
    np.testing.assert_allclose(modes, theirs.cluster_centers_, rtol=0, atol=1e-9)
    labels = label_pixels(pyramid, modes, bandwidth=1.0)
    np.testing.assert_array_equal(labels.ravel() - 1, theirs.labels_)
