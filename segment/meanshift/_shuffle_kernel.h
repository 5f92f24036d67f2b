/* MT19937 (Matsumoto and Nishimura, ACM TOMACS 1998), 624 words at a time, and how many of them a
 * shuffle takes; for each instruction set: loops without branches, which compilers make vectors of.
 */
#define mixed NAME(mixed)
#define twist NAME(twist)
#define count_taken NAME(count_taken)

INLINE uint32_t mixed(uint32_t high, uint32_t low)
{
    const uint32_t joined = (high & 0x80000000u) | (low & 0x7FFFFFFFu);
    return joined >> 1 ^ ((0u - (low & 1)) & 0x9908B0DFu);
}

/* The next 624 words. */
static void twist(generator_t *generator)
{
    uint32_t *state = generator->state;
    for (int i = 0; i < WORDS - AHEAD; i++)
        state[i] = state[i + AHEAD] ^ mixed(state[i], state[i + 1]);
    for (int i = WORDS - AHEAD; i < WORDS - 1; i++)
        state[i] = state[i + AHEAD - WORDS] ^ mixed(state[i], state[i + 1]);
    state[WORDS - 1] = state[AHEAD - 1] ^ mixed(state[WORDS - 1], state[0]);
    for (int i = 0; i < WORDS; i++) {
        uint32_t word = state[i];
        word ^= word >> 11;
        word ^= (word << 7) & 0x9D2C5680u;
        word ^= (word << 15) & 0xEFC60000u;
        generator->words[i] = word ^ word >> 18;
    }
    generator->next = 0;
}

/* How many of the words, masked, are not beyond `sure`; with the bit UNSURE where one is beyond it
 * by no more than there are words. */
static uint32_t count_taken(const uint32_t *words, uint32_t mask, uint32_t sure)
{
    uint32_t taken = 0, unsure = 0;
    for (int i = 0; i < WORDS; i++) {
        const uint32_t drawn = words[i] & mask;
        taken += drawn <= sure;
        unsure |= (uint32_t)(drawn > sure) & (uint32_t)(drawn <= sure + WORDS);
    }
    return unsure ? taken | UNSURE : taken;
}
