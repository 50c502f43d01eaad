# mypy: ignore-errors
"""The two passes of the builder over a range of sources, and one row on demand."""

import numpy as np

from .compiled import njit
from .row_recipe import CANDIDATES, KIND, LIMIT, N_DELAYS
from .row_targets import row_scratch, row_targets
from .row_values import row_delays, row_weights

_OPTIONS = {"cache": True, "error_model": "numpy", "nogil": True}


@njit(**_OPTIONS)
def count_rows(
    ints, floats, longs, explicit, delay_words, delay_numbers, edges, slots, numbers, n_delays, offsets, begin, end
):
    """Add the synapses of each owner, source and delay to ``offsets``, one behind their place."""
    limit = ints[LIMIT]
    words, reals, bitmap = row_scratch(limit, ints[CANDIDATES], ints[KIND])
    targets, delays = np.empty(limit, np.uint32), np.empty(limit, np.uint16)
    n_owners = len(slots)
    for source in range(begin, end):
        n = row_targets(ints, floats, longs, explicit, source, words, reals, bitmap, targets)
        first = source * n_delays + 1
        if ints[N_DELAYS] == 1:
            j = 0
            for o in range(n_owners):
                stop = until(targets, j, n, edges[o + 1])
                offsets[o, first + numbers[0]] += stop - j
                j = stop
            continue
        row_delays(ints, longs, delay_words, delay_numbers, source, n, words, delays)
        j = 0
        for o in range(n_owners):
            stop = until(targets, j, n, edges[o + 1])
            for i in range(j, stop):
                offsets[o, first + numbers[delays[i]]] += 1
            j = stop


@njit(**_OPTIONS)
def until(targets, begin, end, edge):
    """The first number from ``begin`` whose target is not below ``edge``: targets ascend."""
    if begin == end or targets[end - 1] < edge:
        return end
    low, high = begin, end
    while low < high:
        middle = (low + high) // 2
        if targets[middle] < edge:
            low = middle + 1
        else:
            high = middle
    return low


@njit(**_OPTIONS)
def place_rows(
    ints,
    floats,
    longs,
    explicit,
    delay_words,
    delay_numbers,
    edges,
    slots,
    numbers,
    n_delays,
    offsets,
    given,
    base,
    out,
    out_weights,
    begin,
    end,
):
    """Put synapses where ``offsets`` says, and move it behind them."""
    limit = ints[LIMIT]
    words, reals, bitmap = row_scratch(limit, ints[CANDIDATES], ints[KIND])
    targets, delays = np.empty(limit, np.uint32), np.empty(limit, np.uint16)
    weighted = len(out_weights) > 0
    weights = np.empty(limit if weighted else 0, out_weights.dtype)
    n_owners = len(slots)
    for source in range(begin, end):
        n = row_targets(ints, floats, longs, explicit, source, words, reals, bitmap, targets)
        if weighted:
            row_weights(ints, floats, longs, given, source, n, words, weights)
        if ints[N_DELAYS] > 1:
            row_delays(ints, longs, delay_words, delay_numbers, source, n, words, delays)
        first, j = source * n_delays, 0
        for o in range(n_owners):
            stop = until(targets, j, n, edges[o + 1])
            shift = slots[o] - base[o] - edges[o]
            if ints[N_DELAYS] == 1:
                if stop > j:
                    at = offsets[o, first + numbers[0]]
                    for i in range(stop - j):
                        out[at + i] = np.int64(targets[j + i]) + shift
                    if weighted:
                        for i in range(stop - j):
                            out_weights[at + i] = weights[j + i]
                    offsets[o, first + numbers[0]] = at + stop - j
            else:
                for i in range(j, stop):
                    cell = first + numbers[delays[i]]
                    at = offsets[o, cell]
                    offsets[o, cell] = at + 1
                    out[at] = np.int64(targets[i]) + shift
                    if weighted:
                        out_weights[at] = weights[i]
            j = stop


@njit(**_OPTIONS)
def regenerate(
    ints,
    floats,
    delay_words,
    longs,
    edges,
    slots,
    source,
    words,
    reals,
    bitmap,
    targets,
    delays,
    weights,
    segments,
    out,
    out_weights,
):
    """One row in the order in which it would be stored, by owner, delay and target; returns its length.

    Parameters
    ----------
    ints, floats, delay_words, longs : ndarray
        Of a :class:`~neurosim.backends.row_recipe.Recipe` that is not explicit.
    edges, slots : ndarray
        Of a :class:`~neurosim.backends.row_recipe.Place`.
    source : int
        Number of the row.
    words, reals, bitmap, targets, delays, weights : ndarray
        Scratch, one set per thread; see :func:`scratch`.
    segments : ndarray of int64, shape (owners * D + 1,)
        Set: synapses of owner o and delay number d are ``segments[o * D + d] : segments[o * D + d + 1]``.
    out : ndarray of uint32
        Set: accumulators, in the whole network.
    out_weights : ndarray of float32 or float64
        Set: weights; may be empty where all have one weight.
    """
    n_delays, n_owners = ints[N_DELAYS], len(slots)
    n = row_targets(ints, floats, longs, targets, source, words, reals, bitmap, targets)
    weighted = len(out_weights) > 0
    segments[:] = 0
    j = 0
    if n_delays == 1:  # in order already
        for o in range(n_owners):
            stop = until(targets, j, n, edges[o + 1])
            shift = slots[o] - edges[o]
            for i in range(j, stop):
                out[i] = np.int64(targets[i]) + shift
            segments[o + 1] = j = stop
        if weighted:
            row_weights(ints, floats, longs, weights, source, n, words, out_weights)
        return n
    row_delays(ints, longs, delay_words, delays, source, n, words, delays)
    if weighted:
        row_weights(ints, floats, longs, weights, source, n, words, weights)
    for o in range(n_owners):
        stop = until(targets, j, n, edges[o + 1])
        for i in range(j, stop):
            segments[o * n_delays + delays[i] + 1] += 1
        j = stop
    for s in range(n_owners * n_delays):
        segments[s + 1] += segments[s]
    j = 0
    for o in range(n_owners):
        stop = until(targets, j, n, edges[o + 1])
        shift = slots[o] - edges[o]
        for i in range(j, stop):
            cell = o * n_delays + delays[i]
            at = segments[cell]
            segments[cell] = at + 1
            out[at] = np.int64(targets[i]) + shift
            if weighted:
                out_weights[at] = weights[i]
        j = stop
    for s in range(n_owners * n_delays, 0, -1):
        segments[s] = segments[s - 1]
    segments[0] = 0
    return n
