# mypy: ignore-errors
"""Orders of the samples of an epoch: what :func:`neurosim.learn.draws.permutation` gives, in linear time."""

import numpy as np
from numba import njit

from neurosim.backends.row_random import philox

_KEY_BITS = 62


@njit(cache=True, nogil=True, error_model="numpy")
def fill_order(out, low, high, third, series):
    """The numbers from 0 to len(out) − 1 in the order of the epoch ``series``; ``low``, ``high``: words of the seed."""
    n = len(out)
    keys = np.empty(n, np.int64)
    for block in range((n + 1) // 2):
        words = philox(
            np.uint32(block), np.uint32(series), np.uint32(third), np.uint32(0), np.uint32(low), np.uint32(high)
        )
        for k in range(2 * block, min(2 * block + 2, n)):
            a, b = (words[0], words[1]) if k % 2 == 0 else (words[2], words[3])
            keys[k] = ((np.int64(a) >> 1) << 31) | (np.int64(b) >> 1)
    # About one key for each bucket; within a bucket they are put in order one by one, equal ones as they came.
    bits = 0
    while (1 << bits) < n:
        bits += 1
    shift = _KEY_BITS - bits
    ends = np.zeros((1 << bits) + 1, np.int64)
    for k in range(n):
        ends[(keys[k] >> shift) + 1] += 1
    for b in range(1 << bits):
        ends[b + 1] += ends[b]
    begins = ends[:-1].copy()
    for k in range(n):
        bucket = keys[k] >> shift
        place = ends[bucket]
        ends[bucket] += 1
        while place > begins[bucket] and keys[out[place - 1]] > keys[k]:
            out[place] = out[place - 1]
            place -= 1
        out[place] = k
