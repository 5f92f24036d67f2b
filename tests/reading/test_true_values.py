"""Files of each format in all the ways that it has: true values, or a refusal by name.

Each is tried on a plain install and with the extras. What a plain install cannot read it must
refuse with what would; nothing may come out otherwise than it was stored.
"""

import io
import itertools
import re

import numpy as np
import pytest
from PIL import Image

from segment.errors import ImageFileError
from tests.decoding.written import (
    bmp,
    by_pillow,
    on_a_plain_install,
    picture,
    png,
    psd,
    tga,
)
from tests.drawn import chunk

CHANCE = np.random.default_rng(11)
HEIGHT, WIDTH = 7, 13
REFUSAL = r"pip install 'meanshift-segment\[(formats|fits)\]'"


def samples(bits, channels=1):
    """Random samples with black and white among them, (H, W, C)."""
    values = CHANCE.integers(0, 2**bits, (HEIGHT, WIDTH, channels))
    values[0, :2] = [[0], [2**bits - 1]]
    return values


def spread(values, bits):
    """Samples of some bits over all that 8 or 16 have."""
    top = 255 if bits <= 8 else 65535
    return np.rint(values * (top / (2**bits - 1))).astype(np.uint8 if bits <= 8 else np.uint16)


def pngs():
    """Every colour type in every depth, with a transparent colour and without."""
    for bits, color in [
        *itertools.product((1, 2, 4, 8, 16), (0,)),
        *itertools.product((8, 16), (2, 4, 6)),
    ]:
        values = samples(bits, {0: 1, 2: 3, 4: 2, 6: 4}[color])
        expected = spread(values, bits)
        yield f"png {color} {bits}", png(values, bits, color), expected
        if color in (0, 2):
            key = values[3, 3]
            transparent = chunk(b"tRNS", key.astype(">u2").tobytes())
            alpha = (values != key).any(axis=2) * expected.dtype.type(-1 % (1 << max(bits, 8)))
            content = png(values, bits, color, transparent)
            yield f"png {color} {bits} tRNS", content, np.dstack([expected, alpha])
    for bits in (1, 2, 4, 8):
        table = CHANCE.integers(0, 256, (2**bits, 3)).astype(np.uint8)
        numbers = samples(bits)
        content = png(numbers, bits, 3, chunk(b"PLTE", table.tobytes()))
        yield f"png palette {bits}", content, table[numbers[..., 0]]


def psds():
    """Modes, depths, packing, channels beside the picture, layers, the large kind."""
    kinds = itertools.product((1, 3), (8, 16), (False, True), (0, 1, 2), (0, 3, -3), (False, True))
    for mode, bits, packed, extra, layers, long in kinds:
        planes = np.moveaxis(samples(bits, mode + extra), -1, 0)
        shown = mode + (layers < 0 and extra > 0)
        expected = spread(np.moveaxis(planes[:shown], 0, -1), bits)
        name = f"psd {mode} {bits} {'packed' if packed else 'raw'} +{extra} {layers} {long}"
        yield name, psd(planes, mode, bits, packed, layers, long), expected


def tgas():
    """Grey, grey and alpha, RGB and RGBA; from both ends; packed and not; bits called alpha."""
    for mode, rle, up in itertools.product(("L", "LA", "RGB", "RGBA"), (False, True), (-1, 1)):
        values = samples(8, len(mode)).astype(np.uint8)
        image = Image.fromarray(values.squeeze())
        yield f"tga {mode} {rle} {up}", by_pillow(image, "TGA", rle=rle, orientation=up), values
    for channels, kind in ((2, 3), (4, 2)):
        stored = samples(8, channels).astype(np.uint8)
        expected = stored[..., [2, 1, 0]] if channels == 4 else stored[..., :1]
        yield f"tga {channels} without alpha", tga(stored, 0, kind), expected


