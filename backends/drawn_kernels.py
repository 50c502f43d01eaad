# mypy: ignore-errors
"""What the threads of the compiled loop do for synapses that are not stored: draw the rows of the spikes in flight.

The row of a spike is drawn once, by one thread for all of them: its parts, one for each projection, put together. It
stays in an arena of that thread until its longest delay has passed: first where the synapses of each owner and delay
begin, in words from the row's own beginning, then those synapses, by owner, delay and target. Each is one word, its
accumulator, and another one, its weight, where weights differ. A row that was drawn is walked as a stored one is. What
no arena keeps is drawn when it arrives: rows of one delay where there is one thread, and those for which memory does
not suffice.
"""

from typing import NamedTuple

import numpy as np
from numba import carray

from neurosim.backends.compiled import njit
from neurosim.backends.pointers import pointer, prefetch
from neurosim.backends.row_kernels import until
from neurosim.backends.row_targets import row_targets
from neurosim.backends.row_values import row_delays, row_weights

# Columns of the table of drawn rows. STRIDE: words of a synapse; LANE: of several rows of one population.
MEMBER, FIRST, N_DELAYS, LONGEST, STRIDE, LANE, FIRST_PART, END_OF_PARTS = range(8)
COLUMNS = 8
# Columns of the table of their parts.
PART_DELAYS, DELAY_WORDS, N_DELAY_WORDS, LONGS, N_LONGS = range(5)
PART_COLUMNS = 5
# Of each arena: where it is, its words; where the next row will be laid, and where it will be once all owners have laid
# theirs, both counted on as if it had no end; words that it should have had; whether it does without them; the most
# that were in use.
ADDRESS, CAPACITY, HEAD, NEXT, WANTED, LIMITED, MOST = range(7)
ARENA_COLUMNS = 8  # a cache line

NOWHERE = 0
_ONE = np.uint64(1)
_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}


class Drawn(NamedTuple):
    """Arrays of all drawn rows, of which there are R, of P parts in all.

    Attributes
    ----------
    table : ndarray of int64, shape (R, COLUMNS)
    of_rows : ndarray of int64, shape (rows,)
        Number of the drawn rows among rows, or -1.
    parts : ndarray of int64, shape (P, PART_COLUMNS)
        Numbers, and the addresses of tables.
    numbers : ndarray of int64, shape (P, most delays of a part)
        For each delay of a part its number among those of the rows.
    ints, floats : ndarray of int64 and float64, shape (P, …)
        Of the parts' recipes.
    edges, slots : ndarray of int64, shape (P, owners + 1) and (P, owners)
        Of their places.
    arenas : ndarray of int64, shape (owners, R, ARENA_COLUMNS)
    marks : ndarray of int64, shape (owners, R, slots)
        ``HEAD`` of an arena before the rows of each recent step.
    addresses : ndarray of int64, shape (lanes, past)
        Of the row of each spike of the past; 0 where it is not kept.
    turns : ndarray of int64, shape (owners + 1, words of a cache line)
        How often each owner has met the others; behind them the last time that an arena was full.
    words, reals, bitmap : ndarray, shape (owners, …)
        Scratch of :func:`~neurosim.backends.row_targets.row_targets`.
    targets, delays, weights : ndarray of uint32, uint16 and float32, shape (owners, longest row)
        A row as it is drawn: part by part, by target.
    lengths, cursors : ndarray of int64, shape (owners, most parts) and (owners, most segments of a row)
        Of these parts; where the next synapse of each owner and delay is to be laid.
    """

    table: np.ndarray
    of_rows: np.ndarray
    parts: np.ndarray
    numbers: np.ndarray
    ints: np.ndarray
    floats: np.ndarray
    edges: np.ndarray
    slots: np.ndarray
    arenas: np.ndarray
    marks: np.ndarray
    addresses: np.ndarray
    turns: np.ndarray
    words: np.ndarray
    reals: np.ndarray
    bitmap: np.ndarray
    targets: np.ndarray
    delays: np.ndarray
    weights: np.ndarray
    lengths: np.ndarray
    cursors: np.ndarray


@njit(**_OPTIONS)
def _draw_row(owner, r, source, drawn):
    """Draw a row into an owner's scratch; how long it is."""
    weighted, first_part = drawn.table[r, STRIDE] == 2, drawn.table[r, FIRST_PART]
    words, reals, bitmap = drawn.words[owner], drawn.reals[owner], drawn.bitmap[owner]
    length = 0
    for p in range(first_part, drawn.table[r, END_OF_PARTS]):
        facts, ints, floats = drawn.parts[p], drawn.ints[p], drawn.floats[p]
        longs = carray(pointer(facts[LONGS]), facts[N_LONGS], np.int64)
        targets = drawn.targets[owner, length:]
        n = row_targets(ints, floats, longs, targets, source, words, reals, bitmap, targets)
        if facts[PART_DELAYS] > 1:
            delay_words = carray(pointer(facts[DELAY_WORDS]), facts[N_DELAY_WORDS], np.uint32)
            delays = drawn.delays[owner, length:]
            row_delays(ints, longs, delay_words, delays, source, n, words, delays)
        if weighted:
            weights = drawn.weights[owner, length:]
            row_weights(ints, floats, longs, weights, source, n, words, weights)
        drawn.lengths[owner, p - first_part] = n
        length += n
    return length


