"""Polygons and tables on the map: opened by GDAL, they are valid, in place, and burn back."""

import json
import sys
import tempfile
import warnings
from pathlib import Path

import click
import numpy as np
import pytest
import tifffile
from scipy import ndimage

from segment import errors, segment_image
from segment.command.checks import check_packages
from segment.command.cli import command
from segment.reading.files import read_pages
from segment.regions.table import region_table
from segment.regions.tracing import traced
from segment.results import mapping, polygons
from segment.results.outputs import Output, PolygonOptions
from segment.results.products import Result, write
from segment.running.batch import made_with
from segment.running.plan import Work
from segment.settings import Settings
from segment.tiff.places import place_of
from tests.commands import run

rasterio = pytest.importorskip("rasterio", reason="of the extra 'geo'")
pyogrio = pytest.importorskip("pyogrio", reason="of the extra 'geo'")
shapely = pytest.importorskip("shapely", reason="of the extra 'geo'")

HEIGHT, WIDTH = 40, 50
NORTH_UP = rasterio.Affine(10, 0, 500_000, 0, -10, 4_600_000)
PLACES = {
    "utm": ("EPSG:32633", NORTH_UP),
    "degrees": ("EPSG:4326", rasterio.Affine(1e-4, 0, 12, 0, -1e-4, 45)),
    "turned": ("EPSG:32633", rasterio.Affine(8, -6, 500_000, -6, -8, 4_600_000)),
    "south up": ("EPSG:3035", rasterio.Affine(10, 0, 4_000_000, 0, 12, 3_000_000)),
    "no code": ("+proj=laea +lat_0=52 +lon_0=10 +datum=WGS84", rasterio.Affine(3, 0, 7, 0, -3, 9)),
}
FORMATS = ["geojson", "gpkg", "fgb"]


@pytest.fixture(scope="module")
def picture():
    """An image of smooth regions that meet in threes, with holes and pixels of no region."""
    noise = np.random.default_rng(5).normal(size=(HEIGHT, WIDTH, 3))
    smooth = ndimage.gaussian_filter(noise, (3, 3, 0))
    colors = (np.clip(smooth * 4, -1, 1) * 2).round() * 60 + 120
    image = np.dstack([colors, np.full((HEIGHT, WIDTH), 255)]).astype(np.uint8)
    image[10:20, 25:45, 3] = 0
    return image


@pytest.fixture(scope="module")
def found(picture):
    """Its segmentation into connected regions and the rest."""
    return segment_image(picture, bandwidth=20, connected=True, min_size=3)


