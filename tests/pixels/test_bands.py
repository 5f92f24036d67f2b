"""Bands to comparable points: exact statistics, scales, and scikit-learn's answer on the points."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import MeanShift

from segment import InvalidInputError, Segmentation, hierarchy, segment_image
from segment.band_statistics import BandStatistics
from segment.pixels.bands import (
    BandImage,
    BandScale,
    band_scale,
    scaled,
    statistics_of,
)
from segment.pixels.image import pixels_again, pixels_of

SCALES = ("depth", "range", "std", "10,200", "2%,98%", "0%,100%")
TYPES = ("uint8", "uint16", "int16", "int32", "uint32", "float16", "float32", "float64", "int64")


def measured(dtype, height=23, width=9, bands=3, seed=0):
    """Values of a type, about a tenth of them negative where it has a sign."""
    values = np.random.RandomState(seed).gamma(2, 40, (height, width, bands))
    if np.dtype(dtype).kind != "u":
        values -= 30
    return values.clip(0 if np.dtype(dtype).kind == "u" else None, 250).astype(dtype)


def added(values, valid, scale, cuts):
    """The statistics of an image that is added in strips cut at some rows."""
    statistics = BandStatistics(values.shape[2], values.dtype, scale)
    edges = [0, *sorted(cuts), len(values)]
    while statistics.open:
        for top, bottom in itertools.pairwise(edges):
            statistics.add(values[top:bottom], valid[top:bottom])
        statistics.end_pass()
    return statistics


@settings(max_examples=40)
@given(
    dtype=st.sampled_from(TYPES),
    scale=st.sampled_from(SCALES),
    cuts=st.lists(st.integers(0, 23), max_size=5),
    seed=st.integers(0, 3),
)
def test_statistics_do_not_depend_on_how_rows_are_cut(dtype, scale, cuts, seed):
    """Strips of any height, empty ones too, give the same scale to the bit."""
    values = measured(dtype, seed=seed)
    valid = np.random.RandomState(seed).rand(23, 9) > 0.2
    whole = band_scale(statistics_of(values, valid, scale), scale, 16)
    parts = band_scale(added(values, valid, scale, cuts), scale, 16)
    assert np.array_equal(parts.low, whole.low)
    assert np.array_equal(parts.unit, whole.unit)
    assert parts.stretched == whole.stretched


@pytest.mark.parametrize("dtype", TYPES)
def test_statistics_are_those_of_numpy(dtype):
    """Limits and percentiles are NumPy's exactly, mean and deviation to seven digits."""
    values = measured(dtype, 40, 50, 4)
    valid = np.random.RandomState(1).rand(40, 50) > 0.5
    there = values[valid]
    limits = statistics_of(values, valid, "range")
    assert np.array_equal(limits.low, there.min(axis=0))
    assert np.array_equal(limits.high, there.max(axis=0))
    low, high = statistics_of(values, valid, "2%,98%").percentiles()
    for share, found in ((2, low), (98, high)):
        expected = np.percentile(there, share, axis=0, method="inverted_cdf")
        assert np.array_equal(found, expected.astype(np.float64))
    mean, spread = statistics_of(values, valid, "std").deviations()
    assert np.allclose(mean, there.astype(np.float64).mean(axis=0), rtol=1e-7, atol=1e-5)
    assert np.allclose(spread, there.astype(np.float64).std(axis=0), rtol=1e-7)


@pytest.mark.parametrize(
    ("values", "bits", "unit"),
    [
        (np.uint8([[[7, 9]]]), 8, 1),
        (np.uint16([[[7, 300]]]), 12, 4095 / 255),
        (np.uint16([[[7, 255]]]), 16, 1),
        (np.uint16([[[7, 1023]]]), 16, 1023 / 255),
        (np.uint16([[[7, 4095]]]), 16, 4095 / 255),
        (np.uint16([[[7, 10_000]]]), 16, 16383 / 255),
        (np.uint16([[[7, 16_384]]]), 16, 257),
        (np.float32([[[0.2, 1.0]]]), 32, 1 / 255),
        (np.float32([[[0.2, 1.5]]]), 32, 1),
        (np.int16([[[3, 255]]]), 16, 1),
    ],
)
def test_a_known_depth_decides(values, bits, unit):
    """By depth, bands have one unit: that of their bits, or of the fewest that hold all values."""
    scale = band_scale(statistics_of(values, None, "depth"), "depth", bits)
    assert scale.low.tolist() == [0, 0]
    assert scale.unit.tolist() == [unit, unit]
    assert scale.stretched is None


