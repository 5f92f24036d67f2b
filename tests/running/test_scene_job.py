"""Images beyond memory from their files to their results: those of memory, whatever happens."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from segment import memory_limit
from segment.reading.reading_options import ReadingOptions
from segment.results.outputs import Output
from segment.running import job, scene_job
from segment.running.batch import Batch
from segment.running.job import run_job
from segment.running.plan import Task, Work
from segment.scenes import census, memory_plan, scene_regions
from segment.settings import Settings
from tests.commands import WAIT, run
from tests.reading.test_files import swapped_profile

ALL = ("labels", "segmented", "regions", "polygons")
LITTLE = "60K"  # for images of 120 x 90 pixels, once the program itself counts for nothing


@pytest.fixture(autouse=True)
def weightless(monkeypatch):
    """The program and its tables count for nothing: a small image can be beyond memory."""
    monkeypatch.setattr(memory_plan, "FIXED", 0)
    monkeypatch.setattr(memory_limit, "FIXED", 0)
    monkeypatch.setattr(memory_plan, "COLOR_COUNTERS", 0)
    monkeypatch.setattr(census, "per_color", lambda channels: 1)
    monkeypatch.setattr(scene_regions, "most_regions", lambda memory, channels: 1 << 30)


def scene(path, *, bands=3, kind=np.uint8, **options):
    """Write an image of squares with some noise as a tiled TIFF."""
    generator = np.random.default_rng(2)
    blocks = generator.integers(0, 90, (9, 12, bands)).repeat(10, axis=0).repeat(10, axis=1)
    image = (blocks * 2 + generator.integers(0, 9, (90, 120, bands))).astype(kind)
    if kind == np.uint16:
        image *= 17
    photometric = "rgb" if bands == 3 else "minisblack"
    options = {"tile": (16, 32), "compression": "zlib"} | options
    if bands > 1:
        options["planarconfig"] = "contig"
    tifffile.imwrite(path, image, photometric=photometric, **options)
    return image


def do(source, folder, memory, *, model=None, mask=None, reading=None, output=None, **settings):
    """Do one image, and return what became of it."""
    task = Task(str(source), str(folder / "x"), os.path.realpath(source))
    options = {"label_format": "tiff", "products": settings.pop("products", ALL)}
    output = Output(folder, **(options | (output or {})))
    work = Work(Settings(**settings), output, memory=memory, model=model, mask=mask)
    (outcome,) = run_job(task, work._replace(reading=reading or ReadingOptions()))
    return outcome


def told_of(outcome):
    """The warnings of an outcome; of damage only that there is: strips know where."""
    said = ("damaged" if "damaged" in text else text for text in outcome.warnings)
    return list(dict.fromkeys(said))


def check_same(source, folder, *, limit=LITTLE, **options):
    """Assert that an image beyond memory has the results that it has in memory."""
    whole = do(source, folder / "whole", "1G", **options)
    strips = do(source, folder / "strips", limit, **options)
    assert (whole.status, strips.status) == ("ok", "ok"), strips.error
    facts = ("segments", "bandwidth", "iterations", "width", "height", "more", "remark")
    for fact in facts:
        assert getattr(strips, fact) == getattr(whole, fact), fact
    assert told_of(strips) == told_of(whole)
    for name in ("x_regions.csv", "x_polygons.geojson"):
        assert (folder / "strips" / name).read_bytes() == (folder / "whole" / name).read_bytes()
    labels = [tifffile.imread(folder / each / "x_labels.tif") for each in ("whole", "strips")]
    assert np.array_equal(*labels)
    assert labels[0].dtype == labels[1].dtype
    colors = [
        np.asarray(Image.open(folder / name).convert("RGB"))
        for name in ("whole/x_segmented.png", "strips/x_segmented.tif")
    ]
    assert np.array_equal(*colors)
    assert sorted(path.name for path in (folder / "strips").iterdir()) == sorted(
        Path(output).name for output in strips.outputs
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"min_size": 30, "bandwidth": 9.0},
        {"connected": True, "connectivity": 8, "color_space": "lab"},
        {"features": "joint", "spatial_radius": 2.0, "range_radius": 12.0},
        {"assign": "basin", "bandwidth": 12.0},
        {"cluster_all": False, "bandwidth": 5.0},
    ],
)
def test_results_beyond_memory_are_those_in_memory(tmp_path, options):
    """Label map, recoloured image, table, outlines and facts are equal; nothing else is left."""
    scene(tmp_path / "a.tif")
    limit = "300K" if "features" in options else LITTLE
    check_same(tmp_path / "a.tif", tmp_path, limit=limit, **options)


@pytest.mark.parametrize(
    ("bands", "kind"),
    [
        (1, np.uint8),
        (4, np.uint8),
        (3, np.uint16),
        (13, np.uint16),
        (4, np.float32),
    ],
)
def test_bands_beyond_memory_are_those_in_memory(tmp_path, bands, kind):
    """Any number of bands of 8 or 16 bits or floats give the same, tables in their own units."""
    photo = bands in (1, 3) and kind != np.float32
    reading = None if photo else ReadingOptions(bands=("all",))
    scene(tmp_path / "a.tif", bands=bands, kind=kind)
    limit = "300K" if bands == 13 else LITTLE
    check_same(tmp_path / "a.tif", tmp_path, limit=limit, reading=reading)


@pytest.mark.parametrize(
    ("photometric", "kind", "options"),
    [
        ("rgb", np.uint8, {}),
        ("rgb", np.uint16, {"min_size": 30}),
        ("rgb", np.uint8, {"scale": "std", "bandwidth": 30}),
        ("separated", np.uint8, {}),
        ("miniswhite", np.uint16, {}),
    ],
)
def test_photos_with_a_profile_beyond_memory_are_those_in_memory(
    tmp_path, photometric, kind, options
):
    """Colours of a profile, of inks and from white are segmented, measured and written alike."""
    count = {"rgb": 3, "separated": 4}.get(photometric, 1)
    image = scene(tmp_path / "a.tif", bands=count, kind=kind)
    profile = swapped_profile() if photometric == "rgb" else None
    if photometric == "separated":
        image[:, :, 3] //= 4
    tifffile.imwrite(
        tmp_path / "a.tif", image.squeeze(), photometric=photometric, iccprofile=profile,
        planarconfig="contig" if count > 1 else None, rowsperstrip=8,
    )  # fmt: skip
    limit = LITTLE if kind == np.uint8 else "150K"
    check_same(tmp_path / "a.tif", tmp_path, limit=limit, **options)


PLACE = (10.0, 0.0, 500_000.0, 0.0, -10.0, 4_600_000.0)


def on_the_map(path, image, **options):
    """Write an image that GDAL finds in UTM zone 33."""
    rasterio = pytest.importorskip("rasterio", reason="needs GDAL, of the extra 'test'")
    size = dict(zip(("height", "width", "count"), image.shape, strict=True))
    options |= {"driver": "GTiff", "crs": 32633, "transform": rasterio.Affine(*PLACE)}
    with rasterio.open(path, "w", dtype=image.dtype, **size, **options) as file:
        file.write(np.moveaxis(image, -1, 0))


def of_gdal(path):
    """Return where GDAL finds values, and the no-data value; check that the place is there."""
    import rasterio

    with rasterio.open(path) as file:
        assert (file.crs.to_epsg(), tuple(file.transform)[:6]) == (32633, PLACE)
        return file.dataset_mask() > 0, file.nodata


@pytest.mark.parametrize("output", [{"overviews": True}, {"label_format": "zarr"}])
@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("bandwidth", [3.0, 40.0], ids=["many", "few"])
def test_tiled_results_are_the_same_bytes_in_memory(tmp_path, output, holes, bandwidth):
    """COG and Zarr do not depend on the memory; place, reference system and no-data are there."""
    image, path = scene(tmp_path / "plain.tif"), tmp_path / "a.tif"
    image[:5, :7] = 0
    on_the_map(path, image, **({"nodata": 0} if holes else {}))
    options = {"products": ("labels", "segmented"), "output": output, "bandwidth": bandwidth}
    assert do(path, tmp_path / "whole", "1G", **options).status == "ok"
    strips = do(path, tmp_path / "strips", LITTLE, **options)
    assert (strips.segments > 255) == (bandwidth == 3.0)
    names = [path.name for path in map(Path, strips.outputs)]
    for name in names if "overviews" in output else ["x_labels.zarr/0/c/0/0"]:
        whole, cut = ((tmp_path / each / name).read_bytes() for each in ("whole", "strips"))
        assert whole == cut, name
    for name in names:
        if name.endswith(".tif"):
            there, _ = of_gdal(tmp_path / "strips" / name)
            assert (there.all(), there[:5, :7].any()) == (not holes, not holes)


@pytest.mark.parametrize("named", [False, True])
def test_labels_in_npy_are_the_same_bytes_in_memory(tmp_path, named):
    """The array of labels does not depend on the memory, and loses the place with a warning."""
    on_the_map(tmp_path / "a.tif", scene(tmp_path / "plain.tif"))
    said = []
    for name, memory in (("whole.npy", "1G"), ("strips.npy", LITTLE)):
        folder = tmp_path / name.removesuffix(".npy")
        output = {"label_format": "npy"}
        if named:
            output = {"label_format": "png", "files": {"labels": tmp_path / name}}
        options = {"products": ("labels",), "output": output, "bandwidth": 3.0}
        outcome = do(tmp_path / "a.tif", folder, memory, **options)
        said.append(outcome.warnings)
        if not named:
            (folder / "x_labels.npy").rename(tmp_path / name)
    assert said[0] == said[1] != ()
    assert (tmp_path / "whole.npy").read_bytes() == (tmp_path / "strips.npy").read_bytes()


@pytest.mark.parametrize("holes", [False, True])
def test_label_maps_have_the_same_tags_in_memory(tmp_path, holes):
    """GDAL's no-data value is there if some pixel has no label, in memory and by strips."""
    on_the_map(tmp_path / "a.tif", scene(tmp_path / "plain.tif"))
    mask = np.ones((90, 120), np.uint8)
    mask[:5] = not holes
    tifffile.imwrite(tmp_path / "mask.tif", mask)
    options = {"products": ("labels",), "mask": tmp_path / "mask.tif"}
    for name, memory in (("whole", "1G"), ("strips", LITTLE)):
        assert do(tmp_path / "a.tif", tmp_path / name, memory, **options).status == "ok"
        assert of_gdal(tmp_path / name / "x_labels.tif")[1] == (0 if holes else None)


