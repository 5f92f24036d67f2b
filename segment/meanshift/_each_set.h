/* Includes the file KERNEL once for each instruction set. SET is its name, WIDTH the bytes of a
 * register; 0 stands for compilers without vector types, which get plain C.
 *
 * What a function may use is said in the source, where a compiler that does not understand it
 * must fail, and not by flags.
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off")
#endif
#define SET baseline
#if defined(__GNUC__)
#define WIDTH 16
#else
#define WIDTH 0
#endif
#include KERNEL
#undef SET
#undef WIDTH
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif

#if X86_SETS
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2,lzcnt,popcnt"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off")
#pragma GCC target("avx2,fma,bmi,bmi2,lzcnt,popcnt")
#endif
#define SET v3
#define WIDTH 32
#include KERNEL
#undef SET
#undef WIDTH
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2,lzcnt,popcnt"))), \
    apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off")
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2,lzcnt,popcnt")
#endif
#define SET v4
#define WIDTH 64
#include KERNEL
#undef SET
#undef WIDTH
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
#undef KERNEL