def test_values_of_no_depth_are_stretched_together():
    """Where neither type nor values tell a depth, all bands share one range, and that is told."""
    values = np.array([[[-100.0, 0.0], [155.0, 4.0]]], np.float32)
    scale = band_scale(statistics_of(values, None, "depth"), "depth", 32)
    assert (scale.low.tolist(), scale.unit.tolist()) == ([-100, -100], [1, 1])
    assert scale.stretched == (-100, 155)


@pytest.mark.parametrize(
    ("scale", "points"),
    [
        ("range", [[0, 0], [127.5, 255], [255, 0]]),
        ("10,520", [[0, -2.5], [127.5, 0], [255, -2.5]]),
        ("0%,100%", [[0, 0], [127.5, 255], [255, 0]]),
    ],
)
def test_scales_bring_bands_to_255(scale, points):
    """Limits become 0 and 255; what is beyond stays beyond."""
    values = np.array([[[10, 5], [265, 10], [520, 5]]], np.uint16)
    found = band_scale(statistics_of(values, None, scale), scale, 16)
    assert scaled(values, found)[0].tolist() == points


def test_the_deviation_is_an_eighth_of_255():
    """By "std" a band's mean is in the middle, and a standard deviation 255 / 8."""
    values = np.random.RandomState(0).normal([5, 700], [2, 90], (60, 50, 2)).astype(np.float32)
    points = scaled(values, band_scale(statistics_of(values, None, "std"), "std", 32))
    assert np.allclose(points.mean(axis=(0, 1)), 127.5, atol=1e-2)
    assert np.allclose(points.std(axis=(0, 1)), 255 / 8, atol=1e-2)


@pytest.mark.parametrize("scale", ["range", "std", "2%,98%"])
def test_a_band_of_one_value_has_the_unit_1(scale):
    """Where nothing differs nothing is divided by 0, and differences to come stay as they are."""
    values = np.full((4, 5, 2), 77, np.uint16)
    found = band_scale(statistics_of(values, None, scale), scale, 16)
    assert found.unit.tolist() == [1, 1]
    assert not scaled(values, found).any()


def test_the_largest_doubles_are_scaled():
    """The ends may be farther apart than a double can say."""
    values = np.array([[[-1.7e308], [0.0], [1.7e308]]])
    for scale in ("depth", "range"):
        found = band_scale(statistics_of(values, None, scale), scale, 64)
        assert scaled(values, found).reshape(-1).tolist() == [0, 127.5, 255]


def test_the_largest_doubles_are_shown():
    """Values that the scale of a picture cannot hold are black and white in it."""
    image = np.zeros((30, 30, 5)) + np.arange(5) / 10 + np.arange(30)[:, None] / 100
    image[7, 7], image[9, 9] = 1.7e308, -1.7e308
    found = segment_image(image, scale="range", bandwidth=9)
    shown = found.colors[found.labels - 1]
    assert shown[7, 7].tolist() == [255] * 3
    assert shown[9, 9].tolist() == [0] * 3
    assert np.abs(shown[0, 0] - 127.0).max() < 10


@pytest.mark.parametrize("features", ["color", "joint"])
@pytest.mark.parametrize("scale", ["0,1", "2%,98%", "0,1e-300"])
def test_points_too_far_for_any_bandwidth_are_refused(scale, features):
    """A missing value that nobody declared is named by its size, and what to do about it."""
    image = np.zeros((30, 30, 5), np.float32) + np.arange(30, dtype=np.float32)[:, None] / 100
    image[7, 7] = -3.4e38
    with pytest.raises(InvalidInputError, match=r"up to 1e.30 in .* got -.*say which value is no"):
        segment_image(image, scale=scale, features=features)


def test_points_are_on_a_grid():
    """Points are multiples of 2^-12, bytes stay bytes, and 16 bits are divided as ever."""
    values = np.arange(4096, dtype=np.uint16).reshape(64, 64, 1)
    points = scaled(values, BandScale(np.zeros(1), np.full(1, 4095 / 255)))
    assert np.array_equal(points * 4096, np.rint(points * 4096))
    assert np.abs(points - values * (255 / 4095)).max() <= 2.0**-13
    assert scaled(np.uint8([[[9]]]), BandScale(np.zeros(1), np.ones(1))).dtype == np.uint8
    assert np.array_equal(scaled(values, BandScale(np.zeros(1), np.full(1, 257.0))), values / 257.0)


