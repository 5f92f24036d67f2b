"""Edges at several scales and texture: drawn, and beside SciPy's filters."""

import numpy as np
import pytest
from scipy.ndimage import correlate1d, gaussian_filter

from segment.pixels.gradients import _taps, enlarged, gradient, steps, texture
from segment.pixels.reducing import reduced
from segment.threads import at_most

PLANES = np.random.default_rng(0).normal(size=(3, 37, 51)).astype(np.float32)


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_gradients_are_those_of_scipys_filters(scale):
    """The strength is the root of the largest eigenvalue of the planes' summed tensors."""
    smooth, slope = (taps.astype(float) for taps in _taps(scale))
    tensor = np.zeros((37, 51, 2, 2))
    for plane in PLANES.astype(float):
        x = correlate1d(correlate1d(plane, smooth, 0, mode="nearest"), slope, 1, mode="nearest")
        y = correlate1d(correlate1d(plane, slope, 0, mode="nearest"), smooth, 1, mode="nearest")
        both = np.stack([x, y], axis=-1)
        tensor += both[..., None] * both[..., None, :]
    wanted = np.sqrt(np.linalg.eigvalsh(tensor)[..., -1])
    np.testing.assert_allclose(gradient(PLANES, scale), wanted, rtol=1e-4, atol=1e-5)


def test_taps_are_a_gaussian():
    """Smoothing with them is SciPy's Gaussian filter, cut off at three standard deviations."""
    impulse = np.zeros((41, 41))
    impulse[20, 20] = 1
    taps = _taps(2.5)[0]
    wanted = gaussian_filter(impulse, 2.5, radius=len(taps) // 2)[20] / taps.max()
    np.testing.assert_allclose(taps, wanted[20 - len(taps) // 2 :][: len(taps)], atol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 2.0, 4.0, 8.0])
def test_a_step_has_its_height_at_any_scale(scale):
    """Across a straight step of 8 the strength rises to 8, less what lies between two pixels."""
    step = np.zeros((1, 60, 80), np.float32)
    step[:, :, 40:] = 8
    strength = gradient(step, scale)
    assert 7 < strength[30].max() < 8.01
    assert strength[30, [0, -1]].max() < 0.01
    assert abs(strength - strength[30]).max() < 1e-4


def test_the_number_of_threads_changes_nothing():
    """Gradients and texture are equal to the bit on one thread and on several."""
    planes = np.tile(PLANES, (1, 6, 1))
    light = np.abs(planes[0]) * 20
    with at_most(1):
        alone = gradient(planes, 2.0), gradient(planes, 8.0), texture(light)
    for one, other in zip(
        alone, (gradient(planes, 2.0), gradient(planes, 8.0), texture(light)), strict=True
    ):
        assert np.array_equal(one, other)


def test_texture_tells_how_much_and_in_which_direction():
    """Flat areas have none; upright, lying and slanting stripes differ from each other."""
    y, x = np.indices((40, 40))
    flat = texture(np.full((40, 40), 50, np.float32))
    assert flat.reshape(-1, 3).tolist() == [[0, 20, 20]] * 1600
    middles = [
        texture(np.float32(50 + 30 * np.sin(wave)))[20, 20].astype(int)
        for wave in (x, y, (x + y) * 0.7, (x - y) * 0.7)
    ]
    upright, lying, rising, falling = middles
    assert min(stripes[0] for stripes in middles) > 20
    assert upright[1] > 30 > 10 > lying[1]
    assert abs(rising[2] - falling[2]) > 20
    assert abs(rising[1] - 20) <= 1
    assert abs(upright[2] - 20) <= 1


def test_steps_are_the_largest_difference_of_lightness_around():
    """A white pixel on black is a step of 100 from its four neighbours, across bands of rows."""
    rgb = np.zeros((130, 5, 3), np.uint8)
    rgb[64, 2] = 255
    seen = np.argwhere(steps(rgb) > 99).tolist()
    assert seen == [[63, 2], [64, 1], [64, 2], [64, 3], [65, 2]]


def test_planes_are_enlarged_between_the_centres_of_pixels():
    """A ramp stays one; beyond the outermost centres the plane is level."""
    ramp = np.float32([[0, 2, 4]])
    assert enlarged(ramp, 2, (2, 6)).tolist() == [[0.0, 0.5, 1.5, 2.5, 3.5, 4.0]] * 2
    assert enlarged(ramp, 2, (1, 5)).tolist() == [[0.0, 0.5, 1.5, 2.5, 3.5]]


def test_squares_of_pixels_are_averaged():
    """Each square is the mean of its visible pixels, also where the border cuts it."""
    rgb = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    visible = np.random.default_rng(0).random((5, 7)) > 0.4
    visible[:3, :3] = False
    small, hidden = reduced(rgb, visible, 3)
    assert hidden.tolist() == [[True, False, False], [False, False, False]]
    for y, x in np.argwhere(~hidden):
        square = (slice(3 * y, 3 * y + 3), slice(3 * x, 3 * x + 3))
        mean = rgb[square][visible[square]].mean(axis=0)
        assert abs(small[y, x] - mean).max() <= 0.5
    assert small[0, 0].tolist() in (small[0, 1].tolist(), small[1, 0].tolist())


def test_an_image_that_is_small_enough_stays_as_it_is():
    """With a factor of 1 and all visible, nothing is copied."""
    rgb = np.zeros((3, 4, 3), np.uint8)
    assert reduced(rgb, None, 1)[0] is rgb
