"""Bands of files as others write them: values, names, depths, alpha, no-data, choices."""

import io

import numpy as np
import pytest
import rasterio
import tifffile
from PIL import Image

from segment import ImageFileError
from segment.reading.files import read_mask, read_pages
from segment.reading.reading_options import ReadingOptions

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
RANDOM = np.random.RandomState(5)
SENSED = RANDOM.randint(1, 4096, (20, 37, 13)).astype(np.uint16)
NAMES = ("red", "green", "blue", "NIR")


def read(path, **options):
    """The only page of a file."""
    (page,) = read_pages(path, ReadingOptions(**options))
    return page


def shown(page):
    """The bands that pictures show."""
    scene = page.scene
    return page.pixels[..., scene.shown_at] if scene.shown is None else scene.shown


def by_gdal(path, values, names=(), **options):
    """Write bands, (H, W, C), as GDAL does."""
    height, width, count = values.shape
    profile = {"driver": "GTiff", "height": height, "width": width, "count": count}
    with rasterio.open(path, "w", **profile, dtype=values.dtype, **options) as file:
        file.write(np.moveaxis(values, -1, 0))
        for number, name in enumerate(names, 1):
            file.set_band_description(number, name)
    return path


@pytest.mark.parametrize(
    "options",
    [
        {"interleave": "pixel"},
        {"interleave": "band"},
        {"interleave": "band", "tiled": True, "blockxsize": 16, "blockysize": 16},
        {"interleave": "pixel", "compress": "deflate", "predictor": 2},
        {
            "interleave": "band",
            "compress": "lzw",
            "tiled": True,
            "blockxsize": 32,
            "blockysize": 16,
        },
        {"interleave": "pixel", "BIGTIFF": "YES", "compress": "zstd"},
    ],
    ids=str,
)
def test_every_band_of_every_layout(tmp_path, options):
    """Thirteen bands of 12 bits in 16 are read as they are stored, chunky, planar and in tiles."""
    page = read(by_gdal(tmp_path / "a.tif", SENSED, **options))
    assert page.pixels.dtype == np.uint16
    assert np.array_equal(page.pixels, SENSED)
    assert [band.number for band in page.bands] == [*range(1, 14)]
    assert {(band.bits, band.dtype) for band in page.bands} == {(16, "uint16")}
    assert page.visible is None


@pytest.mark.parametrize("dtype", [np.int16, np.uint32, np.float32, np.float64])
def test_bands_of_any_type(tmp_path, dtype):
    """Reflectances and counts stay what they are, in their type."""
    values = (SENSED[..., :5] / 7).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack", planarconfig="contig")
    page = read(tmp_path / "a.tif")
    assert page.pixels.dtype == dtype
    assert np.array_equal(page.pixels, values)


def test_gdal_names_bands(tmp_path):
    """Names and units come from GDAL's metadata; its scale and offset leave values alone."""
    path = by_gdal(tmp_path / "a.tif", SENSED[..., :4], NAMES, photometric="RGB", nodata=7)
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (1e-4,) * 4, (-0.1,) * 4
        file.set_band_unit(4, "reflectance")
    page = read(path)
    assert [band.name for band in page.bands] == [*NAMES]
    assert [band.unit for band in page.bands] == [None, None, None, "reflectance"]
    assert {band.no_data for band in page.bands} == {7}
    assert np.array_equal(page.pixels, SENSED[..., :4])


def test_names_with_characters_of_xml(tmp_path):
    """GDAL writes them escaped twice; they are what GDAL reads."""
    names = ('a "b" & <c>', "R&amp;D", "ü, ñ", "'")
    path = by_gdal(tmp_path / "a.tif", SENSED[..., :4], names, photometric="RGB")
    with rasterio.open(path) as file:
        assert file.descriptions == names
    assert [band.name for band in read(path).bands] == [*names]


def test_ome_names_bands(tmp_path):
    """Channels of OME-XML name samples where there is one to each."""
    ome = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" SizeC="2">'
        '<Channel ID="Channel:0:0" Name="DAPI"/><Channel ID="Channel:0:1" Name=" Cy 5 "/>'
        "</Pixels></Image></OME>"
    )
    options = {"photometric": "minisblack", "planarconfig": "contig", "metadata": None}
    tifffile.imwrite(tmp_path / "a.tif", SENSED[..., :2], description=ome, **options)
    assert [band.name for band in read(tmp_path / "a.tif").bands] == ["DAPI", "Cy 5"]
    tifffile.imwrite(tmp_path / "b.tif", SENSED[..., :4], description=ome, **options)
    names = [band.name for band in read(tmp_path / "b.tif").bands]
    assert names == ["band_1", "band_2", "band_3", "band_4"]


