/* Which instruction sets this processor has. */
#ifndef SEGMENT_INSTRUCTIONS_H
#define SEGMENT_INSTRUCTIONS_H

#include "_lanes.h"

#if X86_SETS
static const char *const SET_NAMES[] = {"baseline", "v3", "v4"};
#else
static const char *const SET_NAMES[] = {"baseline"};
#endif

/* How many of the sets, the best one last, this processor and its operating system have. */
static int sets_here(void)
{
#if X86_SETS
    __builtin_cpu_init();
    const int v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
        && __builtin_cpu_supports("bmi")
        && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
    const int v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return 1 + v3 + v4;
#else
    return 1;
#endif
}

#endif
