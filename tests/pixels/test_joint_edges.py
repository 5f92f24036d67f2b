"""Images at the edge of what the joint domain takes: tiny, of one colour, with wide or no balls."""

import numpy as np
import pytest
from skimage import color, data

from segment import InvalidInputError, segment_image

JOINT = {"features": "joint", "connected": False}
PHOTO = data.chelsea()[110:154, 190:248]


def in_space(image, space):
    """The image in a colour space, as scikit-image converts it."""
    if space == "rgb":
        return image
    if space == "gray":
        return color.rgb2gray(image)[..., None] * 255
    return getattr(color, f"rgb2{space}")(image)


@pytest.mark.parametrize("space", ["rgb", "lab", "hsv", "gray"])
@pytest.mark.parametrize("radius", [100, 1e6, 1e9])
def test_radii_beyond_the_image_give_one_segment(space, radius):
    """If the ball holds every pixel, they are one segment; its mode is their mean."""
    found = segment_image(
        PHOTO, color_space=space, spatial_radius=radius, range_radius=1e3, **JOINT
    )
    assert (found.labels == 1).all()
    values = in_space(PHOTO, space).reshape(-1, found.modes.shape[1] - 2)
    mean = [28.5 / radius, 21.5 / radius, *values.mean(axis=0) / 1e3]
    np.testing.assert_allclose(found.modes, [mean], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("space", "bandwidth"),
    [
        ("rgb", 1e9),
        ("rgb", 1e30),
        ("lab", 1e6),
        ("lab", 1e30),
    ],
)
def test_a_bandwidth_beyond_the_image_gives_its_mean_colour(space, bandwidth):
    """If the kernel reaches all pixels, the mode's colour is the mean of the image."""
    found = segment_image(PHOTO, color_space=space, bandwidth=bandwidth, **JOINT)
    assert (found.labels == 1).all()
    mean = in_space(PHOTO, space).reshape(-1, 3).mean(axis=0)
    np.testing.assert_allclose(found.modes[:, 2:], [mean], rtol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9, 3), (9, 1, 3), (1, 1), (5, 1), (1, 7)])
@pytest.mark.parametrize("space", ["rgb", "lab", "gray"])
@pytest.mark.parametrize("assign", ["nearest", "basin"])
def test_thin_images_of_one_colour(shape, space, assign):
    """An image of one pixel, one row or one column of a colour is a segment of that colour."""
    options = {"spatial_radius": 30, "range_radius": 5, "assign": assign}
    found = segment_image(np.full(shape, 77, np.uint8), color_space=space, **JOINT, **options)
    assert found.labels.tolist() == np.ones(shape[:2]).tolist()
    assert found.colors.tolist() == found.mode_colors.tolist() == [[77] * 3]


@pytest.mark.parametrize("axis", [0, 1], ids=["row", "column"])
def test_a_row_is_split_where_its_colour_changes(axis):
    """A row or a column of pixels is segmented like any other image."""
    image = np.expand_dims(np.array([9] * 30 + [200] * 25, np.uint8), axis)
    found = segment_image(image, features="joint", spatial_radius=60, range_radius=20)
    assert found.labels.ravel().tolist() == [1] * 30 + [2] * 25
    assert found.colors.tolist() == [[9] * 3, [200] * 3]


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (1, 4, 3), (3, 1, 3)])
@pytest.mark.parametrize("options", [{}, {"color_space": "lab"}, {"assign": "basin"}], ids=str)
def test_every_pixel_is_a_segment_without_a_bandwidth(shape, options):
    """Where the quantile takes each pixel alone, the bandwidth is 0 and so each is a segment."""
    count = shape[0] * shape[1]
    image = np.arange(0, 240, 20, dtype=np.uint8)[: np.prod(shape)].reshape(shape)
    found = segment_image(image, features="joint", quantile=0.1, **options)
    assert found.bandwidth == 0
    assert found.labels.ravel().tolist() == list(range(1, count + 1))


GRAY = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mask": np.ones((4, 3))}, r"mask: expected shape \(3, 4\) .*, got \(4, 3\)"),
        ({"mask": np.ones((3, 4, 3))}, r"mask: expected shape \(3, 4\) .*, got \(3, 4, 3\)"),
        ({"mask": np.zeros((3, 4), bool)}, "mask: expected something selected"),
        ({"spatial_radius": 5}, "spatial_radius and range_radius: expected both or neither"),
        ({"range_radius": 5}, "spatial_radius and range_radius: expected both or neither"),
        ({"spatial_radius": 0, "range_radius": 5}, "spatial_radius: expected a number"),
        ({"spatial_radius": 5, "range_radius": 0}, "range_radius: expected a number"),
        ({"spatial_radius": np.nan, "range_radius": 5}, "spatial_radius: expected a number"),
        ({"spatial_radius": 5, "range_radius": np.inf}, "range_radius: expected a number"),
        ({"spatial_weight": -1}, "spatial_weight: expected a number"),
        ({"spatial_weight": np.nan}, "spatial_weight: expected a number"),
        ({"min_bin_freq": 99, "spatial_radius": 3, "range_radius": 3}, "min_bin_freq"),
    ],
    ids=str,
)
def test_what_the_joint_domain_does_not_take(options, message):
    """Errors tell what was expected, what was got, and how to mend it."""
    with pytest.raises(InvalidInputError, match=message):
        segment_image(GRAY, features="joint", **options)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("features", ["color", "joint"])
def test_values_that_are_no_numbers_are_refused(value, features):
    """An array with NaN or infinity in it is an error that says what is taken."""
    image = np.full((3, 4, 3), 0.5)
    image[1, 2, 0] = value
    with pytest.raises(InvalidInputError, match=r"image: expected uint8, .* floats in 0\.\.1, got"):
        segment_image(image, features=features)


def test_a_mask_and_transparency_leave_nothing():
    """A mask that selects transparent pixels only is an error that names both."""
    image = np.dstack([GRAY, np.where(GRAY < 4, 0, 255)]).astype(np.uint8)
    with pytest.raises(InvalidInputError, match="transparent, without data or out of the mask"):
        segment_image(image, features="joint", mask=GRAY < 4)
    found = segment_image(image, features="joint", mask=GRAY < 9, bandwidth=1e3)
    assert (found.labels > 0).tolist() == ((GRAY >= 4) & (GRAY < 9)).tolist()


@pytest.mark.parametrize("weight", [1e-6, 1e5, 1e6])
def test_every_pixel_is_a_segment_at_any_weight(weight):
    """Without a bandwidth each pixel reaches itself, however fine or coarse the grid is made."""
    image = np.arange(0, 240, 5, dtype=np.uint8).reshape(4, 4, 3)
    found = segment_image(image, features="joint", quantile=0.05, spatial_weight=weight)
    assert found.labels.ravel().tolist() == list(range(1, 17))


@pytest.mark.parametrize("mask", [np.full((3, 4), np.nan), np.full((3, 4), "x")])
def test_a_mask_of_no_numbers_is_refused(mask):
    """A mask holds numbers, or says yes and no."""
    with pytest.raises(InvalidInputError, match="mask: expected numbers or booleans, got "):
        segment_image(GRAY, mask=mask)