@pytest.mark.parametrize(
    "xml",
    [
        "<GDALMetadata><Item sample='0' role='description'>a</Item>",
        "<!DOCTYPE x [<!ENTITY a 'aaaa'>]><GDALMetadata><Item sample='0' role='description'>&a;"
        "</Item></GDALMetadata>",
        "<GDALMetadata><Item sample='99' role='description'>a</Item><Item/></GDALMetadata>",
        "no XML at all",
    ],
)
def test_metadata_that_names_nothing(tmp_path, xml):
    """Damaged XML, entities and samples that are not there name no band, and stop nothing."""
    options = {"photometric": "minisblack", "planarconfig": "contig", "metadata": None}
    tags = [(42112, 2, 0, xml, True)]
    tifffile.imwrite(tmp_path / "a.tif", SENSED[..., :2], extratags=tags, **options)
    assert [band.name for band in read(tmp_path / "a.tif").bands] == ["band_1", "band_2"]


def test_bands_of_one_name_get_their_numbers(tmp_path):
    """Columns of a table and choices need names that are one band's."""
    path = by_gdal(tmp_path / "a.tif", SENSED[..., :4], ("a", "b", "A", "a b"))
    assert [band.name for band in read(path).bands] == ["a_1", "b", "A_3", "a b"]
    assert np.array_equal(read(path, bands=("a_3", "A B")).pixels, SENSED[..., [2, 3]])


@pytest.mark.parametrize(
    ("bands", "places"),
    [
        ((4, 3, 2), [3, 2, 1]),
        (("nir", "red"), [3, 0]),
        (("NIR", 1), [3, 0]),
        ((2,), [1]),
        (("all",), [0, 1, 2, 3]),
    ],
)
def test_chosen_bands(tmp_path, bands, places):
    """Numbers count from 1, names are known in any letters, in the order of the wish."""
    path = by_gdal(tmp_path / "a.tif", SENSED[..., :4], NAMES, photometric="RGB")
    page = read(path, bands=bands)
    assert np.array_equal(page.pixels, SENSED[..., places])
    assert [band.name for band in page.bands] == [NAMES[place] for place in places]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bands": (5,)}, r"no band 5; it has 1 \(red\), 2 \(green\), 3 \(blue\), 4 \(NIR\); "),
        ({"bands": ("swir",)}, "has no band 'swir'; it has"),
        ({"bands": (1, "red")}, r"its band 1 \(red\) is chosen twice"),
        ({"show_bands": (1, 2)}, "shows three bands or one, got 2"),
        ({"show_bands": (9,)}, "has no band 9"),
    ],
)
def test_bands_that_are_not_there(tmp_path, options, message):
    """A wrong choice is one error, which lists the bands that there are."""
    path = by_gdal(tmp_path / "a.tif", SENSED[..., :4], NAMES, photometric="RGB")
    with pytest.raises(ImageFileError, match=message):
        read(path, **options)


@pytest.mark.parametrize(
    ("options", "places", "inside"),
    [
        ({}, [2, 1, 0], (2, 1, 0)),
        ({"bands": (4, 3)}, [3], (0,)),
        ({"bands": (4, 2, 1)}, [3, 1, 0], (0, 1, 2)),
        ({"bands": (4, 2, 1), "show_bands": (3,)}, [2], None),
        ({"show_bands": ("nir", 1, 2)}, [3, 0, 1], (3, 0, 1)),
    ],
)
def test_shown_bands(tmp_path, options, places, inside):
    """Pictures show red, green and blue by name, else the first three, or what is asked for."""
    path = by_gdal(tmp_path / "a.tif", SENSED[..., :4], ("Blue", "Green", "Red", "NIR"))
    page = read(path, **options)
    assert np.array_equal(shown(page), SENSED[..., places])
    assert page.scene.shown_at == inside