@pytest.mark.parametrize(
    ("bands", "kind", "across"),
    [(3, np.uint8, 1), (1, np.uint16, 1), (4, np.uint16, 1), (3, np.uint8, 16)],
)
def test_outlines_by_strips_are_the_picture_of_memory(tmp_path, bands, kind, across):
    """Lines of any width over a photo or bands, white where nothing is, are drawn as in memory."""
    image = scene(tmp_path / "a.tif", bands=bands, kind=kind)
    if across > 1:
        tifffile.imwrite(tmp_path / "a.tif", np.tile(image, (1, across, 1)), photometric="rgb")
    mask = np.ones((90, 120 * across), np.uint8)
    mask[40:60, 30:50] = 0
    tifffile.imwrite(tmp_path / "mask.tif", mask)
    options = {"products": ("boundaries",), "mask": tmp_path / "mask.tif", "bandwidth": 30.0}
    if bands == 4:
        options["reading"] = ReadingOptions(bands=("all",))
    limit = LITTLE if across == 1 else "1.5M"
    assert do(tmp_path / "a.tif", tmp_path / "whole", "1G", **options).status == "ok"
    assert do(tmp_path / "a.tif", tmp_path / "strips", limit, **options).status == "ok"
    with Image.open(tmp_path / "whole" / "x_boundaries.png") as picture:
        expected = np.asarray(picture)
    assert np.array_equal(tifffile.imread(tmp_path / "strips" / "x_boundaries.tif"), expected)


