# mypy: ignore-errors
"""What the threads of the compiled loop do for plastic synapses: at arrivals only, without an index by target.

A synapse is not visited when its target spikes. Every target keeps its recent spikes in a ring; when a spike of the
source arrives, the synapse first takes in all spikes of its target since the arrival before, in order. What its
source's trace was then travels with each spike, so that a source may spike again before a spike has arrived. Before a
ring overflows, and before weights are read, all synapses take in what they have not: the same operations in the same
order, so that no bit depends on when.
"""

from typing import NamedTuple

import numpy as np
from numba import carray

from neurosim.backends import plasticity_rules as rules
from neurosim.backends.compiled import njit
from neurosim.backends.pointers import pointer
from neurosim.backends.row_table import (
    R_BASE,
    R_DELAY_STEPS,
    R_DELAYS,
    R_FIRST,
    R_MEMBER,
    R_OFFSETS,
    R_TARGET_BYTES,
    R_TARGETS,
    R_WEIGHTS,
)

# Columns of the table of plastic rows.
ROWS, TARGET, N_SOURCES, PRE, POST, LEARNS, TRIPLETS = range(7)
COLUMNS = 7
# Of each target: spikes so far, those that all its synapses have taken in, step of the last one, traces after it, o2
# before it, step of the one before it. Most often only the last is to be taken in, which needs no look at the ring.
COUNT, TAKEN, LAST, TRACE_1, TRACE_2, LAST_O2, LAST_BUT_ONE = range(7)
STATE_COLUMNS = 8  # a cache line
RING = 32  # spikes of a target
_LAST_OF_RING = np.uint64(RING - 1)

_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}
_decay = njit(inline="always")(rules.decay)
_raised = njit(inline="always")(rules.raised)
_depressed = njit(inline="always")(rules.depressed)
_potentiated = njit(inline="always")(rules.potentiated)
_released = njit(inline="always")(rules.released)
_R1, _R2, _O1, _O2 = rules.R1, rules.R2, rules.O1, rules.O2
_W_MIN, _W_MAX = rules.W_MIN, rules.W_MAX
_RESOURCES, _UTILISATION = rules.RESOURCES, rules.UTILISATION


class Plasticity(NamedTuple):
    """Arrays of all plastic rows, of which there are P.

    Attributes
    ----------
    table : ndarray of int64, shape (P, COLUMNS)
        Numbers of rows and members, and where their parts of the other arrays begin.
    shifts : ndarray of int64, shape (owners, P)
        Added to an accumulator of an owner it gives the row of its neuron in ``post`` and ``ring``.
    parts : ndarray of int64, shape (owners, P, 2)
        The targets of an owner are these rows there.
    of_rows : ndarray of int64, shape (rows,)
        Number of the plastic rows among rows, or -1.
    numbers : ndarray of float64, shape (P, N_NUMBERS)
    fine, coarse : ndarray of float64, shape (P, 4, 1024) and (P, 4, C)
        Of each rule.
    pre : ndarray of float64, shape (owners, sources of all, 3)
        Step of the last spike of each source, and its traces after it; each owner has its own.
    post : ndarray of float64, shape (targets of all, STATE_COLUMNS)
    ring : ndarray of float64, shape (targets of all, RING, 2)
        Step of each recent spike, and o2 before it.
    travelling : ndarray of float64, shape (owners, P, past, 3)
        For each spike of the past its source's entry of ``pre`` before it.
    scratch : ndarray of float64, shape (owners, most sources, 2)
    """

    table: np.ndarray
    shifts: np.ndarray
    parts: np.ndarray
    of_rows: np.ndarray
    numbers: np.ndarray
    fine: np.ndarray
    coarse: np.ndarray
    pre: np.ndarray
    post: np.ndarray
    ring: np.ndarray
    travelling: np.ndarray
    scratch: np.ndarray


@njit(inline="always")
def _scalars(numbers):
    """Numbers of a rule in registers: an array might be written to by any store."""
    return (
        numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[7], numbers[8]
    )  # fmt: skip


@njit(inline="always")
def _clipped(weight, numbers):
    return min(max(weight, numbers[_W_MIN]), numbers[_W_MAX])  # NumPy's look for NaN, too


@njit(inline="always")
def _caught_up(weight, post, ring, neuron, arrived, r1, fine, coarse, numbers, kind):
    """A weight after the spikes of its target from the step ``arrived`` on that it has not taken in."""
    if post[neuron, COUNT] == post[neuron, TAKEN]:
        return weight
    if post[neuron, LAST_BUT_ONE] >= arrived:
        first = stop = np.int64(post[neuron, COUNT]) - 1
        taken = np.int64(post[neuron, TAKEN])
        while first > taken and ring[neuron, np.uint64(first - 1) & _LAST_OF_RING, 0] >= arrived:
            first -= 1
        for count in range(first, stop):
            place = np.uint64(count) & _LAST_OF_RING
            left = _decay(fine, coarse, np.int64(ring[neuron, place, 0]) - arrived)
            changed = _potentiated(weight, r1 * left, ring[neuron, place, 1], numbers)
            # rounded each time, as it is where a weight is stored between two spikes
            weight = np.float64(kind(_clipped(changed, numbers)))
    left = _decay(fine, coarse, np.int64(post[neuron, LAST]) - arrived)
    changed = _potentiated(weight, r1 * left, post[neuron, LAST_O2], numbers)
    return np.float64(kind(_clipped(changed, numbers)))


