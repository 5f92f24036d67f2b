"""TIFF by strips: as the reader of whole images has it, and damage that is named."""

import numpy as np
import pytest
import tifffile

from segment.errors import ImageFileError
from segment.raster.opening import open_source
from segment.reading.files import read_image
from segment.tiff import window
from tests.drawn import DEEP, NOISE

rasterio = pytest.importorskip("rasterio", reason="needs GDAL as a writer, of the extra 'test'")

CHANCE = np.random.default_rng(5)
GREY = CHANCE.integers(0, 256, (50, 40), np.uint8)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Decode few bytes in one go, so that small files take several goes on several threads."""
    monkeypatch.setattr(window, "AT_ONCE", 600)


def whole(path, rows=7, **options):
    """All of a file, put together of strips: values, and where there is one."""
    source = open_source(path, **options)
    parts, seen = [], []
    for top in range(0, source.height, rows):
        bottom = min(top + rows, source.height)
        values, visible = source.read(top, bottom, range(len(source.bands)))
        parts.append(values)
        everywhere = np.ones(values.shape[:2], bool)
        seen.append(everywhere if visible is None else visible)
    return np.concatenate(parts), np.concatenate(seen), source


def as_in_memory(path):
    """What the reader of whole images gives: colours, and where they can be seen."""
    pixels = read_image(path)
    pixels = pixels if pixels.ndim == 3 else pixels[:, :, None]
    if pixels.shape[2] in (2, 4):
        return pixels[:, :, :-1], pixels[:, :, -1] > 0
    return pixels, np.ones(pixels.shape[:2], bool)


def by_gdal(path, values, **options):
    """Write (H, W, C) by GDAL, with a mask of the file's own where one is given."""
    mask = options.pop("mask", None)
    values = values if values.ndim == 3 else values[:, :, None]
    size = {"height": values.shape[0], "width": values.shape[1], "count": values.shape[2]}
    place = {"transform": rasterio.Affine(2, 0, 7, 0, -2, 9)}
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            path, "w", driver="GTiff", dtype=values.dtype, **size, **place, **options
        ) as file,
    ):
        file.write(np.moveaxis(values, -1, 0))
        if mask is not None:
            file.write_mask(mask)


TILED = {"tiled": True, "blockxsize": 16, "blockysize": 16}


@pytest.mark.parametrize("compress", ["none", "lzw", "jpeg"])
@pytest.mark.parametrize("layout", [{}, TILED], ids=["strips", "tiles"])
def test_colours_are_those_in_memory(tmp_path, compress, layout):
    """RGB of any compression is, strip by strip, what the reader of whole images gives."""
    colors = np.dstack([GREY, GREY[::-1], GREY[:, ::-1]])
    options = {"photometric": "ycbcr" if compress == "jpeg" else "rgb", "compress": compress}
    by_gdal(tmp_path / "a.tif", colors, **options, **layout)
    values, seen, _ = whole(tmp_path / "a.tif")
    assert np.array_equal(values, as_in_memory(tmp_path / "a.tif")[0])
    assert seen.all()


def test_no_data_masks_and_what_is_left_out_are_those_in_memory(tmp_path):
    """No data, the file's own mask and sparse tiles leave the same pixels without a value."""
    few = np.where(GREY < 100, 0, GREY).astype(np.uint8)
    by_gdal(tmp_path / "value.tif", few, nodata=0)
    by_gdal(tmp_path / "mask.tif", few, mask=few > 0, **TILED)
    sparse = few.copy()
    sparse[16:32, :16] = 0
    by_gdal(tmp_path / "sparse.tif", sparse, SPARSE_OK=True, **TILED)
    by_gdal(tmp_path / "colors.tif", np.dstack([few, few[::-1], few]), nodata=0)
    signed = few.astype(np.int16) - 50
    by_gdal(tmp_path / "signed.tif", np.dstack([signed, signed[::-1]]), nodata=-50)
    for name in ("value", "mask", "sparse", "colors"):
        values, seen, _ = whole(tmp_path / f"{name}.tif")
        expected, visible = as_in_memory(tmp_path / f"{name}.tif")
        assert np.array_equal(seen, visible), name
        assert 0 < seen.sum() < seen.size, name
        assert np.array_equal(values[seen], expected[visible]), name
    values, seen, _ = whole(tmp_path / "signed.tif")
    assert np.array_equal(seen, (signed != -50) & (signed[::-1] != -50))
    assert np.array_equal(values[:, :, 0], signed)


