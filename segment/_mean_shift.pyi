import numpy as np
from numpy.typing import NDArray

class Tree:
    size: int
    dim: int
    def __init__(self, points: NDArray[np.float64], weights: NDArray[np.float64]) -> None: ...

class Queue:
    def __init__(self, size: int) -> None: ...

def climb(
    tree: Tree,
    seeds: NDArray[np.float64],
    bandwidth: float,
    max_iter: int,
    queue: Queue,
    ends: NDArray[np.float64],
    weights: NDArray[np.float64],
    n_iter: NDArray[np.int32],
) -> None: ...
def suppress(
    tree: Tree,
    rank: NDArray[np.int32],
    modes: NDArray[np.float64],
    bandwidth: float,
    kept: NDArray[np.uint8],
) -> None: ...
def nearest(
    tree: Tree,
    modes: NDArray[np.float64],
    labels: NDArray[np.int32],
    distances2: NDArray[np.float64],
) -> None: ...
