import numpy as np
from numpy.typing import NDArray

class Walk: ...

class Queue:
    def __init__(self, size: int, threads: int) -> None: ...

def climb(
    walk: Walk,
    places: NDArray[np.float64],
    max_iter: int,
    queue: Queue,
    thread: int,
    which: NDArray[np.int32],
    moves: NDArray[np.int32],
    share: NDArray[np.int32],
) -> None: ...
def ends_of(walk: Walk) -> NDArray[np.float64]: ...