def test_alpha_is_what_the_file_calls_so(tmp_path):
    """GDAL calls the fourth of four bytes alpha: it hides pixels, but can be chosen as a band."""
    bytes_ = (SENSED[..., :4] // 16).astype(np.uint8)
    bytes_[0, :, 3] = 0
    page = read(by_gdal(tmp_path / "a.tif", bytes_))
    assert page.scene is None
    assert np.array_equal(page.visible, bytes_[..., 3] > 0)
    four = read(tmp_path / "a.tif", bands=(1, 2, 3, 4))
    assert np.array_equal(four.pixels, bytes_)
    assert four.visible is None
    three = read(tmp_path / "a.tif", bands=(3, 2, 1))
    assert np.array_equal(three.visible, bytes_[..., 3] > 0)


def test_alpha_behind_bands(tmp_path):
    """Five bands and alpha: pixels with alpha 0 take no part, and neither does alpha."""
    values = SENSED[..., :6].copy()
    values[3:5, :, 5] = 0
    extras = ["unspecified"] * 4 + ["unassalpha"]
    options = {"photometric": "minisblack", "planarconfig": "contig", "extrasamples": extras}
    tifffile.imwrite(tmp_path / "a.tif", values, **options)
    page = read(tmp_path / "a.tif")
    assert np.array_equal(page.pixels, values[..., :5])
    assert np.flatnonzero(~page.visible.any(axis=1)).tolist() == [3, 4]


@pytest.mark.parametrize("gone", [np.nan, np.inf, -9999.0])
def test_pixels_without_a_value(tmp_path, gone):
    """NaN, infinity and no-data in one band of floats leave a pixel out."""
    values = (SENSED[..., :4] / 4095).astype(np.float32)
    values[2, 3, 1] = gone
    page = read(by_gdal(tmp_path / "a.tif", values, nodata=-9999))
    assert np.argwhere(~page.visible).tolist() == [[2, 3]]
    values[..., 1] = gone
    with pytest.raises(ImageFileError, match="has no pixel with a value: all are no-data"):
        read(by_gdal(tmp_path / "b.tif", values, nodata=-9999))


def test_declared_depths_are_kept(tmp_path):
    """The bits of a sample are in the tag: 12 of them are known as 12, for one band as for four."""
    for count in (1, 4):
        values = np.ascontiguousarray(SENSED[:, :36, :count])
        by_gdal(tmp_path / "a.tif", values, NBITS=12)
        page = read(tmp_path / "a.tif")
        assert {band.bits for band in page.bands} == {12}
        assert np.array_equal(page.values, values)


def test_turned_bands_are_upright(tmp_path):
    """Values, what is shown and what is visible turn together."""
    values = np.where(np.arange(37)[None, :, None] < 4, 0, SENSED[..., :4])
    tags = [(274, 3, 1, 6, True), (42113, 2, 0, "0", True)]
    options = {"photometric": "minisblack", "planarconfig": "contig"}
    tifffile.imwrite(tmp_path / "a.tif", values.astype(np.uint16), extratags=tags, **options)
    page = read(tmp_path / "a.tif")
    assert np.array_equal(page.pixels, np.rot90(values, -1))
    assert np.array_equal(shown(page), page.pixels[..., :3])
    assert np.flatnonzero(~page.visible.any(axis=1)).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_colours_are_bands_of_other_formats(tmp_path, kind):
    """A photo's bands are red, green and blue, to be chosen like others."""
    rgb = (SENSED[..., :3] // 16).astype(np.uint8)
    Image.fromarray(rgb).save(tmp_path / "a", kind, quality=95)
    photo = read(tmp_path / "a")
    assert [band.name for band in photo.bands] == ["red", "green", "blue"]
    page = read(tmp_path / "a", bands=("blue", 1))
    assert np.array_equal(page.pixels, photo.pixels[..., [2, 0]])
    grey = read(tmp_path / "a", show_bands=("green",))
    assert np.array_equal(shown(grey)[..., 0], photo.pixels[..., 1])


def test_a_photo_keeps_the_values_of_its_file(tmp_path):
    """What is stretched to be segmented is measured in the units of the file."""
    values = (SENSED[..., 0] - 2000.0).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values)
    page = read(tmp_path / "a.tif")
    assert np.array_equal(page.values[..., 0], values)
    assert page.pixels.max() == 1


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<u2", ">u2", "<f4", ">f8", "<i4", "|u1", "|b1"])
def test_arrays_of_numpy(tmp_path, dtype, order):
    """NPY files of any type, byte order and layout are images, without pickles."""
    for shape in ((20, 37), (20, 37, 1), (20, 37, 3), (20, 37, 4), (20, 37, 13)):
        values = SENSED.reshape(-1)[: np.prod(shape)].reshape(shape).astype(dtype, order)
        np.save(tmp_path / "a.npy", values)
        page = read(tmp_path / "a.npy")
        whole = values.reshape(20, 37, -1)
        expected = whole * 255 if dtype == "|b1" and page.scene is None else whole
        measured = page.values if page.stored is None or dtype != "|b1" else page.stored * 255
        assert np.array_equal(measured, expected)
        assert (page.scene is None) == (whole.shape[2] in (1, 3))


def test_numpy_arrays_know_no_alpha(tmp_path):
    """Two and four channels of an array are bands; NaN leaves a pixel out."""
    values = (SENSED[..., :4] / 4095).astype(np.float32)
    values[1, 1, 3] = np.nan
    np.save(tmp_path / "a.npy", values)
    page = read(tmp_path / "a.npy", bands=(4, 1))
    assert np.array_equal(page.pixels, values[..., [3, 0]], equal_nan=True)
    assert np.argwhere(~page.visible).tolist() == [[1, 1]]
    assert read(tmp_path / "a.npy", bands=(1, 2, 3)).visible.all()


def saved(values):
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (saved(np.zeros(5)), r"array of shape \(5,\) and type float64, expected real numbers"),
        (saved(np.zeros((2, 2), complex)), "type complex128, expected real numbers"),
        (saved(np.zeros((2, 3, 2000), np.uint8)), "has 2000 bands, expected 1 to 1024"),
        (saved(np.zeros((0, 3))), "has 3 x 0 pixels"),
        (saved(np.zeros((9, 9)))[:-1], "is damaged or cut off"),
        (saved(np.zeros((9, 9))).replace(b"(9, 9)", b"(9,99)"), "is damaged or cut off"),
        (saved(np.zeros((9, 9))).replace(b"<f8", b"|O8"), "of Python's objects, .* astype"),
        (saved(np.zeros(4, [("a", "u1"), ("b", "u1")])), "is damaged or cut off"),
        (b"\x93NUMPY\x09\x00", "is damaged or cut off"),
        (
            saved(np.zeros((9, 9))).replace(b"(9, 9), }" + b" " * 9, b"(999999, 99999), }"),
            "pixels, expected at most",
        ),
    ],
)
def test_arrays_that_are_no_images(tmp_path, content, message):
    """Other shapes and types, objects and cut files are refused by their header."""
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ImageFileError, match=message):
        read(tmp_path / "a.npy")


