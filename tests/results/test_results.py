"""Results to files: what goes into them, and that they are whole."""

from fractions import Fraction

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from skimage import io

from segment.errors import ImageFileError
from segment.reading.picture import Kept
from segment.reading.reading_options import ReadingOptions
from segment.results.naming import fitting_format
from segment.results.outputs import Output
from segment.results.rasters import write_labels, write_segmented
from segment.running.inputs import find_inputs
from segment.running.job import run_job
from segment.running.plan import Work, plan
from segment.settings import Settings
from segment.tiff.places import Resolution
from segment.writing import make_folder, write_whole
from tests.drawn import NOISE, RGB, with_alpha


def loaded(path):
    """An image with its pixels, its file closed."""
    with Image.open(path) as image:
        image.load()
        return image


def tiff_page(path):
    """The tags of a TIFF's first page."""
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages[0]
        assert all(tag.value is not None for tag in page.tags)  # some are read late
        return page


def segmented(path, folder, label_format="png", **reading):
    """Run the job on one file; its outcomes."""
    (task,) = plan(find_inputs([str(path)]).images, folder)
    output = Output(folder, label_format=label_format)
    return run_job(task, Work(Settings(bandwidth=30), output, ReadingOptions(**reading)))


@pytest.mark.parametrize(
    ("count", "bits"), [(1, 8), (255, 8), (256, 16), (65535, 16), (65536, 32), (2**31 - 1, 32)]
)
@pytest.mark.parametrize("kind", ["png", "tiff", "npy"])
def test_label_maps_come_back(tmp_path, kind, count, bits):
    """Pillow, scikit-image, tifffile and NumPy read the labels that were written, in few bits."""
    labels = np.array([[0, 1, 2], [count, 1, count - 1]], np.int32)
    if kind == "png" and bits == 32:
        kind = fitting_format(kind, count)
    path = tmp_path / {"png": "a.png", "tiff": "a.tif", "npy": "a.npy"}[kind]
    write_labels(labels, path, kind)
    if kind == "npy":
        assert np.array_equal(np.load(path, allow_pickle=False), labels)
        return
    read = [np.asarray(loaded(path)), io.imread(path)]
    if kind == "tiff":
        read.append(tifffile.imread(path))
        assert tiff_page(path).compression == 8
    assert all(np.array_equal(image, labels) for image in read)
    assert read[-1].dtype.itemsize * 8 == bits


def test_png_refuses_labels_that_would_wrap(tmp_path):
    """Labels beyond 16 bits are refused rather than wrapped."""
    with pytest.raises(ImageFileError, match=r"at most 65,535 segments for PNG; use \.tif"):
        write_labels(np.array([[65536]], np.int32), tmp_path / "a.png", "png")


