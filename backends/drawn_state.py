"""What rows that are not stored need in the compiled loop: tables, scratch, arenas for those of spikes in flight."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
import psutil

from neurosim.backends import drawn_kernels as kernels
from neurosim.backends.drawn_kernels import ARENA_COLUMNS, COLUMNS, PART_COLUMNS, Drawn
from neurosim.backends.errors import SlowPathWarning
from neurosim.backends.numba_engine import untouched
from neurosim.backends.row_recipe import CANDIDATES, DISTINCT, KIND, MAX_BLOCKS, SPACINGS
from neurosim.backends.row_regenerator import Bundle

_LINE = 64  # bytes of a cache line: what threads write stands apart
_WORD = 4  # bytes of a word of an arena
_STEPS_BETWEEN_LOOKS = 16  # times those whose spikes are remembered


class DrawnState:
    """The arrays of all rows that are drawn.

    Parameters
    ----------
    drawn : sequence of Bundle
        At least one.
    numbers, members : sequence of int
        Of each: its number among all rows of the loop, and the member that its sources are.
    n_rows : int
        Rows of the loop.
    slots : int
        Steps whose spikes the loop remembers.
    """

    def __init__(
        self, drawn: Sequence[Bundle], numbers: Sequence[int], members: Sequence[int], n_rows: int, slots: int
    ) -> None:
        self._drawn = tuple(drawn)  # the table holds addresses of theirs
        owners, count = drawn[0].n_owners, len(drawn)
        of_rows = np.full(n_rows, -1, np.int64)
        of_rows[list(numbers)] = np.arange(count)
        table, parts = np.zeros((count, COLUMNS), np.int64), [part for made in drawn for part in made.parts]
        numbers_of = np.zeros((len(parts), max(len(part.delays) for part in parts)), np.int64)
        of_parts, p = np.zeros((len(parts), PART_COLUMNS), np.int64), 0
        for r, (made, member) in enumerate(zip(drawn, members, strict=True)):
            facts = (member, made.first, len(made.delays), made.delays[-1], _stride(made), members[:r].count(member))
            table[r] = *facts, p, p + len(made.parts)
            for part in made.parts:
                words, longs = part.recipe.delay_words, part.recipe.longs
                of_parts[p] = len(part.delays), words.ctypes.data, len(words), longs.ctypes.data, len(longs)
                numbers_of[p, : len(part.delays)] = np.searchsorted(made.delays, part.delays)
                p += 1
        self.arrays = Drawn(
            table=table,
            of_rows=of_rows,
            parts=of_parts,
            numbers=numbers_of,
            ints=np.stack([part.recipe.ints for part in parts]),
            floats=np.stack([part.recipe.floats for part in parts]),
            edges=np.stack([part.place.edges for part in parts]),
            slots=np.stack([part.place.slots for part in parts]),
            arenas=np.zeros((owners, count, ARENA_COLUMNS), np.int64),
            marks=np.zeros((owners, count, slots), np.int64),
            addresses=np.zeros((int(table[:, kernels.LANE].max()) + 1, 0), np.int64),
            turns=np.zeros((owners + 1, _LINE // 8), np.int64),
            **{name: np.zeros((owners, length), dtype) for name, (length, dtype) in _scratch(drawn).items()},
        )
        self._told, self._looked = False, 0
        self._memory = [[np.empty(0, np.uint32)] * count for _ in range(owners)]
        for owner in range(owners):
            for r, made in enumerate(drawn):
                self._make_place(owner, r, _arena_words(made))

    @property
    def nbytes(self) -> int:
        """Bytes of scratch and arenas."""
        scratch = sum(getattr(self.arrays, name).nbytes for name in _scratch(self._drawn))
        return scratch + sum(arena.nbytes for arenas in self._memory for arena in arenas)

    def resume(self, now: int, past: np.ndarray, bounds: np.ndarray) -> None:
        """Draw the rows of the spikes in flight at step ``now``, which the past of each owner holds."""
        self._looked = now
        addresses = np.zeros((len(self.arrays.addresses), past.shape[1]), np.int64)
        self.arrays = self.arrays._replace(addresses=addresses)
        for owner in range(len(past)):
            for r in range(len(self._drawn)):
                self._lay(owner, r, now, now, past, bounds)

    def grow_past(self, head: int, capacity: int) -> None:
        """A past twice as large; what is there stays where it is counted from."""
        lanes, before = self.arrays.addresses.shape
        larger = np.zeros((lanes, capacity), np.int64)
        places = np.arange(max(0, head - before), head)
        larger[:, places & (capacity - 1)] = self.arrays.addresses[:, places & (before - 1)]
        self.arrays = self.arrays._replace(addresses=larger)

    def grow(self, step: int, end: int, past: np.ndarray, bounds: np.ndarray) -> None:
        """Larger arenas in place of full ones, after the steps ``step … end`` that wait to be taken over."""
        for owner, r in np.argwhere(self.arrays.arenas[:, :, kernels.WANTED]):
            before = self._memory[owner][r]  # until its rows have moved
            if self._enlarge(owner, r):
                self._lay(owner, r, step, end, past, bounds)
            del before

    def shrink(self, now: int, past: np.ndarray, bounds: np.ndarray) -> None:
        """Give back what a burst of spikes took and is no longer in use, now and then."""
        if now - self._looked < _STEPS_BETWEEN_LOOKS * bounds.shape[1]:
            return
        self._looked = now
        for owner, arenas in enumerate(self.arrays.arenas):
            for r, made in enumerate(self._drawn):
                words = max(2 * int(arenas[r, kernels.MOST]), _arena_words(made))
                arenas[r, kernels.MOST] = 0
                if words < int(arenas[r, kernels.CAPACITY]) // 2:
                    before = self._memory[owner][r]
                    self._make_place(owner, r, words)
                    self._lay(owner, r, now, now, past, bounds)
                    del before

    def _lay(self, owner: int, r: int, now: int, end: int, past: np.ndarray, bounds: np.ndarray) -> None:
        """Lay an owner's rows of the spikes before the step ``now`` that have still to arrive in the step ``end``."""
        arena, memory = self.arrays.arenas[owner, r], []
        slots = bounds.shape[1]
        while True:
            arena[kernels.HEAD], self.arrays.marks[owner, r] = 0, 0
            if kernels.draw(owner, r, end - slots, now, end, past[owner], bounds[owner], self.arrays, True):
                break
            memory.append(self._memory[owner][r])  # some rows are there already
            self._enlarge(owner, r)
        arena[kernels.HEAD] = arena[kernels.NEXT]

    def _enlarge(self, owner: int, r: int) -> bool:
        """Half as large again, so that no arena grows often, or as memory allows; whether it is another one now."""
        arena = self.arrays.arenas[owner, r]
        capacity, allowed = int(arena[kernels.CAPACITY]), _free() // 2 // _WORD
        words = max(int(arena[kernels.WANTED]), capacity) * 3 // 2 + 1
        arena[kernels.WANTED] = 0
        if min(words, allowed) > capacity:
            self._make_place(owner, r, min(words, allowed))
        arena[kernels.LIMITED] = words > allowed
        if words > allowed and not self._told:
            self._told = True
            message = (
                f"rows of spikes in flight take {self.nbytes / 1e9:.3g} GB, {_free() / 1e9:.3g} GB are free: "
                "further ones are drawn again at each of their delays; write fewer different delays"
            )
            warnings.warn(SlowPathWarning(message), stacklevel=2)
        return int(arena[kernels.CAPACITY]) > capacity

    def _make_place(self, owner: int, r: int, words: int) -> None:
        self._memory[owner][r] = memory = untouched(words, "uint32")
        arena = self.arrays.arenas[owner, r]
        arena[kernels.ADDRESS], arena[kernels.CAPACITY] = memory.ctypes.data, words
        arena[kernels.LIMITED] = words == 0


