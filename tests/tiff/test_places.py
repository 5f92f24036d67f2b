"""The place on the map: world files to GeoTIFF's tags, and these to six numbers, as by GDAL."""

import sys
import warnings

import numpy as np
import pytest
import tifffile
from PIL import Image

from segment import errors
from segment.reading.files import read_pages
from segment.tiff.places import place_of, world_file, world_tags
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


@pytest.mark.parametrize("kind", [1, 2], ids=["area", "point"])
@pytest.mark.parametrize("text", [NORTH_UP, TURNED], ids=["north up", "turned"])
def test_a_world_file_places_an_image_that_has_a_system(tmp_path, text, kind):
    """A TIFF with a reference system and no transform has that of its world file, as in GDAL."""
    system = keys((1024, 1), (1025, kind), (3072, 32633))
    tifffile.imwrite(tmp_path / "a.tif", NOISE, extratags=[system])
    _written(tmp_path / "a.tfw", text.replace(",", ".").replace(" ", "\n"))
    (picture,) = read_pages(tmp_path / "a.tif")
    place = place_of(picture.kept.geo)
    assert place.transform == pytest.approx(placed(tmp_path / "a.tif"), abs=1e-9)
    assert place.epsg == "EPSG:32633"


SCALE = (33550, 12, 3, (2.0, 3.0, 0.0), True)
TIE_POINT = (33922, 12, 6, (4.0, 5.0, 0.0, 500000.0, 4600000.0, 0.0), True)
MATRIX = (8.0, -6.0, 0.0, 500.0, -6.0, -8.0, 0.0, 900.0, *[0.0] * 7, 1.0)


def keys(*pairs):
    """GeoTIFF's directory of keys that are numbers."""
    entries = [number for key, value in pairs for number in (key, 0, 1, value)]
    return (34735, 3, 4 + len(entries), (1, 1, 0, len(pairs), *entries), True)


@pytest.mark.parametrize("kind", [1, 2], ids=["area", "point"])
@pytest.mark.parametrize(
    "tags",
    [
        pytest.param((SCALE, TIE_POINT), id="scale"),
        pytest.param((SCALE, (*TIE_POINT[:2], 12, TIE_POINT[3] * 2, True)), id="two tie points"),
        pytest.param(((*SCALE[:3], (2.0, -3.0, 0.0), True), TIE_POINT), id="negative scale"),
        pytest.param(((34264, 12, 16, MATRIX, True),), id="matrix"),
        pytest.param((SCALE, TIE_POINT, (34264, 12, 16, MATRIX, True)), id="both"),
    ],
)
def test_a_transform_is_that_of_gdal(tmp_path, tags, kind):
    """Scale and tie point, or a matrix, of areas or points, mean what they mean to GDAL."""
    tags = (*tags, keys((1024, 1), (1025, kind), (3072, 32633)))
    tifffile.imwrite(tmp_path / "a.tif", NOISE, extratags=tags)
    place = place_of(tags)
    assert place.transform == pytest.approx(placed(tmp_path / "a.tif"), abs=1e-9)
    assert (place.epsg, place.system(), place.geographic) == ("EPSG:32633", "EPSG:32633", False)


@pytest.mark.parametrize(
    "tags",
    [
        pytest.param((), id="nothing"),
        pytest.param(((33550, 12, 3, (0.0, 3.0, 0.0), True), TIE_POINT), id="no width"),
        pytest.param((SCALE,), id="no tie point"),
        pytest.param(((34264, 12, 16, (0.0,) * 16, True),), id="flat"),
        pytest.param(((34264, 12, 16, (float("nan"),) * 16, True),), id="nan"),
        pytest.param((SCALE, TIE_POINT, keys((1024, 3), (2048, 4978))), id="geocentric"),
    ],
)
def test_no_transform(tags):
    """What gives no plane with sides to its pixels gives no transform."""
    place = place_of(tags)
    assert place.transform is None
    assert not place.control_points
    assert place.has_system == (len(tags) == 3)


def test_a_system_without_a_code_is_told_by_gdal(tmp_path):
    """A system that its makers put together is WKT, the one that GDAL reads in the file."""
    rasterio = pytest.importorskip("rasterio", reason="needs GDAL, of the extra 'geo'")
    system = rasterio.CRS.from_string("+proj=laea +lat_0=52 +lon_0=10 +datum=WGS84")
    transform = rasterio.Affine(2, 0, 5, 0, -2, 7)
    shape = {"width": 32, "height": 24, "count": 1, "dtype": "uint8"}
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", crs=system, transform=transform, **shape
    ) as file:
        file.write(np.ones((24, 32), np.uint8), 1)
    (picture,) = read_pages(tmp_path / "a.tif")
    place = place_of(picture.kept.geo)
    assert place.epsg is None
    assert rasterio.CRS.from_wkt(place.system()) == system


def test_wkt_names_the_package_that_makes_it(monkeypatch):
    """Without rasterio, a system without a code is an error that says which extra to install."""
    monkeypatch.setitem(sys.modules, "rasterio", None)
    place = place_of((keys((1024, 1), (3072, 32767)),))
    with pytest.raises(errors.MissingPackageError, match=r"rasterio: .*meanshift-segment\[geo\]"):
        place.system()
    assert place_of(()).system() is None


def _written(path, text):
    path.write_text(text)
    return path
