"""Files to pictures: every format, mode, depth and orientation."""

import functools
import struct
import zlib

import numpy as np
import PIL
import pytest
import tifffile
from PIL import Image, ImageCms

from segment.errors import ImageFileError
from segment.reading.files import read_image, read_mask, read_pages
from segment.reading.picture import DamagedPage, Notes
from segment.reading.profiles import deep_to_srgb, to_srgb
from segment.reading.reading_options import ReadingOptions
from tests.drawn import COLORS, DEEP, NOISE, RGB, chunk, header_only_png, png, with_alpha

SEEN_THROUGH = np.where(NOISE[..., 0] > 99, 255, 0).astype(np.uint8)


def saved(path, image, **options):
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, **options)
    return path


def read_one(path, **options):
    (picture,) = read_pages(path, ReadingOptions(**options))
    assert not isinstance(picture, DamagedPage), picture
    return picture


def nearest(pixels):
    """Which of the four drawn colours a pixel is, at the centres of the areas."""
    centres = np.asarray(pixels)[1::3, 1::4, :3].astype(float).reshape(-1, 1, 3)
    return np.abs(centres - COLORS.reshape(1, 4, 3)).sum(axis=2).argmin(axis=1).tolist()


def test_rgb_and_grey_come_as_they_are(tmp_path):
    """8-bit grey and RGB files give their own values."""
    for pixels in (NOISE, NOISE[..., 0]):
        assert np.array_equal(read_image(saved(tmp_path / "a.png", pixels)), pixels)


@pytest.mark.parametrize(
    "name",
    ["a.jpg", "a.png", "a.gif", "a.bmp", "a.tif", "a.webp", "a.jp2", "a.ppm", "a.tga", "a.qoi"]
    + ["a.pcx", "a.sgi", "a.dds", "a.ico", "a.avif"],
)
def test_formats_by_content(tmp_path, name):
    """Each format is known by its content, whatever the file is called."""
    big = Image.fromarray(RGB.repeat(16, axis=0).repeat(16, axis=1))
    big.save(tmp_path / name, **({"sizes": [big.size]} if name == "a.ico" else {}))
    (tmp_path / name).rename(tmp_path / "x.txt")
    pixels = read_image(tmp_path / "x.txt")
    assert pixels.shape[:2] == (96, 128)
    assert nearest(pixels[8::16, 8::16]) == [0, 1, 2, 3]


@pytest.mark.parametrize(("name", "plugin"), [("a.heic", "pillow_heif"), ("a.jxl", "pillow_jxl")])
def test_formats_of_plugins(tmp_path, name, plugin):
    """HEIC and JPEG XL are read where the plug-in is installed."""
    module = pytest.importorskip(plugin, reason=f"needs {plugin}, of the extra 'formats'")
    if plugin == "pillow_heif":
        module.register_heif_opener()
    big = Image.fromarray(RGB.repeat(16, axis=0).repeat(16, axis=1))
    big.save(tmp_path / name, quality=95)
    assert nearest(read_image(tmp_path / name)[8::16, 8::16]) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("head", "module", "said"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0", "pillow_heif", "is a HEIC image, which needs a plug-in"),
        (b"\xff\x0a\0\0", "pillow_jxl", "is a JPEG XL image, which needs a plug-in"),
    ],
)
def test_formats_without_their_plugin(tmp_path, monkeypatch, head, module, said):
    """Where the plug-in is missing the error says how to get it."""
    monkeypatch.setitem(__import__("sys").modules, module, None)
    (tmp_path / "a").write_bytes(head + bytes(99))
    with pytest.raises(
        ImageFileError, match=rf"{said}; pip install 'meanshift-segment\[formats\]'"
    ):
        read_image(tmp_path / "a")


@pytest.mark.parametrize("head", [b"%!PS-Adobe", b"%PDF-1.7", b"<svg xmlns", b"<?xml version"])
def test_drawings_and_documents_are_not_rendered(tmp_path, head):
    """What has no pixels is refused with a way out, and never given to another program."""
    (tmp_path / "a.eps").write_bytes(head)
    with pytest.raises(ImageFileError, match=r"is a.*(drawing|document); export it as PNG"):
        read_image(tmp_path / "a.eps")