def test_spectra_that_are_too_many_to_count_are_passed_over(tmp_path, monkeypatch):
    """The results are those in memory, a warning tells of the passes, and no file is left."""
    scene(tmp_path / "a.tif", bands=4, kind=np.uint16)
    monkeypatch.setattr(census, "per_color", lambda channels: 1000)
    options = {"reading": ReadingOptions(bands=("all",)), "bandwidth": 90.0, "min_size": 20}
    whole = do(tmp_path / "a.tif", tmp_path / "whole", "1G", **options)
    strips = do(tmp_path / "a.tif", tmp_path / "strips", "700K", **options)
    assert (whole.status, strips.status, whole.warnings) == ("ok", "ok", ()), strips.error
    assert f"climbs took {whole.iterations + 1} passes" in strips.warnings[0]
    for name in ("x_regions.csv", "x_polygons.geojson"):
        left, right = (tmp_path / each / name for each in ("whole", "strips"))
        assert left.read_bytes() == right.read_bytes()
    labels = [tifffile.imread(tmp_path / each / "x_labels.tif") for each in ("whole", "strips")]
    assert np.array_equal(*labels)
    assert len([*(tmp_path / "strips").iterdir()]) == len(strips.outputs)


def test_what_strips_have_left_goes_with_a_run_in_memory(tmp_path):
    """A run that was killed leaves its folder; one that needs no strips removes it."""
    scene(tmp_path / "a.tif")
    left = tmp_path / "out" / ".x.scene"
    left.mkdir(parents=True)
    (left / "key").write_text("of the run that was killed")
    (left / "spare.raw").write_bytes(b"rows")
    outcome = do(tmp_path / "a.tif", tmp_path / "out", "1G")
    assert outcome.status == "ok"
    assert not left.exists()


@pytest.mark.parametrize(("scale", "bandwidth"), [("std", 30), ("2%,98%", 30), ("0,6e7", 0.004)])
def test_scales_beyond_memory_are_those_in_memory(tmp_path, scale, bandwidth):
    """Strips give the scale of the whole image; values that it makes one point are one."""
    scene(tmp_path / "a.tif", bands=4, kind=np.uint16)
    check_same(tmp_path / "a.tif", tmp_path, scale=scale, bandwidth=bandwidth)


def test_a_range_that_only_values_tell_is_told_by_strips_too(tmp_path):
    """Values that are stretched are named in a warning, whatever the memory; chosen ones not."""
    image = scene(tmp_path / "a.tif", bands=4).astype(np.int16) * 20 - 700
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="minisblack", planarconfig="contig")
    check_same(tmp_path / "a.tif", tmp_path, limit="200K", bandwidth=20.0)
    outcome = do(tmp_path / "a.tif", tmp_path / "strips", "200K", bandwidth=20.0)
    low, high = image.min(), image.max()
    assert f"its values, {low} to {high}, are stretched from black to white" in outcome.warnings
    outcome = do(tmp_path / "a.tif", tmp_path / "strips", "200K", bandwidth=20.0, scale="range")
    assert outcome.warnings == ()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"bandwidth": 9.0},
            "3 bands (1 of the bandwidth is 0.5 in the file's units), bandwidth 9,",
        ),
        (
            {"features": "joint", "spatial_radius": 4.5, "range_radius": 12.0},
            "3 bands (1 of the range radius is 0.5 in the file's units), radii 4.5 and 12,",
        ),
        ({"color_space": "lab", "bandwidth": 9.0}, "3 bands, bandwidth 9,"),
    ],
)
@pytest.mark.parametrize("memory", ["500K", "1G"])
def test_a_line_tells_radii_in_units_that_are_the_files(tmp_path, settings, told, memory):
    """The line has the radius that was given, and what 1 of it is in values, if it is of values."""
    scene(tmp_path / "a.tif")
    outcome = do(tmp_path / "a.tif", tmp_path / "out", memory, scale="0,127.5", **settings)
    assert told in replace(outcome, seconds=0.0).line()
    radii = [4.5, 12.0] if "features" in settings else None
    assert outcome.facts().get("radii") == radii


