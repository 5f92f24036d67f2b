# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True, embedsignature=True
"""Jacobi's method for the axes of a symmetric matrix: the same to the bit on every processor.

LAPACK's eigenvectors differ between processors, for its kernels add up in other orders.
No checks and no defaults: `embedding.py` validates, casts and allocates.
"""
from libc.math cimport fabs, sqrt


def weighted_products(const double[:, ::1] columns, const double[::1] weights,
                      double[:, ::1] products):
    """Write the weighted scalar product of every two columns; each is a row of `columns`."""
    cdef Py_ssize_t i, j, k
    cdef double total
    with nogil:
        for i in range(columns.shape[0]):
            for j in range(i + 1):
                total = 0
                for k in range(columns.shape[1]):
                    total += columns[i, k] * columns[j, k] * weights[k]
                products[i, j] = products[j, i] = total


def rotate_to_axes(double[:, ::1] matrix, double[:, ::1] axes, int sweeps):
    """Make a symmetric matrix diagonal by rotations; turn the rows of `axes` with it."""
    cdef Py_ssize_t size = matrix.shape[0], i, j, k
    cdef double slope, tangent, cosine, sine
    cdef int _sweep
    with nogil:
        for _sweep in range(sweeps):
            for i in range(size):
                for j in range(i + 1, size):
                    if matrix[i, j] == 0:
                        continue
                    slope = (matrix[j, j] - matrix[i, i]) / (2 * matrix[i, j])
                    tangent = 1 / (fabs(slope) + sqrt(slope * slope + 1))
                    if slope < 0:
                        tangent = -tangent
                    cosine = 1 / sqrt(tangent * tangent + 1)
                    sine = tangent * cosine
                    for k in range(size):
                        turn(&matrix[k, i], &matrix[k, j], cosine, sine)
                    for k in range(size):
                        turn(&matrix[i, k], &matrix[j, k], cosine, sine)
                    for k in range(axes.shape[1]):
                        turn(&axes[i, k], &axes[j, k], cosine, sine)


cdef inline void turn(double *one, double *other, double cosine, double sine) noexcept nogil:
    cdef double before = one[0]
    one[0] = cosine * before - sine * other[0]
    other[0] = sine * before + cosine * other[0]
