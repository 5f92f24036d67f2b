"""What ImageJ opens: label maps in colours, sets of ROIs."""

import shutil
import subprocess
import sys
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from PIL import Image

from segment.command.cli import command
from segment.pixels.lab import lab_bytes
from segment.reading.files import read_pages
from segment.reading.picture import Kept
from segment.reading.reading_options import ReadingOptions
from segment.results.imagej import look_up_table, write_colored_labels, write_rois
from segment.results.naming import fitting_format
from segment.results.outputs import Output
from segment.tiff.places import Resolution

IMAGEJ = Path("/usr/share/java/ij.jar")  # where Debian has it
MICRONS = Kept(resolution=Resolution(Fraction(4), Fraction(2), "none", "micron"))
# Plain, with a hole and what fills it, in two parts, touching itself at a corner.
DRAWN = np.array(
    [
        [1, 1, 2, 2, 2, 0],
        [1, 1, 2, 3, 2, 4],
        [4, 4, 2, 2, 2, 0],
        [5, 0, 0, 0, 0, 0],
        [0, 5, 0, 0, 0, 0],
    ],
    np.int32,
)


def numbered(count, zero):
    """A label map with each number to `count`, in 2 rows; 0 beside them if so said."""
    labels = np.arange(1 - zero, count + 1, dtype=np.int32)
    return np.stack([labels, labels])


def written(path, labels, kept=Kept()):  # noqa: B008
    with path.open("wb") as file:
        write_colored_labels(file, labels, kept)
    return path


def rois_of(path, labels):
    with path.open("wb") as file:
        write_rois(file, labels)
    return path


def run_macro(folder, *lines):
    """What a macro prints in the real ImageJ."""
    (folder / "macro.ijm").write_text("\n".join(lines))
    program = ["xvfb-run", "-a", "java", f"-Duser.home={folder}", "-jar", str(IMAGEJ)]
    done = subprocess.run(
        [*program, "-batch", str(folder / "macro.ijm")], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines() if line]


needs_imagej = pytest.mark.skipif(
    not (IMAGEJ.exists() and shutil.which("java") and shutil.which("xvfb-run")),
    reason="needs ImageJ, Java and xvfb-run, as Debian has them",
)


def test_colors_are_far_apart():
    """No two colours of the table are alike, none is near black or white, 0 is black."""
    table = look_up_table()
    lab = lab_bytes(table).astype(int)
    apart = np.sqrt(((lab[:, None] - lab[None]) ** 2).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    assert table[0].tolist() == [0, 0, 0]
    assert apart.min() > 9
    assert apart[:12, :12].min() > 50
    assert (lab[1:, 0] >= 30).all()
    assert (lab[1:, 0] <= 90).all()


@pytest.mark.parametrize(
    ("count", "kind"), [(3, "uint8"), (255, "uint8"), (256, "uint16"), (70_000, "float32")]
)
def test_labels_come_back(tmp_path, count, kind):
    """Labels are whole numbers of 8 or 16 bits, or exact floats, and are read as they are."""
    labels = numbered(count, True)
    path = written(tmp_path / "a.tif", labels, MICRONS)
    assert tifffile.imread(path).dtype == kind
    for read in (tifffile.imread(path), np.asarray(Image.open(path))):
        np.testing.assert_array_equal(read, labels)
    with tifffile.TiffFile(path) as tiff:
        assert tiff.imagej_metadata["max"] == max(count, 255)
        assert tiff.imagej_metadata["unit"] == "micron"
        assert tiff.pages[0].tags["Software"].value == "meanshift-segment"


def test_more_labels_than_floats_tell_apart_are_a_plain_tiff():
    """Beyond 2^24 segments, which float32 cannot number, the label map has 32 whole bits."""
    assert fitting_format("imagej", 2**24) == "imagej"
    assert fitting_format("imagej", 2**24 + 1) == "tiff"
    said = Output(Path(), label_format="imagej").warnings(2**24 + 1, on_map=True)
    assert said == ("16,777,217 segments are too many for ImageJ; the label map is a TIFF",)


def test_the_option_makes_a_named_tiff_one_for_imagej():
    """`--labels map.tif --label-format imagej` is of the kind that was asked for."""
    output = Output(Path(), label_format="imagej", files={"labels": Path("map.tif")})
    assert output.labels_as(9) == "imagej"
    assert Output(Path(), files={"labels": Path("map.tif")}).labels_as(9) == "tiff"


def test_the_unit_of_imagej_survives(tmp_path):
    """A scale in microns goes from ImageJ's TIFF to that of the label map, turned with it."""
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.zeros((3, 4), np.uint8),
        imagej=True,
        resolution=(4, 2),
        metadata={"unit": "micron"},
        extratags=[(274, 3, 1, 6, True)],
    )
    (page,) = read_pages(tmp_path / "a.tif", ReadingOptions())
    assert page.kept.resolution == Resolution(Fraction(2), Fraction(4), "none", "micron")


