cdef int chosen_set() noexcept
