"""The window loop over a network, compiled: Python is woken only to flush records and to see Ctrl-C.

Every thread owns part of the neurons, their accumulators and the synapses onto them, and runs the whole loop for these.
At the end of a window it hands out its spikes and waits for those of the others; that is the only exchange. Each thread
keeps its own copy of the recent past, in the order of the neurons' numbers, so that sums have the same order, and the
same bits, for any number of threads.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from neurosim.backends.base import NonFiniteState, Window
from neurosim.backends.delivery import BAD, DONE, FULL, ROWS_FULL, drive
from neurosim.backends.drawn_state import DrawnState
from neurosim.backends.loop import BadState, Member, schedule
from neurosim.backends.numba_engine import MAX_STEPS, NumbaKernel, pool, untouched
from neurosim.backends.plasticity_carried import Carried
from neurosim.backends.plasticity_rules import Plastic
from neurosim.backends.plasticity_state import PlasticState
from neurosim.backends.printers.numba_template import INPUTS, WORDS
from neurosim.backends.row_regenerator import Bundle
from neurosim.backends.row_table import (
    R_BASE,
    R_COLUMNS,
    R_DELAY_STEPS,
    R_DELAYS,
    R_FIRST,
    R_MEMBER,
    R_OFFSETS,
    R_TARGET_BYTES,
    R_TARGETS,
    R_WEIGHT_BYTES,
    R_WEIGHTS,
)
from neurosim.backends.rows import Rows
from neurosim.backends.spike_list import SpikeList

_LINE = 8  # words of a cache line: what threads write stands apart
_RECORDS = 1 << 16
_PAST = 1 << 12  # spikes that have a place from the beginning


@cache
def _yield_address() -> int:
    """Of the system's function that gives the core to another thread."""
    windows = sys.platform == "win32"
    function = ctypes.windll.kernel32.SwitchToThread if windows else ctypes.CDLL(None).sched_yield  # type: ignore[attr-defined,unused-ignore]
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0)


def capacity(spikes: float) -> int:
    """Places of a past of so many spikes: a power of 2."""
    places = _PAST
    while places < spikes:
        places *= 2
    return places


