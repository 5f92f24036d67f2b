# cython: language_level=3, embedsignature=True
"""The instruction set that the kernels use: the best that the processor has.

MEANSHIFT_SEGMENT_SIMD names a lower one, for tests and measurements. The results are the same.
"""
import os

from segment.errors import InvalidInputError

cdef extern from "_instructions.h" nogil:
    const char *const *SET_NAMES
    int sets_here()

VARIABLE = "MEANSHIFT_SEGMENT_SIMD"
AVAILABLE = tuple(SET_NAMES[i].decode() for i in range(sets_here()))
CHOSEN = os.environ.get(VARIABLE) or AVAILABLE[-1]
if CHOSEN not in AVAILABLE:
    raise InvalidInputError(
        f"{VARIABLE}: expected one of {', '.join(AVAILABLE)}, which this processor has, "
        f"got {CHOSEN!r}; unset it to take the best"
    )
cdef int SET = AVAILABLE.index(CHOSEN)


cdef int chosen_set() noexcept:
    """Its place in the tables of the kernels."""
    return SET
