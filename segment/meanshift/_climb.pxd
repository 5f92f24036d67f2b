from libc.stdint cimport int32_t, uint32_t

cdef struct slot_t:
    uint32_t hashed
    int32_t record


cdef class Walk:
    cdef int dim
    cdef double bandwidth
    cdef double *unit
    cdef double *here
    cdef double *start
    cdef Paths paths
    cdef Table ends

    cdef double step(self, const double *center, double *mean) noexcept nogil


cdef class Paths:
    cdef int dim, width, bits
    cdef Py_ssize_t count, room
    cdef double *records
    cdef slot_t *table

    cdef uint32_t hashed(self, const double *position) noexcept nogil
    cdef slot_t *slot(self, uint32_t hashed, const double *position) noexcept nogil
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
