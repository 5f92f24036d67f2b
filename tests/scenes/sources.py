"""Arrays as the sources of scenes."""

import numpy as np

from segment.bands import Band


class ArraySource:
    """A raster in memory; alpha last where it is said."""

    def __init__(self, image, alpha=False, visible=None):
        self.values = image.reshape(*image.shape[:2], -1)
        self.height, self.width, count = self.values.shape
        kind = str(self.values.dtype)
        self.bands = tuple(
            Band(
                number, "", kind, self.values.dtype.itemsize * 8, is_alpha=alpha and number == count
            )
            for number in range(1, count + 1)
        )
        self.geo, self.resolution, self.profile, self.warnings = (), None, None, ()
        self.preferred_rows = 1
        self.visible = visible

    def read(self, top, bottom, bands):
        visible = None if self.visible is None else self.visible[top:bottom]
        return np.ascontiguousarray(self.values[top:bottom][:, :, list(bands)]), visible

    def close(self):
        pass