def geotiff(path, picture, **place):
    """Write an image as GDAL does and read back what is kept of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has no place
        with rasterio.open(
            path, "w", driver="GTiff", width=WIDTH, height=HEIGHT, count=4, dtype="uint8", **place
        ) as file:
            file.write(picture.transpose(2, 0, 1))
    return next(iter(read_pages(path))).kept


@pytest.fixture(scope="module")
def kept(tmp_path_factory, picture):
    """What is kept of a GeoTIFF of each place."""
    folder = tmp_path_factory.mktemp("places")
    return {
        name: geotiff(folder / f"{name}.tif", picture, crs=crs, transform=transform)
        for name, (crs, transform) in PLACES.items()
    }


def written(folder, picture, found, kept, **options):
    """Write polygons and read them as GDAL reads them: what is told, shapes, columns by name."""
    chosen = PolygonOptions(**options)
    path = folder / f"a_polygons.{chosen.polygon_format}"
    write("polygons", Result(picture, found, "mean", kept=kept, polygons=chosen), path)
    assert [each.name for each in folder.iterdir()] == [path.name]
    meta, _, shapes, columns = pyogrio.raw.read(path)
    return meta, shapely.from_wkb(shapes), dict(zip(meta["fields"], columns, strict=True))


def burnt(shapes, labels, transform):
    """The label map that polygons make on a grid."""
    from rasterio.features import rasterize

    pairs = zip(shapes, labels, strict=True)
    return rasterize(pairs, (HEIGHT, WIDTH), transform=transform, dtype="int32")


@pytest.mark.parametrize("polygon_format", FORMATS)
@pytest.mark.parametrize("name", PLACES)
def test_polygons_burn_back_to_the_label_map(tmp_path, picture, found, kept, name, polygon_format):
    """In any system, turned or not, polygons are valid, in place, and those of the label map."""
    crs, transform = PLACES[name]
    options = {"polygon_format": polygon_format, "polygon_crs": "native"}
    meta, shapes, columns = written(tmp_path, picture, found, kept[name], **options)
    assert shapely.is_valid(shapes).all()
    exteriors = shapely.get_exterior_ring(shapely.get_parts(shapes))
    assert shapely.is_ccw(exteriors).all()
    np.testing.assert_array_equal(burnt(shapes, columns["label"], transform), found.labels)
    side = abs(transform.determinant)
    assert shapely.area(shapes) == pytest.approx(columns["pixels"] * side, rel=1e-5)
    if (polygon_format, name) != ("geojson", "no code"):
        expected = rasterio.CRS.from_user_input(crs)
        assert rasterio.CRS.from_user_input(meta["crs"]) == expected


@pytest.mark.parametrize("polygon_format", FORMATS)
def test_attributes_are_the_columns_of_the_table(tmp_path, picture, found, kept, polygon_format):
    """Each polygon has its row of the table, with what it is on the map, in columns of its type."""
    options = {"polygon_format": polygon_format}
    _, _, columns = written(tmp_path, picture, found, kept["utm"], **options)
    table = region_table(found.labels, picture[:, :, :3])
    assert [*columns] == [*table.header, "map_x", "map_y", "map_area"]
    for name, values in zip(table.header, zip(*table.rows(), strict=True), strict=True):
        np.testing.assert_array_equal(columns[name][columns["label"].argsort()], values)
        whole = name in ("label", "pixels", "left", "top", "right", "bottom")
        assert columns[name].dtype.kind == ("i" if whole else "f")


def test_geojson_is_in_wgs84(tmp_path, picture, found, kept):
    """As RFC 7946 has it, GeoJSON is in longitude and latitude and names no system."""
    from rasterio.warp import transform

    meta, shapes, columns = written(tmp_path, picture, found, kept["utm"])
    assert "crs" not in json.loads((tmp_path / "a_polygons.geojson").read_text())
    assert meta["crs"] == "EPSG:4326"
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)

    def back(corners):
        return np.stack(transform("EPSG:4326", "EPSG:32633", *corners.T), axis=1)

    lonlat = shapely.get_coordinates(shapes)
    assert (abs(lonlat - [15, 41.55]) < 0.01).all()
    native = shapely.transform(shapes, back)
    np.testing.assert_array_equal(burnt(native, columns["label"], NORTH_UP), found.labels)


@pytest.mark.parametrize("name", ["utm", "turned", "no code"])
def test_neighbours_share_their_corners_in_any_coordinates(tmp_path, picture, found, kept, name):
    """Beside the map's own system, in another one and simplified, no corner is of one alone."""
    for crs in ("native", "wgs84"):
        for simplify in (0, 1.5):
            options = {"polygon_format": "gpkg", "polygon_crs": crs, "simplify": simplify}
            meta, shapes, _ = written(tmp_path, picture, found, kept[name], **options)
            assert shapely.is_valid(shapes).all()
            assert shapely.coverage_is_valid(shapes)
            assert (meta["crs"] == "EPSG:4326") == (crs == "wgs84")


def test_geojson_names_a_system_that_is_not_wgs84(tmp_path, picture, found, kept):
    """In the image's own system GeoJSON has the member that GDAL writes, without loss of digits."""
    written(tmp_path, picture, found, kept["utm"], polygon_crs="native")
    text = json.loads((tmp_path / "a_polygons.geojson").read_text())
    name = {"name": "urn:ogc:def:crs:EPSG::32633"}
    assert text["crs"] == {"type": "name", "properties": name}
    geometry = text["features"][0]["geometry"]
    assert np.ravel(geometry["coordinates"][0][0])[:2].tolist() == [500_000, 4_600_000]


