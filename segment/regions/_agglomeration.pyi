import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

def merge_pairs(
    borders: NDArray[np.int32],
    strength: Floats,
    length: Floats,
    features: Floats,
    size: Floats,
    total: float,
    weight: float,
    enough: float,
    roots: int,
    most: int,
    merges: Floats,
) -> int: ...
