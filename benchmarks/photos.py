"""The photos that are measured: a folder of the user's, or cuts of the samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SAMPLES = Path(__file__).parents[1] / "sample_images"
WIDTH, HEIGHT = 481, 321  # of a BSDS500 photo: 154,401 pixels


def photos(folder: Path | None, count: int) -> list[np.ndarray]:
    """Read the first so many JPEGs of a folder, or cut as many from the sample images."""
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
    """Cuts from all over the samples, from each in turn, every second one at half the size."""
    generator = np.random.default_rng(0)
    images = [Image.open(path).convert("RGB") for path in _samples()]
    cuts = []
    while len(cuts) < count:
        image = images[len(cuts) % len(images)]
        if len(cuts) % 2 and image.width >= 2 * WIDTH and image.height >= 2 * HEIGHT:
            image = image.reduce(2)
        scale = max(WIDTH / image.width, HEIGHT / image.height, 1)
        image = image.resize((round(image.width * scale), round(image.height * scale)))
        left = int(generator.integers(image.width - WIDTH + 1))
        top = int(generator.integers(image.height - HEIGHT + 1))
        cuts.append(np.asarray(image.crop((left, top, left + WIDTH, top + HEIGHT))))
    return cuts
