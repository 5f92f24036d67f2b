/* Vectors of WIDTH bytes, for each instruction set again: LANES values are LANES / FLOATS vectors
 * of floats or LANES / DOUBLES of doubles. A comparison gives a mask, all bits of a lane or none.
 *
 * The few operations that the vector extensions lack are intrinsics of the set. Where WIDTH is 0 a
 * vector is a number, and the same kernels are plain C.
 */
#ifndef SEGMENT_VECTORS_H
#define SEGMENT_VECTORS_H
#define floats NAME(floats)
#define doubles NAME(doubles)
#define ints NAME(ints)
#define longs NAME(longs)
#define floats_at NAME(floats_at)
#define doubles_at NAME(doubles_at)
#define widened_at NAME(widened_at)
#define ints_at NAME(ints_at)
#define to_ints NAME(to_ints)
#define to_floats NAME(to_floats)
#define floats_where NAME(floats_where)
#define doubles_where NAME(doubles_where)
#define either NAME(either)
#define longs_either NAME(longs_either)
#define magnitude NAME(magnitude)
#define fused NAME(fused)
#define sums_t NAME(sums_t)
#define add_masked NAME(add_masked)
#define masked_sum NAME(masked_sum)
#define greater NAME(greater)
#define greater_doubles NAME(greater_doubles)
#define lesser NAME(lesser)
#define lesser_doubles NAME(lesser_doubles)
#define bits_of NAME(bits_of)
#define bits_of_longs NAME(bits_of_longs)
#define sum_of NAME(sum_of)
#define append_chosen NAME(append_chosen)
#define places_t NAME(places_t)
#define places_of NAME(places_of)
#define put_floats NAME(put_floats)
#define exp_of_minus NAME(exp_of_minus)

/* Places of the set bits of each byte, packed to the left, a byte each. */
static uint64_t PACKED[256];

static inline void pack_bits(void)
{
    for (int byte = 0; byte < 256; byte++)
        for (int bit = 7; bit >= 0; bit--)
            if (byte >> bit & 1) PACKED[byte] = PACKED[byte] << 8 | (uint64_t)bit;
}
#endif

#undef FLOATS
#undef DOUBLES
#undef MASK
#if WIDTH
#define FLOATS (WIDTH / 4)
#define DOUBLES (WIDTH / 8)
typedef float floats __attribute__((vector_size(WIDTH)));
typedef double doubles __attribute__((vector_size(WIDTH)));
typedef int32_t ints __attribute__((vector_size(WIDTH)));
typedef int64_t longs __attribute__((vector_size(WIDTH)));
#define MASK(comparison) (comparison)
#define ALL(type, number) ((number) - (type){0}) /* the number in each lane */

INLINE ints to_ints(floats x) { return __builtin_convertvector(x, ints); }
INLINE floats to_floats(ints x) { return __builtin_convertvector(x, floats); }
INLINE doubles widened_at(const float *p)
{
    float __attribute__((vector_size(WIDTH / 2))) narrow;
    memcpy(&narrow, p, sizeof narrow);
    return __builtin_convertvector(narrow, doubles);
}
INLINE floats floats_where(ints mask, floats x) { return (floats)(mask & (ints)x); }
INLINE doubles doubles_where(longs mask, doubles x) { return (doubles)(mask & (longs)x); }
INLINE floats magnitude(floats x) { return (floats)((ints)x & INT32_MAX); }
INLINE doubles either(longs mask, doubles x, doubles y)
{
    return (doubles)((mask & (longs)x) | (~mask & (longs)y));
}
#else
#define FLOATS 1
#define DOUBLES 1
typedef float floats;
typedef double doubles;
typedef int32_t ints;
typedef int64_t longs;
#define MASK(comparison) (-(comparison))
#define ALL(type, number) ((type)(number))

INLINE ints to_ints(floats x) { return (ints)x; }
INLINE floats to_floats(ints x) { return (floats)x; }
INLINE doubles widened_at(const float *p) { return *p; }
INLINE floats floats_where(ints mask, floats x) { return mask ? x : 0; }
INLINE doubles doubles_where(longs mask, doubles x) { return mask ? x : 0; }
INLINE floats magnitude(floats x) { return fabsf(x); }
INLINE doubles either(longs mask, doubles x, doubles y) { return mask ? x : y; }
#endif