def sensed(bands, dtype=np.uint16, seed=0):
    """A small scene: three covers of some spectrum, with noise."""
    rng = np.random.RandomState(seed)
    spectra = rng.randint(200, 3800, (3, bands))
    cover = np.repeat(np.repeat(rng.randint(0, 3, (4, 5)), 4, axis=0), 4, axis=1)
    return (spectra[cover] + rng.randint(-90, 90, (16, 20, bands))).clip(0, 4095).astype(dtype)


def points_of(image, found):
    """What was clustered, from the scale that the result tells."""
    return np.rint((image - found.low) / found.unit * 4096) / 4096


@pytest.mark.parametrize(
    ("bands", "scale"), [(2, "depth"), (4, "range"), (6, "std"), (13, "0,3000"), (4, "2%,98%")]
)
def test_bands_in_colour_features_are_scikit_learns(bands, scale):
    """Modes and labels of any bands are scikit-learn's on the scaled points, to the bit."""
    image = sensed(bands)
    found = segment_image(image, bandwidth=25, scale=scale, alpha=False)
    rows = points_of(image, found).reshape(-1, bands)
    reference = MeanShift(bandwidth=25, bin_seeding=True).fit(rows)
    assert np.array_equal(found.modes, reference.cluster_centers_)
    assert np.array_equal(found.labels.ravel() - 1, reference.labels_)
    assert np.allclose(
        found.means, [rows[reference.labels_ == k].mean(0) for k in range(len(found.sizes))]
    )


@pytest.mark.parametrize("bands", [2, 4, 13])
def test_bands_in_joint_features_are_scikit_learns(bands):
    """In the joint domain modes agree within the contract, and the labels as well."""
    image = sensed(bands)
    found = segment_image(
        image,
        features="joint",
        spatial_radius=8,
        range_radius=90,
        scale="range",
        connected=False,
        alpha=False,
    )
    y, x = np.mgrid[:16, :20]
    rows = np.dstack([x / 8, y / 8, points_of(image, found) / 90]).reshape(-1, 2 + bands)
    reference = MeanShift(bandwidth=1, bin_seeding=True).fit(rows)
    assert found.modes.shape == reference.cluster_centers_.shape
    assert np.abs(found.modes - reference.cluster_centers_).max() < 1e-3
    assert np.mean(found.labels.ravel() - 1 == reference.labels_) >= 0.999


def test_four_channels_are_what_alpha_says():
    """The last of four channels is alpha unless said otherwise; of five only if said."""
    image = sensed(5)
    image[:3, :, 3:] = 0
    assert not segment_image(image[..., :4], bandwidth=20).labels[:3].any()
    assert segment_image(image[..., :4], bandwidth=20, alpha=False).labels.all()
    assert segment_image(image, bandwidth=20).means.shape[1] == 5
    four = segment_image(image, bandwidth=20, alpha=True)
    assert four.means.shape[1] == 4
    assert not four.labels[:3].any()
    with pytest.raises(InvalidInputError, match="alpha: expected True where the last of two"):
        segment_image(image[..., 0], alpha=True)


def test_bands_that_take_part_decide_on_the_scale():
    """What is masked or transparent counts for no limit."""
    image = sensed(4)
    image[0] = 60_000
    mask = np.ones(image.shape[:2], bool)
    mask[0] = False
    found = segment_image(image, bandwidth=20, alpha=False, mask=mask)
    assert found.unit.tolist() == [4095 / 255] * 4
    assert not found.labels[0].any()


def test_photos_are_as_ever():
    """Grey and RGB of any type keep their points, whatever their values."""
    dark = np.full((2, 2, 3), 4000, np.uint16)
    assert pixels_of(dark).colors[0].tolist() == [4000 / 257] * 3
    assert segment_image(dark, bandwidth=9).unit.tolist() == [257] * 3
    assert segment_image(dark.astype(np.uint8), bandwidth=9).unit.tolist() == [1] * 3


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (sensed(5), {"color_space": "lab"}, "color_space: expected 'rgb' for 5 bands, got 'lab'"),
        (sensed(5, np.int16), {}, "or floats in 0..1, got int16 with values .* scale='range'"),
        (np.full((2, 2, 5), np.nan), {"scale": "range"}, "image: contains NaN or infinity"),
        (np.zeros((2, 2, 5), complex), {"scale": "range"}, "got complex128"),
        (sensed(5), {"scale": "9,3"}, "scale: expected depth, range, std, LOW,HIGH"),
        (sensed(5), {"scale": "-1%,50%"}, "scale: expected depth, range, std, LOW,HIGH"),
        (sensed(5), {"scale": 3}, "scale: expected depth, range, std, LOW,HIGH .*got 3"),
        (sensed(5), {"scale": "range", "level": 1}, "level: expected no scale beside it"),
        (np.ma.masked_less(sensed(5), 900), {}, r"got a masked array; .*\.any\(axis=-1\)"),
        (np.ma.masked_less(sensed(5)[..., 0], 900), {}, r"getmaskarray\(image\)$"),
    ],
)
def test_bands_that_cannot_be_compared(image, options, message):
    """Each error names what was expected, what was got, and a way out."""
    with pytest.raises(InvalidInputError, match=message):
        segment_image(image, **options)


