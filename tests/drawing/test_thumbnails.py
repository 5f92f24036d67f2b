"""Small pictures: put together of strips they are those of the whole image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segment.drawing.thumbnails import GrowingThumbnail, Thumbnail, shrunk_strip

SIDES = st.integers(1, 90)


def grown(picture, labels, step, longest):
    growing = GrowingThumbnail(*labels.shape, longest)
    for top in range(0, len(labels), step):
        strip = slice(top, top + step)
        growing.add(shrunk_strip(growing.grid, picture[strip], labels[strip], top))
    return growing.whole()


@settings(max_examples=60, deadline=None)
@given(SIDES, SIDES, st.integers(1, 90), st.integers(1, 100), st.integers(0, 9))
def test_strips_of_any_height_make_the_same_thumbnail(height, width, step, longest, seed):
    """Labels are those that Pillow takes, colours near its means, whatever the strips."""
    generator = np.random.default_rng(seed)
    picture = generator.integers(0, 256, (height, width, 3), np.uint8)
    labels = generator.integers(0, 900, (height, width), np.int32)
    small = grown(picture, labels, step, longest)
    expected = Thumbnail.of(picture, labels, longest)
    assert np.array_equal(small.labels, expected.labels)
    assert small.photo.size == expected.photo.size
    assert small.photo.tobytes() == grown(picture, labels, height, longest).photo.tobytes()
    if max(height, width) <= longest:
        assert small.photo.tobytes() == expected.photo.tobytes() == picture.tobytes()


@pytest.mark.parametrize("shape", [(160, 80), (80, 240)])
def test_a_whole_number_of_pixels_is_averaged_as_pillow_does(shape):
    """Where each cell has as many pixels, its colour is Pillow's, but for rounding twice."""
    generator = np.random.default_rng(1)
    picture = generator.integers(0, 256, (*shape, 3), np.uint8)
    labels = np.zeros(shape, np.int32)
    longest = max(shape) // 4
    small = np.asarray(grown(picture, labels, 37, longest).photo).astype(int)
    expected = np.asarray(Thumbnail.of(picture, labels, longest).photo)
    assert small.shape == expected.shape
    assert np.abs(small - expected).max() <= 1
