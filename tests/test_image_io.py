"""Files to arrays and back."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from segment.errors import ImageFileError
from segment.image_io import (
    label_suffix,
    make_folder,
    read_image,
    write_labels,
    write_segmented,
    write_whole,
)

RGB = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)


def saved(path, image, **options):
    image.save(path, **options)
    return path


def test_rgb_and_grey_come_as_they_are(tmp_path):
    """8-bit grey and RGB files give their own values."""
    for pixels in (RGB, RGB[..., 0]):
        path = saved(tmp_path / "a.png", Image.fromarray(pixels))
        assert np.array_equal(read_image(path), pixels)


def test_16_bit_grey_keeps_its_depth(tmp_path):
    """A 16-bit grey file gives uint16 values."""
    pixels = RGB[..., 0].astype(np.uint16) * 257 + 1
    image = read_image(saved(tmp_path / "a.png", Image.fromarray(pixels)))
    assert image.dtype == np.uint16
    assert np.array_equal(image, pixels)


def test_alpha_is_kept(tmp_path):
    """Transparency comes as a fourth channel, from an alpha channel or a transparent colour."""
    rgba = np.dstack([RGB, np.where(RGB[..., 0] > 99, 255, 0).astype(np.uint8)])
    assert np.array_equal(read_image(saved(tmp_path / "a.png", Image.fromarray(rgba))), rgba)
    indexed = Image.fromarray(RGB).quantize(8)
    image = read_image(saved(tmp_path / "b.png", indexed, transparency=3))
    assert np.array_equal(image[..., 3] == 0, np.asarray(indexed) == 3)


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "YCbCr", "LAB"])
def test_other_modes_become_plain(tmp_path, mode):
    """Bilevel becomes grey; palettes, CMYK, YCbCr and Lab become RGB."""
    lab = Image.frombytes("LAB", (9, 6), RGB.tobytes())
    image = lab if mode == "LAB" else Image.fromarray(RGB).convert(mode)
    pixels = read_image(saved(tmp_path / "a.tif", image))
    assert pixels.dtype == np.uint8
    assert pixels.shape == ((6, 9) if mode == "1" else (6, 9, 3))
    assert np.array_equal(pixels, np.asarray(image.convert("L" if mode == "1" else "RGB")))


def test_orientation_is_applied(tmp_path):
    """A photo that a phone has marked as lying on its side is turned upright."""
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise to see it upright
    path = saved(tmp_path / "a.png", Image.fromarray(RGB), exif=exif)
    assert np.array_equal(read_image(path), np.rot90(RGB, -1))


def test_too_many_pixels_are_refused_from_the_header(tmp_path, monkeypatch):
    """An image beyond the limit is refused before its pixels are decoded."""
    monkeypatch.setattr("segment.image_io.MAX_PIXELS", 53)
    path = saved(tmp_path / "a.png", Image.fromarray(RGB))
    path.write_bytes(path.read_bytes()[:60])  # a header and nothing to decode
    with pytest.raises(ImageFileError, match=r"has 9 x 6 pixels, expected at most 53"):
        read_image(path)


def test_large_images_within_the_limit_are_read_without_a_word(tmp_path):
    """Pillow's own warning of decompression bombs does not surface."""
    path = saved(tmp_path / "a.png", Image.new("1", (10000, 9000)))
    assert read_image(path).shape == (9000, 10000)


@pytest.mark.parametrize(
    ("count", "dtype"), [(1, np.uint8), (255, np.uint8), (256, np.uint16), (65535, np.uint16)]
)
def test_png_label_maps_take_8_or_16_bits(tmp_path, count, dtype):
    """Up to 255 segments fit into 8 bits, up to 65,535 into 16."""
    labels = np.array([[0, 1], [count, 1]], np.int32)
    assert label_suffix(count) == ".png"
    write_labels(labels, tmp_path / "a.png")
    read = np.asarray(Image.open(tmp_path / "a.png"))
    assert read.dtype == dtype
    assert np.array_equal(read, labels)


@pytest.mark.parametrize("count", [3, 255, 256, 300])
@pytest.mark.parametrize("transparent", [False, True])
def test_segmented_png(tmp_path, count, transparent):
    """The recoloured PNG shows the palette's colours, indexed up to 256, and label 0 as said."""
    palette = np.random.default_rng(0).integers(0, 256, (count + 1, 3), np.uint8)
    labels = np.arange(count + 1, dtype=np.int32).reshape(1, -1)
    write_segmented(labels, palette, tmp_path / "a.png", transparent=transparent)
    image = Image.open(tmp_path / "a.png")
    assert (image.mode == "P") == (count < 256)
    rgba = np.asarray(image.convert("RGBA"))
    assert np.array_equal(rgba[0, :, :3], palette)
    assert rgba[0, 0, 3] == (0 if transparent else 255)
    assert (rgba[0, 1:, 3] == 255).all()


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


def test_folders_are_made_with_those_above(tmp_path):
    """A missing output folder is created; one that is there is fine."""
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def header_only_png(path, width, height):
    """A PNG that claims a size and holds no pixels."""
    ihdr = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + ihdr + struct.pack(">I", zlib.crc32(ihdr))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 99) + b"IDAT")
    return path


@pytest.mark.parametrize(
    ("side", "said"), [(15_000, "is damaged"), (25_000, "has 25000 x 25000 pixels")]
)
def test_sizes_that_pillow_calls_a_bomb(tmp_path, side, said):
    """Only the stated limit counts: 225 million pixels are tried, 625 million refused."""
    with pytest.raises(ImageFileError, match=said):
        read_image(header_only_png(tmp_path / "a.png", side, side))


@pytest.mark.parametrize("error", [RuntimeError("broken"), NotImplementedError("format 0")])
def test_whatever_a_plugin_raises_is_an_image_file_error(tmp_path, monkeypatch, error):
    """Pillow's plug-ins raise anything over damaged files; here it is one kind of error."""

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(ImageFileError, match=f"is damaged .{error}"):
        read_image(tmp_path / "a.avif")


def test_memory_errors_pass_through(tmp_path, monkeypatch):
    """An image that does not fit into memory is not called damaged."""

    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(MemoryError):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("dtype", ["<u2", ">u2", np.int32, np.float32])
def test_deep_grey_tiff_is_not_clipped(tmp_path, dtype):
    """Grey TIFFs of 16 bits in either byte order, 32 bits and floats keep their values."""
    pixels = (RGB[..., 0] * 250.0).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, byteorder=">" if dtype == ">u2" else "<")
    image = read_image(tmp_path / "a.tif")
    assert np.array_equal(image, pixels)


def test_names_too_long_are_not_called_damaged(tmp_path):
    """What the system says of a name is passed on."""
    with pytest.raises(ImageFileError, match="cannot be read: File name too long"):
        read_image(tmp_path / ("x" * 300 + ".png"))


def test_png_refuses_labels_that_would_wrap(tmp_path):
    """Labels beyond 16 bits are refused rather than wrapped."""
    with pytest.raises(ImageFileError, match=r"at most 65,535 segments for PNG; use \.tif"):
        write_labels(np.array([[65536]], np.int32), tmp_path / "a.png")


def test_long_names_that_fit_are_written(tmp_path):
    """The passing name is short: a result whose own name fits can be written."""
    path = tmp_path / ("x" * 240 + "_labels.png")
    write_labels(np.ones((2, 2), np.int32), path)
    assert path.exists()