INLINE floats floats_at(const float *p) { floats v; memcpy(&v, p, sizeof v); return v; }
INLINE doubles doubles_at(const double *p) { doubles v; memcpy(&v, p, sizeof v); return v; }
INLINE ints ints_at(const int32_t *p) { ints v; memcpy(&v, p, sizeof v); return v; }
INLINE longs longs_either(longs mask, longs x, longs y) { return (mask & x) | (~mask & y); }

/* The greater and the lesser of two, lane by lane; the mask of a vector as bits, lane 0 lowest. */
#if WIDTH && X86_SETS
#if WIDTH == 16
#define X86(operation) _mm_##operation
#define X86_TYPE(suffix) __m128##suffix
#elif WIDTH == 32
#define X86(operation) _mm256_##operation
#define X86_TYPE(suffix) __m256##suffix
#else
#define X86(operation) _mm512_##operation
#define X86_TYPE(suffix) __m512##suffix
#endif
INLINE floats greater(floats x, floats y)
{
    return (floats)X86(max_ps)((X86_TYPE())x, (X86_TYPE())y);
}
INLINE floats lesser(floats x, floats y)
{
    return (floats)X86(min_ps)((X86_TYPE())x, (X86_TYPE())y);
}
INLINE doubles greater_doubles(doubles x, doubles y)
{
    return (doubles)X86(max_pd)((X86_TYPE(d))x, (X86_TYPE(d))y);
}
INLINE doubles lesser_doubles(doubles x, doubles y)
{
    return (doubles)X86(min_pd)((X86_TYPE(d))x, (X86_TYPE(d))y);
}
/* x * y + z, rounded once where the set can and else twice: for decisions within a margin, and for
 * whole numbers that stay exact. */
#if WIDTH == 16
INLINE floats fused(floats x, floats y, floats z) { return x * y + z; }
#else
INLINE floats fused(floats x, floats y, floats z)
{
    return (floats)X86(fmadd_ps)((X86_TYPE())x, (X86_TYPE())y, (X86_TYPE())z);
}
#endif
#if WIDTH == 64
INLINE uint32_t bits_of(ints mask) { return _mm512_movepi32_mask((__m512i)mask); }
INLINE uint32_t bits_of_longs(longs mask) { return _mm512_movepi64_mask((__m512i)mask); }
#else
INLINE uint32_t bits_of(ints mask) { return (uint32_t)X86(movemask_ps)((X86_TYPE())mask); }
INLINE uint32_t bits_of_longs(longs mask) { return (uint32_t)X86(movemask_pd)((X86_TYPE(d))mask); }
#endif
#undef X86
#undef X86_TYPE
#elif WIDTH
INLINE floats greater(floats x, floats y)
{
    const ints mask = x > y;
    return (floats)((mask & (ints)x) | (~mask & (ints)y));
}
INLINE floats lesser(floats x, floats y)
{
    const ints mask = x < y;
    return (floats)((mask & (ints)x) | (~mask & (ints)y));
}
INLINE doubles greater_doubles(doubles x, doubles y) { return either(x > y, x, y); }
INLINE doubles lesser_doubles(doubles x, doubles y) { return either(x < y, x, y); }
#if defined(__aarch64__)
INLINE floats fused(floats x, floats y, floats z)
{
    return (floats)vfmaq_f32((float32x4_t)z, (float32x4_t)x, (float32x4_t)y);
}
INLINE uint32_t bits_of(ints mask)
{
    return (uint32_t)vaddvq_s32((int32x4_t)(mask & (ints){1, 2, 4, 8}));
}
INLINE uint32_t bits_of_longs(longs mask)
{
    return (uint32_t)vaddvq_s64((int64x2_t)(mask & (longs){1, 2}));
}
#else
INLINE floats fused(floats x, floats y, floats z) { return x * y + z; }
INLINE uint32_t bits_of(ints mask)
{
    uint32_t all = 0;
    for (int j = 0; j < FLOATS; j++) all |= (uint32_t)(mask[j] & 1 << j);
    return all;
}
INLINE uint32_t bits_of_longs(longs mask)
{
    uint32_t all = 0;
    for (int j = 0; j < DOUBLES; j++) all |= (uint32_t)(mask[j] & 1 << j);
    return all;
}
#endif
#else
INLINE floats greater(floats x, floats y) { return x > y ? x : y; }
INLINE floats lesser(floats x, floats y) { return x < y ? x : y; }
INLINE doubles greater_doubles(doubles x, doubles y) { return x > y ? x : y; }
INLINE doubles lesser_doubles(doubles x, doubles y) { return x < y ? x : y; }
INLINE floats fused(floats x, floats y, floats z) { return x * y + z; }
INLINE uint32_t bits_of(ints mask) { return (uint32_t)mask & 1; }
INLINE uint32_t bits_of_longs(longs mask) { return (uint32_t)mask & 1; }
#endif

