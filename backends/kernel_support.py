"""What every generated kernel calls beside mathematics."""

from __future__ import annotations

import numpy as np
from numba import njit

# Columns of the table of probes.
EVERY, ROW, BEGIN, END, OFFSET = range(5)


@njit(cache=True, error_model="numpy")
def sample(w, probes, probe_lanes, samples, ranges, p, step, first_step, block, block_size):  # type: ignore[no-untyped-def]
    """Copy the lanes of probe ``p`` that lie in this block to their place in ``samples``."""
    every, row, begin = probes[p, 0], probes[p, 1], probes[p, 2]
    width = probes[p, 3] - begin
    taken = step // every - (first_step + every - 1) // every  # samples of this window before this step
    base = probes[p, 4] + taken * width
    for q in range(ranges[p, 0], ranges[p, 1]):
        samples[base + q] = w[row * block_size + probe_lanes[begin + q] - block]


@njit(cache=True)
def grown(old, count, capacity):  # type: ignore[no-untyped-def]
    """A longer copy of an array of which ``count`` elements are in use."""
    new = np.empty(capacity, old.dtype)
    new[:count] = old[:count]
    return new
