"""Bands on the command line: chosen, scaled, shown, told and measured."""

import csv
import json
import re
import shlex
from pathlib import Path

import click
import numpy as np
import pytest
import rasterio
from PIL import Image

from segment import Model, fit_modes, segment_image
from segment.command.cli import command

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
NAMES = ("blue", "green", "red", "NIR")
RANDOM = np.random.RandomState(11)
SPECTRA = np.array([[300, 500, 350, 2600], [400, 700, 900, 1500], [150, 200, 120, 80]])
COVER = np.repeat(np.repeat(RANDOM.randint(0, 3, (5, 6)), 8, axis=0), 8, axis=1)
SENSED = (SPECTRA[COVER] + RANDOM.randint(-40, 41, (40, 48, 4))).astype(np.uint16)
SENSED[0, :5] = 0  # no data


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A four-band TIFF of 12 bits in 16 with names and no-data, in the folder that is worked in."""
    monkeypatch.chdir(tmp_path)
    profile = {"driver": "GTiff", "height": 40, "width": 48, "count": 4, "dtype": "uint16"}
    with rasterio.open("a.tif", "w", **profile, nodata=0, photometric="MINISBLACK") as file:
        file.write(np.moveaxis(SENSED, -1, 0))
        for number, name in enumerate(NAMES, 1):
            file.set_band_description(number, name)
    return tmp_path


@pytest.fixture
def run(capsys):
    """Runs the command in this process: its exit code, the JSON of its lines, what it said."""

    def run(line):
        code = command.main(shlex.split(line), standalone_mode=False)
        out, err = capsys.readouterr()
        return code, [json.loads(each) for each in out.splitlines()], err

    return run


def test_commands_of_the_page_run(scene, run):
    """Every command of docs/bands.md works, on a scene with bands of the names that it uses."""
    profile = {"driver": "GTiff", "height": 40, "width": 48, "count": 8, "dtype": "uint16"}
    with rasterio.open("scene.tif", "w", **profile) as file:
        file.write(np.concatenate([np.moveaxis(SENSED, -1, 0)] * 2))
        for number, name in ((4, "red"), (8, "nir")):
            file.set_band_description(number, name)
    page = (Path(__file__).parents[2] / "docs" / "bands.md").read_text()
    lines = re.search(r"```sh\n(.*?)```", page, re.DOTALL)[1].splitlines()
    assert len(lines) == 3
    for line in lines:
        assert run(line.removeprefix("meanshift-segment "))[0] == 0


def labels_in(path):
    with Image.open(path) as image:
        return np.asarray(image).astype(np.int32)


THERE = SENSED.any(axis=2)


@pytest.mark.parametrize(
    ("line", "places", "settings"),
    [
        ("", [0, 1, 2, 3], {"bandwidth": 9}),
        ("--bands 4,red", [3, 2], {"bandwidth": 9, "scale": "range"}),
        ("--bands 4", [3], {"bandwidth": 9, "scale": "2%,98%"}),
        (
            "--features joint",
            [0, 1, 2, 3],
            {"features": "joint", "spatial_radius": 5, "range_radius": 9, "scale": "std"},
        ),
    ],
)
def test_bands_that_are_chosen_are_segmented(scene, run, line, places, settings):
    """The command gives what the library gives of the same bands and scale, and tells of them."""
    spelt = " ".join(f"--{k.replace('_', '-')} {v}" for k, v in settings.items())
    code, (told,), _ = run(
        f"a.tif -o o --json {line} {spelt}".replace("--features joint --f", "--f")
    )
    found = segment_image(SENSED[..., places], mask=THERE, alpha=False, **settings)
    assert code == 0
    assert np.array_equal(labels_in("o/a_labels.png"), found.labels)
    assert told["bands"] == len(places)
    assert told["names"] == [NAMES[place] for place in places]
    scale = told["scale"]
    assert scale["as"] == settings.get("scale", "depth")
    assert np.allclose(scale["low"], found.low)
    assert np.allclose(scale["unit"], found.unit)


def test_a_line_tells_bands_and_units(scene, run):
    """The line of an image of bands says how many, and what a bandwidth is in the file's units."""
    _, _, said = run("a.tif -o o -b 9")
    assert (
        "48 x 40, 4 bands (1 of the bandwidth is 16.06 in the file's units), bandwidth 9," in said
    )
    _, _, said = run("a.tif -o o --level 1 --write segmented")
    assert "48 x 40, 4 bands, level 1" in said