@njit(**_OPTIONS)
def _lay(owner, r, words, values, drawn):
    """Put what was drawn in order into ``words``, of which ``values`` is another view."""
    facts, owners = drawn.table[r], drawn.arenas.shape[0]
    n_delays, stride, first_part = facts[N_DELAYS], facts[STRIDE], facts[FIRST_PART]
    targets, delays, weights = drawn.targets[owner], drawn.delays[owner], drawn.weights[owner]
    n_segments, cursors = owners * n_delays, drawn.cursors[owner]
    cursors[:n_segments] = 0
    begin = 0
    for p in range(first_part, facts[END_OF_PARTS]):
        numbers, several = drawn.numbers[p], drawn.parts[p, PART_DELAYS] > 1
        end = begin + drawn.lengths[owner, p - first_part]
        for o in range(owners):
            stop = until(targets, begin, end, drawn.edges[p, o + 1])
            if several:
                for i in range(begin, stop):
                    cursors[np.uint64(o * n_delays + numbers[delays[i]])] += stride
            else:
                cursors[o * n_delays + numbers[0]] += stride * (stop - begin)
            begin = stop
    at = n_segments + 1
    for s in range(n_segments):
        words[s] = at
        cursors[s], at = at, at + cursors[s]
    words[n_segments] = at
    begin = 0
    for p in range(first_part, facts[END_OF_PARTS]):
        numbers, several = drawn.numbers[p], drawn.parts[p, PART_DELAYS] > 1
        end = begin + drawn.lengths[owner, p - first_part]
        for o in range(owners):
            stop = until(targets, begin, end, drawn.edges[p, o + 1])
            shift = np.uint32(drawn.slots[p, o] - drawn.edges[p, o])  # modulo 2³²
            if several:
                for i in range(begin, stop):
                    cell = np.uint64(o * n_delays + numbers[delays[i]])  # unsigned: no look for negative numbers
                    place = np.uint64(cursors[cell])
                    cursors[cell] += stride
                    words[place] = np.uint32(targets[i] + shift)
                    if stride == 2:
                        values[place + _ONE] = weights[i]
            else:
                s = o * n_delays + numbers[0]
                at = cursors[s]
                cursors[s] += stride * (stop - begin)
                out, drawn_targets = words[at : cursors[s]], targets[begin:stop]
                if stride == 2:
                    out_values, drawn_weights = values[at : cursors[s]], weights[begin:stop]
                    for i in range(stop - begin):
                        out[2 * i] = np.uint32(drawn_targets[i] + shift)
                        out_values[2 * i + 1] = drawn_weights[i]
                else:
                    for i in range(stop - begin):
                        out[i] = np.uint32(drawn_targets[i] + shift)
            begin = stop


