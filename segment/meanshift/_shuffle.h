/* What is done to every random number of a shuffle: `TWISTS` and `COUNTS`, for each instruction
 * set, of whole numbers, which are the same in all of them; and `sieve`, which no set has vectors
 * for. */
#ifndef SEGMENT_SHUFFLE_H
#define SEGMENT_SHUFFLE_H

#include "_lanes.h"

#define WORDS 624 /* state of the generator */
#define AHEAD 397
#define UNSURE 0x80000000u

typedef struct {
    uint32_t state[WORDS];
    uint32_t words[WORDS]; /* that come of it */
    int next;
} generator_t;

#define KERNEL "_shuffle_kernel.h"
#include "_each_set.h"

typedef void (*twist_t)(generator_t *generator);
typedef uint32_t (*count_t)(const uint32_t *words, uint32_t mask, uint32_t sure);
static const twist_t TWISTS[] = EACH_SET(twist);
static const count_t COUNTS[] = EACH_SET(count_taken);

/* List the words that, masked, are marked in the filter by their lower bits, or lie in `span` above
 * `low`; return their number. */
INLINE int sieve(const uint32_t *words, uint32_t mask, uint32_t low, uint32_t span,
                 const uint8_t *filter, uint32_t filter_mask, int32_t *passed)
{
    int found = 0;
    for (int i = 0; i < WORDS; i++) {
        const uint32_t drawn = words[i] & mask;
        passed[found] = i;
        found += filter[drawn & filter_mask] | (drawn - low <= span);
    }
    return found;
}

#endif
