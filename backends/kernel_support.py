"""What every generated kernel calls beside mathematics."""

from __future__ import annotations

from neurosim.backends.compiled import njit

# Columns of the table of probes.
EVERY, ROW, BEGIN, END, OFFSET = range(5)


@njit(cache=True, error_model="numpy")
def sample(w, row, probes, probe_lanes, samples, ranges, p, step, origin, block):  # type: ignore[no-untyped-def]
    """Copy the lanes of probe ``p`` that lie in this block, whose row begins there, to their place in ``samples``."""
    every, begin = probes[p, 0], probes[p, 2]
    width = probes[p, 3] - begin
    taken = step // every - (origin + every - 1) // every  # samples before this step
    base = probes[p, 4] + taken * width
    for q in range(ranges[p, 0], ranges[p, 1]):
        samples[base + q] = w[row + probe_lanes[begin + q] - block]
