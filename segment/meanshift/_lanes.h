/* What the kernels in C share: groups of LANES neighbours, and code for three generations of x86-64.
 *
 * C rather than Cython for one reason: loops over LANES neighbours marked `omp simd` are what
 * compilers turn into vector code, four to five times faster than the unrolled scalar code that
 * they make of such short loops by themselves. GCC and clang build it for three generations of
 * x86-64 and choose when the module is loaded; elsewhere it is plain C99.
 */
#ifndef SEGMENT_LANES_H
#define SEGMENT_LANES_H

#define LANES 16

#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && \
    (defined(__clang__) ? __clang_major__ >= 17 : __GNUC__ >= 12)
#define FOR_EACH_X86 \
    __attribute__((unused, target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_X86
#endif

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static __inline
#endif

/* For a function whose products and sums must be rounded one by one, where the rest may fuse them. */
#if defined(__GNUC__) && !defined(__clang__)
#define UNFUSED __attribute__((noinline, optimize("fp-contract=off")))
#else
#define UNFUSED
#endif

#define CUT2 9 /* squared radius of the truncated Gaussian, in squared bandwidths */

/* exp(-t) for t in [0, 4.5], to 1e-9: a polynomial of t / 16, squared four times.
 * Enough for a Gaussian that is cut off at three bandwidths, and free of the branches of libm's. */
INLINE double exp_of_minus(double t)
{
    const double y = t * (-1.0 / 16);
    double e = 1 + y * (1.0 / 8);
    e = 1 + y * (1.0 / 7) * e;
    e = 1 + y * (1.0 / 6) * e;
    e = 1 + y * (1.0 / 5) * e;
    e = 1 + y * (1.0 / 4) * e;
    e = 1 + y * (1.0 / 3) * e;
    e = 1 + y * (1.0 / 2) * e;
    e = 1 + y * e;
    e *= e, e *= e, e *= e, e *= e;
    return e;
}

#endif
