cimport cython
from libc.stdint cimport int32_t, uint64_t


cdef class Walk:
    cdef int dim
    cdef double bandwidth
    cdef double *unit
    cdef double *here
    cdef double *start
    cdef Paths paths
    cdef Table ends

    cdef double step(self, const double *center, double *mean) noexcept nogil


@cython.final
cdef class Paths:
    cdef int dim, width, bits
    cdef Py_ssize_t count, room
    cdef double *records
    cdef int32_t *table

    cdef uint64_t hashed(self, const double *position) noexcept nogil
    cdef int32_t *slot(self, uint64_t hashed, const double *position) noexcept nogil
    cdef int32_t tag(self, uint64_t hashed) noexcept nogil
    cdef double *record(self, const double *position, int32_t moves,
                        bint *known) except NULL nogil
    cdef void lead_to(self, int32_t end, int32_t moves, Py_ssize_t first) noexcept nogil
    cdef int grow(self) except -1 nogil
    cdef void forget(self) noexcept nogil


cdef class Table:
    cdef int width
    cdef Py_ssize_t count, room
    cdef double *rows

    cdef double *append(self) except NULL nogil
