import numpy as np
from numpy.typing import NDArray

def count_by_table(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]: ...
def count_by_sorting(
    pixels: NDArray[np.uint8],
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.int32]]: ...
def colors_of(keys: NDArray[np.uint32]) -> NDArray[np.uint8]: ...
def look_up(
    pixels: NDArray[np.uint8],
    table: NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.int32],
    labels: NDArray[np.int32],
) -> None: ...
def add_by_label(
    points: NDArray[np.uint8] | NDArray[np.float64],
    weights: NDArray[np.float64],
    labels: NDArray[np.int32],
    sums: NDArray[np.float64],
) -> None: ...
def z_keys(
    points: NDArray[np.float64], low: NDArray[np.float64], scale: NDArray[np.float64], bits: int
) -> NDArray[np.uint64]: ...
