"""Damaged files of every format: a segmentation or one line, whatever the damage.

`--fuzz-rounds N` mutates each file N times; the mutations follow from their number alone, so
that what fails once fails again.
"""

import io
import random
from importlib.util import find_spec

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from segment.reading.picture import ReadingOptions
from segment.results.outputs import Output
from segment.running.job import run_job
from segment.running.plan import Task, Work
from segment.settings import Settings
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


def mutated(content, seed):
    """Flip, cut, repeat, exchange and overwrite bytes, a few times; mostly near the header."""
    chance = random.Random(seed)
    data = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 5])):
        reach = len(data) if chance.random() < 0.5 else min(len(data), 120)
        at, size = chance.randrange(max(1, reach)), chance.choice([1, 2, 4, 8, 40])
        kind = chance.randrange(6)
        if kind == 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            data[at : at + 4] = chance.choice([b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff"])
        elif kind == 2:
            del data[at + size :]
        elif kind == 3:
            del data[at : at + size]
        elif kind == 4:
            data[at:at] = data[at : at + size] * chance.choice([1, 3, 100])
        else:
            data[at : at + size] = chance.randbytes(size)
    return bytes(data)


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