@pytest.mark.parametrize("own", [{}, {"labels": "map.png"}])
def test_too_many_segments_for_png_become_a_tiff(tmp_path, own):
    """No work is lost: the label map is a TIFF then, whatever it was to be called, and says so."""
    levels = np.arange(0, 256, 6, np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(43 * 43, 43, 3)
    Image.fromarray(cube).save(tmp_path / "cube.png")
    (task,) = plan(find_inputs([str(tmp_path / "cube.png")]).images, tmp_path)
    files = {product: tmp_path / name for product, name in own.items()}
    output = Output(tmp_path, ("labels",), files=files)
    (outcome,) = run_job(task, Work(Settings(bandwidth=1), output))
    path = tmp_path / ("map.tif" if own else "cube_labels.tif")
    assert outcome.outputs == [str(path)]
    assert outcome.warnings == ("79,507 segments are too many for PNG; the label map is a TIFF",)
    labels = tifffile.imread(path)
    assert outcome.segments == labels.max() == len(np.unique(labels)) == 43**3


@pytest.mark.parametrize("count", [3, 255, 256, 300])
@pytest.mark.parametrize("transparent", [False, True])
def test_segmented_png(tmp_path, count, transparent):
    """The recoloured PNG shows the palette's colours, indexed up to 256, and label 0 as said."""
    palette = np.random.default_rng(0).integers(0, 256, (count + 1, 3), np.uint8)
    labels = np.arange(count + 1, dtype=np.int32).reshape(1, -1)
    write_segmented(labels, palette, tmp_path / "a.png", transparent=transparent)
    image = loaded(tmp_path / "a.png")
    assert (image.mode == "P") == (count < 256)
    rgba = np.asarray(image.convert("RGBA"))
    assert np.array_equal(rgba[0, :, :3], palette)
    assert rgba[0, 0, 3] == (0 if transparent else 255)
    assert (rgba[0, 1:, 3] == 255).all()


@pytest.mark.parametrize("deep", [False, True])
def test_alpha_survives(tmp_path, deep):
    """What can be seen through a little can be so in the recoloured image; label 0 is clear."""
    alpha = np.full((6, 8), 255, np.uint8)
    alpha[0], alpha[1], alpha[2] = 0, 1, 128
    rgba = with_alpha(RGB, alpha)
    if deep:
        values = rgba.astype(np.uint16) * 257
        tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", extrasamples=["unassalpha"])
    else:
        Image.fromarray(rgba).save(tmp_path / "a.tif")
    segmented(tmp_path / "a.tif", tmp_path)
    written = np.asarray(loaded(tmp_path / "a_segmented.png").convert("RGBA"))
    assert np.array_equal(written[..., 3], alpha)
    assert np.array_equal(np.asarray(loaded(tmp_path / "a_labels.png")) == 0, alpha == 0)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_the_resolution_survives(tmp_path, name):
    """Dots per inch go into the PNGs, turned with the picture."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RGB).save(tmp_path / name, dpi=(300, 150), exif=exif)
    segmented(tmp_path / name, tmp_path)
    for kind in ("labels", "segmented"):
        dpi = loaded(tmp_path / f"a_{kind}.png").info["dpi"]
        assert dpi == pytest.approx((150, 300), abs=0.02)


@pytest.mark.parametrize("unit", ["INCH", "CENTIMETER", "NONE"])
def test_resolution_tags_survive_in_tiff(tmp_path, unit):
    """From TIFF to TIFF the fractions and the unit stay as they are."""
    options = {"resolution": ((118110, 1000), (2, 3)), "resolutionunit": unit}
    tifffile.imwrite(tmp_path / "a.tif", NOISE, photometric="rgb", **options)
    segmented(tmp_path / "a.tif", tmp_path, "tiff")
    tags = tiff_page(tmp_path / "a_labels.tif").tags
    assert Fraction(*tags["XResolution"].value) == Fraction(118110, 1000)
    assert Fraction(*tags["YResolution"].value) == Fraction(2, 3)
    assert tags["ResolutionUnit"].value.name == unit


def test_inches_and_centimetres():
    """Dots per inch are known for both units, and for none unknown."""
    x, y = Fraction(100), Fraction(50)
    assert Resolution(x, y).dpi == (100, 50)
    assert Resolution(x, y, "cm").dpi == (254, 127)
    assert Resolution(x, y, "none").dpi is None


def test_the_profile_goes_where_the_pixels_are_in_it(tmp_path):
    """The recoloured image of sRGB and of unconverted colours has the profile, no label map."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(NOISE).save(tmp_path / "a.png", icc_profile=profile)
    segmented(tmp_path / "a.png", tmp_path)
    assert loaded(tmp_path / "a_segmented.png").info["icc_profile"] == profile
    assert "icc_profile" not in loaded(tmp_path / "a_labels.png").info
    foreign = profile.replace("sRGB".encode("utf-16-be"), "else".encode("utf-16-be"))
    Image.fromarray(NOISE).save(tmp_path / "b.png", icc_profile=foreign)
    for ignore in (False, True):
        segmented(tmp_path / "b.png", tmp_path, ignore_icc=ignore)
        info = loaded(tmp_path / "b_segmented.png").info
        assert info.get("icc_profile") == (foreign if ignore else None)


KEYS = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633)  # UTM zone 33 north
GEO = {
    33550: (12, 3, (0.5, 0.5, 0.0)),
    33922: (12, 6, (0.0, 0.0, 0.0, 500_000.25, 4_649_776.5, 0.0)),
    34735: (3, len(KEYS), KEYS),
    34737: (2, 0, "WGS 84 / UTM zone 33N|"),
    42113: (2, 0, "255"),
}


