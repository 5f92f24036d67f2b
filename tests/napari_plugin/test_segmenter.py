"""An image that is segmented again and again."""

import numpy as np
import pytest

from segment import hierarchy, segment_image
from segment.errors import InvalidInputError
from segment.napari_plugin.segmenter import Picture, Segmenter
from segment.settings import Settings


def run(segmenter, picture, **settings):
    """The stages that were gone through, and the segmentation."""
    stages, names = segmenter.stages(picture, Settings(**settings)), []
    while True:
        try:
            names.append(next(stages))
        except StopIteration as end:
            return names, end.value


@pytest.fixture
def photo(bundled_photos):
    return Picture(bundled_photos["chelsea"][:60, :80])


@pytest.mark.parametrize(
    "settings",
    [
        {"quantile": 0.2},
        {"bandwidth": 12, "color_space": "lab", "min_size": 9},
        {"features": "joint", "spatial_weight": 0.5},
        {"features": "joint", "spatial_radius": 6, "range_radius": 9},
    ],
    ids=str,
)
def test_the_answer_is_that_of_the_library(photo, settings):
    """Labels are those of `segment_image`, also where an index is kept from another bandwidth."""
    segmenter = Segmenter()
    run(segmenter, photo, **settings | ({} if "range_radius" in settings else {"quantile": 0.3}))
    _, found = run(segmenter, photo, **settings)
    expected = segment_image(photo.image, **settings)
    np.testing.assert_array_equal(found.labels, expected.labels)
    assert found.bandwidth == expected.bandwidth


def test_what_lasts_is_prepared_once(photo):
    """Another bandwidth needs no new index, another level no new tree; another image does."""
    segmenter = Segmenter()
    assert run(segmenter, photo, bandwidth=20)[0] == ["preparing", "segmenting"]
    same = Picture(photo.image.copy())
    assert run(segmenter, same, bandwidth=30, min_size=5)[0] == ["segmenting"]
    assert run(segmenter, photo, bandwidth=30, color_space="lab")[0] == ["preparing", "segmenting"]
    assert run(segmenter, photo, level=1)[0] == ["finding the hierarchy"]
    names, found = run(segmenter, photo, level=0.5)
    assert names == []
    np.testing.assert_array_equal(found.labels, hierarchy(photo.image).cut(0.5).labels)
    other = Picture(photo.image[::-1])
    assert run(segmenter, other, level=1)[0] == ["finding the hierarchy"]


def test_pictures_differ_by_what_is_visible(photo):
    """Pixels that take no part have label 0, and make another picture."""
    visible = np.ones(photo.image.shape[:2], bool)
    visible[:9] = False
    masked = Picture(photo.image, visible)
    assert not masked.same(photo)
    assert masked.same(Picture(photo.image.copy(), visible.copy()))
    assert not masked.same(Picture(photo.image, ~visible))
    assert not photo.same(Picture(photo.image.astype(np.float64)))
    _, found = run(Segmenter(), masked, quantile=0.2)
    np.testing.assert_array_equal(found.labels > 0, visible)


def test_images_that_cannot_be_segmented_are_errors():
    """What `segment_image` refuses is refused in its words."""
    with pytest.raises(InvalidInputError, match="image: expected uint8"):
        run(Segmenter(), Picture(np.full((2, 2), 300.0)), bandwidth=9)
