from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.meanshift._climb import Walk

class Pyramid:
    top: int
    height: int
    width: int
    channels: int
    spatial_unit: float
    range_unit: float
    units: NDArray[np.float64]
    def __init__(
        self,
        image: NDArray[Any],
        visible: NDArray[np.uint8],
        spatial_unit: float,
        range_unit: float,
        largest: float,
        top: int,
        image_height: int,
    ) -> None: ...
    def groups(self, level: int) -> int: ...
    def fill(self, first: int, last: int) -> None: ...
    def finish(self) -> None: ...
    def walk(self, bandwidth: float, gaussian: bool) -> Walk: ...
