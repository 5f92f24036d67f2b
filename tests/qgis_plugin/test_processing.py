"""The algorithm in the real QGIS, run by `qgis_process` without a screen."""

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tifffile
from skimage import io

import segment
from segment import segment_image

ROOT = Path(__file__).parents[2]
COFFEE = ROOT / "sample_images" / "coffee.png"
# Debian's `qgis_process` is a script that hands on an option which the program does not know.
PROGRAM = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs QGIS with qgis_process")
UTM = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633)  # zone 33 north
MAP = [  # pixels of 10 m from a corner on
    (33550, 12, 3, (10.0, 10.0, 0.0), True),
    (33922, 12, 6, (0.0, 0.0, 0.0, 500_000.0, 5_500_000.0, 0.0), True),
    (34735, 3, len(UTM), UTM, True),
]


@pytest.fixture(scope="module")
def processing(tmp_path_factory):
    """Calls qgis_process in a profile of its own, in which the plug-in is linked and enabled."""
    home = tmp_path_factory.mktemp("qgis")
    (home / "plugins").mkdir()
    folder = Path(segment.__file__).parent / "qgis_plugin"
    (home / "plugins" / "meanshift_segment").symlink_to(folder)
    (home / "run").mkdir(mode=0o700)
    profile = home / "config" / "profiles" / "default" / "QGIS"
    profile.mkdir(parents=True)
    (profile / "QGIS3.ini").write_text("[PythonPlugins]\nmeanshift_segment=true\n")
    command = home / "meanshift-segment"
    command.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from segment.command.cli import main\nmain()\n"
    )
    command.chmod(0o755)
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_RUNTIME_DIR": str(home / "run"),
        "QGIS_PLUGINPATH": str(home / "plugins"),
        "QGIS_CUSTOM_CONFIG_PATH": str(home / "config"),
        "MEANSHIFT_SEGMENT": str(command),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def call(*words):
        return subprocess.run(
            [PROGRAM, *map(str, words)],
            capture_output=True,
            text=True,
            env=environment,
            cwd=home,
            timeout=100,
        )

    return call


def run(processing, folder, **parameters):
    """The results of the algorithm, its polygons, and the styles of both layers."""
    files = {"LABELS": folder / "labels.tif", "POLYGONS": folder / "polygons.geojson"}
    words = [f"{name}={value}" for name, value in (files | parameters).items()]
    done = processing("--json", "run", "meanshift:segment", "--", *words)
    assert done.returncode == 0, done.stderr
    styles = [ET.parse(path.with_suffix(".qml")).getroot() for path in files.values()]
    results = json.loads(done.stdout)["results"]
    return results, json.loads(files["POLYGONS"].read_text()), *styles


def area(rings):
    """That of a polygon by the shoelace formula: holes run the other way."""
    return (
        abs(sum(x0 * y1 - x1 * y0 for ring in rings for (x0, y0), (x1, y1) in pairwise(ring))) / 2
    )


def corners(features):
    parts = [part for feature in features for part in feature["geometry"]["coordinates"]]
    return np.concatenate([ring for part in parts for ring in part])


def test_a_photo(processing, tmp_path):
    """A photo on no map gives its labels, and polygons where QGIS draws the photo."""
    photo = io.imread(COFFEE)[100:200, 200:350]
    io.imsave(tmp_path / "photo.png", photo)
    options = {"INPUT": tmp_path / "photo.png", "METHOD": 0, "LEVEL": 0.5}
    results, found, raster, vector = run(processing, tmp_path, **options)
    expected = segment_image(photo, level=0.5)
    count = len(expected.sizes)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "labels.tif"), expected.labels)
    assert results["SEGMENTS"] == count
    features = found["features"]
    assert [one["properties"]["label"] for one in features] == [*range(1, count + 1)]
    for feature, size, color in zip(features, expected.sizes, expected.colors, strict=True):
        assert feature["properties"]["pixels"] == size
        assert sum(map(area, feature["geometry"]["coordinates"])) == size
        shown = feature["properties"]["color"]
        np.testing.assert_allclose([int(shown[i : i + 2], 16) for i in (1, 3, 5)], color, atol=1)
    assert corners(features).min(axis=0).tolist() == [0, -100]
    assert corners(features).max(axis=0).tolist() == [150, 0]
    entries = raster.findall(".//rasterrenderer[@type='paletted']//paletteEntry")
    assert [entry.get("color") for entry in entries] == [
        one["properties"]["color"] for one in features
    ]
    assert (
        vector.find(".//Option[@name='fillColor']/Option[@name='field'][@value='color']")
        is not None
    )


