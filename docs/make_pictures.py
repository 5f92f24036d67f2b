"""Make the pictures of the README and of pages on it: `python -m docs.make_pictures`."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import maximum_filter

from docs.make_scene import scene
from segment import hierarchy, segment_image
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


def hierarchy_sheet() -> Image.Image:
    """Return the picture of hierarchy.md: photo, ultrametric map, cuts at four levels."""
    photo = np.asarray(Image.open(ROOT / "sample_images" / "coffee.png"))
    tree = hierarchy(photo)
    shade = 255 - (tree.boundaries() / tree.merges[-1, 2] * 255).astype(np.uint8)
    widest = maximum_filter(255 - shade, 3)  # lines of one pixel are lost at half the size
    cuts = [tree.cut(level).boundaries() for level in (0.4, 0.7, 1.0, 1.4)]
    upper = [photo, np.repeat(255 - widest[..., None], 3, axis=2), cuts[0]]
    sheet = np.vstack([np.hstack(upper), np.hstack(cuts[1:])])
    return Image.fromarray(sheet).reduce(2).quantize(256, dither=Image.Dither.NONE)


def scene_sheet() -> Image.Image:
    """Return the picture of scenes.md: near infrared, red and green, and the outlines over it."""
    bands = scene(1200).transpose(1, 2, 0)[:, :, [3, 2, 1, 0]]
    there = bands.all(axis=2)
    found = segment_image(bands, alpha=False, mask=there, bandwidth=6, connected=True, min_size=100)
    low, high = (np.percentile(bands[there][:, :3], share, axis=0) for share in (2, 98))
    shown = ((bands[:, :, :3] - low) / (high - low) * 255).clip(0, 255).astype(np.uint8)
    outlines = found.boundaries(np.where(there[..., None], shown, 255))
    return Image.fromarray(outlines[130:530, 460:1060]).quantize(256, dither=Image.Dither.NONE)


if __name__ == "__main__":
    scene_sheet().save(ROOT / "docs" / "scene.png", optimize=True)
    hierarchy_sheet().save(ROOT / "docs" / "hierarchy.png", optimize=True)
    sweep_sheet().save(ROOT / "docs" / "sweep.png")
    before_after().save(ROOT / "docs" / "before_after.png", optimize=True)
