"""Damaged files of every format: a segmentation or one line, whatever the damage.

`--fuzz-rounds N` mutates each file N times; the mutations follow from their number alone, so
that what fails once fails again.
"""

import io
from importlib.util import find_spec

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from segment import ImageFileError
from segment.reading.files import read_mask
from segment.reading.reading_options import ReadingOptions
from segment.results.outputs import Output
from segment.running.job import run_job
from segment.running.plan import Task, Work
from segment.settings import Settings
from tests.damage import attempted, mutated
from tests.decoding.test_clean_aperture import with_part
from tests.decoding.test_xpm import xpm
from tests.decoding.written import bmp, psd
from tests.drawn import chunk, png

Y, X = np.mgrid[:24, :32]
PICTURE = np.dstack([X * 8, Y * 10, X // 8 * 60 + Y]).astype(np.uint8)
DEEP = PICTURE.astype(np.uint16) * 257
LIMIT = ReadingOptions(page="all", max_pixels=1_000_000)  # the larger ones only take time


def by_pillow(kind, mode="RGB", **options):
    content = io.BytesIO()
    Image.fromarray(PICTURE).convert(mode).save(content, kind, **options)
    return content.getvalue()


def by_tifffile(values, **options):
    content = io.BytesIO()
    tifffile.imwrite(content, values, **options)
    return content.getvalue()


def by_astropy(values, tiles=False, **header):
    from astropy.io import fits

    unit = fits.CompImageHDU(values) if tiles else fits.PrimaryHDU(values)
    unit.header.update(header)
    content = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), unit] if tiles else [unit]).writeto(content)
    return content.getvalue()


PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PROFILE = PROFILE.replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))
PLACE = [(33550, 12, 3, (1.0, 1.0, 0.0), True), (42113, 2, 0, "0", True)]
FRAMES = {"save_all": True, "append_images": [Image.fromarray(PICTURE[::-1])]}
SEEDS = {
    "jpeg": by_pillow("JPEG"),
    "jpeg cmyk": by_pillow("JPEG", "CMYK"),
    "jpeg progressive": by_pillow("JPEG", progressive=True),
    "png": by_pillow("PNG"),
    "png 16": png(DEEP),
    "png palette": by_pillow("PNG", "P", transparency=3),
    "apng": by_pillow("PNG", **FRAMES),
    "gif": by_pillow("GIF", **FRAMES),
    "webp": by_pillow("WEBP"),
    "webp lossless": by_pillow("WEBP", lossless=True, **FRAMES),
    "bmp": by_pillow("BMP"),
    "jpeg 2000": by_pillow("JPEG2000"),
    "avif": by_pillow("AVIF"),
    "ico": by_pillow("ICO", sizes=[(32, 24)]),
    "tga": by_pillow("TGA"),
    "ppm": by_pillow("PPM"),
    "pcx": by_pillow("PCX"),
    "sgi": by_pillow("SGI"),
    "dds": by_pillow("DDS"),
    "qoi": by_pillow("QOI"),
    "tiff": by_pillow("TIFF", **FRAMES),
    "tiff lzw": by_pillow("TIFF", compression="tiff_lzw"),
    "tiff jpeg": by_pillow("TIFF", compression="jpeg"),
    "tiff fax": by_pillow("TIFF", "1", compression="group4"),
    "tiff 16": by_tifffile(DEEP, photometric="rgb"),
    "tiff 16 tiled": by_tifffile(DEEP, photometric="rgb", compression="zlib", tile=(16, 16)),
    "tiff 16 big-endian": by_tifffile(DEEP, photometric="rgb", byteorder=">", rowsperstrip=5),
    "jpeg profile": by_pillow("JPEG", icc_profile=PROFILE),
    "tiff 16 profile": by_tifffile(DEEP, photometric="rgb", iccprofile=PROFILE),
    "geotiff": by_tifffile(DEEP[..., 0], extratags=PLACE),
    "tiff planes": by_tifffile(
        np.ascontiguousarray(np.moveaxis(DEEP, -1, 0)),
        photometric="rgb",
        planarconfig="separate",
        compression="zlib",
        byteorder=">",
        tile=(16, 16),
    ),
    "tiff zstd": by_pillow("TIFF", compression="zstd"),
    "tiff stack": by_tifffile(np.stack([DEEP, DEEP]), photometric="rgb", truncate=True),
    "tiff palette": by_pillow("TIFF", "P", compression="tiff_lzw"),
    "tiff float": by_tifffile(PICTURE / 255, photometric="rgb", bigtiff=True),
    "png gamma": png(PICTURE, chunk(b"gAMA", b"\0\1\x86\xa0"), chunk(b"cHRM", bytes(range(32)))),
    "avif part": with_part(by_pillow("AVIF"), 16, 1, 12, 1, 0, 1, 0, 1),
    "bmp fields": bmp(PICTURE[..., 0].astype(int), 16, (0xF00, 0xF0, 0xF)),
    "psd": psd(np.moveaxis(PICTURE, -1, 0), 3, layers=-1),
    "psd packed": psd(np.moveaxis(DEEP, -1, 0), 3, 16, packed=True),
    "xpm": xpm("c #f00", "c None", "c #000011112222"),
}


