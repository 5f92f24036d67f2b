import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

def filter_rows(
    plane: Plane, across: Plane, downwards: Plane, out: Plane, start: int, stop: int
) -> None: ...
def add_gradient_rows(
    plane: Plane, smooth: Plane, slope: Plane, tensor: Plane, start: int, stop: int
) -> None: ...