@pytest.mark.parametrize("polygon_format", ["gpkg", "fgb"])
def test_polygons_of_an_image_on_no_map(tmp_path, picture, found, polygon_format):
    """Without a place, they are in pixels, y down, in a system of which nothing is said."""
    from segment.reading.picture import Kept

    options = {"polygon_format": polygon_format}
    meta, shapes, columns = written(tmp_path, picture, found, Kept(), **options)
    assert "unknown unit" in meta["crs"]
    np.testing.assert_array_equal(
        burnt(shapes, columns["label"], rasterio.Affine.identity()), found.labels
    )


@pytest.mark.parametrize("polygon_format", FORMATS)
def test_a_map_without_regions_is_a_layer_without_features(tmp_path, picture, polygon_format):
    """Where nothing has a label the file is there, with its columns and its system."""
    nothing = np.zeros((2, 2), np.int32)
    place = mapping.Coordinates((1, 0, 0, 0, -1, 0), "EPSG:32633")
    path = tmp_path / f"a.{polygon_format}"
    table = region_table(nothing, nothing)
    polygons.write_polygons(path, traced([nothing], 2), table, place, polygon_format)
    meta, _, shapes, _ = pyogrio.raw.read(path)
    assert len(shapes) == 0
    assert meta["crs"] == "EPSG:32633"
    if polygon_format != "geojson":
        assert [*meta["fields"]] == [*table.header]


@pytest.mark.parametrize("polygon_format", FORMATS)
def test_polygons_come_in_batches(tmp_path, monkeypatch, picture, found, kept, polygon_format):
    """A file written some features at a time has them all, by label, or near each other (FGB)."""
    options = {"polygon_format": polygon_format, "polygon_crs": "native"}
    monkeypatch.setattr("segment.regions.tracing.BATCH", 100)
    monkeypatch.setattr(polygons, "TOGETHER", 3)
    assert len(list(traced([found.labels], WIDTH))) > 6
    _, shapes, columns = written(tmp_path, picture, found, kept["utm"], **options)
    order = columns["label"].argsort() if polygon_format == "fgb" else slice(None)
    assert columns["label"][order].tolist() == list(range(1, found.labels.max() + 1))
    np.testing.assert_array_equal(burnt(shapes, columns["label"], NORTH_UP), found.labels)


def test_the_table_has_the_place_on_the_map(kept, picture, found):
    """Centroids and areas are in units of the map; degrees make no area."""
    table = region_table(found.labels, picture[:, :, :3])
    rows = [*mapping.on_map(table, place_of(kept["turned"].geo)).rows()]
    for plain, (*same, x, y, area) in zip(table.rows(), rows, strict=True):
        assert tuple(same) == plain
        row, column = np.argwhere(found.labels == plain[0]).mean(axis=0) + 0.5
        own = 8 * column - 6 * row + 500_000, -6 * column - 8 * row + 4_600_000
        assert (x, y) == pytest.approx(own, rel=1e-12)
        assert area == pytest.approx(100 * plain[1])
    degrees = mapping.on_map(table, place_of(kept["degrees"].geo))
    assert degrees.header == (*table.header, "map_x", "map_y")
    assert {len(row) for row in degrees.rows()} == {len(degrees.header)}
    assert mapping.on_map(table, place_of(())) is table


GCPS = [(0, 0, 10, 40), (0, 50, 10.1, 40), (40, 0, 10, 39.9), (40, 50, 10.11, 39.9)]


def control_points():
    """Four of them, in degrees."""
    return [rasterio.control.GroundControlPoint(*each) for each in GCPS]