def test_a_masked_array_is_left_out_as_its_refusal_says():
    """The mask that the message spells leaves out what was masked; an array without is taken."""
    image = np.ma.masked_less(sensed(5), 900)
    mask = ~np.ma.getmaskarray(image).any(axis=-1)
    found = segment_image(image.filled(0), mask=mask, bandwidth=20)
    assert np.array_equal(found.labels > 0, mask)
    whole = segment_image(np.ma.masked_array(sensed(5)), bandwidth=20)
    assert np.array_equal(whole.labels, segment_image(sensed(5), bandwidth=20).labels)


def test_pictures_of_bands_are_stretched():
    """12 bits in 16 are shown from their 2nd to their 98th percentile, 8 bits as they are."""
    image = sensed(6)
    view = BandImage(image, None, 16).view
    low, high = (np.percentile(image[..., :3], p, (0, 1), method="inverted_cdf") for p in (2, 98))
    expected = np.rint(((image[..., :3] - low.astype(float)) * 255 / (high - low)).clip(0, 255))
    assert np.abs(view.rgb.reshape(16, 20, 3) - expected).max() <= 1
    small = (image // 16).astype(np.uint8)
    assert np.array_equal(BandImage(small, None, 8).view.rgb.reshape(16, 20, 3), small[..., :3])
    grey = BandImage(small[..., :2], None, 8).view.rgb
    assert np.array_equal(grey, np.repeat(small[..., 0].reshape(-1, 1), 3, axis=1))


def test_colours_of_segments_are_those_of_the_picture():
    """Mean colours average what is shown; those of modes are shown as a pixel would be."""
    image = sensed(5)
    found = segment_image(image, bandwidth=60)
    rgb = BandImage(image, None, 16).view.rgb.reshape(16, 20, 3)
    for label in range(1, len(found.sizes) + 1):
        shown = rgb[found.labels == label].mean(axis=0)
        assert np.abs(found.colors[label - 1] - shown).max() <= 0.5
        assert np.abs(found.mode_colors[label - 1].astype(int) - shown).max() < 25
    assert np.array_equal(pixels_again(image, found.low, found.unit).rgb(), rgb)
    assert found.boundaries(image).shape == (16 * 16, 20 * 16, 3)


def test_the_tree_of_bands_is_that_of_their_picture():
    """The hierarchy takes the three bands that pictures show."""
    image = np.kron(sensed(5)[::4, ::4], np.ones((12, 12, 1))).astype(np.uint16)
    rgb = BandImage(image, None, 16).picture()
    tree, shown = hierarchy(image), hierarchy(rgb)
    assert np.array_equal(tree.merges, shown.merges)
    assert np.array_equal(tree.labels, shown.labels)


def test_a_segmentation_of_bands_comes_back(tmp_path):
    """Means and scale are in the file; one from before has 8-bit colours as they were."""
    found = segment_image(sensed(5), bandwidth=60)
    found.save(tmp_path / "a.npz")
    again = Segmentation.load(tmp_path / "a.npz")
    for name in ("means", "low", "unit", "modes", "colors"):
        assert np.array_equal(getattr(again, name), getattr(found, name))
    with np.load(tmp_path / "a.npz") as arrays:
        older = {name: arrays[name] for name in arrays if name not in ("means", "low", "unit")}
    np.savez(tmp_path / "b.npz", **older)
    before = Segmentation.load(tmp_path / "b.npz")
    assert np.array_equal(before.means, found.colors)
    assert before.unit.tolist() == [1, 1, 1]
    np.savez(tmp_path / "c.npz", **older, means=found.means, low=found.low, unit=found.unit[:2])
    with pytest.raises(InvalidInputError, match="means and units that do not fit each other"):
        Segmentation.load(tmp_path / "c.npz")
