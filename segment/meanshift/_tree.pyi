import numpy as np
from numpy.typing import NDArray

from segment.meanshift._climb import Walk

class Tree:
    size: int
    dim: int
    units: float
    def __init__(self, points: NDArray[np.float64], weights: NDArray[np.float64]) -> None: ...
    def walk(self, bandwidth: float, gaussian: bool) -> Walk: ...

def add_balls(
    tree: Tree, centers: NDArray[np.float64], bandwidth: float, sums: NDArray[np.float64]
) -> None: ...
def add_boxes(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    box_sums: NDArray[np.float64],
    places: NDArray[np.float64],
    bandwidth: float,
    cut: NDArray[np.uint8],
    sums: NDArray[np.float64],
) -> None: ...
def suppress(
    tree: Tree,
    rank: NDArray[np.intp],
    bandwidth: float,
    kept: NDArray[np.uint8],
    owner: NDArray[np.int32],
) -> None: ...
def nearest(
    tree: Tree,
    modes: NDArray[np.float64],
    labels: NDArray[np.int32],
    distances2: NDArray[np.float64],
) -> None: ...
