"""What the threads of the compiled loop run: deliver, advance, exchange.

Numba keeps machine code until this file changes, whatever becomes of the functions that it calls: after a change of
``plasticity_kernels.py``, ``plasticity_rules.py``, ``drawn_kernels.py`` or what that draws rows with raise ``LAYOUT``,
too.
"""

import numpy as np
from numba import carray

from neurosim.backends.compiled import njit
from neurosim.backends.drawn_kernels import LANE, NOWHERE, STRIDE, add_drawn, commit, draw_all, draw_and_add, look_up
from neurosim.backends.plasticity_kernels import add_plastic, take_over
from neurosim.backends.pointers import call_kernel, call_plain, load_acquire, pointer, prefetch, store_release
from neurosim.backends.row_table import (
    R_BASE,
    R_DELAYS,
    R_FIRST,
    R_MEMBER,
    R_OFFSETS,
    R_TARGET_BYTES,
    R_TARGETS,
    R_WEIGHT_BYTES,
    R_WEIGHTS,
)

LAYOUT = 3  # of what plastic and drawn synapses carry
DONE, FULL, BAD, ROWS_FULL = range(4)
_BATCH = 256  # segments that are looked up together, so that memory answers for many at once
_NONE = np.int64(0)  # not a literal, for which Numba would compile once more what it is given to
_SPINS = 2000  # before a waiting thread gives its core to another

_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}


@njit(**_OPTIONS)
def _wait(epochs, owners, owner, epoch, yield_address):
    """Until every owner has come as far as this one."""
    for other in range(owners):
        if other == owner:
            continue
        address = epochs.ctypes.data + other * 64
        spins = 0
        while load_acquire(address) < epoch:
            spins += 1
            if spins >= _SPINS:
                call_plain(yield_address)


@njit(inline="always")
def _add_constant(sums, base, targets, weight, begin, end):
    for j in range(begin, end):
        place = base + np.uint64(targets[j])
        sums[place] += weight


@njit(inline="always")
def _add_each(sums, base, targets, weights, begin, end):
    for j in range(begin, end):
        place = base + np.uint64(targets[j])
        sums[place] += sums.dtype.type(weights[j])


@njit(**_OPTIONS)
def _add(sums, row, weight, begin, end):
    """Add the synapses begin … end of a table's row to the sums."""
    base = np.uint64(row[R_BASE])
    if row[R_TARGET_BYTES] == 2:
        narrow = carray(pointer(row[R_TARGETS]), end, np.uint16)
        if row[R_WEIGHT_BYTES] == 0:
            _add_constant(sums, base, narrow, weight, begin, end)
        elif row[R_WEIGHT_BYTES] == 4:
            _add_each(sums, base, narrow, carray(pointer(row[R_WEIGHTS]), end, np.float32), begin, end)
        else:
            _add_each(sums, base, narrow, carray(pointer(row[R_WEIGHTS]), end, np.float64), begin, end)
    else:
        wide = carray(pointer(row[R_TARGETS]), end, np.uint32)
        if row[R_WEIGHT_BYTES] == 0:
            _add_constant(sums, base, wide, weight, begin, end)
        elif row[R_WEIGHT_BYTES] == 4:
            _add_each(sums, base, wide, carray(pointer(row[R_WEIGHTS]), end, np.float32), begin, end)
        else:
            _add_each(sums, base, wide, carray(pointer(row[R_WEIGHTS]), end, np.float64), begin, end)


@njit(**_OPTIONS)
def _flush(sums, step, table, constants, count, batch, owner, plasticity, drawn):
    """Look up and add a batch of segments."""
    segments, numbers, begins, ends, places, lags = batch
    for i in range(count):
        if drawn is not None:
            r = drawn.of_rows[numbers[i]]
            if r >= 0:
                begins[i], ends[i] = look_up(segments[i], places[i])
                continue
        row = table[numbers[i]]
        offsets = carray(pointer(row[R_OFFSETS] + 8 * segments[i]), 2, np.int64)
        begins[i], ends[i] = offsets[0], offsets[1]
        if offsets[1] > offsets[0]:
            prefetch(row[R_TARGETS] + offsets[0] * row[R_TARGET_BYTES])
            if row[R_WEIGHT_BYTES]:
                first = row[R_WEIGHTS] + offsets[0] * row[R_WEIGHT_BYTES]
                prefetch(first)
                prefetch(first + 64)
    for i in range(count):
        if ends[i] > begins[i]:
            row = table[numbers[i]]
            if drawn is not None:
                r = drawn.of_rows[numbers[i]]
                if r >= 0:
                    weight = sums.dtype.type(constants[numbers[i]])
                    add_drawn(sums, segments[i], begins[i], ends[i], drawn.table[r, STRIDE], weight)
                    continue
            if plasticity is not None:
                p = plasticity.of_rows[numbers[i]]
                if p >= 0:
                    add_plastic(sums, row, begins[i], ends[i], step, lags[i], owner, p, places[i], plasticity)
                    continue
            _add(sums, row, sums.dtype.type(constants[numbers[i]]), begins[i], ends[i])


