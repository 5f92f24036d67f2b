"""Check what the README's first command wrote: a label map, and its segments in mean colours."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

photo, folder = map(Path, sys.argv[1:])
pixels = np.asarray(Image.open(photo).convert("RGB"))
labels = np.asarray(Image.open(folder / f"{photo.stem}_labels.png"))
segmented = np.asarray(Image.open(folder / f"{photo.stem}_segmented.png").convert("RGB"))

assert labels.shape == pixels.shape[:2], labels.shape
assert np.array_equal(np.unique(labels), np.arange(1, labels.max() + 1)), np.unique(labels)
assert labels.max() > 1, "one segment only"
for label in range(1, labels.max() + 1):
    mean = pixels[labels == label].mean(axis=0)
    painted = np.unique(segmented[labels == label], axis=0)
    assert len(painted) == 1, (label, painted)
    assert np.abs(painted[0] - mean).max() <= 0.5, (label, painted, mean)
print(f"{folder}: {labels.max()} segments in their mean colours")