INLINE int64_t sum_of(ints x)
{
    int32_t lane[FLOATS];
    int64_t sum = 0;
    memcpy(lane, &x, sizeof x);
    for (int j = 0; j < FLOATS; j++) sum += lane[j];
    return sum;
}

/* Sums of whole numbers: as floats, which is quicker, where they stay below 2^24; else as ints. */
typedef union { floats f; ints i; } sums_t;

INLINE sums_t add_masked(sums_t sum, ints mask, floats x, int small)
{
    if (small) sum.f = fused(floats_where(mask, ALL(floats, 1.0f)), x, sum.f);
    else sum.i += mask & to_ints(x);
    return sum;
}

INLINE int64_t masked_sum(sums_t sum, int small)
{
    return sum_of(small ? to_ints(sum.f) : sum.i);
}

/* Append those of LANES numbers whose bits are set, in their order; writes up to LANES beyond. */
INLINE int32_t append_chosen(const int32_t *number, uint32_t chosen, int32_t *list, int32_t length)
{
#if WIDTH == 64
    const __m512i all = _mm512_loadu_si512(number);
    _mm512_storeu_si512(list + length, _mm512_maskz_compress_epi32((__mmask16)chosen, all));
    return length + count_bits(chosen);
#elif WIDTH == 32
    for (int half = 0; half < LANES; half += 8) {
        const uint32_t byte = chosen >> half & 255;
        const __m256i all = _mm256_loadu_si256((const __m256i *)(number + half));
        const __m256i places =
            _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(PACKED + byte)));
        _mm256_storeu_si256((__m256i *)(list + length), _mm256_permutevar8x32_epi32(all, places));
        length += count_bits(byte);
    }
    return length;
#else
    for (int j = 0; j < LANES; j++) {
        list[length] = number[j];
        length += (int32_t)(chosen >> j & 1);
    }
    return length;
#endif
}

/* Where the lanes of a vector go whose bits are set, for several vectors that are packed alike;
 * put_floats writes a whole vector, those first. */
#if WIDTH == 32
typedef __m256i places_t;
INLINE places_t places_of(uint32_t chosen)
{
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(PACKED + chosen)));
}
#else
typedef uint32_t places_t;
INLINE places_t places_of(uint32_t chosen) { return chosen; }
#endif

INLINE void put_floats(floats x, places_t places, float *list)
{
#if WIDTH == 64
    _mm512_storeu_ps(list, _mm512_maskz_compress_ps((__mmask16)places, (__m512)x));
#elif WIDTH == 32
    _mm256_storeu_ps(list, _mm256_permutevar8x32_ps((__m256)x, places));
#else
    float lane[FLOATS];
    memcpy(lane, &x, sizeof x);
    for (int j = 0; j < FLOATS; j++) {
        *list = lane[j];
        list += places >> j & 1;
    }
#endif
}

/* exp(-t) for t in [0, 4.5], to 1e-9: a polynomial of t / 16, squared four times.
 * Enough for a Gaussian that is cut off at three bandwidths, and the same bits everywhere. */
INLINE doubles exp_of_minus(doubles t)
{
    const doubles y = t * (-1.0 / 16);
    doubles e = 1 + y * (1.0 / 8);
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