YCBCR = pytest.mark.skipif(
    int(PIL.__version__.partition(".")[0]) < 13,
    reason="Pillow before 13 takes an uncompressed YCbCr TIFF for a truncated one",
)


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", pytest.param("YCbCr", marks=YCBCR), "LAB"])
def test_other_modes_become_plain(tmp_path, mode):
    """Bilevel becomes grey; palettes, CMYK, YCbCr and Lab become RGB."""
    lab = Image.frombytes("LAB", (9, 6), NOISE.tobytes())
    image = lab if mode == "LAB" else Image.fromarray(NOISE).convert(mode)
    pixels = read_image(saved(tmp_path / "a.tif", image))
    assert pixels.dtype == np.uint8
    assert pixels.shape == ((6, 9) if mode == "1" else (6, 9, 3))
    expected = np.asarray(image.convert("L" if mode == "1" else "RGB")).astype(int)
    assert np.abs(pixels - expected).max() <= (1 if mode == "YCbCr" else 0)  # libtiff's rounding


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "deep.tif", "a.webp"])
def test_orientation_is_applied(tmp_path, orientation, name):
    """However a camera was held, the picture comes upright, from any format and reader."""
    turns = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180}
    turns |= {4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE}
    turns |= {6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE}
    turns |= {8: Image.Transpose.ROTATE_270}
    lying = Image.fromarray(RGB.repeat(8, axis=0).repeat(8, axis=1))
    if orientation > 1:  # the inverse of what the tag asks for
        lying = lying.transpose(turns[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    if name == "deep.tif":
        deep = np.asarray(lying).astype(np.uint16) * 257
        tag = (274, 3, 1, orientation, True)
        tifffile.imwrite(tmp_path / name, deep, photometric="rgb", extratags=[tag])
        pixels = (read_image(tmp_path / name) // 257).astype(np.uint8)
    else:
        pixels = read_image(saved(tmp_path / name, lying, exif=exif))
    assert pixels.shape[:2] == (48, 64)
    assert nearest(pixels[4::8, 4::8]) == [0, 1, 2, 3]


def test_a_damaged_orientation_costs_nothing(tmp_path):
    """EXIF that cannot be read leaves the pixels as they are."""
    (tmp_path / "a.png").write_bytes(png(NOISE, chunk(b"eXIf", b"II*\0\xff\xff\xff\x0fnonsense")))
    assert np.array_equal(read_image(tmp_path / "a.png"), NOISE)


def test_alpha_is_kept(tmp_path):
    """Transparency comes as the last channel, from an alpha channel or a transparent colour."""
    rgba = with_alpha(NOISE, SEEN_THROUGH)
    assert np.array_equal(read_image(saved(tmp_path / "a.png", rgba)), rgba)
    grey = with_alpha(NOISE[..., 0], SEEN_THROUGH)
    assert np.array_equal(read_image(saved(tmp_path / "a.png", Image.fromarray(grey))), grey)
    indexed = Image.fromarray(NOISE).quantize(8)
    image = read_image(saved(tmp_path / "b.png", indexed, transparency=3))
    assert np.array_equal(image[..., 3] == 0, np.asarray(indexed) == 3)


@pytest.mark.parametrize("values", [NOISE, NOISE[..., :1], DEEP, DEEP[..., :1]])
def test_a_transparent_colour_keeps_grey_grey(tmp_path, values):
    """The one colour that a PNG declares transparent is so at 8 and 16 bits, grey and RGB."""
    key = values[2, 3]
    (tmp_path / "a.png").write_bytes(png(values, chunk(b"tRNS", key.astype(">u2").tobytes())))
    image = read_image(tmp_path / "a.png")
    assert np.array_equal(image[..., -1] == 0, (values == key).all(axis=2))
    assert np.array_equal(image[..., :-1], values)


def test_premultiplied_alpha_is_undone(tmp_path):
    """TIFF's associated alpha, 16 bits: colours come as they were before."""
    half = np.full((6, 9), 32768, np.uint16)
    stored = with_alpha((DEEP // 2).astype(np.uint16), half)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", extrasamples=["assocalpha"])
    image = read_image(tmp_path / "a.tif")
    assert np.abs(image[..., :3].astype(int) - DEEP).max() <= 2
    assert np.array_equal(image[..., 3], half)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_png_at_full_depth(tmp_path, channels):
    """Grey and RGB, with alpha or without, keep all 16 bits."""
    values = np.concatenate([DEEP, DEEP[..., :1]], axis=2)[..., :channels]
    (tmp_path / "a.png").write_bytes(png(values))
    picture = read_one(tmp_path / "a.png")
    assert np.array_equal(picture.pixels.reshape(values.shape), values)
    assert picture.pixels.dtype == np.uint16
    assert picture.warnings == ()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"byteorder": ">"},
        {"compression": "zlib", "predictor": True},
        {"tile": (16, 16), "compression": "zlib"},
        {"bigtiff": True},
        {"planarconfig": "separate"},
        {"rowsperstrip": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_at_full_depth(tmp_path, dtype, options):
    """RGB TIFFs of 8 and 16 bits, however they are laid out, keep their values."""
    values = DEEP.astype(dtype)
    stored = np.moveaxis(values, -1, 0) if "planarconfig" in options else values
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", **options)
    picture = read_one(tmp_path / "a.tif")
    assert picture.pixels.dtype == dtype
    assert np.array_equal(picture.pixels, values)
    assert picture.warnings == ()


def test_16_bit_tiff_that_tifffile_cannot_decompress(tmp_path):
    """What takes libtiff, such as LZW, comes through Pillow, at full depth too."""
    high, low = (DEEP >> 8).astype(np.uint8), (DEEP & 255).astype(np.uint8)
    as_bytes = np.stack([low, high], axis=-1).reshape(6, 54)
    saved(tmp_path / "bytes.tif", as_bytes, compression="tiff_lzw")
    with tifffile.TiffFile(tmp_path / "bytes.tif") as tiff:
        page = tiff.pages[0]
        tags = {name: page.tags[name].value for name in ("StripOffsets", "StripByteCounts")}
        content = (tmp_path / "bytes.tif").read_bytes()
    at, count = tags["StripOffsets"][0], tags["StripByteCounts"][0]
    assert len(tags["StripOffsets"]) == 1
    tifffile.imwrite(
        tmp_path / "a.tif", DEEP, photometric="rgb", metadata=None, software=False, rowsperstrip=6
    )
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tiff:
        tags = tiff.pages[0].tags
        end = (tmp_path / "a.tif").stat().st_size
        tags["Compression"].overwrite(5)
        tags["StripOffsets"].overwrite(end)
        tags["StripByteCounts"].overwrite(count)
    with (tmp_path / "a.tif").open("ab") as file:
        file.write(content[at : at + count])
    assert np.array_equal(read_image(tmp_path / "a.tif"), DEEP)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_float_tiff_is_taken_as_fractions(tmp_path, dtype):
    """Floats in 0..1 are black to white."""
    values = (NOISE / 255).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb")
    picture = read_one(tmp_path / "a.tif")
    assert np.array_equal(picture.pixels, values)
    assert picture.warnings == ()


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32, np.float32, np.float64])
def test_other_ranges_are_stretched_with_a_warning(tmp_path, dtype):
    """Values without a range of their own run from black to white, and a line says so."""
    values = (NOISE[..., 0].astype(np.float64) * 100 + 17).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values)
    picture = read_one(tmp_path / "a.tif")
    low, high = values.min(), values.max()
    assert np.allclose(picture.pixels, (values - float(low)) / (float(high) - low), atol=1e-6)
    assert picture.warnings == (
        f"its values, {low:g} to {high:g}, are stretched from black to white",
    )


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.float32])
def test_8_bit_values_in_larger_types(tmp_path, dtype):
    """Values in 0..255 are 8-bit values in whatever type."""
    tifffile.imwrite(tmp_path / "a.tif", NOISE[..., 0].astype(dtype))
    picture = read_one(tmp_path / "a.tif")
    assert np.array_equal(np.rint(picture.pixels * 255), NOISE[..., 0])
    assert picture.warnings == ()


