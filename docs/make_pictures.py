"""Make the pictures of the README and of choosing.md: `python docs/make_pictures.py`."""

from pathlib import Path

import numpy as np
from PIL import Image

from segment import segment_image
from segment.results.sweep import sweep
from segment.settings import Settings

ROOT = Path(__file__).parents[1]


def before_after() -> Image.Image:
    """Return the photo of the README's first command, and beside it what it makes."""
    photo = np.asarray(Image.open(ROOT / "sample_images" / "coffee.png"))
    return Image.fromarray(np.hstack([photo, segment_image(photo, quantile=0.1).recolored()]))


def sweep_sheet() -> Image.Image:
    """Return the sheet of the first command in choosing.md."""
    photo = np.asarray(Image.open(ROOT / "sample_images" / "coffee.png"))
    choices = [Settings(quantile=quantile) for quantile in (0.02, 0.05, 0.1, 0.2, 0.4)]
    return sweep(photo, choices)[1].quantize(256, dither=Image.Dither.NONE)


if __name__ == "__main__":
    sweep_sheet().save(ROOT / "docs" / "sweep.png")
    before_after().save(ROOT / "docs" / "before_after.png", optimize=True)
