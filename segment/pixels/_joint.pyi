import numpy as np
from numpy.typing import NDArray

from segment.pixels._pyramid import Pyramid

class Buckets:
    def __init__(self, modes: NDArray[np.float64], height: int, width: int) -> None: ...

def nearest(
    pyramid: Pyramid,
    buckets: Buckets,
    bandwidth: float,
    limit: float,
    first: int,
    last: int,
    labels: NDArray[np.int32],
) -> None: ...