@pytest.mark.parametrize("bands", [3, 4])
def test_a_mask_is_read_by_strips(tmp_path, bands):
    """A mask file leaves out the pixels that it leaves out in memory; colours stay as they look."""
    scene(tmp_path / "a.tif", bands=bands, kind=np.uint8 if bands == 3 else np.uint16)
    reading = None if bands == 3 else ReadingOptions(bands=("all",))
    mask = np.zeros((90, 120), np.uint8)
    mask[7:70, 20:] = 255
    tifffile.imwrite(tmp_path / "mask.tif", mask, rowsperstrip=4)
    check_same(tmp_path / "a.tif", tmp_path, mask=tmp_path / "mask.tif", reading=reading)


def test_a_large_mask_is_not_read_at_the_start(tmp_path, monkeypatch):
    """Of a mask that is read by strips only the header is looked at; others are read, and told."""
    path = tmp_path / "mask.tif"
    tifffile.imwrite(path, np.ones((90, 120), np.uint8))
    (tmp_path / "none.tif").write_bytes(path.read_bytes()[:200])
    read = []
    monkeypatch.setattr(job, "mask_of", read.append)
    job.check_mask(path)
    monkeypatch.setattr(scene_job, "LARGE", 90 * 120 - 1)
    job.check_mask(path)
    job.check_mask(tmp_path / "none.tif")
    assert read == [path, tmp_path / "none.tif"]


@pytest.mark.parametrize("several", [False, True])
def test_pages_have_their_numbers_where_there_are_several(tmp_path, several):
    """Results of --page 1 have the same names in memory and by strips, and so has what is told."""
    image = scene(tmp_path / "a.tif")
    if several:
        tifffile.imwrite(tmp_path / "a.tif", image[::-1], photometric="rgb", append=True)
    found = []
    for name, memory in (("whole", "1G"), ("strips", LITTLE)):
        options = {"products": ("regions",), "reading": ReadingOptions(page=1)}
        outcome = do(tmp_path / "a.tif", tmp_path / name, memory, **options)
        found.append((outcome.page, [Path(path).name for path in outcome.outputs]))
    number = "_page1" if several else ""
    assert found == 2 * [(1 if several else None, [f"x{number}_regions.csv"])]


def test_small_images_stay_in_memory(tmp_path):
    """An image that fits is done in memory, beside one that does not."""
    scene(tmp_path / "a.tif")
    assert do(tmp_path / "a.tif", tmp_path / "out", "1M").outputs[1].endswith(".png")
    assert do(tmp_path / "a.tif", tmp_path / "out", LITTLE).outputs[1].endswith(".tif")


def test_a_memory_limit_too_small_to_work_in_is_told(tmp_path):
    """Memory for not even a few rows is one error that says how much it takes; no file is left."""
    scene(tmp_path / "a.tif")
    outcome = do(tmp_path / "a.tif", tmp_path / "out", "1K")
    assert outcome.status == "failed"
    assert outcome.error.startswith("memory: expected at least 1M for rows of 120 pixels, got 0M")
    assert not any((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"level": 1.0}, "level: the hierarchy needs the whole image in memory"),
        ({"target_segments": 4}, "target_segments: the search needs the whole image"),
        ({"products": ("figure",)}, "figure: is not made of an image beyond memory"),
        ({"products": ("rois",)}, "rois: is not made of an image beyond memory"),
        ({"features": "joint", "kernel": "gaussian"}, "kernel: expected 'flat'"),
        ({"features": "joint", "assign": "basin"}, "assign: expected 'nearest'"),
    ],
)
def test_what_is_not_done_beyond_memory_says_what_to_do(tmp_path, options, said):
    """What needs the whole image is one error that names a way out; no file is left."""
    scene(tmp_path / "a.tif")
    outcome = do(tmp_path / "a.tif", tmp_path / "out", LITTLE, **options)
    assert outcome.status == "failed"
    assert outcome.error.startswith(said)
    assert "raise --memory" in outcome.error
    assert not any((tmp_path / "out").iterdir())


def test_what_may_be_a_bomb_is_refused(tmp_path):
    """Beyond --max-pixels a file far smaller than its pixels is refused, no other."""
    scene(tmp_path / "true.tif")
    tifffile.imwrite(tmp_path / "bomb.tif", np.zeros((3000, 3000), np.uint8), compression="zlib")
    few = ReadingOptions(max_pixels=1000)
    assert do(tmp_path / "true.tif", tmp_path / "out", "1G", reading=few).status == "ok"
    outcome = do(tmp_path / "bomb.tif", tmp_path / "out", "1G", reading=few)
    assert "may be a decompression bomb; raise --max-pixels" in outcome.error


WHOLE = "more than the 0M of --memory, and is not read by strips, for it "