@njit(**_OPTIONS)
def _learn(sums, targets, weights, base, begin, end, step, arrived, r1, r2, p, shift, plasticity):
    """Take in, deliver, depress: the synapses begin … end, at which a spike arrives in this step."""
    kind = weights.dtype.type
    numbers = _scalars(plasticity.numbers[p])
    fine, coarse = plasticity.fine[p], plasticity.coarse[p]
    fine_r1, coarse_r1, fine_o1, coarse_o1 = fine[_R1], coarse[_R1], fine[_O1], coarse[_O1]
    post, ring = plasticity.post, plasticity.ring
    first, first_neuron = np.uint64(base), np.uint64(base + shift)
    for j in range(begin, end):
        target = np.uint64(targets[j])
        neuron = first_neuron + target
        weight = np.float64(weights[j])
        last = post[neuron, LAST]
        if last >= arrived:
            weight = _caught_up(weight, post, ring, neuron, arrived, r1, fine_r1, coarse_r1, numbers, kind)
        sums[first + target] += sums.dtype.type(weight)
        o1 = post[neuron, TRACE_1] * _decay(fine_o1, coarse_o1, step - np.int64(last))
        weights[j] = kind(_clipped(_depressed(weight, o1, r2, numbers), numbers))


@njit(inline="always")
def _release(sums, targets, weights, base, begin, end, part):
    first = np.uint64(base)
    for j in range(begin, end):
        sums[first + np.uint64(targets[j])] += sums.dtype.type(np.float64(weights[j]) * part)


@njit(inline="always")
def _released_after(x, u, since, p, plasticity):
    left_x = _decay(plasticity.fine[p, _RESOURCES], plasticity.coarse[p, _RESOURCES], since)
    left_u = _decay(plasticity.fine[p, _UTILISATION], plasticity.coarse[p, _UTILISATION], since)
    return _released(x, u, left_x, left_u, plasticity.numbers[p])


@njit(**_OPTIONS)
def add_plastic(sums, row, begin, end, step, delay, owner, p, place, plasticity):
    """Add the synapses begin … end to the sums, at which the spike at this place of the past arrives in this step."""
    weights = carray(pointer(row[R_WEIGHTS]), end, sums.dtype)
    narrow = carray(pointer(row[R_TARGETS]), end, np.uint16)
    wide = carray(pointer(row[R_TARGETS]), end, np.uint32)
    base, is_narrow = row[R_BASE], row[R_TARGET_BYTES] == 2
    travelling = plasticity.travelling[owner, p, place]
    before, first, second = travelling[0], travelling[1], travelling[2]
    arrived, r2 = np.int64(before) + delay, 0.0
    if not plasticity.table[p, LEARNS]:
        part = _released_after(first, second, step - arrived, p, plasticity)[2]
        if is_narrow:
            _release(sums, narrow, weights, base, begin, end, part)
        else:
            _release(sums, wide, weights, base, begin, end, part)
        return
    if plasticity.table[p, TRIPLETS]:
        r2 = second * _decay(plasticity.fine[p, _R2], plasticity.coarse[p, _R2], step - arrived)
    shift = plasticity.shifts[owner, p]
    if is_narrow:
        _learn(sums, narrow, weights, base, begin, end, step, arrived, first, r2, p, shift, plasticity)
    else:
        _learn(sums, wide, weights, base, begin, end, step, arrived, first, r2, p, shift, plasticity)