@njit(**_OPTIONS)
def _deliver(sums, step, table, constants, work, past, bounds, batch, owner, plasticity, drawn):
    """Sum what arrives in a step, longest delay first, then by rows, by source, by synapse."""
    segments, numbers, _, _, places, lags = batch
    slots, mask = bounds.shape[0], past.shape[0] - 1
    count = _NONE
    for entry in range(work.shape[0]):
        number = work[entry, 1]
        row = table[number]
        member = row[R_MEMBER]
        slot = bounds[(step - work[entry, 0]) % slots]
        if drawn is not None:
            r = drawn.of_rows[number]
            if r >= 0:
                addresses = drawn.addresses[drawn.table[r, LANE]]
                segment, weight = owner * row[R_DELAYS] + work[entry, 2], sums.dtype.type(constants[number])
                for place in range(slot[member], slot[member + 1]):
                    address = addresses[place & mask]
                    if address == NOWHERE:
                        if count:
                            _flush(sums, step, table, constants, count, batch, owner, plasticity, drawn)
                            count = _NONE
                        source = past[place & mask] - row[R_FIRST]
                        draw_and_add(sums, owner, r, source, work[entry, 2], weight, drawn)
                        continue
                    prefetch(address + 4 * segment)
                    segments[count], numbers[count], places[count] = address, number, segment
                    count += 1
                    if count == _BATCH:
                        _flush(sums, step, table, constants, count, batch, owner, plasticity, drawn)
                        count = _NONE
                continue
        for place in range(slot[member], slot[member + 1]):
            segment = (past[place & mask] - row[R_FIRST]) * row[R_DELAYS] + work[entry, 2]
            prefetch(row[R_OFFSETS] + 8 * segment)
            segments[count], numbers[count] = segment, number
            if plasticity is not None:
                places[count], lags[count] = place & mask, work[entry, 0]
            count += 1
            if count == _BATCH:
                _flush(sums, step, table, constants, count, batch, owner, plasticity, drawn)
                count = _NONE
    _flush(sums, step, table, constants, count, batch, owner, plasticity, drawn)


@njit(**_OPTIONS)
def _listed(list_, begin, end, step, k, found, position, offsets):
    """Copy the given spikes of the lanes begin … end in a window."""
    steps, lanes = carray(pointer(list_[0]), list_[2], np.int64), carray(pointer(list_[1]), list_[2], np.int32)
    place = np.searchsorted(steps, step)
    for j in range(k):
        offsets[j] = position
        while place < len(steps) and steps[place] == step + j:
            if begin <= lanes[place] < end:
                found[position] = lanes[place]
                position += 1
            place += 1
    offsets[k] = position
    return position


@njit(**_OPTIONS)
def _sorted(events_at, count, k, found, position, offsets):
    """Order the events of a window by step; those of a step come by lane already."""
    steps, lanes = carray(pointer(events_at[0]), count, np.uint16), carray(pointer(events_at[1]), count, np.int32)
    for j in range(k + 1):
        offsets[j] = 0
    for i in range(count):
        offsets[np.int64(steps[i]) + 1] += 1
    offsets[0] = position
    for j in range(k):
        offsets[j + 1] += offsets[j]
    for i in range(count):
        j = np.int64(steps[i])
        found[offsets[j]] = lanes[i]
        offsets[j] += 1
    for j in range(k, 0, -1):
        offsets[j] = offsets[j - 1]
    offsets[0] = position
    return position + count


