"""The place on the map: world files to GeoTIFF's tags, as GDAL reads them."""

import warnings

import numpy as np
import pytest
import tifffile
from PIL import Image

from segment.reading.files import read_pages
from segment.tiff.places import world_file, world_tags
from tests.commands import run
from tests.drawn import NOISE

NORTH_UP = "0.5\n0.0\n0.0\n-0.5\n500000.25\n4649776.25\n"
TURNED = "0,4 0.3 0.3 -0.4 1000 2000"  # one line, and a comma as some write it


def placed(path):
    """The affine transformation of a file by GDAL, as (a, b, c, d, e, f)."""
    rasterio = pytest.importorskip("rasterio", reason="needs GDAL, of the extra 'test'")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # that it has no place
        with rasterio.open(path) as file:
            return tuple(file.transform)[:6]


@pytest.mark.parametrize("text", [NORTH_UP, TURNED], ids=["north up", "turned"])
def test_a_world_file_and_its_tags_mean_the_same(tmp_path, text):
    """GDAL finds the same place by a world file and by the tags made of it."""
    (tmp_path / "a.pgw").write_text(text.replace(",", ".").replace(" ", "\n"))
    Image.fromarray(NOISE).save(tmp_path / "a.png")
    (tmp_path / "b.wld").write_text(text)
    tifffile.imwrite(tmp_path / "c.tif", NOISE, extratags=world_tags(tmp_path / "b.wld"))
    assert np.allclose(placed(tmp_path / "c.tif"), placed(tmp_path / "a.png"), atol=1e-9)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("a.tif", "a.tfw"),
        ("a.tif", "a.TFW"),
        ("a.tiff", "a.tfw"),
        ("a.tif", "a.tifw"),
        ("a.JPG", "a.jgw"),
        ("a.jpg", "a.wld"),
        ("a.png", "a.pgw"),
        ("a.b.png", "a.b.png.wld"),
    ],
)
def test_names_of_world_files(tmp_path, image, name):
    """A world file is known by the name of its image, in the ways that programs spell it."""
    assert world_file(tmp_path / image) is None
    (tmp_path / name).write_text(NORTH_UP)
    assert world_file(tmp_path / image) == tmp_path / name
    assert world_file(tmp_path / "other.png") is None


def test_a_label_map_lies_where_the_world_file_says(tmp_path):
    """The command carries a world file into the label map, or says that its place is lost."""
    Image.fromarray(NOISE).save(tmp_path / "a.png")
    (tmp_path / "a.pgw").write_text(NORTH_UP)
    command = [tmp_path / "a.png", "--bandwidth", 60, "-o", tmp_path / "out"]
    done = run(*command, "--label-format", "tiff")
    assert (done.returncode, "place" in done.stderr) == (0, False)
    assert "place on the map is lost; --label-format tiff keeps it" in run(*command).stderr
    assert placed(tmp_path / "out" / "a_labels.tif") == placed(tmp_path / "a.png")


def test_tags_of_the_file_go_before_a_world_file(tmp_path):
    """A GeoTIFF's own place counts, whatever lies beside it."""
    scale, tie_point, keys = world_tags(_written(tmp_path / "x.wld", NORTH_UP))
    tifffile.imwrite(tmp_path / "a.tif", NOISE, extratags=[scale, tie_point, keys])
    _written(tmp_path / "a.tfw", TURNED)
    (picture,) = read_pages(tmp_path / "a.tif")
    assert [tag[0] for tag in picture.kept.geo] == [33550, 33922, 34735]


@pytest.mark.parametrize("text", ["", "1 2 3", "1 2 x 3 4 5", "0 0 0 0 5 5", "nan 0 0 1 5 5"])
def test_world_files_that_are_none(tmp_path, text):
    """What is no world file costs a warning and not the image."""
    Image.fromarray(NOISE).save(tmp_path / "a.png")
    _written(tmp_path / "a.pgw", text)
    (picture,) = read_pages(tmp_path / "a.png")
    assert picture.kept.geo == ()
    assert picture.warnings[0].startswith("its world file a.pgw is left out: ")


def test_the_place_of_a_turned_photo_is_left_out(tmp_path):
    """A photo that EXIF turns upright would lie wrong; its place is lost with a warning."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(NOISE).save(tmp_path / "a.jpg", exif=exif)
    _written(tmp_path / "a.jgw", NORTH_UP)
    (picture,) = read_pages(tmp_path / "a.jpg")
    assert picture.kept.geo == ()
    assert "for it is not stored upright" in picture.warnings[0]


def _written(path, text):
    path.write_text(text)
    return path
