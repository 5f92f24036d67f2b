"""Make the scene of docs/scenes.md: fields, a river, a town, woods, as a satellite sees them.

    python docs/make_scene.py scene.tif [--size 1200]

Four bands of 10 m pixels, blue, green, red and near infrared, reflectances times 10,000 in 16 bits
as Sentinel-2's level 2A has them, on the map in UTM zone 33 N, with a corner without data. Takes
rasterio (extra `geo`). The same numbers every time.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

BANDS = ("blue", "green", "red", "nir")
# Reflectances times 10,000, about as bare soil and crops at several stages have them.
FIELDS = np.array(
    [
        [650, 950, 1300, 2100],
        [900, 1250, 1700, 2500],
        [350, 700, 450, 4300],
        [420, 820, 620, 3600],
        [500, 1000, 900, 3000],
        [300, 620, 380, 4800],
        [700, 1100, 1200, 3200],
    ]
)
WATER, WOOD, TOWN = [450, 480, 300, 180], [230, 420, 260, 2700], [1200, 1300, 1400, 1900]


def scene(size: int) -> NDArray[np.uint16]:
    """Return (4, size, size) reflectances times 10,000; 0 is no data."""
    random = np.random.default_rng(7)
    y, x = np.mgrid[:size, :size].astype(np.float64)
    spectra = _fields(random, x, y, size)
    rough = gaussian_filter(random.standard_normal((size, size)), size / 25)
    spectra[rough > 1.3 * rough.std()] = WOOD
    town = np.hypot(x - size * 0.7, y - size * 0.3) < size * 0.11
    blocks = (x // 9 + y // 7 * 3) % 5
    spectra[town] = np.array(TOWN) * (0.7 + 0.15 * blocks[town, None])
    middle = size * (0.35 + 0.12 * np.sin(x / size * 7) + 0.05 * np.sin(x / size * 19))
    spectra[np.abs(y - middle) < size * 0.012] = WATER
    texture = gaussian_filter(random.standard_normal((size, size)), 1.5)
    spectra *= 1 + 0.25 * texture[:, :, None]
    spectra += random.normal(0, 25, spectra.shape)
    values = np.rint(spectra).clip(1, 10_000).astype(np.uint16)
    values[x + y < size * 0.12] = 0  # where the satellite's swath ends
    return np.ascontiguousarray(values.transpose(2, 0, 1))


def _fields(
    random: np.random.Generator, x: NDArray[np.float64], y: NDArray[np.float64], size: int
) -> NDArray[np.float64]:
    """Return (size, size, 4): long fields, each of one crop."""
    slant = np.stack([x * 0.9 + y * 0.3, (y * 0.9 - x * 0.3) * 2.2], axis=-1)
    places = random.uniform(-1, 3, (max(40, size * size // 3000), 2)) * size
    _, field = cKDTree(places).query(slant)
    crops = FIELDS[random.integers(len(FIELDS), size=len(places))]
    return np.asarray((crops * random.normal(1, 0.06, (len(places), 1)))[field])


def main() -> None:
    import rasterio
    from rasterio.transform import from_origin

    parser = argparse.ArgumentParser(description="Make the scene of docs/scenes.md.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--size", type=int, default=1200, help="rows and columns; default 1200")
    options = parser.parse_args()
    values = scene(options.size)
    place = {"crs": "EPSG:32633", "transform": from_origin(399_960, 5_300_040, 10, 10)}
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    shape = {"count": len(BANDS), "height": options.size, "width": options.size}
    with rasterio.open(
        options.path, "w", driver="GTiff", dtype="uint16", nodata=0, **shape, **place, **layout
    ) as file:
        file.write(values)
        file.descriptions = BANDS


if __name__ == "__main__":
    main()
