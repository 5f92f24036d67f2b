import numpy as np
from numpy.typing import NDArray

def count_by_table(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]: ...
def count_by_sorting(
    pixels: NDArray[np.uint8],
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.int32]]: ...
def add_colors(
    pixels: NDArray[np.uint8], counters: NDArray[np.uint32] | NDArray[np.uint64]
) -> None: ...
def colors_of(keys: NDArray[np.uint32]) -> NDArray[np.uint8]: ...
def keys_of(colors: NDArray[np.uint8]) -> NDArray[np.uint32]: ...
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
def insert_rows(
    rows: NDArray[np.uint64],
    start: int,
    slots: NDArray[np.uint64],
    kept: NDArray[np.uint64],
    found: int,
    adds: NDArray[np.int64],
    counts: NDArray[np.int64],
    places: NDArray[np.int32],
) -> tuple[int, int]: ...
def fill_slots(kept: NDArray[np.uint64], found: int, slots: NDArray[np.uint64]) -> None: ...
def find_rows(
    rows: NDArray[np.uint64],
    slots: NDArray[np.uint64],
    kept: NDArray[np.uint64],
    places: NDArray[np.int32],
) -> None: ...
