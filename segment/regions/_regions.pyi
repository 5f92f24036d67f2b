import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float64]

def number_band(
    labels: NDArray[np.int32],
    numbers: NDArray[np.int32],
    parents: NDArray[np.int32],
    top: int,
    bottom: int,
    diagonal: bool,
) -> int: ...
def join_rows(
    labels: NDArray[np.int32],
    numbers: NDArray[np.int32],
    parents: NDArray[np.int32],
    y: int,
    diagonal: bool,
) -> None: ...
def number_roots(parents: NDArray[np.int32], first: int, end: int, count: int) -> int: ...
def replace(numbers: NDArray[np.int32], table: NDArray[np.int32]) -> None: ...
def add_up(regions: NDArray[np.int32], values: Values, sums: NDArray[np.float64]) -> None: ...
def add_squares(
    regions: NDArray[np.int32],
    values: Values,
    means: NDArray[np.float64],
    squares: NDArray[np.float64],
) -> None: ...
def find_extremes(
    regions: NDArray[np.int32],
    values: Values,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> None: ...
def outline(regions: NDArray[np.int32], first: int, table: NDArray[np.int64]) -> None: ...
def unite_pairs(parents: NDArray[np.int32], pairs: NDArray[np.int32]) -> None: ...
def meet_neighbors(
    regions: NDArray[np.int32],
    top: int,
    diagonal: bool,
    small: NDArray[np.uint8],
    last: NDArray[np.int32],
    end: NDArray[np.int64],
    neighbors: NDArray[np.int32],
) -> None: ...
def absorb_of_size(
    pairs: NDArray[np.int32], parents: NDArray[np.int32], sums: NDArray[np.float64], size: float
) -> None: ...
def absorb_small(
    neighbors: NDArray[np.int32],
    first: NDArray[np.int64],
    end: NDArray[np.int64],
    sums: NDArray[np.float64],
    min_size: float,
) -> NDArray[np.int32]: ...
