"""The least that the command has to do with a large JPEG; a process to be timed.

`python -m benchmarks.floor photo.jpg labels.npy out.png` imports what the command imports,
decodes the photo, packs and counts its colours once, and writes two indexed PNGs: of the
given label map, with the writer's own settings.
"""

import sys

import click  # noqa: F401
import numpy as np
from PIL import Image

from segment.meanshift._points import count_by_table
from segment.results.rasters import PNG

if __name__ == "__main__":
    photo, labels, out = sys.argv[1:]
    count_by_table(np.asarray(Image.open(photo)).reshape(-1, 3))
    for _ in range(2):
        image = Image.fromarray(np.load(labels).astype(np.uint8))
        image.putpalette(bytes(range(256)) * 3)
        image.save(out, **PNG)