def unplaced(path, picture, kind):
    """What is kept of an image with control points, or a reference system, and no transform."""
    if kind == "points":
        return geotiff(path, picture, gcps=control_points(), crs="EPSG:4326")
    keys = (34735, 3, 12, (1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 32633), True)
    tifffile.imwrite(path, picture, extratags=[keys], photometric="rgb", extrasamples=[2])
    return next(iter(read_pages(path))).kept


@pytest.mark.parametrize(
    ("kind", "lacks"),
    [
        ("points", "has ground control points but no transform"),
        ("system", "has a reference system but no transform"),
    ],
)
def test_what_has_no_transform_is_in_pixels_or_refused(tmp_path, picture, kind, lacks):
    """Without a transform polygons are in pixels, with a warning; a map asked for is refused."""
    tags = unplaced(tmp_path / "a.tif", picture, kind).geo
    (said,) = mapping.map_warnings(tags, ["polygons", "regions"], PolygonOptions())
    assert said.startswith(f"{lacks}: its polygons and regions are in pixels; gdalwarp")
    assert mapping.coordinates_of(place_of(tags), "geojson") == mapping.Coordinates()
    assert mapping.map_warnings(tags, ["labels"], PolygonOptions()) == ()
    assert mapping.map_warnings(tags, ["polygons"], PolygonOptions(polygon_crs="pixels")) == ()
    for crs in ("native", "wgs84"):
        with pytest.raises(errors.ImageFileError, match=f"{lacks}, which --polygon-crs {crs}"):
            mapping.map_warnings(tags, ["polygons"], PolygonOptions("gpkg", crs))


def test_what_is_on_no_map_is_refused_there():
    """A photo has no coordinates but pixels; that is said where others are asked for."""
    with pytest.raises(errors.ImageFileError, match="has no place on a map, which --polygon-crs"):
        mapping.coordinates_of(place_of(()), "geojson", "native")


def test_a_world_file_names_no_system(picture, kept):
    """With a transform alone coordinates are its own; GeoJSON says so; WGS 84 is refused."""
    tags = tuple(tag for tag in kept["utm"].geo if tag[0] in (33550, 33922))
    place = place_of(tags)
    found = mapping.coordinates_of(place, "geojson")
    assert (found.transform, found.system) == (tuple(NORTH_UP)[:6], None)
    assert "no reference system" in found.warning
    assert mapping.coordinates_of(place, "gpkg") == mapping.Coordinates(tuple(NORTH_UP)[:6])
    with pytest.raises(errors.ImageFileError, match="no reference system, which --polygon-crs wgs"):
        mapping.coordinates_of(place, "geojson", "wgs84")


def test_without_rasterio_geojson_is_in_the_own_system(monkeypatch, kept):
    """Where WGS 84 cannot be worked out, GeoJSON is in the image's system, with a warning."""
    monkeypatch.setattr(mapping, "find_spec", lambda name: None)
    place = place_of(kept["utm"].geo)
    found = mapping.coordinates_of(place, "geojson")
    assert (found.system, found.source) == ("EPSG:32633", None)
    assert "in EPSG:32633; with the extra 'geo' they are in WGS 84" in found.warning
    with pytest.raises(errors.MissingPackageError, match="rasterio: expected it"):
        mapping.coordinates_of(place, "geojson", "wgs84")
    degrees = mapping.coordinates_of(place_of(kept["degrees"].geo), "geojson")
    assert (degrees.system, degrees.source, degrees.warning) == ("EPSG:4326", None, "")


@pytest.mark.parametrize(
    ("system", "told"),
    [
        pytest.param("+proj=eqc +a=1737400 +b=1737400 +units=m", "no place in WGS", id="Moon"),
        pytest.param('LOCAL_CS["site",UNIT["metre",1]]', "no reference system", id="a site"),
    ],
)
def test_what_has_no_way_to_wgs84_stays_in_its_system(tmp_path, picture, system, told):
    """Where nothing leads to WGS 84, GeoJSON is in the image's system with a warning."""
    tags = geotiff(tmp_path / "a.tif", picture, crs=system, transform=NORTH_UP).geo
    best = mapping.coordinates_of(place_of(tags), "geojson")
    assert (best.transform, best.source) == (tuple(NORTH_UP)[:6], None)
    assert told in best.warning


