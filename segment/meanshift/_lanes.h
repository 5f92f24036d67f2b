/* What the kernels in C share: groups of LANES neighbours, as vectors of one instruction set.
 *
 * A kernel is a file that is included once for each instruction set, by `_each_set.h`; what it
 * defines is named with `NAME`, and vector code by construction: the types of `_vectors.h` are
 * the vector extensions of GCC and clang, not loops that a compiler may or may not turn into such.
 *
 * All sets give the same bits. Products and sums are rounded one by one, nowhere fused, and what
 * is not exact is summed lane by lane, in LANES lanes whatever the width of a register, in the
 * order of the groups; then lanes are added in one order.
 */
#ifndef SEGMENT_LANES_H
#define SEGMENT_LANES_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LANES 16

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline, unused))
#define APART static __attribute__((noinline, unused)) /* what is rare stays out of the loops */
#else
#define INLINE static __inline
#define APART static
#endif

/* GCC knows no such pragma: there, `_each_set.h` says it, and the flag -ffp-contract=off. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(_MSC_VER)
#pragma fp_contract(off)
#endif
#if defined(__FAST_MATH__)
#error "the kernels need IEEE arithmetic: build without -ffast-math"
#endif

#define CUT2 9 /* squared radius of the truncated Gaussian, in squared bandwidths */

/* The instruction sets that are built, the best one last. */
#if defined(__GNUC__) && defined(__x86_64__)
#define X86_SETS 1
#include <immintrin.h>
enum { SETS = 3 };
#else
#define X86_SETS 0
enum { SETS = 1 };
#if defined(__GNUC__) && defined(__aarch64__)
#include <arm_neon.h>
#endif
#endif

INLINE int count_bits(uint32_t word)
{
#if defined(__GNUC__)
    return __builtin_popcount(word);
#else
    int count = 0;
    for (; word; word &= word - 1) count++;
    return count;
#endif
}

#define PASTE_(name, set) name##_##set
#define PASTE(name, set) PASTE_(name, set)
#define NAME(name) PASTE(name, SET)
#if X86_SETS
#define EACH_SET(name) {name##_baseline, name##_v3, name##_v4}
#else
#define EACH_SET(name) {name##_baseline}
#endif

#endif