def test_a_raster_on_the_map(processing, tmp_path):
    """Labels and polygons of chosen bands lie where the raster lies, in its reference system."""
    photo = io.imread(COFFEE)[:40, :60]
    bands = np.dstack([photo[..., 2], np.full((40, 60), 7, np.uint8), photo[..., :2]])
    options = {"photometric": "minisblack", "planarconfig": "contig", "extratags": MAP}
    tifffile.imwrite(tmp_path / "scene.tif", bands, **options)
    chosen = {"BANDS": "3;4;1", "METHOD": 3, "SPATIAL_RADIUS": 6, "RANGE_RADIUS": 9, "MIN_SIZE": 20}
    _, found, *_ = run(processing, tmp_path, INPUT=tmp_path / "scene.tif", **chosen)
    expected = segment_image(photo, features="joint", spatial_radius=6, range_radius=9, min_size=20)
    with tifffile.TiffFile(tmp_path / "labels.tif") as tiff:
        np.testing.assert_array_equal(tiff.asarray(), expected.labels)
        assert tiff.geotiff_metadata["ProjectedCSTypeGeoKey"] == 32633
        assert tiff.geotiff_metadata["ModelTiepoint"][3:5] == [500_000, 5_500_000]
    assert found["crs"]["properties"]["name"] == "urn:ogc:def:crs:EPSG::32633"
    for feature, size in zip(found["features"], expected.sizes, strict=True):
        assert sum(map(area, feature["geometry"]["coordinates"])) == 100 * size
    assert corners(found["features"]).min(axis=0).tolist() == [500_000, 5_499_600]
    assert corners(found["features"]).max(axis=0).tolist() == [500_600, 5_500_000]


def test_a_virtual_raster(processing, tmp_path):
    """A VRT, which the command does not read, is copied; a fourth band of bytes may be chosen."""
    photo = io.imread(COFFEE)[:40, :60]
    near_infrared = photo[::-1, :, :1]
    tifffile.imwrite(tmp_path / "scene.tif", np.dstack([photo, near_infrared]), photometric="rgb")
    (tmp_path / "scene.vrt").write_text(
        '<VRTDataset rasterXSize="60" rasterYSize="40">'
        + "".join(
            f'<VRTRasterBand dataType="Byte" band="{band}"><SimpleSource><SourceFilename '
            f'relativeToVRT="1">scene.tif</SourceFilename><SourceBand>{band}</SourceBand>'
            "</SimpleSource></VRTRasterBand>"
            for band in range(1, 5)
        )
        + "</VRTDataset>"
    )
    options = {"METHOD": 2, "BANDWIDTH": 40, "BANDS": "1;2;3;4"}
    run(processing, tmp_path, INPUT=tmp_path / "scene.vrt", **options)
    expected = segment_image(np.dstack([photo, near_infrared]), bandwidth=40, alpha=False)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "labels.tif"), expected.labels)


def test_errors_of_the_command_are_those_of_the_algorithm(processing, tmp_path):
    """What cannot be segmented fails with the command's words."""
    tifffile.imwrite(tmp_path / "empty.tif", np.full((4, 4), np.nan, np.float32))
    words = [f"INPUT={tmp_path / 'empty.tif'}", f"LABELS={tmp_path / 'l.tif'}"]
    done = processing("run", "meanshift:segment", "--", *words)
    assert done.returncode == 1
    assert "empty.tif: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "l.tif").exists()