def test_corners_that_are_not_on_the_other_map():
    """Coordinates that the other system does not have are an error, not infinity."""
    far = mapping.Coordinates((1, 0, 1e12, 0, -1, 1e12), "EPSG:4326", "EPSG:32633")
    with pytest.raises(errors.ImageFileError, match=r"place in WGS 84.*--polygon-crs native"):
        far.of(np.array([[0, 0], [1, 1]]))


def test_a_file_that_cannot_be_written(tmp_path, picture, found, kept):
    """A folder that is not there is one clear error in every format, and nothing is left."""
    for polygon_format in FORMATS:
        chosen = PolygonOptions(polygon_format)
        result = Result(picture, found, "mean", kept=kept["utm"], polygons=chosen)
        with pytest.raises(errors.ImageFileError, match=r"cannot write .*none"):
            write("polygons", result, tmp_path / "none" / "a")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("polygon_format", ["gpkg", "fgb"])
def test_a_full_disk_is_one_error(tmp_path, monkeypatch, picture, found, kept, polygon_format):
    """What GDAL cannot write is an error with the file's name, and nothing is left of it."""

    def write_some(name, *arguments, **options):
        (tmp_path / name).write_text("the beginning")
        raise pyogrio.errors.FeatureError(f"database or disk is full: {name}")

    monkeypatch.setattr(pyogrio.raw, "write", write_some)
    chosen = PolygonOptions(polygon_format)
    result = Result(picture, found, "mean", kept=kept["utm"], polygons=chosen)
    with pytest.raises(errors.ImageFileError, match="out: database or disk is full: out; make"):
        write("polygons", result, tmp_path / "out")
    assert not [*tmp_path.iterdir()]


def test_what_does_not_fit_lies_beside_the_result(tmp_path, monkeypatch, picture, found, kept):
    """Closed rings beyond the bound lie in a file of no name where the result goes, not in /tmp."""
    folders, spooled = [], tempfile.SpooledTemporaryFile

    def small(size, dir):
        folders.append(dir)
        return spooled(10, dir=dir)

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", small)
    for simplify in (0, 1):
        _, shapes, _ = written(tmp_path, picture, found, kept["utm"], simplify=simplify)
        assert len(shapes) == found.labels.max()
    assert folders == [str(tmp_path)] * 2


@pytest.mark.parametrize("path", ["-", "/dev/null"])
def test_streams_take_no_databases(picture, found, kept, path):
    """GeoPackage is written back and forth, which no stream takes; that is said."""
    result = Result(picture, found, "mean", polygons=PolygonOptions("gpkg"))
    with pytest.raises(errors.ImageFileError, match="expected a file, got a stream or a device"):
        write("polygons", result, Path(path))


@pytest.mark.parametrize("package", ["pyogrio", "shapely"])
def test_a_package_that_is_missing(tmp_path, monkeypatch, picture, found, package):
    """Without a package of the extra the formats that need it are refused before any work."""
    monkeypatch.setitem(sys.modules, package, None)
    chosen = PolygonOptions("gpkg")
    with pytest.raises(click.UsageError, match=rf"gpkg' needs {package}.*segment\[geo\]"):
        check_packages(("labels", "polygons"), chosen)
    result = Result(picture, found, "mean", polygons=chosen)
    with pytest.raises(errors.MissingPackageError, match=f"{package}: expected it for GeoPackage"):
        write("polygons", result, tmp_path / "a")
    check_packages(("labels",), chosen)
    check_packages(("polygons",), PolygonOptions())


def test_simplifying_without_shapely_is_a_usage_error(monkeypatch):
    """So is a tolerance."""
    monkeypatch.setitem(sys.modules, "shapely", None)
    with pytest.raises(click.UsageError, match="'--simplify' needs shapely"):
        check_packages(("polygons",), PolygonOptions(simplify=1))


