"""Regions as the command writes them: the table, the outlines, what the options do to them."""

import csv
import json
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from segment import segment_image
from segment.reading.files import read_mask
from tests.commands import call

JOINT = ["-f", "joint", "--spatial-radius", "9.5", "--range-radius", "14.5"]
RADII = {"features": "joint", "spatial_radius": 9.5, "range_radius": 14.5}
WRITE = ["--write", "labels,segmented,regions,polygons"]


def run(*arguments, code=0):
    """Run the command and return what it says on stderr."""
    done = call(*arguments)
    assert done.returncode == code, done.stderr
    return done.stderr


@pytest.fixture
def photo(tmp_path, bundled_photos):
    """A real photo as a PNG file, its pixels, and a folder for results."""
    pixels = bundled_photos["chelsea"]
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png", pixels, tmp_path / "out"


def read_labels(folder):
    return np.asarray(Image.open(folder / "photo_labels.png"))


def read_table(folder):
    """The rows of the table as numbers by column."""
    with (folder / "photo_regions.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def read_polygons(folder):
    """Label, pixels and polygons of each feature."""
    collection = json.loads((folder / "photo_polygons.geojson").read_text())
    assert collection["type"] == "FeatureCollection"
    for feature in collection["features"]:
        assert feature["type"] == "Feature"
        shape, properties = feature["geometry"], feature["properties"]
        several = shape["type"] == "MultiPolygon"
        polygons = shape["coordinates"] if several else [shape["coordinates"]]
        yield properties["label"], properties["pixels"], polygons


def area(ring):
    """The shoelace formula; negative for holes."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring)) / 2


def painted(polygons, shape):
    """Pixels whose centres have an odd number of sides to their right."""
    inside = np.zeros(shape, bool)
    for (x0, y0), (x1, y1) in [
        side for rings in polygons for ring in rings for side in pairwise(ring)
    ]:
        if x0 == x1:
            inside[min(y0, y1) : max(y0, y1), :x0] ^= True
    return inside


def test_the_table_describes_the_labels(photo):
    """Each region of the label map has a row with its size, centroid, box and colours."""
    path, pixels, out = photo
    run(path, *JOINT, "--min-size", 9, *WRITE, "-o", out)
    labels, rows = read_labels(out), read_table(out)
    assert [row["label"] for row in rows] == list(range(1, labels.max() + 1))
    for row in rows:
        y, x = np.nonzero(labels == row["label"])
        assert row["pixels"] == len(x) >= 9
        assert (row["centroid_x"], row["centroid_y"]) == pytest.approx((x.mean(), y.mean()))
        box = [row[name] for name in ("left", "top", "right", "bottom")]
        assert box == [x.min(), y.min(), x.max() + 1, y.max() + 1]
        for channel, values in zip(("red", "green", "blue"), pixels[y, x].T, strict=True):
            assert row[f"mean_{channel}"] == pytest.approx(values.mean())
            assert row[f"std_{channel}"] == pytest.approx(values.std())
            assert (row[f"min_{channel}"], row[f"max_{channel}"]) == (values.min(), values.max())
    assert sum(row["pixels"] for row in rows) == labels.size


def test_outlines_cover_the_image_without_gaps_or_overlaps(photo):
    """Each region's polygons paint its pixels and have its area; together, they are the image."""
    path, _, out = photo
    run(path, "-b", 15, "--min-size", 4, *WRITE, "-o", out)
    labels = read_labels(out)
    times = np.zeros(labels.shape, int)
    for label, pixels, polygons in read_polygons(out):
        assert pixels == sum(
            abs(area(rings[0])) - sum(abs(area(hole)) for hole in rings[1:]) for rings in polygons
        )
        np.testing.assert_array_equal(painted(polygons, labels.shape), labels == label)
        times[labels == label] += 1
    assert (times == 1).all()
    assert any(len(rings) > 1 for _, _, polygons in read_polygons(out) for rings in polygons)


def test_the_table_of_a_grey_image(tmp_path):
    """A grey image has one of each statistic; a cluster in two parts is one row by default."""
    Image.fromarray(np.array([[10, 90, 12]], np.uint8)).save(tmp_path / "photo.png")
    run(tmp_path / "photo.png", "-b", 20, "--write", "regions,polygons", "-o", tmp_path)
    assert (tmp_path / "photo_regions.csv").read_text() == (
        "label,pixels,centroid_x,centroid_y,left,top,right,bottom,"
        "mean_gray,std_gray,min_gray,max_gray\n"
        "1,2,1.0,0.0,0,0,3,1,11.0,1.0,10.0,12.0\n"
        "2,1,1.0,0.0,1,0,2,1,90.0,0.0,90.0,90.0\n"
    )
    assert [(label, len(parts)) for label, _, parts in read_polygons(tmp_path)] == [(1, 2), (2, 1)]
    assert not (tmp_path / "photo_labels.png").exists()


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        (["--connected"], {"connected": True}),
        (["--min-size", "20"], {"min_size": 20}),
        (["--connected", "--connectivity", "8"], {"connected": True, "connectivity": 8}),
        (["--min-size", "30", "--connectivity", "8"], {"min_size": 30, "connectivity": 8}),
        (JOINT, RADII),
        ([*JOINT, "--no-connected"], RADII | {"connected": False}),
        ([*JOINT, "--min-size", "0"], RADII | {"min_size": 0}),
        (
            ["-f", "joint", "--spatial-weight", "0.3", "-b", "9", "-c", "lab"],
            {"features": "joint", "spatial_weight": 0.3, "bandwidth": 9, "color_space": "lab"},
        ),
        (["--assign", "basin", "-b", "25"], {"assign": "basin", "bandwidth": 25}),
        (["--kernel", "gaussian", "-b", "9"], {"kernel": "gaussian", "bandwidth": 9}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_do_what_the_parameters_do(photo, options, settings):
    """Each option of the joint domain and of regions is the library's parameter of its name."""
    path, pixels, out = photo
    Image.fromarray(pixels[:50, :60]).save(path)
    run(path, *options, "--write", "labels", "-o", out)
    expected = segment_image(pixels[:50, :60], **settings)
    assert len(expected.sizes) > 1
    np.testing.assert_array_equal(read_labels(out), expected.labels)


def test_a_mask_keeps_pixels_out(photo):
    """Outside the mask pixels get label 0, no row, no outline, and are seen through."""
    path, pixels, out = photo
    chosen = np.zeros(pixels.shape[:2], np.uint8)
    chosen[10:50, 20:90] = 255
    chosen[30:33, 40:50] = 0
    Image.fromarray(chosen).save(path.with_name("mask.png"))
    run(path, *JOINT, *WRITE, "--mask", path.with_name("mask.png"), "-o", out)
    labels = read_labels(out)
    np.testing.assert_array_equal(labels, segment_image(pixels, mask=chosen, **RADII).labels)
    np.testing.assert_array_equal(labels > 0, chosen > 0)
    assert sum(row["pixels"] for row in read_table(out)) == (chosen > 0).sum()
    covered = sum(painted(parts, labels.shape).astype(int) for _, _, parts in read_polygons(out))
    np.testing.assert_array_equal(covered, chosen > 0)
    segmented = np.asarray(Image.open(out / "photo_segmented.png").convert("RGBA"))
    np.testing.assert_array_equal(segmented[..., 3] > 0, chosen > 0)


@pytest.mark.parametrize(
    ("pixels", "mode", "selected"),
    [
        ([[0, 1, 255]], "L", [[False, True, True]]),
        ([[0, 0, 9], [0, 0, 0], [5, 0, 0]], "RGB", [[True, False, True]]),
        ([[0, 0], [9, 0], [9, 9]], "LA", [[False, False, True]]),
        ([[0, 0, 9, 0], [0, 0, 9, 1], [0, 0, 0, 9]], "RGBA", [[False, True, False]]),
    ],
    ids=["grey", "rgb", "grey-alpha", "rgb-alpha"],
)
def test_masks_of_any_mode(tmp_path, pixels, mode, selected):
    """A mask selects what is neither black nor fully transparent."""
    array = np.array(pixels, np.uint8)
    array = array if mode == "L" else array[None]
    image = Image.fromarray(array)
    assert image.mode == mode
    image.save(tmp_path / "mask.png")
    assert read_mask(tmp_path / "mask.png").tolist() == selected


def test_masks_that_do_not_fit_cost_the_image(photo):
    """A mask of another size and one that selects nothing fail the image in one line."""
    path, pixels, out = photo
    mask = path.with_name("mask.png")
    height, width = pixels.shape[:2]
    Image.new("L", (height, width), 255).save(mask)
    assert run(path, "--mask", mask, "-o", out, code=1) == (
        f"error: {path}: mask: expected shape ({height}, {width}) like the image, "
        f"got ({width}, {height}); crop or scale it to the image\n"
    )
    Image.new("L", (width, height), 0).save(mask)
    said = run(path, "--mask", mask, "-o", out, code=1)
    assert said.startswith(f"error: {path}: mask: expected something selected")
    assert not list(out.iterdir())


def test_masks_that_cannot_be_read_are_usage_errors(photo):
    """A mask that is no image is refused before any image is read."""
    path, _, out = photo
    for name, what in (("none.png", "no such file"), ("", "is a folder")):
        said = run(path, "--mask", path.parent / name, "-o", out, code=2)
        assert f"Invalid value for '--mask': {path.parent / name}: {what}" in said
    assert not out.exists()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)], ids=str)
def test_thin_images(tmp_path, size):
    """Images of one pixel, one column or one row give all products."""
    Image.new("RGB", size, (200, 9, 9)).save(tmp_path / "photo.png")
    run(tmp_path / "photo.png", *JOINT, *WRITE, "-o", tmp_path)
    assert (read_labels(tmp_path) == 1).all()
    assert [row["pixels"] for row in read_table(tmp_path)] == [size[0] * size[1]]
    ((_, _, (((first, *_),),)),) = read_polygons(tmp_path)
    assert first == [0, 0]
