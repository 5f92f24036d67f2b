"""How much is held while strips are read and written."""

import tracemalloc

import numpy as np
import pytest
import tifffile

from segment.raster.opening import open_sink, open_source
from segment.reading.picture import Kept
from segment.threads import available_cores
from segment.tiff import window

HEIGHT, WIDTH = 1024, 1024  # RGB: 3 MiB
TILE = 128 * 128 * 3


@pytest.fixture
def traced():
    """Count what Python and NumPy allocate."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("tile", [None, (128, 128)], ids=["strips", "tiles"])
def test_a_strip_takes_itself_and_a_few_tiles(tmp_path, monkeypatch, traced, compression, tile):
    """To read a strip takes what is returned, and a few tiles on each core beside it."""
    monkeypatch.setattr(window, "AT_ONCE", TILE)
    rows = np.random.default_rng(1).integers(0, 9, (256, WIDTH, 3), np.uint8)
    values = np.tile(rows, (HEIGHT // 256, 1, 1))
    options = {"tile": tile} if tile else {"rowsperstrip": 16 if compression else HEIGHT}
    tifffile.imwrite(tmp_path / "a.tif", values, compression=compression, **options)
    source = open_source(tmp_path / "a.tif")
    del values
    source.read(0, 10, [0, 1, 2])
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    got, _ = source.read(400, 900, [0, 1, 2])
    peak = tracemalloc.get_traced_memory()[1] - before
    assert np.array_equal(got[112:368], rows)
    assert got.nbytes < peak < got.nbytes + available_cores() * 4 * TILE


@pytest.mark.parametrize("overviews", [False, True])
def test_a_sink_takes_some_rows_of_tiles(tmp_path, traced, overviews):
    """To write takes a few rows of tiles, however high the image is, and overviews no more."""
    peaks = []
    for height in (1536, 2560):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        rows = np.arange(100 * WIDTH, dtype=np.uint32).reshape(100, WIDTH)
        with open_sink(
            tmp_path / "a.tif", height, WIDTH, np.uint32, Kept(), overviews=overviews
        ) as sink:
            for top in range(0, height, 100):
                sink.write(top, rows[: height - top])
            sink.finish()
        peaks.append(tracemalloc.get_traced_memory()[1] - before)
    assert max(peaks) < 4 * 512 * WIDTH * 4  # rows of tiles
    assert peaks[1] < 1.2 * peaks[0]