@pytest.mark.parametrize(
    ("name", "reading", "said"),
    [
        ("a.jpg", None, "is a JPEG, of which readers of strips may have other values; save"),
        ("a.tif", None, "has values of no known range; save it in whole numbers"),
        ("a.png", ReadingOptions(page="all"), "is one of all pages; choose one with --page"),
    ],
)
def test_what_cannot_be_cut_is_refused_beyond_the_limit(tmp_path, name, reading, said):
    """An image that is not read by strips is one error if it takes more than the limit named."""
    image = scene(tmp_path / "a.tif")
    if name == "a.tif":
        tifffile.imwrite(tmp_path / name, image.astype(np.float32), photometric="rgb")
    else:
        Image.fromarray(image).save(tmp_path / name)
    outcome = do(tmp_path / name, tmp_path / "out", LITTLE, reading=reading)
    assert outcome.status == "failed"
    assert f"{WHOLE}{said}" in outcome.error
    assert outcome.error.endswith("; or raise --memory")
    assert do(tmp_path / name, tmp_path / "out", "1G", reading=reading).status == "ok"


@pytest.mark.parametrize(
    ("mode", "options"),
    [("RGB", {"min_size": 30}), ("RGBA", {}), ("P", {"bandwidth": 9.0}), ("LA", {})],
)
def test_png_beyond_memory_is_that_in_memory(tmp_path, mode, options):
    """Photos in PNG, and masks, have the results of memory, transparent pixels left out."""
    image = Image.fromarray(scene(tmp_path / "a.tif")).convert(mode)
    if mode.endswith("A"):
        hole = Image.new("L", image.size, 255)
        hole.paste(0, (20, 30, 70, 60))
        image.putalpha(hole)
    image.save(tmp_path / "a.png", dpi=(300, 300), icc_profile=swapped_profile())
    mask = np.ones((90, 120), np.uint8)
    mask[7:30, 20:90] = 0
    Image.fromarray(mask).save(tmp_path / "mask.png")
    options["mask"] = tmp_path / "mask.png" if mode == "RGB" else None
    check_same(tmp_path / "a.png", tmp_path, **options)