def test_photos_are_told_as_ever(scene, run):
    """The line of a photo has no word of bands; JSON has their names and units."""
    Image.fromarray((SENSED[..., :3] // 16).astype(np.uint8)).save("p.png")
    _, _, said = run("p.png -o o -b 9")
    assert "band" not in said.replace("bandwidth", "")
    _, (told,), _ = run("p.png -o o -b 9 --json")
    assert (told["bands"], told["names"]) == (3, ["red", "green", "blue"])
    assert told["scale"] == {"as": "depth", "low": [0, 0, 0], "unit": [1, 1, 1]}


def test_tables_are_in_the_units_of_the_file(scene, run):
    """Mean, deviation, smallest and largest value of every band, under their names."""
    run("a.tif -o o -b 9 --write labels,regions")
    labels = labels_in("o/a_labels.png")
    with (scene / "o" / "a_regions.csv").open(newline="") as file:
        rows = [*csv.DictReader(file)]
    assert len(rows) == labels.max()
    for row in rows:
        for place, name in enumerate(NAMES):
            values = SENSED[labels == int(row["label"]), place]
            assert float(row[f"mean_{name}"]) == pytest.approx(values.mean(), rel=1e-12)
            assert float(row[f"std_{name}"]) == pytest.approx(values.std(), rel=1e-9)
            assert float(row[f"min_{name}"]) == values.min()
            assert float(row[f"max_{name}"]) == values.max()


@pytest.mark.parametrize("dtype", ["uint16", "float32", "int16"])
def test_tables_of_photos_are_in_the_units_of_the_file(scene, run, dtype):
    """One band of any type, however it is brought to 8 bits, is measured as it is stored."""
    values = SENSED[..., 3].astype(dtype)
    profile = {"driver": "GTiff", "height": 40, "width": 48, "count": 1, "dtype": dtype}
    with rasterio.open("g.tif", "w", **profile) as file:
        file.write(values, 1)
    _, (told,), _ = run("g.tif -o o -b 9 --json --write labels,regions")
    labels = labels_in("o/g_labels.png")
    with (scene / "o" / "g_regions.csv").open(newline="") as file:
        rows = [*csv.DictReader(file)]
    for row in rows:
        there = values[labels == int(row["label"])].astype(float)
        assert float(row["mean_gray"]) == pytest.approx(there.mean(), rel=1e-12)
        assert float(row["max_gray"]) == there.max()
    unit = 257 if dtype == "uint16" else (values.max() - values.min()) / 255
    assert told["scale"]["unit"] == [pytest.approx(unit)]


@pytest.mark.parametrize(
    ("line", "places"), [("", [2, 1, 0]), ("--show-bands nir,3,2", [3, 2, 1]), ("--bands 4", [3])]
)
def test_pictures_show_three_bands_stretched(scene, run, line, places):
    """12-bit values fill the range of a picture: from the 2nd to the 98th percentile."""
    run(f"a.tif -o o -b 9 --write labels,segmented {line}")
    labels = labels_in("o/a_labels.png")
    with Image.open("o/a_segmented.png") as image:
        picture = np.asarray(image.convert("RGBA"))
    assert np.array_equal(picture[..., 3] > 0, labels > 0)
    shown = SENSED[..., places].astype(float)
    low, high = (np.percentile(shown[THERE], p, 0, method="inverted_cdf") for p in (2, 98))
    stretched = ((shown - low) * 255 / (high - low)).clip(0, 255)
    for label in range(1, labels.max() + 1):
        mean = stretched[labels == label].mean(axis=0)
        assert np.abs(picture[labels == label][0, :3] - mean).max() < 1.5


@pytest.mark.parametrize(
    ("line", "places"),
    [("", [2, 1, 0]), ("--bands 4,3", [3]), ("--bands 4,3,2", [3, 2, 1]), ("--bands 1", [0])],
)
def test_outlines_lie_on_what_is_shown(scene, run, line, places):
    """The picture below outlines is that of bands, however many, and white where there is none."""
    run(f"a.tif -o o -q 1 --write boundaries {line}")  # one segment, whose only line is at the top
    with Image.open("o/a_boundaries.png") as image:
        picture = np.asarray(image).astype(float)
    assert (picture[0, 0] == 255).all()
    shown = SENSED[..., places].astype(float)
    low, high = (np.percentile(shown[THERE], p, 0, method="inverted_cdf") for p in (2, 98))
    stretched = ((shown - low) * 255 / (high - low)).clip(0, 255)[20:]
    enlarged = stretched.repeat(6, axis=0).repeat(6, axis=1)
    assert np.abs(picture[20 * 6 :] - enlarged).max() < 1


def test_every_product_of_bands(scene, run):
    """Figures, sweeps, reports and pages show what the recoloured image shows."""
    pytest.importorskip("matplotlib")
    run("a.tif -o o -b 9 --write boundaries,figure,polygons --report r.html")
    run("a.tif -o o --sweep 0.1,0.3")
    _, (told,), _ = run("a.tif -o o --write explorer,hierarchy --show-bands 4,3,2 --json")
    assert told["bands"] == 4
    assert "scale" not in told
    with Image.open("o/a_boundaries.png") as image:
        assert np.asarray(image).max() == 255
    assert "--show-bands 4,3,2" in (scene / "o" / "a_explorer.html").read_text()


def test_models_keep_their_scale(scene, run):
    """A model of bands labels others by the scale it was found with, and no other bands."""
    run("a.tif -o o -b 9 --bands 4,red --save-model m.json")
    model = Model.load("m.json")
    assert model.bands == ("NIR", "red")
    assert model.scale.unit.tolist() == [4095 / 255] * 2
    first = labels_in("o/a_labels.png")
    with rasterio.open("a.tif", "r+") as file:
        bright = file.read()
        bright[:, 20:] *= 4  # which alone would be of 14 bits
        file.write(bright)
    run("a.tif -o o --bands 4,red --model m.json")
    assert np.array_equal(labels_in("o/a_labels.png")[:20], first[:20])
    for line, message in (
        (
            "",
            "expected 2 bands (NIR, red), those of the model, got 4 bands (blue, green, red, NIR)",
        ),
        (
            "--bands red,4",
            "expected 2 bands (NIR, red), those of the model, got 2 bands (red, NIR)",
        ),
    ):
        code, _, said = run(f"a.tif -o o --model m.json {line}")
        assert code == 1
        assert message in said
    with pytest.raises(click.UsageError, match="'--model' and '--scale' exclude each other"):
        run("a.tif --model m.json --scale range")


def test_one_model_of_several_scenes(scene, run):
    """Scenes that are fitted together have one scale, that of all their values."""
    np.save("b.npy", SENSED[:20])
    np.save("c.npy", SENSED[20:])
    code, _, _ = run("b.npy c.npy -o o -b 9 --scale range --fit-together --save-model m.json")
    assert code == 0
    model = Model.load("m.json")
    assert np.array_equal(model.scale.low, SENSED.min(axis=(0, 1)))
    whole = fit_modes([SENSED], bandwidth=9, scale="range", alpha=False)
    assert np.array_equal(model.modes, whole.modes)
    assert np.array_equal(model.scale.unit, whole.scale.unit)


def test_settings_of_bands_are_in_the_record(scene, run):
    """--existing skip does an image again where bands, what is shown or the scale changed."""
    usual = "a.tif -o o -b 9 --existing skip --json"
    for line in ("", "--bands 4,3,2", "--show-bands 4,3,2", "--scale range"):
        statuses = [run(f"{usual} {line}")[1][0]["status"] for _ in range(2)]
        assert statuses == ["ok", "skipped"]


def test_floats_of_no_depth_are_told(scene, run):
    """Values that only their own range explains are stretched with a warning, unless scaled."""
    np.save("f.npy", SENSED[..., [0, 1, 2, 3]].astype(np.float32) - 50)
    _, (told,), said = run("f.npy -o o -b 9 --json")
    low, high = int(SENSED.min()) - 50, int(SENSED.max()) - 50
    assert f"its values, {low:g} to {high:g}, are stretched from black to white" in said
    assert np.allclose(told["scale"]["unit"], (high - low) / 255)
    for scale in ("0,4000", "2%,98%", "std"):
        assert "stretched" not in run(f"f.npy -o o -b 9 --scale {scale}")[2]
    photo = SENSED[..., 0].astype(np.float32) - 50
    np.save("g.npy", photo)
    _, (told,), said = run("g.npy -o o -b 9 --json")
    assert "stretched" in said
    assert told["scale"]["low"] == [photo.min()]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--bands 0", "expected numbers from 1, names or all, each once"),
        ("--bands 1,,2", "expected numbers from 1, names or all, each once"),
        ("--bands 1,1", "expected numbers from 1, names or all, each once"),
        ("--bands all,1", "expected nothing beside all"),
        ("--scale 5", "expected depth, range, std, LOW,HIGH or LOW%,HIGH%"),
        ("--level 1 --scale std", "exclude each other"),
    ],
)
def test_bands_that_nobody_can_mean(scene, run, line, message):
    """What is wrong whatever the file is a usage error."""
    with pytest.raises(click.UsageError, match=message):
        run(f"a.tif {line}")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "--bands 7",
            "a.tif: has no band 7; it has 1 (blue), 2 (green), ",
        ),
        ("--show-bands 1,2", "a.tif: shows three bands or one, got 2"),
        (
            "-c lab",
            "a.tif: color_space: expected 'rgb' for 4 bands, got 'lab'; choose one or three",
        ),
    ],
)
def test_bands_that_the_file_does_not_have(scene, run, line, message):
    """What is wrong with an image is one line, and nothing of it is written."""
    code, _, said = run(f"a.tif -o o {line}")
    assert code == 1
    assert message in said
    assert not [*(scene / "o").glob("a_*")]


