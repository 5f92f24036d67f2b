"""Outlines over photos."""

import numpy as np
import pytest

from segment import InvalidInputError, segment_image
from segment.drawing.boundaries import LINE, draw_boundaries

HALVES = np.repeat([[1, 2]], 100, axis=1).repeat(200, axis=0)


def luminance(color):
    """Relative luminance as WCAG defines it."""
    share = np.asarray(color) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("gray", [0, 60, 128, 200, 255])
def test_lines_stand_out_on_dark_and_light(gray):
    """Between a line, its sides and the photo there is a contrast of 3 to 1 somewhere."""
    picture = draw_boundaries(np.full((200, 200, 3), gray, np.uint8), HALVES)
    colors = [picture[100, x] for x in (50, 98, 99)]
    light = [luminance(color) + 0.05 for color in colors]
    assert max(light) / min(light) >= 3
    assert np.array_equal(picture[100, 99], LINE)


def test_lines_lie_between_labels_and_nowhere_else():
    """A pixel is on a line just where its right or lower neighbour has another label."""
    labels = np.random.default_rng(0).integers(1, 4, (30, 40)).repeat(8, 0).repeat(8, 1)
    picture = draw_boundaries(np.zeros((240, 320, 3), np.uint8), labels)
    drawn = (picture == LINE).all(axis=2)
    for y, x in np.ndindex(239, 319):
        other = labels[y, x + 1] != labels[y, x] or labels[y + 1, x] != labels[y, x]
        assert drawn[y, x] == other


def test_one_segment_is_the_photo():
    """Where there is no border, the photo stays as it is."""
    image = np.random.default_rng(0).integers(0, 255, (200, 170, 3), np.uint8)
    assert np.array_equal(draw_boundaries(image, np.ones((200, 170), int)), image)


def test_small_images_are_enlarged():
    """A 5 x 5 image becomes large enough to see lines and pixels."""
    image = np.arange(75, dtype=np.uint8).reshape(5, 5, 3)
    picture = segment_image(image, bandwidth=20).boundaries(image)
    assert picture.shape == (320, 320, 3)
    assert np.array_equal(picture[32, 32], image[0, 0])


def test_lines_are_wide_enough_on_large_images():
    """On a large image a line has several pixels, so that it stays visible when scaled down."""
    labels = np.ones((20, 6000), int)
    labels[:, 3000:] = 2
    picture = draw_boundaries(np.zeros((20, 6000, 3), np.uint8), labels)
    assert (picture[10] == LINE).all(axis=1).sum() == 5


def test_without_a_photo_the_recoloured_image_is_drawn_on(bundled_photos):
    """`boundaries()` draws over the segments' colours."""
    segmentation = segment_image(bundled_photos["coffee"])
    plain = draw_boundaries(segmentation.recolored(), segmentation.labels)
    assert np.array_equal(segmentation.boundaries(), plain)


def test_another_image_is_refused():
    """An image of another size than the labels is refused by name."""
    segmentation = segment_image(np.zeros((4, 5), np.uint8), bandwidth=5)
    with pytest.raises(InvalidInputError, match="image: expected shape"):
        segmentation.boundaries(np.zeros((5, 4), np.uint8))


def test_transparent_pixels_are_white():
    """What hides under full transparency is not shown."""
    image = np.full((200, 200, 4), 60, np.uint8)
    image[:, 100:, 3] = 0
    picture = segment_image(image, bandwidth=9).boundaries(image)
    assert (picture[:, 110:] == 255).all()
    assert (picture[:, :90] == 60).all()
