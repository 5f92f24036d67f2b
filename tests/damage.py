"""Damage done to files, for the tests of everything that reads one."""

import random


def mutated(content, seed):
    """Flip, cut, repeat, exchange and overwrite bytes, a few times; mostly near the header."""
    chance = random.Random(seed)
    data = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 5])):
        reach = len(data) if chance.random() < 0.5 else min(len(data), 120)
        at, size = chance.randrange(max(1, reach)), chance.choice([1, 2, 4, 8, 40])
        kind = chance.randrange(6)
        if kind == 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            data[at : at + 4] = chance.choice([b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff"])
        elif kind == 2:
            del data[at + size :]
        elif kind == 3:
            del data[at : at + size]
        elif kind == 4:
            data[at:at] = data[at : at + size] * chance.choice([1, 3, 100])
        else:
            data[at : at + size] = chance.randbytes(size)
    return bytes(data)


def attempted(read, *errors):
    """What a reader returns and None, or None and what its error of one of these classes says."""
    try:
        return read(), None
    except errors as error:
        return None, str(error)
