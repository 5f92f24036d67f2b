"""Pages of TIFFs: which images count, what their samples mean, which pixels have no value."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from segment.errors import ImageFileError
from segment.reading.files import read_image, read_mask, read_pages
from segment.reading.picture import DamagedPage
from segment.reading.reading_options import ReadingOptions
from tests.drawn import DEEP, NOISE

GREY = NOISE[..., 0]
LEFT = np.zeros(GREY.shape, bool)
LEFT[:, :3] = True


def nodata(text):
    return [(42113, 2, 0, text, True)]


def wrote(path, values, **options):
    tifffile.imwrite(path, values, metadata=None, **options)
    return path


def patched(path, page=0, /, **tags):
    """The file with tags of a page overwritten, as writers that know no better do."""
    with tifffile.TiffFile(path, mode="r+") as tiff:
        for name, value in tags.items():
            tiff.pages[page].tags[name].overwrite(value)
    return path


def pages_of(path, **options):
    pages = [*read_pages(path, ReadingOptions(page="all", **options))]
    assert not [page for page in pages if isinstance(page, DamagedPage)]
    return pages


def invisible(path):
    """Where a picture has alpha 0."""
    pixels = read_image(path)
    assert pixels.ndim == 3
    assert pixels.shape[2] in (2, 4), "it has alpha"
    return pixels[..., -1] == 0


# No-data


def test_no_data_is_an_index_of_a_palette(tmp_path):
    """In a palette no-data is compared with what is stored, not with the colour."""
    table = np.zeros((3, 256), np.uint16)
    table[:, 7] = 65535
    indices = np.where(LEFT, 7, 0).astype(np.uint8)
    for value in (7, 0):  # white, and black
        path = tmp_path / f"{value}.tif"
        options = {"photometric": "palette", "colormap": table}
        wrote(path, indices, extratags=nodata(str(value)), **options)
        assert np.array_equal(invisible(path), indices == value)


def test_no_data_where_white_is_zero(tmp_path):
    """Where white is stored as 0, no-data 0 is white."""
    values = np.where(LEFT, 0, 200).astype(np.uint8)
    wrote(tmp_path / "a.tif", values, photometric="miniswhite", extratags=nodata("0"))
    assert np.array_equal(invisible(tmp_path / "a.tif"), LEFT)
    assert np.array_equal(read_image(tmp_path / "a.tif")[..., 0], 255 - values)


def test_no_data_of_one_bit(tmp_path):
    """The 1 of a bilevel image may be its no-data."""
    wrote(tmp_path / "a.tif", LEFT, extratags=nodata("1"))
    assert np.array_equal(invisible(tmp_path / "a.tif"), LEFT)


@pytest.mark.parametrize(
    ("dtype", "value", "text"),
    [
        ("f4", -3.4e38, "-3.4e38"),
        ("f4", 0.1, "0.1"),
        ("f4", np.finfo("f4").min, "-3.4028234663852886e+38"),
        ("f8", 1e20, "1e+20"),
        ("u8", 2**64 - 1, str(2**64 - 1)),
        ("i2", -9999, "-9999.0"),
        ("u1", 255, " 255 "),
    ],
)
def test_no_data_as_the_samples_have_it(tmp_path, dtype, value, text):
    """The text of the tag is compared in the type of the samples, to the bit."""
    values = np.where(LEFT, np.dtype(dtype).type(value), GREY.astype(dtype) // 2)
    wrote(tmp_path / "a.tif", values, extratags=nodata(text))
    assert np.array_equal(invisible(tmp_path / "a.tif"), LEFT)


@pytest.mark.parametrize("text", ["256", "-1", "511", "0.5", "nan", "inf", "none", "1e400", ""])
def test_no_data_that_no_sample_can_be(tmp_path, text):
    """A no-data value beyond the type, or between its values, leaves all pixels in."""
    values = np.where(LEFT, 255, np.where(GREY > 99, 0, 1)).astype(np.uint8)
    wrote(tmp_path / "a.tif", values, extratags=nodata(text))
    assert np.array_equal(read_image(tmp_path / "a.tif"), values)


@pytest.mark.parametrize(("dtype", "one_is_enough"), [("u1", False), ("u2", False), ("i2", True)])
def test_no_data_in_some_bands(tmp_path, dtype, one_is_enough):
    """The bands that are used decide: all of them where no-data is a colour's share, else any."""
    bands = np.repeat(GREY[..., None] // 2 + 1, 6, axis=2).astype(dtype)
    bands[0, :, :3] = bands[1, :, 0] = bands[2, :, 3:] = bands[3] = 0
    options = {"photometric": "minisblack", "planarconfig": "contig"}
    wrote(tmp_path / "a.tif", bands, extratags=nodata("0"), **options)
    (every,) = pages_of(tmp_path / "a.tif")
    (three,) = pages_of(tmp_path / "a.tif", bands=(1, 2, 3))
    rows = [0, 1, 2, 3] if one_is_enough else [3]
    assert np.flatnonzero(~every.visible.any(axis=1)).tolist() == rows
    rows = [0, 1, 3] if one_is_enough else [0, 3]
    assert np.flatnonzero(~three.visible.any(axis=1)).tolist() == rows


def test_pixels_without_data_are_not_called_transparent(tmp_path):
    """Where all is no-data or NaN the message says so; where alpha is 0 it says that."""
    values = np.full(GREY.shape, -9999, np.float32)
    for fill in (-9999, np.nan):
        wrote(tmp_path / "a.tif", np.full_like(values, fill), extratags=nodata("-9999"))
        with pytest.raises(ImageFileError, match=r"has no pixel with a value: all are no-data"):
            read_image(tmp_path / "a.tif")
    clear = np.dstack([NOISE, np.zeros_like(GREY)])
    wrote(tmp_path / "a.tif", clear, photometric="rgb", extrasamples=["unassalpha"])
    assert invisible(tmp_path / "a.tif").all()


# Masks inside of the file, sparse files


def test_internal_masks_count(tmp_path):
    """A mask that follows a page, past its overviews, leaves pixels of that page out."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for image in (NOISE, NOISE[::-1].copy()):
            tiff.write(image, photometric="rgb", metadata=None)
            tiff.write(image[::2, ::2], photometric="rgb", subfiletype=1, metadata=None)
            if image is NOISE:
                tiff.write(~LEFT, photometric="mask", subfiletype=4, metadata=None)
            tiff.write(~LEFT[::2, ::2], photometric="mask", subfiletype=5, metadata=None)
    first, second = pages_of(tmp_path / "a.tif")
    assert np.array_equal(first.pixels[..., 3] == 0, LEFT)
    assert np.array_equal(first.pixels[..., :3], NOISE)
    assert np.array_equal(second.pixels, NOISE[::-1])


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_internal_masks_of_8_bits_count(tmp_path, planar):
    """A mask may have 8 bits, and belong to an image in planes."""
    values = np.moveaxis(NOISE, -1, 0) if planar == "separate" else NOISE
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(np.ascontiguousarray(values), photometric="rgb", planarconfig=planar)
        tiff.write(np.where(LEFT, 0, 255).astype(np.uint8), subfiletype=2)
    patched(tmp_path / "a.tif", 1, NewSubfileType=4)
    assert np.array_equal(invisible(tmp_path / "a.tif"), LEFT)


def test_internal_masks_of_gdal(tmp_path):
    """GDAL's own masks, compressed and with JPEG beside them, count."""
    rasterio = pytest.importorskip("rasterio", reason="needs GDAL, of the extra 'test'")
    values = np.random.default_rng(1).integers(0, 256, (3, 40, 50), np.uint8)
    valid = np.ones((40, 50), bool)
    valid[5:20, 7:33] = False
    shape = {"width": 50, "height": 40, "count": 3, "dtype": "uint8", "transform": PLACE}
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            tmp_path / "a.tif", "w", "GTiff", compress="jpeg", photometric="ycbcr", **shape
        ) as file,
    ):
        file.write(values)
        file.write_mask(valid)
    assert np.array_equal(invisible(tmp_path / "a.tif"), ~valid)


