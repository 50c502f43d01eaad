# mypy: ignore-errors
"""The targets of one row, ascending, without a sort.

Skips: the distances between the successes of a Bernoulli trial per candidate are geometric, one word each. Spacings:
sorted uniform numbers are partial sums of exponential numbers over their total. Distinct: a bitmap collects uniform
draws until there are enough; of more than half of the candidates those that are left out.
"""

import numpy as np

from .compiled import njit
from .math_float64 import log1p_f64, log_f64
from .row_random import TARGETS, fill_words, open_uniform
from .row_recipe import (
    ALL,
    BLOCKS,
    CANDIDATES,
    EXPLICIT,
    GAP,
    INVERSE_LOG,
    KIND,
    LENGTH,
    MAX_BLOCKS,
    ONE,
    SEED_LOW,
    SKIPS,
    SPACINGS,
    STREAM,
)

_OPTIONS = {"cache": True, "error_model": "numpy", "nogil": True}
_ALL_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
_LOW = np.uint64(0xFFFFFFFF)
_HIGH = np.uint64(32)
_ONE = np.uint64(1)
_ZERO = np.uint64(0)


def _positions_of_bits():
    """Number of the only set bit, by the highest six bits of its product with a de Bruijn sequence."""
    positions = np.zeros(64, np.int64)
    for bit in range(64):
        positions[((_DE_BRUIJN_INT << bit) & (2**64 - 1)) >> 58] = bit
    return positions


_DE_BRUIJN_INT = 0x03F79D71B4CB0A89
_DE_BRUIJN = np.uint64(_DE_BRUIJN_INT)
_POSITION = _positions_of_bits()
_TOP = np.uint64(58)


@njit(**_OPTIONS)
def row_scratch(limit, candidates, kind):
    """Scratch arrays of :func:`row_targets`: words, real numbers, bitmap."""
    reals = limit + 1 if kind == SPACINGS else 0
    bits = candidates // 64 + 1 if kind > SPACINGS and kind < EXPLICIT else 0
    return np.empty(4 * MAX_BLOCKS, np.uint32), np.empty(reals, np.float64), np.zeros(bits, np.uint64)


@njit(**_OPTIONS)
def row_targets(ints, floats, longs, explicit, source, words, reals, bitmap, out):
    """Fill ``out`` with the targets of a row and return how many there are."""
    kind, candidates = ints[KIND], ints[CANDIDATES]
    key = ints[SEED_LOW : STREAM + 1]
    if kind == EXPLICIT:
        begin, n = longs[source], longs[source + 1] - longs[source]
        for j in range(n):
            out[j] = explicit[begin + j]
        return n
    if kind == ONE:
        out[0] = source
        return 1
    if kind == ALL:
        n = candidates
        for j in range(n):
            out[j] = j
    elif kind == SKIPS:
        n = _skips(candidates, floats[INVERSE_LOG], ints[BLOCKS], source, key, words, out)
    else:
        n = ints[LENGTH]
        if n < 0:
            n = longs[source]
        if kind == SPACINGS:
            _spacings(n, candidates, source, key, words, reals, out)
        else:
            _distinct(n, candidates, source, key, words, bitmap, out)
    if ints[GAP]:
        for j in range(n):
            out[j] += np.uint32(out[j] >= source)
    return n


@njit(**_OPTIONS)
def inverse_log(p):
    """1 / log(1 - p), by which the logarithm of a uniform number becomes the length of a skip."""
    return 1.0 / log1p_f64(-p)


@njit(**_OPTIONS)
def _skips(candidates, inverse_log, blocks, source, key, words, out):
    position, n, block = -1, 0, 0
    while True:
        fill_words(words, block, blocks, TARGETS, source, key)
        block += blocks
        for j in range(4 * blocks):  # a loop of its own, which LLVM vectorises
            words[j] = np.uint32(min(log_f64(open_uniform(words[j])) * inverse_log, 4294967295.0))
        for j in range(4 * blocks):
            position += np.int64(words[j]) + 1
            if position >= candidates:
                return n
            out[n] = position
            n += 1


@njit(**_OPTIONS)
def _spacings(n, candidates, source, key, words, reals, out):
    for begin in range(0, n + 1, 4 * MAX_BLOCKS):
        count = min(n + 1 - begin, 4 * MAX_BLOCKS)
        fill_words(words, begin // 4, (count + 3) // 4, TARGETS, source, key)
        for j in range(count):
            reals[begin + j] = -log_f64(open_uniform(words[j]))
    total = 0.0
    for j in range(n + 1):
        total += reals[j]
        reals[j] = total
    scale = np.float64(candidates) / total
    last = np.float64(candidates - 1)
    for j in range(n):
        out[j] = np.uint32(min(reals[j] * scale, last))


@njit(**_OPTIONS)
def _distinct(n, candidates, source, key, words, bitmap, out):
    inverted = 2 * n > candidates
    wanted = candidates - n if inverted else n
    bound = np.uint64(candidates)
    # Products with a lower half below this would favour some candidates (Lemire 2019, doi:10.1145/3230636).
    unfair = (np.uint64(1 << 32) - bound) % bound
    found, block = 0, 0
    while found < wanted:
        blocks = min((wanted - found + 3) // 4, MAX_BLOCKS)
        fill_words(words, block, blocks, TARGETS, source, key)
        block += blocks
        for j in range(4 * blocks):
            product = np.uint64(words[j]) * bound
            if found < wanted and (product & _LOW) >= unfair:
                target = product >> _HIGH
                cell, bit = np.int64(target >> np.uint64(6)), _ONE << (target & np.uint64(63))
                if (bitmap[cell] & bit) == _ZERO:
                    bitmap[cell] |= bit
                    found += 1
    count = 0
    for cell in range(candidates // 64 + 1):
        bits = bitmap[cell]
        bitmap[cell] = _ZERO
        if inverted:
            bits ^= _ALL_ONES
            if 64 * cell + 64 > candidates:
                bits &= (_ONE << np.uint64(candidates - 64 * cell)) - _ONE
        while bits != _ZERO:
            lowest = bits & (~bits + _ONE)
            out[count] = 64 * cell + _POSITION[np.int64((lowest * _DE_BRUIJN) >> _TOP)]
            count += 1
            bits ^= lowest