def bmps():
    """Rows from both ends, masks that Pillow knows and others, headers of all lengths."""
    masks = {
        "555": (16, (0x7C00, 0x3E0, 0x1F)),
        "565": (16, (0xF800, 0x7E0, 0x1F)),
        "444": (16, (0xF00, 0xF0, 0xF)),
        "888": (32, (0xFF0000, 0xFF00, 0xFF)),
        "shifted": (32, (0xFF << 18, 0xFF << 9, 0xFF)),
    }
    for (name, (bits, parts)), top_down, header in itertools.product(
        masks.items(), (False, True), (40, 108, 124)
    ):
        numbers = samples(bits)[..., 0]
        expected = np.dstack([(numbers & part) / part * 255 for part in parts])
        yield (
            f"bmp {name} {top_down} {header}",
            bmp(numbers, bits, parts, top_down, header),
            expected,
        )
    for bits, top_down in itertools.product((24, 32), (False, True)):
        numbers = samples(24)[..., 0]
        expected = np.dstack([numbers >> 16, numbers >> 8 & 255, numbers & 255])
        yield f"bmp {bits} {top_down}", bmp(numbers, bits, top_down=top_down), expected
    for mode in ("1", "L", "P"):
        image = Image.fromarray(samples(8, 3).astype(np.uint8)).convert(mode)
        expected = np.asarray(image.convert("L" if mode == "1" else {"P": "RGB"}.get(mode, mode)))
        yield f"bmp {mode}", by_pillow(image, "BMP"), expected


def jpeg_2000s():
    """Colours and grey of every depth, bare and in boxes."""
    imagecodecs = pytest.importorskip("imagecodecs")
    for channels, bits, kind in itertools.product((1, 3), range(1, 17), ("jp2", "j2k")):
        values = samples(bits, channels).astype(np.uint8 if bits <= 8 else np.uint16)
        options = {"level": 0, "reversible": True, "bitspersample": bits, "codecformat": kind}
        content = imagecodecs.jpeg2k_encode(values.squeeze(), resolutions=1, **options)
        yield f"jpeg 2000 {channels} {bits} {kind}", content, spread(values, bits)
    for mode in ("L", "LA", "RGB", "RGBA"):
        values = samples(8, len(mode)).astype(np.uint8)
        yield f"jpeg 2000 {mode}", by_pillow(Image.fromarray(values.squeeze()), "JPEG2000"), values


def fitses():
    """Types, tiles, and a scale of its own."""
    fits = pytest.importorskip("astropy.io.fits")
    types, tiles = ("u1", "i2", "u2", "i4", "f4", "f8"), (None, "GZIP_1", "RICE_1", "HCOMPRESS_1")
    for dtype, tile, scaled in itertools.product(types, tiles, (False, True)):
        values = samples(8)[..., 0].astype(dtype)
        options = {"quantize_level": 0} if dtype[0] == "f" else {}
        if tile and tile != "GZIP_1" and dtype[0] == "f":
            continue  # of these some values are lost
        unit = (
            fits.CompImageHDU(values, compression_type=tile, **options)
            if tile
            else fits.ImageHDU(values)
        )
        if scaled and dtype in ("u1", "i2", "i4"):
            unit.header.update({"BSCALE": 0.25, "BZERO": 40})
            values = values * 0.25 + 40
        content = io.BytesIO()
        fits.HDUList([fits.PrimaryHDU(), unit]).writeto(content)
        top = 65535 if dtype == "u2" else 255
        yield f"fits {dtype} {tile} {scaled}", content.getvalue(), values[::-1] / top


MATRIX = {
    "png": pngs,
    "psd": psds,
    "tga": tgas,
    "bmp": bmps,
    "jpeg 2000": jpeg_2000s,
    "fits": fitses,
}


def fractions(pixels):
    """Pixels from 0 to 1, (H, W, C)."""
    top = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1
    return pixels.reshape(HEIGHT, WIDTH, -1) / top


@pytest.mark.parametrize("plain", [False, True], ids=["extras", "plain"])
@pytest.mark.parametrize("name", MATRIX)
def test_true_values_or_a_refusal(tmp_path, monkeypatch, name, plain):
    """With the extras all have true values; a plain install names what would read the rest."""
    files = list(MATRIX[name]())
    if plain:
        on_a_plain_install(monkeypatch)
    wrong, refused = [], []
    for what, content, expected in files:
        try:
            pixels = fractions(picture(tmp_path, content).pixels)
        except ImageFileError as error:
            refused.append(f"{what}: {error}")
            continue
        top = 255 if name == "bmp" or expected.dtype == np.uint8 else 1
        true = expected.reshape(HEIGHT, WIDTH, -1) / (65535 if expected.dtype == np.uint16 else top)
        tolerance = 1 / 255 if name == "bmp" else 1e-6
        if true.shape != pixels.shape or np.abs(true - pixels).max() >= tolerance:
            wrong.append(what)
    assert not wrong
    assert all(plain and re.search(REFUSAL, line) for line in refused), refused
    assert len(refused) < len(files) or name == "fits"