@pytest.mark.parametrize("mode", ["RGB", "P"])
def test_a_png_that_is_cut_off_is_that_in_memory(tmp_path, mode):
    """With --allow-truncated the rows that are there have the results of memory."""
    Image.fromarray(scene(tmp_path / "a.tif")).convert(mode).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[: len(content) * 2 // 3])
    check_same(tmp_path / "a.png", tmp_path, reading=ReadingOptions(allow_truncated=True))


def test_png_of_more_pixels_than_are_held_are_cut(tmp_path):
    """A PNG beyond --max-pixels is read by strips whatever the memory, as a TIFF is."""
    Image.fromarray(scene(tmp_path / "a.tif")).save(tmp_path / "a.png")
    few = ReadingOptions(max_pixels=1000)
    outcome = do(tmp_path / "a.png", tmp_path / "out", "1G", reading=few)
    assert [Path(name).suffix for name in outcome.outputs[:2]] == [".tif", ".tif"]


@pytest.mark.parametrize("bands", [3, 5])
def test_what_is_damaged_is_left_out_as_in_memory(tmp_path, bands):
    """With --allow-truncated a damaged tile and those cut off take no part, whatever the memory."""
    scene(tmp_path / "a.tif", bands=bands)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        at = tiff.pages[0].dataoffsets
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[at[5] : at[5] + 6] = b"damage"
    (tmp_path / "a.tif").write_bytes(content[: at[-3]])
    check_same(tmp_path / "a.tif", tmp_path, reading=ReadingOptions(allow_truncated=True))


@pytest.mark.parametrize("products", [("labels", "segmented"), ("regions",)])
@pytest.mark.parametrize(("bands", "kind"), [(3, np.uint8), (4, np.uint16)])
def test_the_report_shows_what_it_shows_of_images_in_memory(tmp_path, bands, kind, products):
    """Thumbnails, colours and sizes of an image beyond memory are those of memory."""
    scene(tmp_path / "a.tif", bands=bands, kind=kind)
    options = {"products": products, "output": {"with_entries": True}, "bandwidth": 30.0}
    whole = do(tmp_path / "a.tif", tmp_path / "whole", "1G", **options)
    strips = do(tmp_path / "a.tif", tmp_path / "strips", LITTLE, **options)
    assert (whole.status, strips.status) == ("ok", "ok"), strips.error
    assert strips.entry == whole.entry
    assert len(strips.entry["rows"]) > 5


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
@pytest.mark.parametrize("memory", [LITTLE, "1G"])
def test_a_dry_run_names_what_is_written(tmp_path, name, memory):
    """Results of images beyond memory have the names by which they are written, before that."""
    Image.fromarray(scene(tmp_path / "a.tif")).save(tmp_path / "a.png")
    source, place = str(tmp_path / name), str(tmp_path / "out" / "x")
    task = Task(source, place, os.path.realpath(source))
    work = Work(Settings(bandwidth=9.0), Output(tmp_path / "out"), memory=memory)
    (planned,) = Batch([task], work, keep_record=False).preview()
    (done,) = run_job(task, work)
    assert planned.status == "planned"
    assert planned.outputs == done.outputs
    assert all(Path(name).exists() for name in done.outputs)
    (again,) = Batch([task], work, existing="error", keep_record=False).preview()
    assert f"its result {done.outputs[0]} is already there" in again.error


def test_a_dry_run_tells_what_cannot_be_done_by_strips(tmp_path):
    """What an image beyond memory would fail by is told by a dry run, too."""
    scene(tmp_path / "a.tif")
    task = Task(str(tmp_path / "a.tif"), str(tmp_path / "x"), os.path.realpath(tmp_path / "a.tif"))
    work = Work(Settings(), Output(tmp_path, ("figure",)), memory=LITTLE)
    (planned,) = Batch([task], work, keep_record=False).preview()
    (done,) = run_job(task, work)
    assert planned.status == done.status == "failed"
    assert planned.error == done.error


KILLED = """
import os, signal, sys
from pathlib import Path
from segment import memory_limit
from segment.results.outputs import Output
from segment.running import scene_job
from segment.running.job import run_job
from segment.running.plan import Task, Work
from segment.scenes import memory_plan
from segment.settings import Settings

memory_plan.FIXED = memory_limit.FIXED = memory_plan.COLOR_COUNTERS = 0
folder, stage, after = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def advance(name, done, total):
    if name == stage and done >= after:
        os.kill(os.getpid(), signal.SIGKILL)

scene_job.advance = advance
source = str(folder / "a.tif")
output = Output(folder / "out", ("labels", "segmented", "regions"), label_format="tiff")
work = Work(Settings(min_size=30, bandwidth=9.0), output, memory="60K")
print(run_job(Task(source, str(folder / "out" / "x"), os.path.realpath(source)), work))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
@pytest.mark.parametrize(
    ("stage", "after"),
    [("counting", 30), ("labelling", 30), ("measuring", 30), ("writing", 40)],
)
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path, stage, after):
    """Killed in any stage, a run leaves no result; the next one goes on, to the same bytes."""
    scene(tmp_path / "a.tif")
    options = {"products": ("labels", "segmented", "regions"), "min_size": 30, "bandwidth": 9.0}
    command = [sys.executable, "-c", KILLED, str(tmp_path), stage, str(after)]
    killed = subprocess.run(command, capture_output=True, text=True, timeout=WAIT)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = list((tmp_path / "out").iterdir())
    assert all(path.name.startswith(".") for path in left)
    assert do(tmp_path / "a.tif", tmp_path / "out", LITTLE, **options).status == "ok"
    assert do(tmp_path / "a.tif", tmp_path / "new", LITTLE, **options).status == "ok"
    names = [path.name for path in (tmp_path / "new").iterdir()]
    assert sorted(names) == sorted(path.name for path in (tmp_path / "out").iterdir())
    for name in names:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "new" / name).read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_the_report_of_a_run_that_was_gone_on_with_is_whole(tmp_path):
    """A thumbnail has the strips, too, whose results an earlier run had written."""
    scene(tmp_path / "a.tif")
    command = [sys.executable, "-c", KILLED, str(tmp_path), "writing", "40"]
    subprocess.run(command, capture_output=True, timeout=WAIT)
    products = {"products": ("labels", "segmented", "regions"), "output": {"with_entries": True}}
    options = {**products, "min_size": 30, "bandwidth": 9.0}
    again = do(tmp_path / "a.tif", tmp_path / "out", LITTLE, **options)
    assert again.entry == do(tmp_path / "a.tif", tmp_path / "new", "1G", **options).entry


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_nothing_stale_is_taken_up(tmp_path):
    """What a killed run left of another image or with other settings is not gone on with."""
    scene(tmp_path / "a.tif")
    command = [sys.executable, "-c", KILLED, str(tmp_path), "writing", "40"]
    subprocess.run(command, capture_output=True, timeout=WAIT)
    image = scene(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "a.tif", 200 - image, photometric="rgb")
    options = {"products": ("labels", "regions"), "min_size": 30, "bandwidth": 9.0}
    assert do(tmp_path / "a.tif", tmp_path / "out", LITTLE, **options).status == "ok"
    assert do(tmp_path / "a.tif", tmp_path / "new", LITTLE, **options).status == "ok"
    for name in ("x_labels.tif", "x_regions.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "new" / name).read_bytes()


def test_a_full_disk_leaves_nothing(tmp_path):
    """A disk without room for what a scene needs is one error, and has its room back."""
    scene(tmp_path / "a.tif")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("may not mount a small disk here")
    try:
        outcome = do(tmp_path / "a.tif", disk, LITTLE, min_size=30)
        assert outcome.status == "failed"
        assert "No space left on device" in outcome.error
        assert not any(disk.iterdir())
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_the_command_takes_the_limit(tmp_path):
    """--memory is heeded, and refused with what is expected where it is no size."""
    scene(tmp_path / "a.tif")
    done = run(tmp_path / "a.tif", "-o", tmp_path / "out", "--memory", "1K", "--json")
    assert done.returncode == 1
    assert "memory: expected at least 193M" in json.loads(done.stdout)["error"]
    wrong = run(tmp_path / "a.tif", "-o", tmp_path / "out", "--memory", "lots")
    assert wrong.returncode == 2
    assert "expected bytes such as 512M or 2G, or a share such as 50%" in wrong.stderr


def test_tables_of_scenes_have_the_files_units(tmp_path):
    """Means of 16-bit bands are in 16 bits."""
    image = scene(tmp_path / "a.tif", bands=4, kind=np.uint16)
    do(tmp_path / "a.tif", tmp_path / "out", LITTLE, bandwidth=1000.0)
    with (tmp_path / "out" / "x_regions.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["max_band_4"]) == image[:, :, 3].max()


def as_zarr(path, image):
    """Write an image as a Zarr array of small chunks."""
    zarr = pytest.importorskip("zarr", reason="needs the extra 'zarr'")
    chunks = (20, 50, *image.shape[2:])
    zarr.create_array(path, shape=image.shape, chunks=chunks, dtype=image.dtype)[:] = image


def as_vrt(path, image):
    """Write an image as a TIFF on the map, and GDAL's VRT of it."""
    on_the_map(path.with_suffix(".tif"), image)
    from rasterio.shutil import copy

    copy(path.with_suffix(".tif"), path, driver="VRT")


@pytest.mark.parametrize(
    ("write", "bands", "kind"),
    [
        (as_zarr, 3, np.uint16),
        (as_zarr, 5, np.float32),
        (as_vrt, 3, np.uint8),
        (as_vrt, 4, np.uint16),
    ],
)
def test_what_no_reader_of_whole_images_knows_is_done_in_memory_too(tmp_path, write, bands, kind):
    """Zarr and VRT of any size give what they give by strips, scaled as measurements are."""
    path = tmp_path / ("a.zarr" if write is as_zarr else "a.vrt")
    write(path, scene(tmp_path / "plain.tif", bands=bands, kind=kind))
    check_same(path, tmp_path, limit="100K" if kind == np.uint8 else "500K")


def test_what_no_reader_of_whole_images_knows_has_its_bands_and_levels(tmp_path):
    """Bands are chosen, others are shown, and the hierarchy is cut, as of other images."""
    as_zarr(tmp_path / "a.zarr", scene(tmp_path / "a.tif", bands=4, kind=np.uint16))
    reading = ReadingOptions(bands=(4, "band_2"), show_bands=(1, 2, 3))
    for products in (("labels", "segmented"), ("boundaries", "regions")):
        for path in ("a.tif", "a.zarr"):
            options = {"reading": reading, "products": products, "bandwidth": 9.0}
            assert do(tmp_path / path, tmp_path / path[2:], "1G", **options).status == "ok"
    for name in ("x_labels.tif", "x_segmented.png", "x_boundaries.png", "x_regions.csv"):
        assert (tmp_path / "tif" / name).read_bytes() == (tmp_path / "zarr" / name).read_bytes()
    assert do(tmp_path / "a.zarr", tmp_path / "cut", "1G", level=1.0).status == "ok"
    missing = do(tmp_path / "a.zarr", tmp_path / "cut", "1G", reading=ReadingOptions(bands=(5,)))
    assert missing.error.startswith("has no band 5; it has 1 (band_1), 2 (band_2), ")


@pytest.mark.parametrize("memory", [LITTLE, "1G"])
def test_a_file_that_gdal_refuses_is_refused_by_what_it_is(tmp_path, memory):
    """Bands of several types are named; a file that nobody knows is of no kind known here."""
    as_vrt(tmp_path / "a.vrt", scene(tmp_path / "plain.tif", bands=2, kind=np.uint16))
    text = (tmp_path / "a.vrt").read_text().replace("UInt16", "Float32", 1)
    (tmp_path / "a.vrt").write_text(text)
    outcome = do(tmp_path / "a.vrt", tmp_path / "out", memory)
    assert outcome.error.startswith("has bands of the types float32, uint16, expected one")
    as_vrt(tmp_path / "c.vrt", scene(tmp_path / "plain.tif"))
    (tmp_path / "c.tif").unlink()
    outcome = do(tmp_path / "c.vrt", tmp_path / "out", memory)
    assert "has a damaged block" in outcome.error
    assert any("No such file" in line for line in outcome.details)
    (tmp_path / "b.vrt").write_text("not a picture\n")
    outcome = do(tmp_path / "b.vrt", tmp_path / "out", memory)
    assert outcome.error.startswith("is not an image of a kind known here; expected JPEG, PNG")


@pytest.mark.parametrize("memory", [LITTLE, "1G"])
def test_a_damaged_tile_is_named_in_one_line(tmp_path, memory, capfd):
    """Of a damaged tile its place is told, in memory and by strips, and libtiff says nothing."""
    scene(tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        place = file.pages[0].dataoffsets[6]
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[place + 9 : place + 60] = bytes(51)
    (tmp_path / "a.tif").write_bytes(content)
    outcome = do(tmp_path / "a.tif", tmp_path / "out", memory)
    assert "tile in column 2, row 1 (pixel rows 16 to 31, columns 64 to 95)" in outcome.error
    assert "--allow-truncated" in outcome.error
    assert capfd.readouterr().err == ""
    allowed = ReadingOptions(allow_truncated=True)
    assert do(tmp_path / "a.tif", tmp_path / "out", memory, reading=allowed).status == "ok"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("memory", ["300K", "1G"])
def test_a_line_tells_of_alpha(tmp_path, kind, memory):
    """Of four samples whose last is alpha the line tells three bands and that, until it is one."""
    image = scene(tmp_path / "a.tif", bands=4, kind=kind)
    options = {"photometric": "rgb", "extrasamples": ["unassalpha"], "planarconfig": "contig"}
    tifffile.imwrite(tmp_path / "a.tif", image, **options)
    assert do(tmp_path / "a.tif", tmp_path / "out", memory).remark == "3 bands and alpha"
    reading = ReadingOptions(bands=(1, 2, 3, 4))
    outcome = do(tmp_path / "a.tif", tmp_path / "out", memory, reading=reading)
    assert outcome.remark.startswith("4 bands (1 of the bandwidth is ")


@pytest.mark.parametrize(("bands", "crs"), [(1, 32633), (3, 32633), (4, None), (2, None)])
def test_a_jpeg_2000_of_bands_has_them_all_and_its_place(tmp_path, bands, crs):
    """What is no photo is read through GDAL, as a TIFF of the same bands, whatever the memory."""
    rasterio = pytest.importorskip("rasterio", reason="needs GDAL, of the extra 'test'")
    image = scene(tmp_path / "plain.tif", bands=bands, kind=np.uint16)
    size = dict(zip(("height", "width", "count"), image.shape, strict=True))
    place = {"crs": crs, "transform": rasterio.Affine(*PLACE)} if crs else {}
    exact = {"driver": "JP2OpenJPEG", "QUALITY": 100, "REVERSIBLE": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        for name, options in (("a.jp2", exact), ("a.tif", {"driver": "GTiff"})):
            path = tmp_path / name
            with rasterio.open(path, "w", dtype="uint16", **size, **place, **options) as file:
                file.write(np.moveaxis(image, -1, 0))
    options = {"products": ("labels", "regions"), "bandwidth": 9.0}
    for name, memory in (("a.tif", "1G"), ("a.jp2", "1G"), ("a.jp2", "400K")):
        outcome = do(tmp_path / name, tmp_path / (name + memory), memory, **options)
        assert (outcome.status, outcome.more["bands"]) == ("ok", bands), outcome.error
    for other in ("a.jp21G", "a.jp2400K"):
        for name in ("x_labels.tif", "x_regions.csv"):
            paths = tmp_path / "a.tif1G" / name, tmp_path / other / name
            if name.endswith("csv"):
                assert paths[0].read_bytes() == paths[1].read_bytes()
            else:
                assert np.array_equal(*map(tifffile.imread, paths))
                assert crs is None or of_gdal(paths[1])


@pytest.mark.parametrize("memory", ["500K", "1G"])
@pytest.mark.parametrize(
    ("features", "scale"), [("color", "depth"), ("color", "2%,98%"), ("joint", "std")]
)
def test_a_scene_without_a_value_is_told(tmp_path, memory, features, scale):
    """Bands that are NaN all over are one error that says so, in memory and by strips."""
    as_zarr(tmp_path / "a.zarr", np.full((90, 120, 4), np.nan, np.float32))
    options = {"features": features, "scale": scale, "bandwidth": 9.0}
    outcome = do(tmp_path / "a.zarr", tmp_path / "out", memory, **options)
    assert outcome.status == "failed"
    told = "has no pixel with a value: all are no-data, masked, NaN", "every pixel is transparent, "
    assert any(part in outcome.error for part in told), outcome.error


def test_models_and_masks_of_what_no_reader_of_whole_images_knows(tmp_path):
    """Modes are fitted to Zarr, and a mask may be Zarr or VRT, as if all were TIFFs."""
    image = scene(tmp_path / "a.tif", bands=4, kind=np.uint16)
    as_zarr(tmp_path / "a.zarr", image)
    mask = np.zeros((90, 120, 1), np.uint8)
    mask[7:70, 20:] = 255
    as_zarr(tmp_path / "mask.zarr", mask)
    as_vrt(tmp_path / "mask.vrt", mask)
    options = ["--mask", tmp_path / "mask.tif", "--bandwidth", "9", "--write", "labels"]
    made = []
    for name, other in (("a.tif", "mask.tif"), ("a.zarr", "mask.zarr"), ("a.zarr", "mask.vrt")):
        folder = tmp_path / f"{name}{other}"
        options[1] = tmp_path / other
        model = ["--fit-together", "--save-model", folder / "modes.json"]
        done = run(tmp_path / name, "-o", folder, *options, *model)
        assert done.returncode == 0, done.stderr
        labels = np.asarray(Image.open(folder / "a_labels.png"))
        made.append((labels.tobytes(), json.loads((folder / "modes.json").read_text())["modes"]))
        assert np.array_equal(labels > 0, mask[:, :, 0] > 0)
    assert made[0] == made[1] == made[2]


def test_alpha_that_gdal_finds_is_none_of_the_bands(tmp_path):
    """A VRT of red, green, blue and alpha has the names and the table of its TIFF."""
    image = scene(tmp_path / "plain.tif", bands=4)
    image[:9, :, 3] = 0
    on_the_map(tmp_path / "a.tif", image, photometric="RGB", ALPHA="YES")
    from rasterio.shutil import copy

    copy(tmp_path / "a.tif", tmp_path / "a.vrt", driver="VRT")
    options = {"products": ("labels", "regions"), "bandwidth": 9.0}
    for name in ("a.tif", "a.vrt"):
        outcome = do(tmp_path / name, tmp_path / name[2:], "1G", **options)
        assert outcome.more["names"] == ["red", "green", "blue"]
        assert outcome.remark.startswith("3 bands and alpha")
    for name in ("x_labels.tif", "x_regions.csv"):
        assert (tmp_path / "tif" / name).read_bytes() == (tmp_path / "vrt" / name).read_bytes()