@njit(**_OPTIONS)
def draw(owner, r, begin, end, now, past, bounds, drawn, moved):
    """Lay the rows of an owner's share of the spikes in the steps begin … end; False where there is no place.

    Parameters
    ----------
    r : int
        Number of the rows among drawn ones.
    now : int
        The next step in which something arrives.
    moved : bool
        Whether rows are copied from where they were kept, if they were.
    """
    facts, arena, marks = drawn.table[r], drawn.arenas[owner, r], drawn.marks[owner, r]
    owners, slots, mask = drawn.arenas.shape[0], bounds.shape[0], past.shape[0] - 1
    member, stride, addresses = facts[MEMBER], facts[STRIDE], drawn.addresses[facts[LANE]]
    capacity, head = arena[CAPACITY], arena[HEAD]
    arena[NEXT] = head
    needed = now - facts[LONGEST]  # the earliest step whose spikes have still to arrive
    if capacity == 0:
        for step in range(max(begin, needed), end):
            slot = bounds[step % slots]
            for place in range(slot[member], slot[member + 1]):
                if (place + r) % owners == owner:
                    addresses[place & mask] = NOWHERE
        return True
    words = carray(pointer(arena[ADDRESS]), capacity, np.uint32)
    values = carray(pointer(arena[ADDRESS]), capacity, np.float32)
    n_segments, full = owners * facts[N_DELAYS], False
    tail = marks[needed % slots] if needed < begin else head
    if tail == head and head % capacity:  # nothing is in flight: what the cache holds is used again
        tail = head = head + -head % capacity
        arena[HEAD] = arena[NEXT] = head
        for step in range(needed, begin):
            marks[step % slots] = head
    for step in range(begin, end):
        marks[step % slots] = head
        if step < needed:
            continue
        slot = bounds[step % slots]
        for place in range(slot[member], slot[member + 1]):
            if (place + r) % owners != owner:
                continue
            before = addresses[place & mask] if moved else NOWHERE
            if before == NOWHERE:
                length = n_segments + 1 + stride * _draw_row(owner, r, past[place & mask] - facts[FIRST], drawn)
            else:
                length = np.int64(carray(pointer(before + 4 * n_segments), 1, np.uint32)[0])
            at, skipped = head % capacity, 0
            if at + length > capacity:
                skipped, at = capacity - at, 0
            if full or head + skipped + length - tail > capacity:
                if arena[LIMITED]:
                    addresses[place & mask] = NOWHERE
                else:
                    full, head = True, head + length  # to know how much place all need
                continue
            row = words[at : at + length]
            if before == NOWHERE:
                _lay(owner, r, row, values[at : at + length], drawn)
            else:
                row[:] = carray(pointer(before), length, np.uint32)
            addresses[place & mask] = arena[ADDRESS] + 4 * at
            head += skipped + length
    if full:
        arena[WANTED] = head - tail
        return False
    arena[NEXT], arena[MOST] = head, max(arena[MOST], head - tail)
    return True


@njit(**_OPTIONS)
def draw_all(owner, step, k, past, bounds, drawn):
    """An owner's share of the rows of a window: whether there was place for them, and whether anyone has any."""
    complete, some = True, False
    slots = bounds.shape[0]
    for r in range(len(drawn.table)):
        member = drawn.table[r, MEMBER]
        for j in range(k):
            slot = bounds[(step + j) % slots]
            some |= slot[member + 1] > slot[member]
        complete &= draw(owner, r, step, step + k, step + k, past, bounds, drawn, False)
    return complete, some


@njit(**_OPTIONS)
def commit(owner, drawn):
    """Keep what was laid."""
    for r in range(len(drawn.table)):
        drawn.arenas[owner, r, HEAD] = drawn.arenas[owner, r, NEXT]


@njit(inline="always")
def look_up(row, segment):
    """Where the synapses of a segment begin and end, in words from the row's beginning."""
    offsets = carray(pointer(row + 4 * segment), 2, np.uint32)
    begin, end = np.int64(offsets[0]), np.int64(offsets[1])
    if end > begin:
        prefetch(row + 4 * begin)
        prefetch(row + 4 * begin + 64)
    return begin, end


@njit(**_OPTIONS)
def add_drawn(sums, row, begin, end, stride, weight):
    """Add the synapses in these words of a row to the sums; ``weight`` is that of all where they have none."""
    length = end - begin
    targets = carray(pointer(row + 4 * begin), length, np.uint32)
    if stride == 1:
        for j in range(length):
            sums[np.uint64(targets[j])] += weight
    else:
        weights = carray(pointer(row + 4 * begin), length, np.float32)
        for j in range(0, length, 2):
            sums[np.uint64(targets[j])] += sums.dtype.type(weights[j + 1])


@njit(**_OPTIONS)
def draw_and_add(sums, owner, r, source, d, weight, drawn):
    """Draw a row that is not kept, and add an owner's synapses with its d-th delay to the sums."""
    facts, begin = drawn.table[r], 0
    targets, delays, weights = drawn.targets[owner], drawn.delays[owner], drawn.weights[owner]
    weighted = facts[STRIDE] == 2
    _draw_row(owner, r, source, drawn)
    for p in range(facts[FIRST_PART], facts[END_OF_PARTS]):
        numbers, edges = drawn.numbers[p], drawn.edges[p]
        end = begin + drawn.lengths[owner, p - facts[FIRST_PART]]
        first, stop = until(targets, begin, end, edges[owner]), until(targets, begin, end, edges[owner + 1])
        shift = np.uint32(drawn.slots[p, owner] - edges[owner])
        several = drawn.parts[p, PART_DELAYS] > 1
        targets_of, weights_of, delays_of = targets[first:stop], weights[first:stop], delays[first:stop]
        if several:
            for i in range(stop - first):
                if numbers[delays_of[i]] == d:
                    value = sums.dtype.type(weights_of[i]) if weighted else weight
                    sums[np.uint64(np.uint32(targets_of[i] + shift))] += value
        elif numbers[0] == d:
            for i in range(stop - first):
                value = sums.dtype.type(weights_of[i]) if weighted else weight
                sums[np.uint64(np.uint32(targets_of[i] + shift))] += value
        begin = end