def _free() -> int:
    """Bytes."""
    return int(psutil.virtual_memory().available)


def nbytes(drawn: Sequence[Bundle]) -> int:
    """Bytes that a :class:`DrawnState` of these takes, as long as spikes are no more frequent than is assumed."""
    scratch = sum(length * np.dtype(dtype).itemsize for length, dtype in _scratch(drawn).values())
    return drawn[0].n_owners * (scratch + _WORD * sum(map(_arena_words, drawn)))


def _stride(made: Bundle) -> int:
    """Words of a synapse."""
    return 1 if made.dtype is None else 2


def _arena_words(made: Bundle) -> int:
    """For an owner's share of the rows in flight, which varies as random numbers do.

    To draw a row of one delay when it arrives takes no longer than to keep it, but for several threads that share it.
    """
    if made.n_owners == 1 and len(made.delays) == 1:
        return 0
    rows = made.in_flight / made.n_owners
    words = made.n_owners * len(made.delays) + 1 + _stride(made) * made.mean_length
    return math.ceil((rows + 4.0 * math.sqrt(rows) + 4.0) * words)


def _scratch(drawn: Sequence[Bundle]) -> dict[str, tuple[int, str]]:
    """Length and type of each scratch array of an owner, long enough for all."""
    parts = [part for made in drawn for part in made.parts]
    kinds = [(int(part.recipe.ints[KIND]), int(part.recipe.ints[CANDIDATES]), part.longest) for part in parts]
    lengths = {
        "words": (4 * MAX_BLOCKS, "uint32"),
        "reals": (max((n + 1 for kind, _, n in kinds if kind == SPACINGS), default=0), "float64"),
        "bitmap": (max((among // 64 + 1 for kind, among, _ in kinds if kind == DISTINCT), default=0), "uint64"),
        "targets": (max(made.longest for made in drawn), "uint32"),
        "delays": (max((made.longest for made in drawn if len(made.delays) > 1), default=0), "uint16"),
        "weights": (max((made.longest for made in drawn if made.dtype), default=0), "float32"),
        "lengths": (max(len(made.parts) for made in drawn), "int64"),
        "cursors": (max(made.n_owners * len(made.delays) for made in drawn), "int64"),
    }
    whole = {name: _LINE // np.dtype(dtype).itemsize for name, (_, dtype) in lengths.items()}
    return {name: (-(-n // whole[name]) * whole[name], dtype) for name, (n, dtype) in lengths.items()}