@njit(**_OPTIONS)
def bring_up_to_date(owner, p, now, rows, past, bounds, plasticity, sums):
    """Have all synapses of an owner take in all spikes of their targets; arrivals before the step ``now`` have been."""
    table, shift = plasticity.table[p], plasticity.shifts[owner, p]
    row = rows[table[ROWS]]
    n_sources, n_delays, base = table[N_SOURCES], row[R_DELAYS], row[R_BASE]
    offsets = carray(pointer(row[R_OFFSETS]), n_sources * n_delays + 1, np.int64)
    delays = carray(pointer(row[R_DELAY_STEPS]), n_delays, np.int32)
    total = offsets[n_sources * n_delays]
    weights = carray(pointer(row[R_WEIGHTS]), total, sums.dtype)
    narrow = carray(pointer(row[R_TARGETS]), total, np.uint16)
    wide = carray(pointer(row[R_TARGETS]), total, np.uint32)
    kind, is_narrow = weights.dtype.type, row[R_TARGET_BYTES] == 2
    fine, coarse, numbers = plasticity.fine[p, _R1], plasticity.coarse[p, _R1], _scalars(plasticity.numbers[p])
    post, ring = plasticity.post, plasticity.ring
    pre, latest = plasticity.pre[owner], plasticity.scratch[owner]
    travelling = plasticity.travelling[owner, p]
    slots, mask, member = bounds.shape[0], past.shape[0] - 1, row[R_MEMBER]
    for d in range(n_delays):
        for source in range(n_sources):
            latest[source, 0], latest[source, 1] = pre[table[PRE] + source, 0], pre[table[PRE] + source, 1]
        # What has been emitted and not arrived is undone, back to the spike that arrived last.
        for step in range(now - 1, now - 1 - delays[d], -1):
            slot = bounds[step % slots]
            for place in range(slot[member], slot[member + 1]):
                source = past[place & mask] - row[R_FIRST]
                latest[source, 0], latest[source, 1] = travelling[place & mask, 0], travelling[place & mask, 1]
        for source in range(n_sources):
            arrived, r1 = np.int64(latest[source, 0]) + delays[d], latest[source, 1]
            for j in range(offsets[source * n_delays + d], offsets[source * n_delays + d + 1]):
                neuron = base + (np.int64(narrow[j]) if is_narrow else np.int64(wide[j])) + shift
                if post[neuron, LAST] >= arrived:
                    weight = np.float64(weights[j])
                    weight = _caught_up(weight, post, ring, neuron, arrived, r1, fine, coarse, numbers, kind)
                    weights[j] = kind(weight)
    for neuron in range(plasticity.parts[owner, p, 0], plasticity.parts[owner, p, 1]):
        post[neuron, TAKEN] = post[neuron, COUNT]


@njit(**_OPTIONS)
def _emitted(owner, p, step, row, past, slot, plasticity):
    """Spikes of the sources in this step: keep what they travel with."""
    table, numbers = plasticity.table[p], plasticity.numbers[p]
    fine, coarse = plasticity.fine[p], plasticity.coarse[p]
    mask = past.shape[0] - 1
    for place in range(slot[row[R_MEMBER]], slot[row[R_MEMBER] + 1]):
        pre = plasticity.pre[owner, table[PRE] + past[place & mask] - row[R_FIRST]]
        travelling = plasticity.travelling[owner, p, place & mask]
        before, first, second = pre[0], pre[1], pre[2]
        since = step - np.int64(before)
        pre[0] = step
        travelling[0], travelling[1], travelling[2] = before, first, second
        if table[LEARNS]:
            pre[1] = _raised(first * _decay(fine[_R1], coarse[_R1], since), numbers)
            if table[TRIPLETS]:
                pre[2] = _raised(second * _decay(fine[_R2], coarse[_R2], since), numbers)
        else:
            pre[1], pre[2], _ = _released_after(first, second, since, p, plasticity)


@njit(**_OPTIONS)
def _received(p, step, lanes, begin, end, plasticity):
    """Spikes of the targets in this step: into their rings."""
    table, numbers = plasticity.table[p], plasticity.numbers[p]
    fine, coarse = plasticity.fine[p], plasticity.coarse[p]
    for i in range(begin, end):
        neuron = table[POST] + lanes[i]
        state = plasticity.post[neuron]
        since = step - np.int64(state[LAST])
        spike = plasticity.ring[neuron, np.int64(state[COUNT]) & (RING - 1)]
        o2 = 0.0
        if table[TRIPLETS]:
            o2 = state[TRACE_2] * _decay(fine[_O2], coarse[_O2], since)
            state[TRACE_2] = _raised(o2, numbers)
        spike[0], spike[1] = step, o2
        state[TRACE_1] = _raised(state[TRACE_1] * _decay(fine[_O1], coarse[_O1], since), numbers)
        state[LAST_BUT_ONE], state[LAST], state[LAST_O2] = state[LAST], step, o2
        state[COUNT] += 1.0


@njit(**_OPTIONS)
def take_over(owner, step, column, rows, past, bounds, found_at, offsets, plasticity, sums):
    """The spikes of a step: of all sources, which are in the past already, and of this owner's targets.

    Parameters
    ----------
    found_at : int
        Address of the lanes of this owner's spikes in the window.
    offsets : ndarray, shape (members, window + 1)
        Where those of each member and step begin.
    column : int
        The step in its window.
    """
    slot = bounds[step % bounds.shape[0]]
    for p in range(plasticity.table.shape[0]):
        _emitted(owner, p, step, rows[plasticity.table[p, ROWS]], past, slot, plasticity)
    for p in range(plasticity.table.shape[0]):
        table = plasticity.table[p]
        begin, end = offsets[table[TARGET], column], offsets[table[TARGET], column + 1]
        if not table[LEARNS] or begin == end:
            continue
        lanes = carray(pointer(found_at), end, np.int32)
        full = False
        for i in range(begin, end):
            neuron = table[POST] + lanes[i]
            full |= plasticity.post[neuron, COUNT] - plasticity.post[neuron, TAKEN] >= RING
        if full:
            bring_up_to_date(owner, p, step + 1, rows, past, bounds, plasticity, sums)
        _received(p, step, lanes, begin, end, plasticity)