def test_rois_are_what_roifile_reads(tmp_path):
    """An entry for each segment, by its number; corners along the edges of the pixels."""
    roifile = pytest.importorskip("roifile", reason="needs the extra imagej")
    rois = roifile.roiread(rois_of(tmp_path / "a.zip", DRAWN))
    assert [roi.name for roi in rois] == ["1", "2", "3", "4", "5"]
    assert rois[0].coordinates().tolist() == [[0, 0], [2, 0], [2, 2], [0, 2]]
    assert [roi.composite for roi in rois] == [False, True, False, True, True]
    outer, hole = rois[1].coordinates(multi=True)
    assert outer.tolist() == [[2, 0], [5, 0], [5, 3], [2, 3], [2, 0]]
    assert sorted(hole[:-1].tolist()) == [[3, 1], [3, 2], [4, 1], [4, 2]]
    assert (rois[3].left, rois[3].top, rois[3].right, rois[3].bottom) == (0, 1, 6, 3)


def test_the_same_labels_give_the_same_bytes(tmp_path):
    """Neither a date nor chance goes into the files."""
    pytest.importorskip("roifile", reason="needs the extra imagej")
    for make in (rois_of, written):
        first, again = make(tmp_path / "a", DRAWN), make(tmp_path / "b", DRAWN)
        assert first.read_bytes() == again.read_bytes()


def test_outlines_that_16_bits_cannot_hold_are_composite(tmp_path):
    """Corners beyond 32,767 are floats."""
    roifile = pytest.importorskip("roifile", reason="needs the extra imagej")
    labels = np.ones((1, 40_000), np.int32)
    labels[0, 39_000:] = 2
    first, second = roifile.roiread(rois_of(tmp_path / "a.zip", labels))
    assert first.composite
    assert second.coordinates().tolist()[:2] == [[39_000, 0], [40_000, 0]]


def test_rois_without_roifile_are_an_error(monkeypatch, tmp_path):
    """Where roifile is missing, the command and the library say what to install."""
    monkeypatch.setitem(sys.modules, "roifile", None)
    with pytest.raises(ImportError, match=r"pip install 'meanshift-segment\[imagej\]'"):
        rois_of(tmp_path / "a.zip", DRAWN)


def test_the_command_writes_both(tmp_path):
    """`--write labels,rois --label-format imagej` gives a TIFF for ImageJ and a set of ROIs."""
    pytest.importorskip("roifile", reason="needs the extra imagej")
    Image.fromarray(np.repeat(np.uint8([[10, 90, 200]]), 4, axis=0)).save(tmp_path / "a.png")
    options = ["-b", "20", "--write", "labels,rois", "--label-format", "imagej"]
    words = [str(tmp_path / "a.png"), *options, "-o", str(tmp_path)]
    done = CliRunner().invoke(command, words, standalone_mode=False)
    assert done.return_value == 0, done.output
    with tifffile.TiffFile(tmp_path / "a_labels.tif") as tiff:
        assert tiff.is_imagej
        assert tiff.asarray().tolist() == [[3, 2, 1]] * 4
    with zipfile.ZipFile(tmp_path / "a_rois.zip") as archive:
        assert archive.namelist() == ["1.roi", "2.roi", "3.roi"]


@needs_imagej
def test_imagej_opens_them(tmp_path):
    """The real ImageJ shows labels in the table's colours, to scale, and measures the ROIs."""
    pytest.importorskip("roifile", reason="needs the extra imagej")
    maps = {
        "few": numbered(255, True),
        "many": numbered(500, True),
        "more": numbered(70_000, False),
    }
    for name, labels in maps.items():
        written(tmp_path / f"{name}.tif", labels, MICRONS)
    written(tmp_path / "drawn.tif", DRAWN)
    rois_of(tmp_path / "rois.zip", DRAWN)
    looks = [
        f'open("{tmp_path}/{name}.tif"); getVoxelSize(w, h, d, u);'
        "print(bitDepth(), getPixel(0, 1), getPixel(getWidth() - 1, 0), w, h, u);"
        'run("RGB Color"); for (x = 0; x < 3; x++) { p = getPixel(x, 0);'
        "print((p >> 16) & 255, (p >> 8) & 255, p & 255); } close();"
        for name in maps
    ]
    areas = (
        f'open("{tmp_path}/drawn.tif"); roiManager("open", "{tmp_path}/rois.zip");'
        'for (i = 0; i < roiManager("count"); i++) { roiManager("select", i);'
        "getStatistics(area, mean, min, max); print(Roi.getName, area, mean, min, max); }"
    )
    printed = run_macro(tmp_path, *looks, areas)
    table = look_up_table()
    for name, depth in (("few", "8"), ("many", "16"), ("more", "32")):
        labels, scale = maps[name], ["0.25", "0.5", "microns"]
        first, *colors = printed[:4]
        printed = printed[4:]
        assert first == [depth, str(labels[0, 0]), str(labels[0, -1]), *scale]
        shown = [[0, 0, 0], *table[1:3].tolist()] if labels[0, 0] == 0 else [table[1].tolist()] * 3
        if name == "many":  # 500 labels over 256 entries: two share one
            shown = [table[round(label * 256 / 501 - 1e-9)].tolist() for label in range(3)]
        assert [[int(part) for part in color] for color in colors] == shown
    sizes = np.bincount(DRAWN.ravel())
    assert [[float(word) for word in line] for line in printed] == [
        [label, sizes[label], label, label, label] for label in range(1, 6)
    ]
