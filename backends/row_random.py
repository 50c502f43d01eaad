# mypy: ignore-errors
"""Random words of synapses, for compiled code.

A word is a pure function of (seed, stream, purpose, lane, number): with ``block = number // 4`` it is word
``number % 4`` of Philox4x32-10 with

    counter = (block, lane, 2**31 + purpose, stream)    key = (low word, high word) of the seed.

The stream is the CRC-32 of a projection's name, the lane a row (the number of the source in its population) or, for
purposes that say so, something else. The third word of a counter of :class:`~neurosim.backends.philox.Random` is
below 2**31, so no synapse shares a number with a stimulus.

======= ============ ======================================= ==============================================
purpose name         lane                                    number
======= ============ ======================================= ==============================================
0       TARGETS      source (fixed_in_degree: the target)    of the draw within the lane, rejected ones too
1       DELAYS       source                                  of the synapse in its row
2       WEIGHTS      source                                  of the synapse in its row
3       ROW_LENGTHS  source                                  four per attempt
4       CORRECTIONS  0                                       four per attempt
5       THINNING     source                                  of the candidate in its row
======= ============ ======================================= ==============================================

Synapses are numbered within their row by ascending target; those of one target in the order in which they were made.
Everything here and in the files `row_*` that decides what a synapse is uses integers, IEEE sums, products, quotients
and square roots rounded one by one, and the logarithm of :mod:`math_float64`, so another device can repeat it bit for
bit.
"""

import numpy as np

from neurosim.backends.compiled import njit

TARGETS, DELAYS, WEIGHTS, ROW_LENGTHS, CORRECTIONS, THINNING = range(6)

_OPTIONS = {"cache": True, "error_model": "numpy", "nogil": True}
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)
_HIGH = np.uint64(32)
_SYNAPSES = 1 << 31
_SCALE = 2.0**-32


@njit(forceinline=True, **_OPTIONS)
def philox(c0, c1, c2, c3, k0, k1):
    """Four words of a counter and a key, all of them uint32."""
    for _ in range(10):
        p0, p1 = _M0 * np.uint64(c0), _M1 * np.uint64(c2)
        c0, c1, c2, c3 = (
            np.uint32(p1 >> _HIGH) ^ c1 ^ k0,
            np.uint32(p1),
            np.uint32(p0 >> _HIGH) ^ c3 ^ k1,
            np.uint32(p0),
        )
        k0, k1 = np.uint32(k0 + _W0), np.uint32(k1 + _W1)
    return c0, c1, c2, c3


@njit(**_OPTIONS)
def fill_words(out, first_block, n_blocks, purpose, lane, key):
    """Words of ``n_blocks`` consecutive blocks; ``key`` is (low word, high word of the seed, stream)."""
    c1, c2, c3 = np.uint32(lane), np.uint32(_SYNAPSES + purpose), np.uint32(key[2])
    k0, k1 = np.uint32(key[0]), np.uint32(key[1])
    for b in range(n_blocks):
        w0, w1, w2, w3 = philox(np.uint32(first_block + b), c1, c2, c3, k0, k1)
        out[4 * b], out[4 * b + 1], out[4 * b + 2], out[4 * b + 3] = w0, w1, w2, w3


@njit(forceinline=True, **_OPTIONS)
def open_uniform(word):
    """The middle of the word's share of (0, 1)."""
    return (np.float64(word) + 0.5) * _SCALE
