"""FITS: values as the header makes them."""

import io

import numpy as np
import pytest

from segment.decoding.fits import FitsFrames
from segment.errors import ImageFileError
from tests.decoding.written import on_a_plain_install, picture

fits = pytest.importorskip("astropy.io.fits")
STEPS = np.arange(24).reshape(4, 6)
TYPES = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


def written(*units):
    """A FITS of header and data units."""
    content = io.BytesIO()
    fits.HDUList(list(units)).writeto(content)
    return content.getvalue()


def frames(*units):
    """Its frames."""
    return FitsFrames(io.BytesIO(written(*units)))


def extreme(dtype):
    """Values at both ends of a type."""
    values = STEPS.astype(dtype)
    if values.dtype.kind == "f":
        return values / 7 - 1
    ends = np.iinfo(values.dtype)
    values[0, :2] = ends.min, ends.max
    return values


@pytest.mark.parametrize("dtype", TYPES)
def test_values_of_every_type_come_whole(dtype):
    """Signed, unsigned and float values of every size come back, the first row at the bottom."""
    values = extreme(dtype)
    frame = frames(fits.PrimaryHDU(values)).frame(0, False)
    assert frame.pixels.dtype == values.dtype
    assert np.array_equal(frame.pixels[::-1, :, 0], values)


@pytest.mark.parametrize("compression", ["GZIP_1", "GZIP_2", "RICE_1", "HCOMPRESS_1"])
@pytest.mark.parametrize("dtype", TYPES[:6])
def test_compressed_tiles_come_whole(dtype, compression):
    """Images that are compressed by tiles are images, whatever their table looks like."""
    values = STEPS.astype(dtype) + np.array(3, dtype)
    unit = fits.CompImageHDU(values, compression_type=compression)
    frame = frames(fits.PrimaryHDU(), unit).frame(0, False)
    assert np.array_equal(frame.pixels[::-1, :, 0], values)


def test_scale_zero_and_blank():
    """BSCALE and BZERO make the values, and BLANK is compared with what is stored."""
    unit = fits.PrimaryHDU((STEPS - 3).astype("i2"))
    unit.header.update({"BSCALE": 0.5, "BZERO": 10, "BLANK": -3})
    frame = frames(unit).frame(0, False)
    assert np.array_equal(frame.pixels[::-1, :, 0], (STEPS - 3) * 0.5 + 10)
    assert np.array_equal(frame.missing[::-1], STEPS == 0)


def test_what_is_blank_or_nan_is_transparent(tmp_path):
    """A pixel without a value has alpha 0, and the others keep their values."""
    unit = fits.PrimaryHDU(STEPS.astype("i2"))
    unit.header["BLANK"] = 5
    for content in (written(unit), written(fits.PrimaryHDU(np.where(STEPS == 5, np.nan, STEPS)))):
        pixels = picture(tmp_path, content).pixels[::-1]
        assert np.array_equal(pixels[:, :, 1] == 0, STEPS == 5)
        assert np.allclose(pixels[..., 0][STEPS != 5] * 255, STEPS[STEPS != 5])


def test_unsigned_16_bits_run_from_black_to_white(tmp_path):
    """The usual unsigned 16 bits, signed with BZERO, keep their values."""
    values = np.array([[0, 20000], [40000, 60000]], np.uint16)
    assert np.array_equal(picture(tmp_path, written(fits.PrimaryHDU(values))).pixels[::-1], values)


def test_planes_and_units_are_pages(tmp_path):
    """Each plane of a cube and each further image is a page; tables are none."""
    cube = np.stack([STEPS, STEPS + 50]).astype("u1")
    table = fits.BinTableHDU.from_columns([fits.Column("a", "J", array=np.arange(9))])
    units = [fits.PrimaryHDU(cube), table, fits.ImageHDU((STEPS + 100).astype("u1"))]
    content = written(*units)
    first = picture(tmp_path, content)
    assert "has more pages" in first.warnings[0]
    for page, add in enumerate((0, 50, 100), 1):
        assert np.array_equal(picture(tmp_path, content, page=page).pixels[::-1], STEPS + add)
    with pytest.raises(ImageFileError, match="has no page 4"):
        picture(tmp_path, content, page=4)


def test_tables_and_spectra_are_no_images():
    """A file without two axes anywhere is refused by name."""
    table = fits.BinTableHDU.from_columns([fits.Column("a", "J", array=np.arange(9))])
    for units in ([fits.PrimaryHDU(), table], [fits.PrimaryHDU(np.arange(5.0))]):
        with pytest.raises(ImageFileError, match="without an image, perhaps with tables"):
            frames(*units)


def test_what_is_cut_off_is_damaged(tmp_path):
    """Half a file is no picture."""
    content = written(fits.PrimaryHDU(np.zeros((100, 100))))
    with pytest.raises(ImageFileError, match="damaged or cut off"):
        picture(tmp_path, content[: len(content) // 2])


def test_the_size_is_checked_before_the_pixels(tmp_path):
    """Too large an image is refused from its header."""
    with pytest.raises(ImageFileError, match="has 6 x 4 pixels, expected at most 20"):
        picture(tmp_path, written(fits.PrimaryHDU(STEPS)), max_pixels=20)


def test_without_astropy(tmp_path, monkeypatch):
    """A plain install refuses a FITS and says what would read it."""
    content = written(fits.PrimaryHDU(STEPS))
    on_a_plain_install(monkeypatch)
    with pytest.raises(
        ImageFileError, match=r"needs astropy; pip install 'meanshift-segment\[fits\]"
    ):
        picture(tmp_path, content)