def test_masks_may_be_arrays(tmp_path):
    """A mask may come as NPY: where it is not 0 pixels take part."""
    np.save(tmp_path / "a.npy", SENSED[..., 0] > 2000)
    assert np.array_equal(read_mask(tmp_path / "a.npy"), SENSED[..., 0] > 2000)


def test_bands_of_several_types_are_refused(tmp_path):
    """Samples of different sizes in one image are one clear error."""
    tifffile.imwrite(
        tmp_path / "a.tif", SENSED[..., :4], photometric="minisblack", planarconfig="contig"
    )
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as tiff:
        tiff.pages[0].tags["BitsPerSample"].overwrite((16, 16, 16, 8))
    with pytest.raises(ImageFileError, match=r"samples (are )?of several types"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("kind", "crs", "is_scene"),
    [
        (np.uint16, "EPSG:32633", True),
        (np.float32, "EPSG:4326", True),
        (np.uint8, "EPSG:32633", False),
        (np.uint16, None, False),
    ],
)
@pytest.mark.parametrize("count", [1, 3])
def test_deep_values_on_the_map_are_measured(tmp_path, kind, crs, is_scene, count):
    """One or three bands of more than 8 bits in a reference system are a scene's, no photo's."""
    values = np.arange(24 * count, dtype=kind).reshape(4, 6, count)
    place = {"transform": rasterio.Affine(10, 0, 5e5, 0, -10, 5e6)} if crs else {}
    by_gdal(tmp_path / "a.tif", values, crs=crs, **place)
    page = read(tmp_path / "a.tif")
    assert (page.scene is not None) is is_scene
    assert np.array_equal(page.values, values)
