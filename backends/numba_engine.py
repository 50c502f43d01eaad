"""The fused engine of the CPU: a trace, printed, compiled by Numba, run on blocks of lanes by threads."""

from __future__ import annotations

import mmap
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

import numba
import numpy as np

from neurosim.backends import kernel_cache
from neurosim.backends.base import Kernel, NonFiniteState, Window
from neurosim.backends.printers.numba_layout import Layout
from neurosim.backends.printers.numba_printer import print_kernel
from neurosim.backends.printers.numba_template import INPUTS, WORDS
from neurosim.backends.program import LAST_EVENT, Probe
from neurosim.backends.tracing import Trace, fused_products, relative_exponentials, share_exponentials

MAX_STEPS = 1 << 16  # of one call: events carry their step in 16 bits
_EVENT_BYTES = 6
_EVENT_SPACE = 256_000_000  # address space for the events of a call; what is not touched costs nothing
_WORTH_A_THREAD = 1e-3  # seconds of work in a call; below it waking a thread costs more than it saves
_CHUNKS_PER_THREAD = 4  # so that a thread that was interrupted does not hold up the others


@lru_cache(maxsize=1)
def _mathematics() -> str:
    """What the machine code depends on besides the generated source: Numba does not look into what it inlines."""
    folder = Path(__file__).parent
    files = (
        *sorted(folder.glob("math_*.py")),
        folder / "kernel_support.py",
        folder / "intrinsics.py",
        folder / "pointers.py",
    )
    return numba.__version__ + "".join(file.read_text(encoding="utf-8") for file in files)


# Of traces that are in use: populations that share theirs are rewritten and printed once.
_PRINTED: WeakKeyDictionary[Trace, tuple[Trace, str, Layout]] = WeakKeyDictionary()


def _printed(trace: Trace) -> tuple[Trace, str, Layout]:
    """What a kernel is made of: the rewritten trace, its source, and where that expects everything."""
    if trace not in _PRINTED:
        # Weak references to the traces: what is kept must hold none of them itself.
        traced = fused_products(relative_exponentials(share_exponentials(replace(trace))))
        _PRINTED[trace] = (traced, *print_kernel(traced))
    return _PRINTED[trace]


@cache
def pool(threads: int) -> ThreadPoolExecutor:
    """So many threads, kept for the next call."""
    return ThreadPoolExecutor(threads, thread_name_prefix="neurosim")