def test_missing_values_are_transparent(tmp_path):
    """NaN, infinity and GDAL's no-data value have alpha 0 and do not count for the range."""
    values = NOISE[..., 0].astype(np.float32) * 10
    values[0, 0], values[1, 1], values[2, 2] = np.nan, np.inf, -9999
    no_data = (42113, 2, 0, "-9999", True)
    tifffile.imwrite(tmp_path / "a.tif", values, extratags=[no_data])
    picture = read_one(tmp_path / "a.tif")
    alpha = picture.pixels[..., 1]
    assert sorted(zip(*np.nonzero(alpha == 0), strict=True)) == [(0, 0), (1, 1), (2, 2)]
    assert picture.pixels[..., 0].max() == 1
    assert "-9999" not in picture.warnings[0]


def test_white_may_be_zero(tmp_path):
    """Scans that store black as the largest value come the right way, at 8 and 16 bits."""
    for values in (NOISE[..., 0], DEEP[..., 0]):
        tifffile.imwrite(tmp_path / "a.tif", ~values, photometric="miniswhite")
        assert np.array_equal(read_image(tmp_path / "a.tif"), values)


def test_deep_cmyk(tmp_path):
    """16-bit CMYK becomes RGB as 8-bit CMYK does."""
    inks = np.dstack([DEEP, DEEP[..., :1] // 3])
    tifffile.imwrite(tmp_path / "a.tif", inks, photometric="separated")
    eight = Image.frombytes("CMYK", (9, 6), (inks >> 8).astype(np.uint8).tobytes())
    rgb = read_image(tmp_path / "a.tif")
    assert rgb.dtype == np.uint16
    assert np.abs(rgb / 257.0 - np.asarray(eight.convert("RGB"))).max() < 3


def test_more_channels_than_colours(tmp_path):
    """All of a satellite's bands are taken, as they are stored, and three are shown."""
    bands = np.concatenate([DEEP, DEEP[..., ::-1]], axis=2)
    tifffile.imwrite(tmp_path / "a.tif", bands, photometric="minisblack", planarconfig="contig")
    picture = read_one(tmp_path / "a.tif")
    assert np.array_equal(picture.pixels, bands)
    assert picture.scene.shown_at == (0, 1, 2)
    assert picture.warnings == ()


def test_lost_depth_is_told(tmp_path):
    """Where Pillow leaves bits out a line says so."""
    raw = b"P6\n9 6\n65535\n" + DEEP.astype(">u2").tobytes()
    (tmp_path / "a.ppm").write_bytes(raw)
    picture = read_one(tmp_path / "a.ppm")
    assert picture.pixels.dtype == np.uint8
    assert picture.warnings == ("read with 8 of its 16 bits a channel",)


def test_depths_mean_the_same(tmp_path):
    """8 bits, 16 bits and floats of the same picture lead to the same bandwidth and labels."""
    from segment import segment_image

    deep, floats = RGB.astype(np.uint16) * 257, RGB / 255
    for name, values in {"8": RGB, "16": deep, "float": floats}.items():
        tifffile.imwrite(tmp_path / f"{name}.tif", values, photometric="rgb")
    results = [segment_image(read_image(tmp_path / f"{n}.tif")) for n in ("8", "16", "float")]
    assert len({result.bandwidth for result in results}) == 1
    assert all(np.array_equal(result.labels, results[0].labels) for result in results)


@functools.cache  # the time of its making is in it
def swapped_profile():
    """A real RGB profile that is not sRGB: its red and green are exchanged, its name another."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB".encode("utf-16-be"), "GRBx".encode("utf-16-be"))
    head, table = bytearray(profile), range(132, 132 + 12 * int.from_bytes(profile[128:132]), 12)
    places = {profile[at : at + 4]: at for at in table}
    red, green = places[b"rXYZ"] + 4, places[b"gXYZ"] + 4
    head[red : red + 8], head[green : green + 8] = (
        profile[green : green + 8],
        profile[red : red + 8],
    )
    return bytes(head)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp"])
def test_colour_profiles_are_converted(tmp_path, name):
    """Colours come in sRGB, whatever profile the file has, unless they are to be left alone."""
    big = RGB.repeat(16, axis=0).repeat(16, axis=1)
    path = saved(tmp_path / name, big, icc_profile=swapped_profile(), quality=95)
    assert nearest(read_image(path)[8::16, 8::16, [1, 0, 2]]) == [0, 1, 2, 3]
    assert nearest(read_image(path, ReadingOptions(ignore_icc=True))[8::16, 8::16]) == [0, 1, 2, 3]
    assert read_one(path).kept.profile is None
    assert read_one(path, ignore_icc=True).kept.profile == swapped_profile()


def test_srgb_profiles_change_nothing(tmp_path):
    """Files that say that they are sRGB keep their values, and the profile."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = read_one(saved(tmp_path / "a.png", NOISE, icc_profile=profile))
    assert np.array_equal(picture.pixels, NOISE)
    assert picture.kept.profile == profile


def test_alpha_survives_a_colour_profile(tmp_path):
    """Conversion leaves transparency as it is."""
    rgba = with_alpha(NOISE, SEEN_THROUGH)
    pixels = read_image(saved(tmp_path / "a.png", rgba, icc_profile=swapped_profile()))
    assert np.array_equal(pixels[..., 3], SEEN_THROUGH)
    assert not np.array_equal(pixels[..., :3], NOISE)


TABLE = [round(65535 * (at / 256) ** 2) for at in range(257)]


def gamma_profile():
    """An RGB profile of gamma 1.8 by 'curv' tags, its red and green exchanged."""
    content = bytearray(swapped_profile())
    for at in range(132, 132 + 12 * int.from_bytes(content[128:132]), 12):
        if content[at + 1 : at + 4] == b"TRC":
            place = int.from_bytes(content[at + 4 : at + 8])
            content[place : place + 14] = b"curv\0\0\0\0\0\0\0\1\1\xcd"
    return bytes(content)


def grey_profile(content=b"curv\0\0\0\0\0\0\0\1\2\x33"):
    """A grey profile with one curve: by default gamma 2.2."""
    head = bytes(8) + b"\2\0\0\0scnrGRAYXYZ " + bytes(12) + b"acsp" + bytes(28)
    head += struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    names = (b"desc", b"wtpt", b"kTRC", b"cprt")
    desc = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"grey\0" + bytes(78)
    parts = (desc, b"XYZ \0\0\0\0" + head[68:80], content, b"text\0\0\0\0none\0")
    table, body = struct.pack(">I", len(names)), b""
    for name, part in zip(names, parts, strict=True):
        table += name + struct.pack(">II", 132 + 12 * len(names) + len(body), len(part))
        body += part + bytes(-len(part) % 4)
    profile = head + table + body
    return struct.pack(">I", len(profile)) + profile[4:]


@pytest.mark.parametrize("kind", ["png", "tif"])
@pytest.mark.parametrize(
    ("channels", "profile"),
    [(3, swapped_profile()), (3, gamma_profile()), (1, grey_profile())]
    + [(1, grey_profile(b"curv\0\0\0\0" + struct.pack(">I257H", 257, *TABLE)))],
    ids=["parametric", "gamma", "grey gamma", "grey table"],
)
def test_profiles_at_full_depth(tmp_path, kind, channels, profile):
    """16-bit colours come from their profile in 16 bits, where LittleCMS has them in 8."""
    deep = DEEP[..., :channels]
    if kind == "png":
        iccp = chunk(b"iCCP", b"x\0\0" + zlib.compress(profile))
        (tmp_path / "a").write_bytes(png(deep, iccp))
    else:
        photometric = "rgb" if channels == 3 else "minisblack"
        values = deep if channels == 3 else deep[..., 0]
        tifffile.imwrite(tmp_path / "a", values, photometric=photometric, iccprofile=profile)
    eight = (deep // 257).astype(np.uint8)  # of 16-bit values that 8 bits hold, too
    mode = "RGB" if channels == 3 else "L"
    expected = to_srgb(Image.fromarray(eight.squeeze(), mode), profile, Notes())
    picture = read_one(tmp_path / "a")
    assert picture.pixels.dtype == np.uint16
    assert picture.warnings == ()
    exact = deep_to_srgb(eight.astype(np.uint16) * 257, profile)
    assert np.abs(exact.squeeze() / 257.0 - np.asarray(expected)).max() < 1.1
    assert np.array_equal(picture.pixels, deep_to_srgb(deep, profile).squeeze())
    assert np.array_equal(read_one(tmp_path / "a", ignore_icc=True).pixels, deep.squeeze())


def test_deep_colours_with_a_table_profile_say_what_is_lost(tmp_path):
    """A profile that is no curves and matrix is LittleCMS's, in 8 bits, and a line says so."""
    profile = swapped_profile().replace(b"rTRC", b"A2B0")
    tifffile.imwrite(tmp_path / "a", DEEP, photometric="rgb", iccprofile=profile)
    picture = read_one(tmp_path / "a")
    assert picture.pixels.dtype == np.uint8
    assert "8 of its 16 bits" in picture.warnings[0]


@pytest.mark.parametrize("profile", [b"nonsense", swapped_profile()[:300], b""])
def test_damaged_profiles_are_left_out(tmp_path, profile):
    """A profile that is none costs a warning and not the image."""
    picture = read_one(saved(tmp_path / "a.jpg", NOISE, icc_profile=profile))
    assert picture.pixels.shape == NOISE.shape
    assert [("taken as sRGB" in warning) for warning in picture.warnings] == [True] * bool(profile)


@pytest.mark.parametrize("name", ["a.tif", "a.gif", "a.png", "a.webp", "deep.tif"])
def test_pages(tmp_path, name):
    """The first page is taken with a warning, any one by number, all in their order."""
    frames = [np.full((6, 8, 3), level, np.uint8) for level in (10, 120, 250)]
    if name == "deep.tif":
        deep = np.stack(frames).astype(np.uint16) * 257
        tifffile.imwrite(tmp_path / name, deep, photometric="rgb")
    else:
        first, *others = map(Image.fromarray, frames)
        first.save(tmp_path / name, save_all=True, append_images=others)

    def level(picture):
        return round(float(picture.pixels[0, 0, 0]) / (257 if name == "deep.tif" else 1))

    first = read_one(tmp_path / name)
    assert (level(first), first.page) == (10, None)
    assert first.warnings == ("has more pages than the first, which was taken; see --page",)
    second = read_one(tmp_path / name, page=2)
    assert (level(second), second.page, second.warnings) == (120, 2, ())
    pages = list(read_pages(tmp_path / name, ReadingOptions(page="all")))
    assert [(level(page), page.page) for page in pages] == [(10, 1), (120, 2), (250, 3)]
    with pytest.raises(ImageFileError, match="has no page 4; choose another with --page"):
        read_one(tmp_path / name, page=4)


def test_all_pages_of_one_is_the_image(tmp_path):
    """A file with a single page has no page numbers."""
    path = saved(tmp_path / "a.png", NOISE)
    assert [page.page for page in read_pages(path, ReadingOptions(page="all"))] == [None]


def test_overviews_and_masks_are_no_pages(tmp_path):
    """The smaller copies that maps and scans carry, and masks, do not count as pages."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(NOISE, photometric="rgb", metadata=None)
        tiff.write(NOISE[::2, ::2], photometric="rgb", subfiletype=1, metadata=None)
        tiff.write(SEEN_THROUGH > 0, subfiletype=4, photometric="mask", metadata=None)
    picture = read_one(tmp_path / "a.tif")
    assert picture.warnings == ()
    assert np.array_equal(picture.pixels[..., :3], NOISE)


def test_a_damaged_page_does_not_stop_the_others(tmp_path):
    """Of a TIFF with a damaged page the others are read."""
    deep = np.stack([DEEP, DEEP[::-1], DEEP])
    tifffile.imwrite(tmp_path / "a.tif", deep, photometric="rgb", compression="zlib", metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        at = tiff.pages[1].dataoffsets[0]
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[at : at + 9] = b"nonsense!"
    (tmp_path / "a.tif").write_bytes(content)
    first, second, third = read_pages(tmp_path / "a.tif", ReadingOptions(page="all"))
    assert np.array_equal(first.pixels, third.pixels)
    assert second.page == 2
    assert "is damaged or cut off" in str(second.error)


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.gif", "a.bmp", "a.tga"])
def test_cut_off_files(tmp_path, name):
    """A half-downloaded file is refused, or what there is of it taken with a warning if allowed."""
    noise = np.random.default_rng(2).integers(0, 256, (90, 120, 3), np.uint8)
    whole = read_image(saved(tmp_path / name, noise, interlace=0))
    path = cut(tmp_path / name, 0.6)
    with pytest.raises(ImageFileError, match=r"is damaged or cut off; .*--allow-truncated takes"):
        read_image(path)
    picture = read_one(path, allow_truncated=True)
    assert picture.warnings == ("is damaged or cut off; took what there is of it",)
    rows = slice(60, None) if name in ("a.bmp", "a.tga") else slice(0, 30)  # stored bottom up
    assert np.array_equal(picture.pixels[rows][:, :, :3], whole[rows])
    assert (picture.visible is not None) == (name == "a.png")


@pytest.mark.parametrize("options", [{}, {"compression": "zlib", "rowsperstrip": 10}], ids=str)
def test_cut_off_tiff(tmp_path, options):
    """Of a TIFF that is cut off the rows that are there can be had; the others have no value."""
    deep = np.random.default_rng(2).integers(0, 65536, (90, 120, 3), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", deep, photometric="rgb", **options)
    path = cut(tmp_path / "a.tif", 0.6)
    with pytest.raises(ImageFileError, match="is damaged or cut off"):
        read_image(path)
    pixels = read_one(path, allow_truncated=True).pixels
    assert np.array_equal(pixels[:50, :, :3], deep[:50])
    assert (pixels[:50, :, 3] == 65535).all()
    assert not pixels[60:].any()


def test_too_many_pixels_are_refused_from_the_header(tmp_path):
    """An image beyond the limit is refused before its pixels are decoded."""
    path = tmp_path / "a.png"
    path.write_bytes(png(NOISE)[:60])  # a header and hardly anything to decode
    with pytest.raises(ImageFileError, match=r"has 9 x 6 pixels, expected at most 53.*max-pixels"):
        read_image(path, ReadingOptions(max_pixels=53))
    with pytest.raises(ImageFileError, match="is damaged"):
        read_image(path, ReadingOptions(max_pixels=54))


def test_images_inside_of_images_are_guarded(tmp_path):
    """An icon whose picture is larger than the icon says is refused as what it is."""
    inner = png(np.zeros((300, 300, 3), np.uint8))
    entry = b"\x10\x10\0\0\x01\0\x18\0" + len(inner).to_bytes(4, "little") + b"\x16\0\0\0"
    (tmp_path / "a.ico").write_bytes(b"\0\0\1\0\1\0" + entry + inner)
    with pytest.raises(ImageFileError, match=r"max-pixels|is damaged"):
        read_image(tmp_path / "a.ico", ReadingOptions(max_pixels=10_000))


def test_large_images_within_the_limit_are_read_without_a_word(tmp_path):
    """Pillow's own warning of decompression bombs does not surface."""
    path = saved(tmp_path / "a.png", Image.new("1", (10000, 9000)))
    assert read_image(path).shape == (9000, 10000)


@pytest.mark.parametrize(
    ("side", "said"), [(15_000, "is damaged"), (25_000, "has 25000 x 25000 pixels")]
)
def test_sizes_that_pillow_calls_a_bomb(tmp_path, side, said):
    """Only the stated limit counts: 225 million pixels are tried, 625 million refused."""
    (tmp_path / "a.png").write_bytes(header_only_png(side, side))
    with pytest.raises(ImageFileError, match=said):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("broken"), "is damaged"),
        (OSError("Unsupported bits"), "of a kind that no reader here knows; get a whole copy, or"),
        (NotImplementedError("format 0"), "is of a kind that no reader here knows; save it as PNG"),
    ],
)
def test_whatever_a_plugin_raises_is_an_image_file_error(tmp_path, monkeypatch, error, words):
    """Plug-ins raise anything over damaged files; here it is one error, and theirs its cause."""

    def fail(*_, **__):
        raise error

    path = saved(tmp_path / "a.png", NOISE)
    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(ImageFileError, match=words) as caught:
        read_image(path)
    assert caught.value.__cause__ is error
    assert str(error) not in str(caught.value)