class NumbaLoop:
    """Fused kernels and lists of spikes, joined by rows.

    Parameters
    ----------
    members : sequence of Member
        In the order of their neurons' numbers.
    rows : sequence of Rows or Bundle
        Synapses, stored or not, in the order of sums; split by as many owners as there are threads.
    owner_edges : ndarray of int64, shape (owners + 1,)
        Owner o has the accumulators ``owner_edges[o] : owner_edges[o + 1]``.
    dtype : str
        Of the sums of arrivals, and of plastic weights.
    plastics : sequence of Plastic
        Rows with a rule.
    """

    def __init__(
        self,
        members: Sequence[Member],
        rows: Sequence[Rows | Bundle],
        owner_edges: np.ndarray,
        dtype: str,
        plastics: Sequence[Plastic] = (),
    ) -> None:
        self._members, self._rows = members, rows
        owners, count = len(owner_edges) - 1, len(members)
        self.threads = owners
        work, window, self._horizon = schedule(rows, plastics)
        self._work = np.array(work, np.int64).reshape(-1, 3)
        longest = min([MAX_STEPS, *(m.kernel.longest for m in members if isinstance(m.kernel, NumbaKernel))])
        self.window = min(window, longest)

        self._first = np.array([m.first for m in members], np.int64)
        self._edges = np.array([m.edges for m in members], np.int64)
        senders = {m for rows_ in rows for m in [self._member_of(rows_.first)]}
        self._is_source = np.array([m in senders for m in range(count)])
        self._recorded = np.ones(count, np.bool_)
        self._functions = np.array(
            [m.kernel.address if isinstance(m.kernel, NumbaKernel) else 0 for m in members], np.int64
        )
        self._sums = np.zeros((self.window, int(owner_edges[-1])), dtype)
        self._owner_edges = np.asarray(owner_edges, np.int64)
        self._table, self._constants = self._table_of(rows, owners)

        self._lists = np.zeros((count, 3), np.int64)
        for number, member in enumerate(members):
            if isinstance(member.kernel, SpikeList):
                kernel = member.kernel
                self._lists[number] = kernel.steps.ctypes.data, kernel.lanes.ctypes.data, len(kernel.steps)

        size = np.diff(self._edges, axis=1)  # neurons of each member and owner
        self._found = [[untouched(int(total) * self.window, "int32") for total in size.sum(axis=0)] for _ in range(2)]
        self._found_at = np.array([[array.ctypes.data for array in half] for half in self._found], np.int64)
        self._found_offsets = np.zeros((2, owners, count, self.window + 1), np.int64)
        largest = int(size.max(initial=1)) * self.window
        self._events = [(untouched(largest, "uint16"), untouched(largest, "int32")) for _ in range(owners)]
        self._events_at = np.array([[a.ctypes.data, b.ctypes.data] for a, b in self._events], np.int64)

        self._slots = self._horizon + self.window
        self._past = np.zeros((owners, _PAST), np.int32)
        self._past_bounds = np.zeros((owners, self._slots, count + 1), np.int64)
        self._head = np.zeros((owners, _LINE), np.int64)
        self._record_steps, self._record_ids = np.empty(_RECORDS, np.int64), np.empty(_RECORDS, np.int32)
        self._record_count = np.zeros((owners, _LINE), np.int64)
        self._epochs, self._epoch = np.zeros((owners + 1, _LINE), np.int64), 0
        self._status = np.zeros((owners, count), np.int64)
        self._plastic = PlasticState(plastics, rows, self._edges) if plastics else None
        drawn = {number: of for number, of in enumerate(rows) if isinstance(of, Bundle)}
        sources = [self._member_of(of.first) for of in drawn.values()]
        self._drawn = DrawnState(list(drawn.values()), list(drawn), sources, len(rows), self._slots) if drawn else None

    def _member_of(self, neuron: int) -> int:
        return int(np.searchsorted(self._first, neuron, side="right")) - 1

    def _table_of(self, rows: Sequence[Rows | Bundle], owners: int) -> tuple[np.ndarray, np.ndarray]:
        table = np.zeros((owners, len(rows), R_COLUMNS), np.int64)
        constants = np.zeros(len(rows))
        for b, r in enumerate(rows):
            table[:, b, R_FIRST], table[:, b, R_MEMBER] = r.first, self._member_of(r.first)
            table[:, b, R_DELAYS], table[:, b, R_DELAY_STEPS] = len(r.delays), r.delays.ctypes.data
            if isinstance(r, Bundle):
                constants[b] = r.weight
                continue
            weights = r.weights if isinstance(r.weights, np.ndarray) else None
            table[:, b, R_TARGETS], table[:, b, R_TARGET_BYTES] = r.targets.ctypes.data, r.targets.itemsize
            if weights is not None:
                table[:, b, R_WEIGHTS], table[:, b, R_WEIGHT_BYTES] = weights.ctypes.data, weights.itemsize
            else:
                constants[b] = r.weights
            for o in range(owners):
                table[o, b, R_OFFSETS], table[o, b, R_BASE] = r.offsets[o].ctypes.data, r.base[o]
        return table, constants

    # -- spikes in flight

    def _places(self) -> dict[int, np.ndarray]:
        """Where the past has the spikes of each step that have not arrived everywhere."""
        found = {}
        for step in range(max(0, self._now - self._slots), self._now):
            bounds = self._past_bounds[0, step % self._slots]
            if bounds[-1] > bounds[0]:
                found[step] = np.arange(bounds[0], bounds[-1]) & (self._past.shape[1] - 1)
        return found

    def past(self) -> dict[int, np.ndarray]:
        """The spikes that have not arrived everywhere: step → numbers of neurons, ascending."""
        since = self._now - self._horizon
        return {step: self._past[0, at].astype(np.int64) for step, at in self._places().items() if step >= since}

    def carried(self) -> list[Carried]:
        """What plastic rows carry besides weights, for :meth:`resume` of the loop that follows."""
        if self._plastic is None:
            return []
        self.bring_up_to_date()
        return self._plastic.carried(self._now, self._past[0], self._places())

    _now = 0

    def resume(self, now: int, past: Mapping[int, np.ndarray], carried: Sequence[Carried] = ()) -> None:
        """Go on at step ``now`` with these spikes in flight, and what plastic rows carried in the loop before."""
        self._now = now
        self._past_bounds[:] = 0
        self._head[:] = 0
        total = sum(map(len, past.values()))
        if self._past.shape[1] < total:
            self._past = np.zeros((self.threads, capacity(total)), np.int32)
        position = 0
        for step in range(now - self._slots, now):
            ids = np.asarray(past.get(step, ()), np.int64)
            bounds = np.concatenate((np.searchsorted(ids, self._first), [len(ids)])) + position
            self._past[:, position : position + len(ids)] = ids
            self._past_bounds[:, step % self._slots] = bounds
            position += len(ids)
        self._head[:, 0] = position
        if self._plastic is not None:
            self._plastic.resume(self._past[0], self._places(), carried)
        if self._drawn is not None:
            self._drawn.resume(now, self._past, self._past_bounds)

    def bring_up_to_date(self) -> None:
        """Have all plastic weights take in every spike until now."""
        if self._plastic is not None:
            self._plastic.bring_up_to_date(self._now, self._table, self._past, self._past_bounds, self._sums)

    # -- running

    def record(self, names: Sequence[str]) -> None:
        """Hand out the spikes of these members only."""
        self._recorded[:] = [member.name in names for member in self._members]

    def advance(self, first_step: int, n_steps: int) -> list[Window]:
        """Run ``n_steps`` steps of all members.

        Raises
        ------
        BadState
            When a carried value is no longer finite.
        """
        blocks = self._blocks(first_step, n_steps)
        if self._drawn is not None:
            self._drawn.shrink(first_step, self._past, self._past_bounds)
        self._record_count[:] = 0
        step, pending = first_step, False
        while True:
            arguments = (blocks[1], step, first_step + n_steps - step, pending)
            results = self._run(arguments)
            step, status, windows = results[0]
            self._epoch += windows
            if status == BAD:
                self._name_the_bad_value(step, min(self.window, first_step + n_steps - step))
            if status == DONE:
                break
            if status == ROWS_FULL:
                assert self._drawn is not None
                end = step + min(self.window, first_step + n_steps - step)
                self._drawn.grow(step, end, self._past, self._past_bounds)
            else:
                assert status == FULL
                self._grow()
            pending = True
        self._now = first_step + n_steps
        return self._windows()

    def _run(self, arguments: tuple[np.ndarray, int, int, bool]) -> list[tuple[int, int, int]]:
        blocks, step, n_steps, pending = arguments

        def of(owner: int) -> tuple[int, int, int]:
            return drive(
                owner,
                self.threads,
                step,
                n_steps,
                self.window,
                pending,
                self._functions,
                blocks,
                self._lists,
                self._first,
                self._edges,
                self._is_source,
                self._recorded,
                self._sums,
                self._owner_edges,
                self._table,
                self._constants,
                self._work,
                self._found_at,
                self._found_offsets,
                self._events_at,
                self._past,
                self._past_bounds,
                self._head,
                self._record_steps,
                self._record_ids,
                self._record_count,
                self._epochs,
                self._epoch,
                self._status,
                _yield_address(),
                None if self._plastic is None else self._plastic.arrays,
                None if self._drawn is None else self._drawn.arrays,
            )

        if self.threads == 1:
            return [of(0)]
        others = [pool(self.threads - 1).submit(of, owner) for owner in range(1, self.threads)]
        return [of(0), *(other.result() for other in others)]

    def _blocks(self, first_step: int, n_steps: int) -> tuple[list[np.ndarray], np.ndarray]:
        """The words of each owner's part of each kernel, and their addresses."""
        itemsize, stride = self._sums.itemsize, self._sums.shape[1]
        kept, addresses = [], np.zeros((self.threads, len(self._members)), np.int64)
        for number, member in enumerate(self._members):
            if not isinstance(member.kernel, NumbaKernel):
                continue
            common = member.kernel.begin(first_step, n_steps)
            for owner in range(self.threads):
                words = common.copy()
                words[WORDS.index("stride")] = stride
                for i, slot in enumerate(member.slots):
                    words[INPUTS + i] = self._sums.ctypes.data + int(slot[owner] - member.edges[owner]) * itemsize
                kept.append(words)
                addresses[owner, number] = words.ctypes.data
        return kept, addresses

    def _grow(self) -> None:
        """Twice the place for the past and for records; what is there stays where it is counted from."""
        owners, capacity = self._past.shape
        larger = np.zeros((owners, 2 * capacity), np.int32)
        for owner in range(owners):
            places = np.arange(max(0, int(self._head[owner, 0]) - capacity), int(self._head[owner, 0]))
            larger[owner, places & (2 * capacity - 1)] = self._past[owner, places & (capacity - 1)]
        self._past = larger
        if self._plastic is not None:
            self._plastic.grow(self._head[:, 0], 2 * capacity)
        if self._drawn is not None:
            self._drawn.grow_past(int(self._head[0, 0]), 2 * capacity)
        self._record_steps = np.concatenate([self._record_steps, np.empty_like(self._record_steps)])
        self._record_ids = np.concatenate([self._record_ids, np.empty_like(self._record_ids)])

    def _windows(self) -> list[Window]:
        count = int(self._record_count[0, 0])
        steps, ids = self._record_steps[:count], self._record_ids[:count]
        number = np.searchsorted(self._first, ids, side="right") - 1
        order = np.argsort(number, kind="stable")
        ends = np.searchsorted(number[order], np.arange(len(self._members) + 1))
        windows = []
        for m, member in enumerate(self._members):
            mine = order[ends[m] : ends[m + 1]]
            samples = member.kernel.taken() if isinstance(member.kernel, NumbaKernel) else []
            windows.append(Window(steps[mine], (ids[mine] - member.first).astype(np.int32), samples))
        return windows

    def _name_the_bad_value(self, step: int, n_steps: int) -> None:
        """Raise for the first member that has a bad value in this window, as the Python loop does."""
        blocks = self._blocks(step, n_steps)
        for number, member in enumerate(self._members):
            if not (self._status[:, number] < 0).any():
                continue
            kernel = member.kernel
            assert isinstance(kernel, NumbaKernel)
            worst: NonFiniteState | None = None
            for owner in np.flatnonzero(self._status[:, number] < 0):
                chunk = (int(member.edges[owner]), int(member.edges[owner + 1]))
                words = blocks[0][_index(self._members, number) * self.threads + int(owner)]
                try:
                    kernel.name_the_bad_value([int(self._status[owner, number])], [chunk], step, n_steps, words)
                except NonFiniteState as error:
                    if worst is None or (error.step, error.lane) < (worst.step, worst.lane):
                        worst = error
            assert worst is not None
            raise BadState(member.name, worst)
        raise AssertionError("the loop stopped without a bad value")


def _index(members: Sequence[Member], number: int) -> int:
    """Number of a member among those with a kernel."""
    return sum(isinstance(member.kernel, NumbaKernel) for member in members[:number])
