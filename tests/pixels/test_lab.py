"""Lab in whole numbers, beside scikit-image's."""

import numpy as np
from skimage.color import rgb2lab

from segment.pixels.lab import lab_bytes, lightness

COLORS = np.random.default_rng(0).integers(0, 256, (20_000, 3)).astype(np.uint8)


def test_lab_is_scikit_images_rounded():
    """Each channel is within 0.7 of scikit-image's Lab, where rounding alone makes 0.5."""
    exact = rgb2lab(COLORS[None])[0] + [0, 128, 128]
    assert abs(lab_bytes(COLORS) - exact).max() < 0.7


def test_grey_has_no_colour():
    """Every grey is neutral, and lighter greys have no smaller L."""
    lab = lab_bytes(np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1))
    assert (lab[:, 1:] == 128).all()
    assert (np.diff(lab[:, 0].astype(int)) >= 0).all()
    assert (lab[0, 0], lab[-1, 0]) == (0, 100)


def test_lightness_is_finer():
    """L alone is within 0.04 of scikit-image's."""
    assert abs(lightness(COLORS) - rgb2lab(COLORS[None])[0, :, 0]).max() < 0.04