def geotiff(path, values=NOISE[..., 0], **options):
    tags = [(code, kind, count, value, True) for code, (kind, count, value) in GEO.items()]
    tifffile.imwrite(path, values, extratags=tags, **options)
    return path


def test_geotiff_tags_survive_in_tiff(tmp_path):
    """A label map lies where its image lies; its no-data value is 0, the label for it."""
    values = NOISE[..., 0].copy()
    values[0] = 255
    (outcome,) = segmented(geotiff(tmp_path / "a.tif", values), tmp_path, "tiff")
    page = tiff_page(tmp_path / "a_labels.tif")
    for code in (33550, 33922, 34735, 34737):
        assert page.tags[code].value == GEO[code][2]
    assert page.geotiff_tags["ProjectedCSTypeGeoKey"] == 32633
    assert page.tags[42113].value == "0"
    assert np.array_equal(tifffile.imread(tmp_path / "a_labels.tif") == 0, values == 255)
    assert outcome.warnings == ()


def test_a_place_on_the_map_that_is_lost_is_told(tmp_path):
    """PNG has no room for it, and a turned image's would be wrong."""
    (outcome,) = segmented(geotiff(tmp_path / "a.tif"), tmp_path)
    assert outcome.warnings == ("its place on the map is lost; --label-format tiff keeps it",)
    tags = [(code, kind, count, value, True) for code, (kind, count, value) in GEO.items()]
    turned = (274, 3, 1, 6, True)
    tifffile.imwrite(tmp_path / "b.tif", NOISE[..., 0], extratags=[*tags, turned])
    (outcome,) = segmented(tmp_path / "b.tif", tmp_path, "tiff")
    assert "for it is not stored upright" in outcome.warnings[0]
    assert 33922 not in tiff_page(tmp_path / "b_labels.tif").tags


def test_pages_are_numbered(tmp_path):
    """Each page has results of its own with its number, and an outcome."""
    stack = np.stack([RGB, RGB[::-1]])
    tifffile.imwrite(tmp_path / "scan.tif", stack, photometric="rgb")
    outcomes = segmented(tmp_path / "scan.tif", tmp_path / "out", page="all")
    assert [outcome.page for outcome in outcomes] == [1, 2]
    labels = [np.asarray(loaded(outcome.outputs[0])) for outcome in outcomes]
    assert outcomes[1].outputs[0].endswith("scan_page2_labels.png")
    assert np.array_equal(labels[0], labels[1][::-1])
    (again,) = segmented(tmp_path / "scan.tif", tmp_path / "out", page=2)
    assert again.outputs == outcomes[1].outputs


def test_a_file_appears_only_when_it_is_complete(tmp_path):
    """A writer that fails leaves the old file alone and nothing beside it."""
    target = tmp_path / "a.png"
    target.write_bytes(b"old")

    def fail(file):
        file.write(b"half of the n")
        raise OSError(28, "No space left on device")

    with pytest.raises(ImageFileError, match=r"cannot write .*a\.png: No space left on device"):
        write_whole(target, fail)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_links_are_written_through(tmp_path):
    """A result that is a link stays one; the file that it points to is replaced."""
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    write_whole(tmp_path / "link", lambda file: file.write(b"new"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a").read_bytes() == b"new"


def test_folders_are_made_with_those_above(tmp_path):
    """A missing output folder is created; one that is there is fine."""
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_long_names_that_fit_are_written(tmp_path):
    """The passing name is short: a result whose own name fits can be written."""
    path = tmp_path / ("x" * 240 + "_labels.png")
    write_labels(np.ones((2, 2), np.int32), path, "png", Kept())
    assert path.exists()