@pytest.mark.parametrize("labels", ["a", "points"])
def test_a_label_map_keeps_its_place(tmp_path, picture, found, labels):
    """Transform, system, ground control and 0 for no data are in the label map's TIFF."""
    place = {"transform": NORTH_UP} if labels == "a" else {"gcps": control_points()}
    kept = geotiff(tmp_path / "a.tif", picture, crs="EPSG:32633", **place)
    result = Result(picture, found, "mean", label_format="tiff", kept=kept)
    write("labels", result, tmp_path / "b.tif")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if labels == "points" else "error")
        with rasterio.open(tmp_path / "a.tif") as image, rasterio.open(tmp_path / "b.tif") as map_:
            assert map_.nodata == 0
            assert map_.crs == image.crs
            assert map_.transform == image.transform
            points = [[(p.row, p.col, p.x, p.y) for p in each.gcps[0]] for each in (image, map_)]
            assert points[0] == points[1]
            assert len(points[0]) == (4 if labels == "points" else 0)
            assert image.gcps[1] == map_.gcps[1]
            np.testing.assert_array_equal(map_.read(1), found.labels)


def test_the_command_writes_a_geopackage(tmp_path, picture):
    """From a GeoTIFF to regions in a GeoPackage by one command; the table is on the map, too."""
    geotiff(tmp_path / "scene.tif", picture, crs="EPSG:32633", transform=NORTH_UP)
    done = run(
        *(tmp_path / "scene.tif", "-o", tmp_path / "out", "--bandwidth", 20, "--connected"),
        *("--write", "polygons,regions", "--polygon-format", "gpkg", "--simplify", 1),
    )
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    meta, _, _, _ = pyogrio.raw.read(tmp_path / "out" / "scene_polygons.gpkg")
    assert meta["crs"] == "EPSG:32633"
    header = (tmp_path / "out" / "scene_regions.csv").read_text().partition("\n")[0]
    assert header.endswith("map_x,map_y,map_area")


def test_the_command_refuses_a_map_that_is_none(tmp_path, picture):
    """A reference system without a transform is one error of one line, and no file is there."""
    unplaced(tmp_path / "a.tif", picture, "system")
    options = ["--write", "polygons", "--polygon-crs", "native", "-o", tmp_path / "out"]
    done = run(tmp_path / "a.tif", *options)
    assert done.returncode == 1
    assert "has a reference system but no transform, which --polygon-crs native" in done.stderr
    assert not [*(tmp_path / "out").glob("a*")]


@pytest.mark.parametrize(
    "line",
    [
        "--polygon-format gpkg",
        "--polygon-crs native --write labels",
        "--simplify 1 --labels b.tif",
        "--simplify 1 --sweep 0.1",
    ],
)
def test_options_of_polygons_that_nobody_writes(line):
    """Who names a format of polygons means to get some, and is told how."""
    option = line.split()[0]
    with pytest.raises(click.UsageError, match=f"'{option}' is of polygons, .* add them"):
        command.main(["a.tif", *line.split()], standalone_mode=False)


@pytest.mark.parametrize("value", [float("nan"), -1, float("inf")])
def test_a_tolerance_that_is_none(value):
    """A tolerance is a number from 0 on; what else is typed is an error of that option."""
    with pytest.raises(errors.OptionError, match="expected a number in") as caught:
        PolygonOptions(simplify=value)
    assert caught.value.option == "--simplify"


def test_results_are_made_again_in_another_format_or_system():
    """How polygons are written is part of what --existing skip compares."""
    choices = [
        PolygonOptions(),
        PolygonOptions("gpkg"),
        PolygonOptions(polygon_crs="native"),
        PolygonOptions(simplify=1),
    ]
    works = [Work(Settings(), Output(Path("out"), polygons=each)) for each in choices]
    assert len(set(map(made_with, works))) == len(choices)