def test_names_that_differ_in_capitals_are_columns_of_a_database(tmp_path, monkeypatch, run):
    """GeoPackage heeds no capitals: such bands get their number, in tables and for --bands."""
    pyogrio = pytest.importorskip("pyogrio")
    monkeypatch.chdir(tmp_path)
    profile = {"driver": "GTiff", "height": 40, "width": 48, "count": 2, "dtype": "uint16"}
    with rasterio.open("a.tif", "w", **profile) as file:
        file.write(np.moveaxis(SENSED[..., :2], -1, 0))
        file.descriptions = ("red", "Red")
    assert run("a.tif -o o -b 9 --write polygons --polygon-format gpkg")[0] == 0
    fields = [*pyogrio.read_info("o/a_polygons.gpkg")["fields"]]
    assert [name for name in fields if name.startswith("mean")] == ["mean_red_1", "mean_Red_2"]
    _, _, said = run("a.tif -o o --bands RED")
    assert "has no band 'RED'; it has 1 (red_1), 2 (Red_2); choose among them" in said


def test_one_model_of_other_bands_says_which(scene, run):
    """Scenes that cannot have one scale are told apart by their bands, types and depths."""
    np.save("b.npy", SENSED[..., :2])
    with pytest.raises(click.ClickException, match=r"4 bands \(blue, .*\) of uint16 in 16"):
        run("a.tif b.npy -o o --fit-together")


def test_a_model_is_kept_in_a_folder_that_is_made(scene, run):
    """As for results and reports, the folder of --save-model need not be there."""
    assert run("a.tif -o o --save-model new/folder/m.json")[0] == 0
    assert Model.load("new/folder/m.json").bands == NAMES
