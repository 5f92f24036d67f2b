"""What the loops over regions share: sets that grow together, and a heap of regions by size."""
from libc.stdint cimport int32_t, uint64_t


cdef inline int32_t root_of(int32_t *parents, int32_t number) noexcept nogil:
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = parents[number]
    return number


cdef inline uint64_t key_of(double size, Py_ssize_t number) noexcept nogil:
    return <uint64_t> size << 32 | <uint64_t> number


cdef inline int32_t size_in(uint64_t key) noexcept nogil:
    return <int32_t> (key >> 32)


cdef inline int32_t number_in(uint64_t key) noexcept nogil:
    return <int32_t> (key & <uint64_t> 0xFFFFFFFF)


cdef inline double squared_distance(const double *sums, int channels, int32_t one,
                                    int32_t other) noexcept nogil:
    """Between the means of two regions."""
    cdef const double *a = sums + <Py_ssize_t> one * (channels + 1)
    cdef const double *b = sums + <Py_ssize_t> other * (channels + 1)
    cdef double difference, sum_ = 0
    cdef int k
    for k in range(channels):
        difference = a[k] / a[channels] - b[k] / b[channels]
        sum_ += difference * difference
    return sum_


cdef inline int32_t unite_sums(double *sums, int channels, int32_t *parents, int32_t one,
                               int32_t other) noexcept nogil:
    """Join two regions under the lower number, which is that of the first pixel; return it."""
    cdef int32_t kept = min(one, other), gone = max(one, other)
    cdef Py_ssize_t k, columns = channels + 1
    for k in range(columns):
        sums[kept * columns + k] += sums[gone * columns + k]
    sums[gone * columns + channels] = 0
    parents[gone] = kept
    return kept


cdef inline void sift_down(uint64_t *heap, Py_ssize_t size, uint64_t key) noexcept nogil:
    """Put a key in the place of the smallest one of a heap."""
    cdef Py_ssize_t place = 0, child = 1
    while child < size:
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= key:
            break
        heap[place] = heap[child]
        place, child = child, 2 * child + 1
    heap[place] = key


cdef inline void sift_up(uint64_t *heap, Py_ssize_t size, uint64_t key) noexcept nogil:
    """Add a key to a heap of that size."""
    cdef Py_ssize_t place = size
    while place and heap[(place - 1) >> 1] > key:
        heap[place] = heap[(place - 1) >> 1]
        place = (place - 1) >> 1
    heap[place] = key