def test_only_the_bands_that_are_asked_for_have_no_data(tmp_path):
    """No data in one band hides nothing of another, and alpha is never no data."""
    values = np.dstack([GREY, GREY, GREY]).astype(np.float32)
    values[:10, :, 1], values[10:20, :, 2] = np.nan, -1
    by_gdal(tmp_path / "a.tif", values, nodata=-1)
    source = open_source(tmp_path / "a.tif")
    assert source.read(0, 50, [0])[1] is None
    assert np.array_equal(source.read(0, 50, [0, 1])[1][:, 0], np.arange(50) >= 10)
    assert np.array_equal(source.read(0, 50, [2])[1][:, 0], np.arange(50) // 10 != 1)
    assert {band.no_data for band in source.bands} == {-1}
    by_gdal(tmp_path / "b.tif", np.dstack([GREY | 1, GREY * 0]), nodata=0, alpha="yes")
    source = open_source(tmp_path / "b.tif")
    assert [band.is_alpha for band in source.bands] == [False, True]
    assert source.read(0, 50, [0, 1])[1] is None
    assert source.read(0, 50, [1])[1] is None


def test_palettes_and_white_at_zero(tmp_path):
    """A palette's colours are three bands, and where white is 0 values are turned round."""
    table = CHANCE.integers(0, 256, (3, 256), np.uint16) * 257
    tifffile.imwrite(tmp_path / "a.tif", GREY, photometric="palette", colormap=table)
    values, _, source = whole(tmp_path / "a.tif")
    assert [band.name for band in source.bands] == ["red", "green", "blue"]
    assert np.array_equal(values, as_in_memory(tmp_path / "a.tif")[0])
    assert np.array_equal(source.read(3, 9, [2, 0])[0], values[3:9][:, :, [2, 0]])
    tifffile.imwrite(tmp_path / "b.tif", GREY, photometric="miniswhite")
    assert np.array_equal(whole(tmp_path / "b.tif")[0][:, :, 0], 255 - GREY)


def test_pages(tmp_path):
    """The first page is read, with a warning where there are more, or the one asked for."""
    tifffile.imwrite(tmp_path / "a.tif", np.stack([GREY, 255 - GREY]), photometric="minisblack")
    values, _, source = whole(tmp_path / "a.tif")
    assert np.array_equal(values[:, :, 0], GREY)
    assert source.warnings == ("has more pages than the first, which was taken; see --page",)
    values, _, source = whole(tmp_path / "a.tif", page=2)
    assert np.array_equal(values[:, :, 0], 255 - GREY)
    assert source.warnings == ()
    with pytest.raises(ImageFileError, match="has no page 3"):
        open_source(tmp_path / "a.tif", page=3)


def test_the_place_is_kept_or_that_of_a_world_file(tmp_path):
    """GeoTIFF's tags come along; a file without has those of the world file beside it."""
    by_gdal(tmp_path / "a.tif", GREY)
    assert {code for code, *_ in open_source(tmp_path / "a.tif").geo} >= {33550, 33922}
    tifffile.imwrite(tmp_path / "b.tif", GREY, resolution=(300, 300), resolutionunit="INCH")
    (tmp_path / "b.tfw").write_text("2\n0\n0\n-2\n8\n8\n")
    source = open_source(tmp_path / "b.tif")
    assert source.geo[0][3] == (2.0, 2.0, 0.0)
    assert source.resolution.dpi == (300, 300)
    (tmp_path / "b.tfw").write_text("none")
    assert "world file b.tfw is left out" in open_source(tmp_path / "b.tif").warnings[0]


def damage(path, segment):
    """Overwrite the first bytes of a strip or tile."""
    with tifffile.TiffFile(path) as tiff:
        at = tiff.pages[0].dataoffsets[segment]
    content = bytearray(path.read_bytes())
    content[at : at + 8] = b"\xffdamage\xff"
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("options", "named", "where"),
    [
        (
            {"tile": (16, 16)},
            r"tile in column 1, row 2 \(pixel rows 32 to 47, columns 16 to 31\)",
            np.s_[32:48, 16:32],
        ),
        ({"rowsperstrip": 6}, r"strip 7 \(pixel rows 42 to 47\)", np.s_[42:48]),
        (
            {"tile": (16, 16), "compression": "png"},
            r"tile in column 1, row 2 \(pixel rows 32 to 47, columns 16 to 31\)",
            np.s_[32:48, 16:32],
        ),
    ],
    ids=["tile", "strip", "picture"],
)
def test_a_damaged_segment_is_named(tmp_path, options, named, where):
    """A damaged strip or tile is an error that names it; where allowed, it alone has no value."""
    tifffile.imwrite(
        tmp_path / "a.tif", GREY, **{"compression": "zlib", "metadata": None} | options
    )
    damage(tmp_path / "a.tif", 7)
    with pytest.raises(ImageFileError, match=f"has a damaged {named}; .*--allow-truncated"):
        whole(tmp_path / "a.tif")
    assert open_source(tmp_path / "a.tif").read(0, 10, [0])[1] is None
    values, seen, source = whole(tmp_path / "a.tif", allow_damaged=True)
    lost = np.zeros(GREY.shape, bool)
    lost[where] = True
    assert np.array_equal(seen, ~lost)
    assert np.array_equal(values[:, :, 0][seen], GREY[seen])
    (said,) = source.warnings
    assert said.startswith("left out its damaged")


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_file_that_is_cut_off(tmp_path, capfd, compression):
    """A file shorter than its header says is refused at once; where allowed, the rest is had."""
    options = {"rowsperstrip": 5, "compression": compression, "metadata": None}
    tifffile.imwrite(tmp_path / "a.tif", GREY, **options)
    content = (tmp_path / "a.tif").read_bytes()
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        page = tiff.pages[0]
        end = page.dataoffsets[8] + page.databytecounts[8] // 2
    (tmp_path / "a.tif").write_bytes(content[:end])
    with pytest.raises(ImageFileError, match=f"is cut off: it has {end:,} bytes, fewer than"):
        open_source(tmp_path / "a.tif")
    values, seen, _ = whole(tmp_path / "a.tif", allow_damaged=True)
    assert seen[:40].all()
    assert not seen[45:].any()
    assert np.array_equal(values[seen][:, 0], GREY[seen])
    assert "byte count 0" not in capfd.readouterr().err  # libtiff, of what is not there