PLACE = (2.0, 0.0, 300.0, 0.0, -2.0, 500.0)


@pytest.mark.parametrize("options", [{"compression": "zlib"}, {}, {"bigtiff": True}], ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_sparse_tiles_have_no_data(tmp_path, options, dtype):
    """A tile with offset 0 and count 0 is missing, never the first bytes of the file."""
    values = np.full((40, 40), 100, dtype)
    wrote(tmp_path / "a.tif", values, tile=(16, 16), **options)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        tags = tiff.pages[0].tags
        listed = {name: list(tags[name].value) for name in ("TileOffsets", "TileByteCounts")}
    for name in listed:
        listed[name][4] = listed[name][8] = 0
    patched(tmp_path / "a.tif", **listed)
    gone = np.zeros((40, 40), bool)
    gone[16:32, 16:32] = gone[32:, 32:] = True
    assert np.array_equal(invisible(tmp_path / "a.tif"), gone)
    assert (read_image(tmp_path / "a.tif")[..., 0][~gone] > 0).all()


def test_sparse_strips_of_a_band(tmp_path):
    """A strip that a used band leaves out is missing; an unused band's does not matter."""
    bands = np.moveaxis(np.dstack([NOISE, NOISE]), -1, 0)
    options = {"photometric": "minisblack", "planarconfig": "separate", "compression": "zlib"}
    wrote(tmp_path / "a.tif", np.ascontiguousarray(bands), rowsperstrip=2, **options)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        tags = tiff.pages[0].tags
        listed = {name: list(tags[name].value) for name in ("StripOffsets", "StripByteCounts")}
    for name in listed:  # three strips in each of six bands
        listed[name][3 + 1] = listed[name][4 * 3 + 2] = 0
    patched(tmp_path / "a.tif", **listed)
    (every,) = pages_of(tmp_path / "a.tif")
    (three,) = pages_of(tmp_path / "a.tif", bands=(1, 2, 3))
    assert every.visible.all(axis=1).tolist() == [True, True, False, False, False, False]
    assert three.visible.all(axis=1).tolist() == [True, True, False, False, True, True]


# Masks to read


@pytest.mark.parametrize(
    "values",
    [
        np.array([[-1, 0, 1]], np.int16),
        np.array([[-9999, 0, 0.5]], np.float32),
        np.array([[1e-300, 0, 1e300]], np.float64),
        np.array([[2**31, 0, 5]], np.uint32),
        np.array([[-128, 0, 127]], np.int8),
        np.array([[1, 0, 65535]], np.uint16),
    ],
    ids=lambda values: values.dtype.name,
)
def test_a_mask_is_what_is_not_zero(tmp_path, values):
    """Whatever the type and the sign of a mask's values, 0 alone is out."""
    assert read_mask(wrote(tmp_path / "a.tif", values)).tolist() == [[True, False, True]]


def test_what_a_mask_has_no_data_for_is_out(tmp_path):
    """No-data and NaN in a mask are out of it."""
    values = np.array([[np.nan, -9999, 0, -1]], np.float32)
    wrote(tmp_path / "a.tif", values, extratags=nodata("-9999"))
    assert read_mask(tmp_path / "a.tif").tolist() == [[False, False, False, True]]


# Which images are pages


def test_an_imagej_stack_with_the_tags_of_one(tmp_path):
    """A stack of which ImageJ wrote the first page's tags alone has all its pages."""
    stack = np.stack([DEEP[..., 0] // step for step in (1, 2, 3)])
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tiff:
        assert len(tiff.pages) == 3
        at = tiff.pages[0].offset + 2 + 12 * len(tiff.pages[0].tags)
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[at : at + 4] = bytes(4)  # the next page
    (tmp_path / "a.tif").write_bytes(content)
    first, *_ = read_pages(tmp_path / "a.tif")
    assert first.warnings == ("has more pages than the first, which was taken; see --page",)
    for page, values in zip(pages_of(tmp_path / "a.tif"), stack, strict=True):
        assert np.array_equal(page.pixels, values)


@pytest.mark.parametrize("values", [DEEP, np.moveaxis(DEEP, -1, 0)], ids=["pixels", "planes"])
def test_images_that_share_their_tags(tmp_path, values):
    """Colour images one after the other under the tags of the first are pages, in either layout."""
    stack = np.stack([values, values // 2])
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="rgb", truncate=True)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert len(tiff.pages) == 1
    for page, factor in zip(pages_of(tmp_path / "a.tif"), (1, 2), strict=True):
        assert np.array_equal(page.pixels, DEEP // factor)


def test_the_picture_below_a_thumbnail(tmp_path):
    """Where the first image is a thumbnail the picture that hangs below it, as in DNG, is taken."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        options = {"photometric": "rgb", "metadata": None}
        tiff.write(NOISE[::3, ::3], subfiletype=1, subifds=2, **options)
        tiff.write(NOISE, subfiletype=0, **options)
        tiff.write(NOISE[::2, ::2], subfiletype=1, **options)
    (page,) = pages_of(tmp_path / "a.tif")
    assert np.array_equal(page.pixels, NOISE)


def test_the_picture_after_a_thumbnail(tmp_path):
    """A thumbnail that comes first is no page, either, unless there is nothing else."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(NOISE[::3, ::3], subfiletype=1, photometric="rgb", metadata=None)
        tiff.write(NOISE, photometric="rgb", metadata=None)
    (page,) = pages_of(tmp_path / "a.tif")
    assert np.array_equal(page.pixels, NOISE)
    wrote(tmp_path / "b.tif", NOISE, photometric="rgb", subfiletype=1)
    assert np.array_equal(read_image(tmp_path / "b.tif"), NOISE)


def test_a_page_of_a_rare_kind_does_not_stop_the_others(tmp_path):
    """Of a file whose second page is of no known kind the first and the third are read."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for image in (NOISE, DEEP.view(np.int16), NOISE[::-1].copy()):
            tiff.write(image, photometric="rgb", metadata=None)
    patched(tmp_path / "a.tif", 1, SampleFormat=(2, 2, 3))
    first, second, third = read_pages(tmp_path / "a.tif", ReadingOptions(page="all"))
    assert np.array_equal(first.pixels, NOISE)
    assert "its samples are of several types" in str(second.error)
    assert np.array_equal(third.pixels, NOISE[::-1])


def test_levels_of_a_pyramid_are_no_pages(tmp_path):
    """The smaller images below a full one, as in OME-TIFF, are left out."""
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as tiff:
        tiff.write(NOISE, photometric="rgb", subifds=1)
        tiff.write(NOISE[::2, ::2], photometric="rgb", subfiletype=1)
    (page,) = pages_of(tmp_path / "a.ome.tif")
    assert np.array_equal(page.pixels, NOISE)
    assert page.warnings == ()


# What samples mean


@pytest.mark.parametrize(
    ("extra", "names"),
    [
        ([], ["red", "green", "blue"]),
        (["unassalpha"], ["red", "green", "blue"]),
        (["unspecified"], ["red", "green", "blue", "band_4"]),
        (["unspecified", "unspecified"], ["red", "green", "blue", "band_4", "band_5"]),
        (["unassalpha", "unspecified"], ["red", "green", "blue", "band_5"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_channels_beside_colours_are_bands(tmp_path, extra, names, dtype, planar):
    """Near infrared and its kin take part, at all depths and in all layouts; alpha does not."""
    channels = np.dstack([NOISE, *[GREY | 1] * len(extra)]).astype(dtype)
    stored = np.moveaxis(channels, -1, 0) if planar == "separate" else channels
    options = {"photometric": "rgb", "planarconfig": planar, "extrasamples": extra or None}
    wrote(tmp_path / "a.tif", np.ascontiguousarray(stored), **options)
    (page,) = pages_of(tmp_path / "a.tif")
    assert page.warnings == ()
    assert [band.name for band in page.bands] == names
    assert np.array_equal(page.values, channels[..., [band.number - 1 for band in page.bands]])
    assert (page.scene is None) == (len(names) == 3)


def test_two_grey_bands_take_part(tmp_path):
    """Two bands without a word on alpha are two bands."""
    bands = NOISE[..., :2].copy()
    wrote(tmp_path / "a.tif", bands, photometric="minisblack", planarconfig="contig")
    (page,) = pages_of(tmp_path / "a.tif")
    assert np.array_equal(page.pixels, bands)
    assert page.warnings == ()


@pytest.mark.parametrize("name", ["cielab", "icclab"])
def test_lab_with_alpha(tmp_path, name):
    """Both kinds of L*a*b* become RGB, with their alpha."""
    shifted = NOISE ^ np.array([0, 128, 128], np.uint8)
    stored = np.dstack([shifted if name == "icclab" else NOISE, np.where(LEFT, 0, 255)])
    wrote(
        tmp_path / "a.tif", stored.astype(np.uint8), photometric=name, extrasamples=["unassalpha"]
    )
    pixels = read_image(tmp_path / "a.tif")
    lab = Image.frombytes("LAB", (9, 6), NOISE.tobytes(), "raw", "LAB")
    assert np.array_equal(pixels[..., :3], np.asarray(lab.convert("RGB")))
    assert np.array_equal(pixels[..., 3] == 0, LEFT)


@pytest.mark.parametrize("scale", [1, 256, 257])
def test_palettes_of_all_ages(tmp_path, scale):
    """A palette's 16 bits hold 8 in one of two ways, and in old files plainly."""
    colors = np.random.default_rng(3).integers(0, 256, (3, 256)).astype(np.uint16)
    options = {"photometric": "palette", "colormap": colors * np.uint16(scale)}
    wrote(tmp_path / "a.tif", GREY, **options)
    pixels = read_image(tmp_path / "a.tif")
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, colors.T[GREY])


@pytest.mark.parametrize("top", [255, 32767])
def test_alpha_of_signed_samples_is_not_stretched(tmp_path, top):
    """Alpha that is opaque all over is so in types that pictures are stretched from."""
    channels = np.dstack([GREY.astype(np.int16) * 9 - 700, np.full(GREY.shape, top, np.int16)])
    options = {"photometric": "minisblack", "planarconfig": "contig"}
    wrote(tmp_path / "a.tif", channels, extrasamples=["unassalpha"], **options)
    assert (read_image(tmp_path / "a.tif")[..., 1] == 1).all()


# Kinds that are refused


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"PhotometricInterpretation": 32803}, "is raw camera data, .*; develop it to TIFF"),
        ({"PhotometricInterpretation": 32845}, "is a TIFF of LogLuv light; save it"),
        ({"PhotometricInterpretation": 10}, r"is a TIFF in ITU L\*a\*b\*; save it"),
        ({"PhotometricInterpretation": 8}, r"in L\*a\*b\* of 16 bits, expected 8; save it"),
        ({"PhotometricInterpretation": 6}, "YCbCr of 3 x 16 bits with NONE compression; save"),
        ({"PhotometricInterpretation": 777}, "of photometric kind 777; save it"),
        ({"PhotometricInterpretation": 3}, "of palette colours without a palette; save it"),
        ({"SampleFormat": (5, 5, 5)}, "its samples are of several types or complex; save it anew"),
        ({"SampleFormat": (2, 2, 3)}, "its samples are of several types or complex; save it anew"),
        ({"BitsPerSample": (16, 8, 16)}, "samples of several types; save it anew"),
        ({"Compression": 65535}, "65535 compression; save it anew"),
        ({"Compression": 4}, "fax compression of 3 x 16 bits; save it anew"),
    ],
    ids=lambda value: value if isinstance(value, str) else str([*value.items()]),
)
def test_unknown_kinds_are_refused_by_name(tmp_path, tags, said):
    """A whole file of a kind that is not read is called that, and never damaged."""
    wrote(tmp_path / "a.tif", DEEP.view(np.int16), photometric="rgb")
    with pytest.raises(ImageFileError, match=said):
        read_image(patched(tmp_path / "a.tif", **tags))


def test_a_predictor_on_what_has_none_is_refused(tmp_path):
    """A predictor that readers would take otherwise each is refused."""
    pytest.importorskip("imagecodecs", reason="needs a writer of PackBits")
    options = {"photometric": "rgb", "compression": "packbits", "predictor": 2}
    wrote(tmp_path / "a.tif", NOISE, **options)
    with pytest.raises(ImageFileError, match="predictor 2 on 8 bits with PACKBITS compression"):
        read_image(tmp_path / "a.tif")
