"""The photos that are measured: a folder of the user's, or cuts of photos that packages bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data
from sklearn.datasets import load_sample_image

SAMPLES = Path(__file__).parents[1] / "sample_images"
WIDTH, HEIGHT = 481, 321  # of a BSDS500 photo: 154,401 pixels


def photos(folder: Path | None, count: int) -> list[np.ndarray]:
    """Read the first so many JPEGs of a folder, or cut as many from bundled ones."""
    if folder is None:
        return _cuts(count)
    paths = sorted(folder.glob("*.jpg"))[:count]
    if len(paths) < count:
        raise SystemExit(f"{folder}: expected at least {count} .jpg files, found {len(paths)}")
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def large_photo(path: Path) -> None:
    """Write the largest sample as a JPEG of 4000 x 3000 pixels."""
    Image.open(_samples()[0]).convert("RGB").resize((4000, 3000), Image.Resampling.LANCZOS).save(
        path, quality=92
    )


def _samples() -> list[Path]:
    """The samples, largest first."""
    paths = [path for path in SAMPLES.iterdir() if path.suffix in (".jpg", ".png")]
    return sorted(paths, key=lambda path: (-np.prod(Image.open(path).size), path.name))


def _cuts(count: int) -> list[np.ndarray]:
    """Cuts from all over photos that scikit-image and scikit-learn bundle, from each in turn.

    As much texture as photos from a camera have: see `texture`.
    """
    generator = np.random.default_rng(0)
    photos = [
        load_sample_image("china.jpg"),
        data.stereo_motorcycle()[0],
        data.astronaut(),
        data.immunohistochemistry(),
        data.coffee(),
    ]
    cuts = []
    while len(cuts) < count:
        photo = photos[len(cuts) % len(photos)]
        top = int(generator.integers(len(photo) - HEIGHT + 1))
        left = int(generator.integers(photo.shape[1] - WIDTH + 1))
        cuts.append(np.ascontiguousarray(photo[top : top + HEIGHT, left : left + WIDTH]))
    return cuts


def texture(images: list[np.ndarray]) -> tuple[float, float]:
    """Medians over the images: the mean gradient of the grey values, and the distinct colours."""
    steps, colors = [], []
    for image in images:
        down, across = np.gradient(image.mean(axis=2))
        steps.append(np.hypot(down, across).mean())
        colors.append(len(np.unique(image.reshape(-1, 3), axis=0)))
    return float(np.median(steps)), float(np.median(colors))
