"""Arrays as the sources of scenes."""

import numpy as np

from segment.bands import Band


class ArraySource:
    """A raster in memory; alpha last where it is said."""

    geo, resolution, profile, warnings, several = (), None, None, (), False
    colors, alpha_is_sure = "stored", False

    def __init__(self, image, alpha=False, visible=None, preferred_rows=1):
        self.values = image.reshape(*image.shape[:2], -1)
        self.height, self.width, count = self.values.shape
        kind, bits = str(self.values.dtype), self.values.dtype.itemsize * 8
        self.bands = tuple(
            Band(number, f"band_{number}", kind, bits, is_alpha=alpha and number == count)
            for number in range(1, count + 1)
        )
        self.preferred_rows = preferred_rows
        self.visible = visible
        self.reads = []

    def read(self, top, bottom, bands):
        self.reads.append((top, bottom))
        visible = None if self.visible is None else self.visible[top:bottom]
        return np.ascontiguousarray(self.values[top:bottom][:, :, list(bands)]), visible

    def check(self):
        pass

    def close(self):
        pass
