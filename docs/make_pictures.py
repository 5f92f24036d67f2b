"""Make the pictures of the README: `python docs/make_pictures.py`."""

from pathlib import Path

import numpy as np
from PIL import Image

from segment import segment_image

ROOT = Path(__file__).parents[1]


def before_after() -> Image.Image:
    """Return the photo of the README's first command, and beside it what it makes."""
    photo = np.asarray(Image.open(ROOT / "sample_images" / "coffee.png"))
    return Image.fromarray(np.hstack([photo, segment_image(photo, quantile=0.1).recolored()]))


if __name__ == "__main__":
    before_after().save(ROOT / "docs" / "before_after.png", optimize=True)
