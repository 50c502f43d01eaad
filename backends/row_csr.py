# mypy: ignore-errors
"""Explicit rows: synapses that are listed, or drawn per target, or thinned by distance."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numba
import numpy as np

from .compiled import njit
from .row_random import TARGETS, THINNING, fill_words, open_uniform
from .row_recipe import CANDIDATES, KIND, LIMIT, MAX_BLOCKS, SEED_LOW, STREAM
from .row_targets import row_scratch, row_targets

_OPTIONS = {"cache": True, "error_model": "numpy", "nogil": True}
_LOW, _HIGH = np.uint64(0xFFFFFFFF), np.uint64(32)
_SYNAPSES_OF_A_BLOCK = 1 << 16


def rows_of_pairs(sources, targets, n_sources, n_targets):
    """Begin of each row (and the end), targets by row, and the order that sorts the pairs.

    Sorted by source, then by target; equal pairs keep their order.
    """
    sources, targets = np.asarray(sources, np.int64), np.asarray(targets, np.int64)
    order = _stable_order(targets, np.arange(len(targets)), n_targets)
    order = _stable_order(sources, order, n_sources)
    begins = np.zeros(n_sources + 1, np.int64)
    np.cumsum(np.bincount(sources, minlength=n_sources), out=begins[1:])
    return begins, targets[order].astype(np.uint32), order


@njit(**_OPTIONS)
def _stable_order(keys, order, n_keys):
    """The order in which ``keys[order]`` ascends, equal ones as they were: a counting sort."""
    cursor = np.zeros(n_keys + 1, np.int64)
    for key in keys:
        cursor[key + 1] += 1
    for key in range(n_keys):
        cursor[key + 1] += cursor[key]
    sorted_order = np.empty_like(order)
    for i in order:
        key = keys[i]
        sorted_order[cursor[key]] = i
        cursor[key] += 1
    return sorted_order


def rows_of_in_degree(n_sources, n_targets, k, gap, distinct, key, threads=None):
    """Begin of each row and targets by row, where each target draws ``k`` sources.

    Two passes: each piece of targets counts its draws by source, and then puts them behind those of the pieces before
    it. A source meets the targets in ascending order.

    Parameters
    ----------
    n_sources, n_targets, k : int
        Numbers of sources, of targets, of synapses per target.
    gap : bool
        Leave out the source of the target's own number.
    distinct : bool
        No source twice.
    key : ndarray of int64
        Low and high word of the seed, stream.
    threads : int, optional
        At most as many.
    """
    worth = max(1, n_targets * k // 200_000)
    pieces = int(min(threads or numba.get_num_threads(), worth, n_targets))
    ranges = list(pairwise([n_targets * piece // pieces for piece in range(pieces + 1)]))
    cursors = np.zeros((pieces, n_sources), np.int64)
    targets = np.empty(n_targets * k, np.uint32)
    with ThreadPoolExecutor(pieces) as pool:

        def run(place):
            arguments = (n_sources, k, gap, distinct, key)
            list(pool.map(lambda p: _draw_sources(*arguments, *ranges[p], place, cursors[p], targets), range(pieces)))

        run(False)
        begins = np.zeros(n_sources + 1, np.int64)
        np.cumsum(cursors.sum(axis=0), out=begins[1:])
        cursors[:] = begins[:-1] + np.cumsum(cursors, axis=0) - cursors
        run(True)
    return begins, targets


@njit(**_OPTIONS)
def _draw_sources(n_sources, k, gap, distinct, key, begin, end, place, cursor, targets):
    """Count the draws of each source in ``cursor``, or put the targets where it says, and move it behind them.

    Targets are put by blocks, sorted by source within the block: in order of the rows, as scattered writes to a large
    array wait for memory each.
    """
    words = np.empty(4 * MAX_BLOCKS, np.uint32)
    seen = np.full(n_sources if distinct else 0, -1, np.int64)  # the last target that drew the source
    block = max(1, max(_SYNAPSES_OF_A_BLOCK, 2 * n_sources) // max(k, 1))
    drawn = np.empty(block * k, np.uint32)
    if place:
        starts, ordered = np.empty(n_sources + 1, np.int64), np.empty(block * k, np.uint32)
    for first in range(begin, end, block):
        last = min(first + block, end)
        for target in range(first, last):
            at = (target - first) * k
            _draw_for_target(n_sources, k, gap, distinct, key, target, words, seen, drawn[at : at + k])
        n = (last - first) * k
        if not place:
            for i in range(n):
                cursor[drawn[i]] += 1
            continue
        starts[:] = 0
        for i in range(n):
            starts[np.int64(drawn[i]) + 1] += 1
        for source in range(n_sources):
            starts[source + 1] += starts[source]
        for target in range(first, last):
            for i in range((target - first) * k, (target - first + 1) * k):
                source = drawn[i]
                ordered[starts[source]] = target
                starts[source] += 1
        i = 0
        for source in range(n_sources):  # each start has moved to the end
            at = cursor[source] - i
            while i < starts[source]:
                targets[at + i] = ordered[i]
                i += 1
            cursor[source] = at + i


@njit(**_OPTIONS)
def _draw_for_target(n_sources, k, gap, distinct, key, target, words, seen, out):
    """Fill ``out`` with the ``k`` sources of a target."""
    candidates = n_sources - gap
    inverted = distinct and 2 * k > candidates
    wanted = candidates - k if inverted else k
    bound = np.uint64(max(candidates, 1))
    unfair = (np.uint64(1 << 32) - bound) % bound  # as in row_targets
    found, block = 0, 0
    while found < wanted:
        blocks = min((wanted - found + 3) // 4, MAX_BLOCKS)
        fill_words(words, block, blocks, TARGETS, target, key)
        block += blocks
        for j in range(4 * blocks):
            product = np.uint64(words[j]) * bound
            if found == wanted or (product & _LOW) < unfair:
                continue
            source = np.int64(product >> _HIGH)
            if distinct:
                if seen[source] == target:
                    continue
                seen[source] = target
            if not inverted:
                out[found] = source
            found += 1
    if inverted:
        found = 0
        for source in range(candidates):
            if seen[source] != target:
                out[found] = source
                found += 1
    if gap:
        for j in range(k):
            out[j] += np.uint32(out[j] >= target)


@njit(**_OPTIONS)
def candidate_rows(ints, floats, begin, end, capacity):
    """Length of each row from ``begin`` to ``end``, their targets, and a uniform number for each to be thinned by."""
    no_longs, no_targets = np.empty(0, np.int64), np.empty(0, np.uint32)
    limit = ints[LIMIT]
    words, reals, bitmap = row_scratch(limit, ints[CANDIDATES], ints[KIND])
    row, key = np.empty(limit, np.uint32), ints[SEED_LOW : STREAM + 1]
    lengths = np.empty(end - begin, np.int64)
    targets, chances = np.empty(capacity, np.uint32), np.empty(capacity, np.float64)
    at = 0
    for source in range(begin, end):
        n = row_targets(ints, floats, no_longs, no_targets, source, words, reals, bitmap, row)
        lengths[source - begin] = n
        if at + n > len(targets):
            grown = np.empty(2 * (at + n), np.uint32)
            grown[:at] = targets[:at]
            targets = grown
            grown_chances = np.empty(2 * (at + n), np.float64)
            grown_chances[:at] = chances[:at]
            chances = grown_chances
        targets[at : at + n] = row[:n]
        for first in range(0, n, 4 * MAX_BLOCKS):
            count = min(n - first, 4 * MAX_BLOCKS)
            fill_words(words, first // 4, (count + 3) // 4, THINNING, source, key)
            for j in range(count):
                chances[at + first + j] = open_uniform(words[j])
        at += n
    return lengths, targets[:at], chances[:at]
