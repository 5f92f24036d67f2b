"""Damaged files by strips: values and where they are, or one line, whatever the damage."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from segment.errors import ImageFileError
from segment.photos.opening import open_image
from segment.reading.reading_options import ReadingOptions
from tests.damage import attempted, mutated

VALUES = np.random.default_rng(2).integers(0, 200, (40, 30, 3), np.uint8)
RGB = {"photometric": "rgb", "metadata": None}
KINDS = {
    "tiles": {"tile": (16, 16), "compression": "zlib"},
    "strips": {"rowsperstrip": 7, "compression": "lzw", "predictor": True},
    "plain": {"rowsperstrip": 40},
    "jpeg": {"tile": (16, 16), "compression": "jpeg", "bigtiff": True},
}


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize("kind", [*KINDS, "npy", "png"])
def test_damage(tmp_path, fuzz_rounds, kind, allowed):
    """Each damaged file gives strips of its size, or one line of what is wrong and a way out."""
    pytest.importorskip("rasterio", reason="needs GDAL for what is no TIFF any more")
    whole, path = tmp_path / "whole", tmp_path / "damaged"
    if kind == "npy":
        with whole.open("wb") as file:
            np.save(file, VALUES)
    elif kind == "png":
        with whole.open("wb") as file:
            Image.fromarray(VALUES).save(file, "PNG")
    else:
        tifffile.imwrite(whole, VALUES, **RGB, **KINDS[kind])

    def read():
        source = open_image(path, ReadingOptions(allow_truncated=allowed))
        if source.height * source.width * len(source.bands) > 10**6:
            return 0
        for top in range(0, source.height, 11):
            bottom = min(top + 11, source.height)
            values, visible = source.read(top, bottom, range(len(source.bands)))
            assert values.shape == (bottom - top, source.width, len(source.bands))
            assert visible is None or visible.shape == values.shape[:2]
        return source.height

    for number in range(fuzz_rounds // 3):
        path.write_bytes(mutated(whole.read_bytes(), 1000 + number))
        rows, said = attempted(read, ImageFileError)
        assert (rows is None) != (said is None)
        if said:
            assert "; " in said
            assert "\n" not in said
