import numpy as np
from numpy.typing import NDArray

def weighted_products(
    columns: NDArray[np.float64], weights: NDArray[np.float64], products: NDArray[np.float64]
) -> None: ...
def rotate_to_axes(matrix: NDArray[np.float64], axes: NDArray[np.float64], sweeps: int) -> None: ...
