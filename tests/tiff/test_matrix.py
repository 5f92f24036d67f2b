"""A matrix of TIFFs by two writers: true values or a clear refusal, with imagecodecs or without."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

pytest.importorskip("rasterio", reason="needs GDAL as a writer, of the extra 'test'")
pytest.importorskip("imagecodecs", reason="needs tifffile's codecs, of the extra 'test'")

from segment.raster.steady_file import SteadyFile
from segment.tiff import window
from segment.tiff.samples import read_samples
from tests.tiff.matrix import write_by_gdal, write_by_tifffile

READ_ALL = """
import pickle, sys
from pathlib import Path
if sys.argv[2] == "plain":
    sys.modules["imagecodecs"] = None  # as if it were not installed
from segment.errors import ImageFileError
from segment.reading.files import read_pages
read = {}
for path in Path(sys.argv[1]).glob("*.tif"):
    try:
        (picture,) = read_pages(path)
        read[path.stem] = (picture.pixels, picture.visible, picture.scene is not None)
    except ImageFileError as error:
        read[path.stem] = str(error)
sys.stdout.buffer.write(pickle.dumps(read))
"""
WRITERS = {"gdal": write_by_gdal, "tifffile": write_by_tifffile}


@pytest.fixture(scope="module", params=WRITERS)
def matrix(request, tmp_path_factory):
    """The files of a writer, what is read of them on each install, and where they are."""
    folder = tmp_path_factory.mktemp(request.param)
    kinds = WRITERS[request.param](folder)
    read = {}
    for install in ("plain", "formats"):
        command = [sys.executable, "-c", READ_ALL, str(folder), install]
        done = subprocess.run(
            command, check=True, capture_output=True, cwd=Path(__file__).parents[2]
        )
        read[install] = pickle.loads(done.stdout)
    return kinds, read, folder


def seen(kind):
    """What a file shows, slowly and plainly: colours from 0 to 1, and which pixels are visible."""
    values = kind.values.astype(np.float64)
    alpha = values[:, :, -1] if kind.alpha else None
    colors = values[:, :, :-1] if kind.alpha else values
    if kind.photometric != "separated":
        colors = colors[:, :, :3] if colors.shape[2] >= 3 else colors[:, :, :1]
    visible = ~kind.missing if kind.missing is not None else np.ones(colors.shape[:2], bool)
    top = (1 << kind.bits) - 1
    if kind.values.dtype.kind == "u" and kind.bits <= 16:
        colors = colors / top
    elif colors[visible].min() < 0 or colors[visible].max() > 1:
        low, high = colors[visible].min(), colors[visible].max()
        assert low < 0 or high > 255, "drawn values are stretched"
        colors = (colors - low) / (high - low)
    if kind.photometric == "miniswhite":
        colors = 1 - colors
    if kind.photometric == "separated":
        colors = (1 - colors[:, :, :3]) * (1 - colors[:, :, 3:])
    return colors, visible if alpha is None else visible & (alpha > 0)


@pytest.mark.parametrize("install", ["plain", "formats"])
def test_each_file_is_true_or_refused(matrix, install):
    """Every file comes with its true values, or a rare one with what it takes to read it."""
    kinds, read, _ = matrix
    assert len(kinds) > 200
    wrong = []
    for kind in kinds:
        got = read[install][kind.name]
        if isinstance(got, str):
            plugin = "pip install 'meanshift-segment[formats]'" in got
            if not (kind.rare and plugin and install == "plain"):
                wrong.append((kind.name, got))
            continue
        wrong += [(kind.name, said) for said in differences(kind, got)]
    assert not wrong, f"{len(wrong)} of {len(kinds)}: {wrong[:9]}"


def differences(kind, got):
    """What of pixels is not what the file shows, or of a scene, what it holds."""
    pixels, shown, is_scene = got
    colors, visible = seen(kind)
    if is_scene:
        if not np.array_equal(np.ones(visible.shape, bool) if shown is None else shown, visible):
            yield "other pixels are visible"
        bands = kind.values[:, :, :-1] if kind.alpha else kind.values
        farthest = np.abs(pixels.astype(np.float64) - bands)[visible].max()
        if pixels.dtype != bands.dtype or farthest > kind.loss:
            yield f"differs by {farthest}"
        return
    pixels = pixels if pixels.ndim == 3 else pixels[:, :, None]
    has_alpha = pixels.shape[2] in (2, 4)
    alpha = pixels[:, :, -1] > 0 if has_alpha else np.ones(visible.shape, bool)
    if not np.array_equal(alpha, visible):
        yield "other pixels are visible"
    shown = pixels[:, :, : pixels.shape[2] - has_alpha].astype(np.float64)
    shown = shown / (np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1)
    if shown.shape != colors.shape:
        yield f"{shown.shape} for {colors.shape}"
        return
    rounding = {"u1": 1.01 / 255, "u2": 1.01 / 65535}.get(pixels.dtype.str[1:], 1e-6)
    farthest = np.abs(shown - colors)[visible].max()
    if farthest > max(kind.loss / 255, rounding if kind.bits not in (8, 16) else rounding / 1.9):
        yield f"differs by {farthest}"


def test_any_window_of_each_file_is_what_stands_there(matrix, monkeypatch):
    """Rows and channels by chance, decoded few bytes at a time, are those of the whole page."""
    monkeypatch.setattr(window, "AT_ONCE", 200)
    chance, wrong = np.random.default_rng(1), []
    for path in sorted(matrix[2].glob("*.tif")):
        steady = SteadyFile(path)
        with steady.opened() as file, tifffile.TiffFile(file) as tiff:
            page = tiff.pages[0]
            values = read_samples(page, file, False).values
            rows = window.PageRows(page, steady.size)
        top = int(chance.integers(len(values)))
        bottom = int(chance.integers(top + 1, len(values) + 1))
        channels = chance.permutation(values.shape[2])[: chance.integers(1, 5)].tolist()
        got = rows.read(steady.opened, top, bottom, channels)
        expected = values[top:bottom][:, :, channels]
        same = np.array_equal(got.values, expected, equal_nan=expected.dtype.kind == "f")
        if not same or got.values.dtype != expected.dtype or got.damaged:
            wrong.append(path.name)
    assert not wrong