def test_memory_errors_pass_through(tmp_path, monkeypatch):
    """An image that does not fit into memory is not called damaged."""

    def fail(*_, **__):
        raise MemoryError

    path = saved(tmp_path / "a.png", NOISE)
    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(MemoryError):
        read_image(path)


def test_libtiff_talks_to_details_only(tmp_path, capfd):
    """What libtiff prints by itself is held back for `-v`."""
    saved(tmp_path / "a.tif", NOISE, compression="tiff_adobe_deflate")
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[10:30] = bytes(20)
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(ImageFileError, match="is damaged") as caught:
        read_image(tmp_path / "a.tif")
    assert any("ZIPDecode" in line for line in caught.value.__notes__)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "no such file; check the name"),
        (lambda path: path.mkdir(), "is a folder; name the image files in it"),
        (lambda path: path.touch(), "is empty; expected an image"),
        (lambda path: path.write_text("not a picture\n"), "is not an image of a kind known here"),
        (lambda path: path.write_bytes(b"II*\0"), "is damaged or cut off"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n"), "is damaged or cut off"),
    ],
)
def test_what_is_no_image(tmp_path, make, said):
    """Each kind of bad input is called by its name, with what to do."""
    make(tmp_path / "a.png")
    with pytest.raises(ImageFileError, match=f"{said}.*"):
        read_image(tmp_path / "a.png")