@njit(**_OPTIONS)
def drive(  # type: ignore[no-untyped-def]
    owner,
    owners,
    step,
    n_steps,
    window,
    pending,
    functions,
    blocks,
    lists,
    first,
    edges,
    is_source,
    recorded,
    sums,
    owner_edges,
    table,
    constants,
    work,
    found_at,
    found_offsets,
    events_at,
    past,
    bounds,
    head,
    record_steps,
    record_ids,
    record_count,
    epochs,
    epoch,
    status,
    yield_address,
    plasticity,
    drawn,
):
    """Run one owner's part of some steps; the step reached, why it stopped there, and the windows computed.

    It stops before the spikes of a window are taken over if there is no place for them, with the same decision in every
    thread; called again with ``pending`` it takes them over first. ``plasticity`` is None where nothing is plastic,
    ``drawn`` where all rows are stored: such networks have a compilation of their own.
    """
    members = len(functions)
    stop, windows = step + n_steps, 0
    mine_begin, mine_end = owner_edges[owner], owner_edges[owner + 1]
    segments, numbers = np.empty(_BATCH, np.int64), np.empty(_BATCH, np.int64)
    begins, ends = np.empty(_BATCH, np.int64), np.empty(_BATCH, np.int64)
    places, lags = np.empty(_BATCH, np.int64), np.empty(_BATCH, np.int64)
    batch = segments, numbers, begins, ends, places, lags
    abort = epochs.ctypes.data + owners * 64
    mask = past.shape[1] - 1
    slots = bounds.shape[1]
    recorded_count, position = record_count[owner, 0], head[owner, 0]
    while step < stop:
        k = min(window, stop - step)
        if not pending:
            epoch += 1
            windows += 1
            parity = epoch & 1
            for j in range(k):
                sums[j, mine_begin:mine_end] = 0
                _deliver(
                    sums[j], step + j, table[owner], constants, work, past[owner], bounds[owner], batch, owner,
                    plasticity, drawn,
                )  # fmt: skip
            capacity = 0
            for m in range(members):
                capacity += (edges[m, owner + 1] - edges[m, owner]) * window
            found = carray(pointer(found_at[parity, owner]), capacity, np.int32)
            filled = _NONE
            for m in range(members):
                begin, end = edges[m, owner], edges[m, owner + 1]
                offsets = found_offsets[parity, owner, m]
                status[owner, m] = 0
                if functions[m] == 0:
                    filled = _listed(lists[m], begin, end, step, k, found, filled, offsets)
                    continue
                count = _NONE
                if end > begin:
                    lanes_at = events_at[owner, 1] if window > 1 else found_at[parity, owner] + 4 * filled
                    count = call_kernel(
                        functions[m], blocks[owner, m], begin, end, step, k, events_at[owner, 0], lanes_at
                    )
                if count < 0:
                    status[owner, m] = count
                    store_release(abort, epoch)
                    count = _NONE
                if window > 1:
                    filled = _sorted(events_at[owner], count, k, found, filled, offsets)
                else:
                    offsets[0], offsets[1] = filled, filled + count
                    filled += count
            store_release(epochs.ctypes.data + owner * 64, epoch)
            _wait(epochs, owners, owner, epoch, yield_address)
            if load_acquire(abort) == epoch:  # not that of a window which this thread has yet to compute
                return step, BAD, windows
        pending = False

        parity = epoch & 1
        new = 0
        for other in range(owners):
            for m in range(members):
                new += found_offsets[parity, other, m, k] - found_offsets[parity, other, m, 0]
        first_needed = step + k - (slots - window)  # the earliest step whose spikes have still to arrive
        oldest = bounds[owner, first_needed % slots, 0] if first_needed < step else position
        if position + new - oldest > mask + 1 or recorded_count + new > len(record_ids):
            head[owner, 0], record_count[owner, 0] = position, recorded_count
            return step, FULL, windows
        position_before, recorded_before = position, recorded_count
        for j in range(k):
            slot = bounds[owner, (step + j) % slots]
            for m in range(members):
                slot[m] = position
                if not (is_source[m] or recorded[m]):
                    continue
                for other in range(owners):
                    offsets = found_offsets[parity, other, m]
                    lanes = carray(pointer(found_at[parity, other]), offsets[k], np.int32)
                    for i in range(offsets[j], offsets[j + 1]):
                        number = np.int32(lanes[i] + first[m])
                        if is_source[m]:
                            past[owner, position & mask] = number
                            position += 1
                        if recorded[m]:
                            if owner == 0:
                                record_steps[recorded_count] = step + j
                                record_ids[recorded_count] = number
                            recorded_count += 1
            slot[members] = position
        if drawn is not None:
            complete, some = draw_all(owner, step, k, past[owner], bounds[owner], drawn)
            if owners > 1 and some:  # rows are of use to all when all are laid
                turns = drawn.turns
                turn = turns[owner, 0] + 1
                if not complete:
                    store_release(turns.ctypes.data + owners * 64, turn)
                store_release(turns.ctypes.data + owner * 64, turn)
                _wait(turns, owners, owner, turn, yield_address)
                complete = load_acquire(turns.ctypes.data + owners * 64) != turn
            if not complete:  # nothing was taken over
                head[owner, 0], record_count[owner, 0] = position_before, recorded_before
                return step, ROWS_FULL, windows
            commit(owner, drawn)
        if plasticity is not None:
            for j in range(k):
                take_over(
                    owner, step + j, j, table[owner], past[owner], bounds[owner], found_at[parity, owner],
                    found_offsets[parity, owner], plasticity, sums,
                )  # fmt: skip
        step += k
    head[owner, 0], record_count[owner, 0] = position, recorded_count
    return step, DONE, windows