if find_spec("astropy"):
    SEEDS["fits"] = by_astropy(PICTURE[..., 0].astype(np.int16) - 99, BLANK=-99)
    SEEDS["fits tiles"] = by_astropy(DEEP[..., 0], tiles=True)
if find_spec("imagecodecs"):
    import imagecodecs

    SEEDS["jpeg 2000 deep"] = imagecodecs.jpeg2k_encode(DEEP, level=0)
    SEEDS["jpeg xl animated"] = imagecodecs.jpegxl_encode(np.stack([PICTURE, PICTURE[::-1]]))


@pytest.mark.parametrize("lenient", [False, True], ids=["strict", "lenient"])
@pytest.mark.parametrize("name", SEEDS)
def test_damage(name, lenient, tmp_path, fuzz_rounds, capfd):
    """Each damaged file gives whole results or one line of what is wrong and what to do."""
    path, folder = tmp_path / "input", tmp_path / "out"
    reading = ReadingOptions(LIMIT.page, allow_truncated=lenient, max_pixels=LIMIT.max_pixels)
    for number in range(fuzz_rounds):
        path.write_bytes(mutated(SEEDS[name], f"{name} {number}"))
        task = Task(str(path), str(folder / str(number)), str(path))
        outcomes = run_job(task, Work(Settings(bandwidth=60), Output(folder), reading))
        written = {file.name for file in folder.iterdir()}
        assert outcomes, number
        for outcome in outcomes:
            if outcome.status == "failed":
                assert "\n" not in outcome.error
                assert "; " in outcome.error, (number, outcome.error)
                assert "unforeseen" not in outcome.error, (number, outcome.error)
            for output in outcome.outputs:
                Image.open(output).load()
                written.discard(output.rpartition("/")[2])
        assert not {file for file in written if file.startswith((f"{number}_", "."))}
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", SEEDS)
def test_seeds_are_whole(name, tmp_path):
    """The files that are damaged above are fine without damage."""
    path = tmp_path / "input"
    path.write_bytes(SEEDS[name])
    task = Task(str(path), str(tmp_path / "out"), str(path))
    outcomes = run_job(task, Work(Settings(bandwidth=60), Output(tmp_path), LIMIT))
    assert {outcome.status for outcome in outcomes} == {"ok"}


@pytest.mark.parametrize("name", ["png", "png palette", "gif", "tiff lzw", "ico", "webp"])
def test_damaged_masks(name, tmp_path, fuzz_rounds):
    """A damaged file that is read as a mask gives one, or the error of a file, and no other."""
    path = tmp_path / "mask"
    for number in range(4 * fuzz_rounds):
        path.write_bytes(mutated(SEEDS[name], f"mask {name} {number}"))
        mask, said = attempted(lambda: read_mask(path), ImageFileError)
        if mask is None:
            assert "; " in said, number
        else:
            assert (mask.ndim, mask.dtype) == (2, np.bool_)