def test_names_too_long_are_not_called_damaged(tmp_path):
    """What the system says of a name is passed on."""
    with pytest.raises(ImageFileError, match="cannot be read: File name too long"):
        read_image(tmp_path / ("x" * 300 + ".png"))


def test_masks(tmp_path):
    """A mask is where an image is neither black nor transparent."""
    values = np.zeros((6, 9, 4), np.uint8)
    values[0, 0], values[1, 1], values[2, 2] = (0, 0, 1, 255), (0, 0, 0, 255), (9, 9, 9, 0)
    mask = read_mask(saved(tmp_path / "a.png", values))
    assert np.argwhere(mask).tolist() == [[0, 0]]


def test_files_that_are_made_to_be_slow(tmp_path):
    """A header without an end, too few bytes for the pixels, and endless scans are refused."""
    (tmp_path / "a.ppm").write_bytes(b"P6\n#" + b"x" * 1_000_000)
    with pytest.raises(ImageFileError, match="its header does not end"):
        read_image(tmp_path / "a.ppm")
    path = saved(tmp_path / "a.jpg", NOISE)
    content = bytearray(path.read_bytes())
    frame = content.find(b"\xff\xc0") + 5
    content[frame : frame + 4] = (20_000).to_bytes(2) * 2
    path.write_bytes(content)
    with pytest.raises(ImageFileError, match="is damaged or cut off"):
        read_image(path)
    content = saved(tmp_path / "b.jpg", NOISE, progressive=True).read_bytes()
    (tmp_path / "b.jpg").write_bytes(content[:-2] + content[content.rfind(b"\xff\xda") :] * 200)
    with pytest.raises(ImageFileError, match=r"is a JPEG of 2.. scans, expected at most 100"):
        read_image(tmp_path / "b.jpg")