class NumbaKernel(Kernel):
    """A program compiled to one kernel.

    Threads: at most ``NUMBA_NUM_THREADS``, and only as many as the measured time of a call makes worth while. The
    result does not depend on their number.
    """

    engine = "numba"

    def __init__(
        self,
        trace: Trace,
        n: int,
        values: Mapping[str, Any],
        state: Mapping[str, Any],
    ) -> None:
        program = trace.program
        traced, self.source, layout = _printed(trace)
        compiled = kernel_cache.load(self.source, "kernel", _mathematics()).kernel
        self.address, self._call = compiled.address, compiled.ctypes
        self.program, self.n, self.block = program, n, layout.block
        self._words = np.zeros(INPUTS + len(program.inputs), np.int64)
        self._rows = {name: row for row, name in enumerate((*program.state, *program.observables))}
        self._blocks = -(-n // layout.block)
        self._state = np.empty((self._blocks, len(program.state), layout.block), dtype=program.dtype)
        self._last = np.empty((self._blocks, layout.n_last, layout.block), np.int32)
        for name in program.carried:
            self.write(name, state[name])
        hoisted = dict(zip(traced.hoisted, traced.host_values(values), strict=True))

        def pack(indices: list[int], dtype: str, per_lane: bool) -> np.ndarray:
            if per_lane:
                tiles = np.empty((self._blocks, len(indices), layout.block), dtype)
                for row, index in enumerate(indices):
                    self._fill(tiles[:, row], hoisted.pop(index))
                return tiles
            return np.array([hoisted.pop(index) for index in indices], dtype)

        self._parameters = {
            "lanes": pack(layout.lanes, program.dtype, True),
            "lanes64": pack(layout.lanes64, "float64", True),
            "scalars": pack(layout.scalars, program.dtype, False),
            "scalars64": pack(layout.scalars64, "float64", False),
            "integers": pack(layout.integers, "int64", False),
        }
        # Random words that are kept for four steps; of which four, nobody knows yet.
        self._kept = np.empty((self._blocks, len(layout.words), layout.block), np.uint32), np.full(self._blocks, -1)
        self._set(state=self._state, last=self._last, words=self._kept[0], words_of=self._kept[1], **self._parameters)
        self._seconds_per_step = np.inf  # until the first call was measured
        self._measured = False
        self.probe(())

    def _set(self, **words: Any) -> None:
        for name, value in words.items():
            self._words[WORDS.index(name)] = value.ctypes.data if isinstance(value, np.ndarray) else value

    def probe(self, probes: Sequence[Probe]) -> None:
        self._probes = probes
        lanes = [np.asarray(probe.lanes, dtype=np.int64) for probe in probes]
        ends = np.cumsum([0, *map(len, lanes)])
        self._probe_lanes = np.concatenate([*lanes, np.empty(0, np.int64)])
        self._probe_table = np.array(
            [(p.every, self._rows[p.name], ends[i], ends[i + 1], 0) for i, p in enumerate(probes)],
            dtype=np.int64,
        ).reshape(-1, 5)
        self._set(probes=self._probe_table, probe_lanes=self._probe_lanes, n_probe_lanes=len(self._probe_lanes))

    def begin(self, first_step: int, n_steps: int) -> np.ndarray:
        """Make place for the samples of the next steps, and return the words that say where everything is."""
        self._shapes = []
        offset = 0
        for row, probe in zip(self._probe_table, self._probes, strict=True):
            first = -(-first_step // probe.every)
            count = -(-(first_step + n_steps) // probe.every) - first
            self._shapes.append((offset, count, len(probe.lanes)))
            row[4] = offset
            offset += count * len(probe.lanes)
        self._samples = np.empty(offset, dtype=self.program.dtype)
        self._set(samples=self._samples, n_samples=offset, origin=first_step, n_probes=len(self._probes))
        return self._words

    def taken(self) -> list[np.ndarray]:
        """The samples of the steps since :meth:`begin`, by probe."""
        return [self._samples[o : o + count * width].reshape(count, width) for o, count, width in self._shapes]

    def read(self, name: str) -> np.ndarray:
        return self._tiles(name).reshape(-1)[: self.n].copy()

    def write(self, name: str, values: np.ndarray) -> None:
        self._fill(self._tiles(name), values)

    def _tiles(self, name: str) -> np.ndarray:
        """Shape (blocks, lanes of a block)."""
        return self._last[:, 0] if name == LAST_EVENT else self._state[:, self._rows[name]]

    def _fill(self, tiles: np.ndarray, values: Any) -> None:
        """Write one value per lane into tiles of shape (blocks, lanes of a block), and the last into the padding."""
        lanes = np.broadcast_to(np.asarray(values), (self.n,))
        whole = self.n // self.block
        tiles[:whole] = lanes[: whole * self.block].reshape(whole, self.block)
        if whole < self._blocks:
            rest = self.n - whole * self.block
            tiles[whole, :rest], tiles[whole, rest:] = lanes[whole * self.block :], lanes[-1]

    def _chunks(self, n_steps: int) -> list[tuple[int, int]]:
        """Ranges of lanes, whole blocks each; more than one only where threads pay."""
        blocks = -(-self.n // self.block)
        worth = self._seconds_per_step * n_steps / _WORTH_A_THREAD if self._measured else 1.0
        self.threads = int(max(1, min(numba.get_num_threads(), blocks, worth)))
        pieces = min(blocks, self.threads * _CHUNKS_PER_THREAD) if self.threads > 1 else 1
        edges = [self.block * (blocks * i // pieces) for i in range(pieces)] + [self.n]
        return list(pairwise(edges))

    @property
    def longest(self) -> int:
        """Steps of one call whose events have place."""
        return max(1, min(MAX_STEPS, _EVENT_SPACE // (_EVENT_BYTES * self.n)))

    def advance(self, first_step: int, n_steps: int, arrivals: Sequence[np.ndarray] = ()) -> Window:
        self.begin(first_step, n_steps)
        stride = self.n
        for i, array in enumerate(arrivals):
            self._words[INPUTS + i], stride = array.ctypes.data, array.strides[0] // array.itemsize
        self._set(stride=stride)
        steps, lanes = [], []
        for begin in range(0, n_steps, self.longest):
            part = min(self.longest, n_steps - begin)
            found = self._advance(first_step + begin, part)
            self._words[INPUTS:] += part * stride * self._state.itemsize
            steps.append(found[0])
            lanes.append(found[1])
        return Window(np.concatenate(steps), np.concatenate(lanes), self.taken())

    def _advance(self, first_step: int, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
        words = self._words.ctypes.data

        def run(chunk: tuple[int, int]) -> tuple[int, np.ndarray, np.ndarray]:
            capacity = (chunk[1] - chunk[0]) * n_steps
            steps, lanes = untouched(capacity, "uint16"), untouched(capacity, "int32")
            count = self._call(words, *chunk, first_step, n_steps, steps.ctypes.data, lanes.ctypes.data)
            return count, steps[: max(count, 0)].copy(), lanes[: max(count, 0)].copy()

        chunks = self._chunks(n_steps)
        start = time.perf_counter()
        results = list(pool(self.threads).map(run, chunks)) if self.threads > 1 else [run(c) for c in chunks]
        self._seconds_per_step = (time.perf_counter() - start) * self.threads / n_steps
        self._measured = True
        if any(count < 0 for count, _, _ in results):
            self.name_the_bad_value([count for count, _, _ in results], chunks, first_step, n_steps)
        return _merge(results, first_step, ordered=len(results) == 1 and self.n <= self.block)

    def name_the_bad_value(
        self,
        counts: list[int],
        chunks: list[tuple[int, int]],
        first_step: int,
        n_steps: int,
        words: np.ndarray | None = None,
    ) -> NoReturn:
        """Raise for the earliest bad step, there for the lowest lane, there for the first name of the state.

        So the answer is that of the eager kernel, for any number of threads. The kernel leaves a block that
        became bad as it was, unless it ran a single step: the step is found by halving.
        """
        at_first = (self._words if words is None else words).copy()
        at_first[WORDS.index("n_probes")] = 0

        def advance(start: int, stop: int, step: int, n: int) -> int:
            words = at_first.copy()
            words[INPUTS:] += (step - first_step) * words[WORDS.index("stride")] * self._state.itemsize
            steps, lanes = np.empty((stop - start) * n, np.uint16), np.empty((stop - start) * n, np.int32)
            return int(self._call(words.ctypes.data, start, stop, step, n, steps.ctypes.data, lanes.ctypes.data))

        bad_blocks = []
        for count, (_, stop) in zip(counts, chunks, strict=True):
            while count < 0:
                bad_blocks.append(-1 - count)
                behind = bad_blocks[-1] + self.block
                count = advance(behind, stop, first_step, n_steps) if behind < stop else 0
        worst: tuple[int, int, int, float] | None = None
        for block in bad_blocks:
            stop, begin, end = min(block + self.block, self.n), first_step, first_step + n_steps
            if worst is not None and worst[0] + 1 < end:
                end = worst[0] + 1
                if advance(block, stop, begin, end - begin) >= 0:
                    continue  # later than another
            stored = end - begin == 1
            while end - begin > 1:
                half = (end - begin) // 2
                if advance(block, stop, begin, half) < 0:
                    end, stored = begin + half, half == 1
                else:
                    begin += half
            if not stored:
                advance(block, stop, begin, 1)
            values = self._state[block // self.block, :, : stop - block].T
            lane, row = np.argwhere(~np.isfinite(values))[0]
            found = (begin, block + int(lane), int(row), float(values[lane, row]))
            worst = found if worst is None else min(worst, found)
        assert worst is not None
        step, lane, row, value = worst
        raise NonFiniteState(self.program.state[row], lane, step, value)


def untouched(length: int, dtype: str) -> np.ndarray:
    """Place for so many numbers, of which only what is written takes memory."""
    size = length * np.dtype(dtype).itemsize
    return np.frombuffer(mmap.mmap(-1, max(size, 1)), dtype=dtype, count=length)


def _merge(
    results: list[tuple[int, np.ndarray, np.ndarray]], first_step: int, *, ordered: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Events of all chunks by step, then by lane. Chunks and blocks come in the order of their lanes."""
    steps = np.concatenate([steps for _, steps, _ in results])
    lanes = np.concatenate([lanes for _, _, lanes in results])
    if not ordered:
        order = np.argsort(steps, kind="stable")  # a radix sort for 16 bits
        steps, lanes = steps[order], lanes[order]
    return steps.astype(np.int64) + first_step, lanes