def test_what_is_refused(tmp_path, monkeypatch):
    """What is not read by strips as in memory is refused, by what it is and what to do."""
    name = tmp_path / "a.tif"
    tifffile.imwrite(name, GREY, extratags=[(274, 3, 1, 6, True)])
    with pytest.raises(ImageFileError, match=r"stored turned \(orientation 6\), expected upright"):
        open_source(name)
    inks = np.dstack([NOISE, NOISE[..., :1]]).astype(np.float32)
    tifffile.imwrite(name, inks, photometric="separated")
    with pytest.raises(ImageFileError, match="in CMYK of more than 16 bits or with a sign"):
        open_source(name)
    tifffile.imwrite(name, NOISE, photometric="cielab")
    with pytest.raises(ImageFileError, match=r"is a TIFF in L\*a\*b\*; save it as RGB"):
        open_source(name)
    pixels = np.dstack([NOISE, NOISE[..., :1]])
    tifffile.imwrite(name, pixels, photometric="rgb", extrasamples=["assocalpha"])
    with pytest.raises(ImageFileError, match="multiplied by alpha"):
        open_source(name)
    tifffile.imwrite(name, GREY.astype(np.float32), photometric="miniswhite")
    with pytest.raises(ImageFileError, match="where white is 0, of more than 16 bits"):
        open_source(name)
    tifffile.imwrite(name, GREY, compression="zlib", rowsperstrip=50)
    monkeypatch.setattr(window, "LARGEST", 1000)
    with pytest.raises(ImageFileError, match="of 40 x 50 pixels, which are too large to be read"):
        open_source(name)


@pytest.mark.parametrize(
    ("width", "height", "said"),
    [(0, 50, "has 0 x 50 pixels, expected one at least"), (1 << 31, 1 << 31, "is damaged, or has")],
)
def test_sizes_that_only_damage_claims(tmp_path, width, height, said):
    """A size without pixels, or of more strips than a file can list, is refused at once."""
    tifffile.imwrite(tmp_path / "a.tif", GREY, metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tiff:
        tiff.pages[0].tags["ImageWidth"].overwrite(width)
        tiff.pages[0].tags["ImageLength"].overwrite(height)
        tiff.pages[0].tags["RowsPerStrip"].overwrite(height)
    for allowed in (False, True):
        with pytest.raises(ImageFileError, match=said):
            open_source(tmp_path / "a.tif", allow_damaged=allowed)


def test_large_strips_of_bytes_as_they_are(tmp_path, monkeypatch):
    """Uncompressed strips of any height, and planes, are read by rows, nothing twice."""
    monkeypatch.setattr(window, "LARGEST", 1000)
    planes = np.ascontiguousarray(np.moveaxis(DEEP, -1, 0))
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate")
    assert np.array_equal(whole(tmp_path / "a.tif", rows=4)[0], DEEP)
    tifffile.imwrite(tmp_path / "b.tif", GREY, rowsperstrip=21)
    values, _, source = whole(tmp_path / "b.tif")
    assert np.array_equal(values[:, :, 0], GREY)
    assert source.preferred_rows == 7