@pytest.mark.parametrize("compression", ["zlib", None], ids=str)
def test_a_strip_larger_than_its_rows(tmp_path, compression):
    """A strip that would burst when inflated is refused; one with room at its end is not."""
    tifffile.imwrite(tmp_path / "a.tif", DEEP, photometric="rgb", compression=compression)
    bomb = bytes(300_000)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tiff:
        tags = tiff.pages[0].tags
        tags["StripOffsets"].overwrite((tmp_path / "a.tif").stat().st_size)
        tags["StripByteCounts"].overwrite(len(bomb))
    with (tmp_path / "a.tif").open("ab") as file:
        file.write(bomb)
    if compression:
        with pytest.raises(ImageFileError, match="strips or tiles do not fit its size"):
            read_image(tmp_path / "a.tif")
    else:
        assert not read_image(tmp_path / "a.tif").any()


def test_byte_counts_that_are_too_large(tmp_path):
    """A TIFF whose pixels are all there is read, though its byte count says too much."""
    saved(tmp_path / "a.tif", NOISE)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tiff:
        tiff.pages[0].tags["StripByteCounts"].overwrite(50_000)
    assert np.array_equal(read_image(tmp_path / "a.tif"), NOISE)


def test_a_profile_for_other_channels(tmp_path):
    """An RGB profile in a 16-bit grey file with alpha is left out, with a warning."""
    values = np.dstack([DEEP[..., 0], DEEP[..., 1]])
    iccp = chunk(b"iCCP", b"x\0\0" + zlib.compress(swapped_profile()))
    (tmp_path / "a.png").write_bytes(png(values, iccp))
    picture = read_one(tmp_path / "a.png")
    assert np.array_equal(picture.pixels, values)
    assert picture.warnings == ("its colour profile does not fit; taken as sRGB",)
