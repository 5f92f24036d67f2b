import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float64]

def count_borders(
    regions: NDArray[np.int32], diagonal: bool, counts: NDArray[np.int64]
) -> None: ...
def list_borders(
    regions: NDArray[np.int32],
    values: Values,
    reach: int,
    diagonal: bool,
    end: NDArray[np.int64],
    places: NDArray[np.int32],
    steps: NDArray[np.float32],
) -> None: ...
def merge_cheapest(
    regions: NDArray[np.int32],
    sums: NDArray[np.float64],
    heap: NDArray[np.uint64],
    places: NDArray[np.int32],
    steps: NDArray[np.float32],
    first: NDArray[np.int64],
    end: NDArray[np.int64],
    limit: float,
) -> NDArray[np.int32]: ...
