"""The fused engine of the CPU: a trace, printed, compiled by Numba, run on blocks of lanes by threads."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import numba
import numpy as np

from neurosim.backends import kernel_cache
from neurosim.backends.base import Kernel, NonFiniteState, Window
from neurosim.backends.printers.numba_printer import print_kernel
from neurosim.backends.program import Probe
from neurosim.backends.tracing import Trace, share_exponentials

MAX_STEPS = 1 << 16  # of one call: events carry their step in 16 bits
_WORTH_A_THREAD = 1e-3  # seconds of work in a call; below it waking a thread costs more than it saves
_CHUNKS_PER_THREAD = 4  # so that a thread that was interrupted does not hold up the others


@lru_cache(maxsize=1)
def _mathematics() -> str:
    """What the machine code depends on besides the generated source: Numba does not look into what it inlines."""
    folder = Path(__file__).parent
    files = (*sorted(folder.glob("math_*.py")), folder / "kernel_support.py", *folder.glob("intrinsics.py"))
    return numba.__version__ + "".join(file.read_text(encoding="utf-8") for file in files)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
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
        traced = share_exponentials(trace)
        program = trace.program
        self.source, layout = print_kernel(traced)
        self._kernel = kernel_cache.load(self.source, "kernel", _mathematics()).kernel
        self.program, self._n, self._block = program, n, layout.block
        self._rows = {name: row for row, name in enumerate((*program.state, *program.observables))}
        self._state = np.empty((len(program.state), n), dtype=program.dtype)
        for name in program.state:
            self.write(name, state[name])
        hoisted = dict(zip(traced.hoisted, traced.host_values(values), strict=True))

        def pack(indices: list[int], dtype: str, per_lane: bool) -> np.ndarray:
            packed = np.empty((len(indices), n) if per_lane else len(indices), dtype=dtype)
            for row, index in enumerate(indices):
                packed[row] = hoisted.pop(index)
            return packed

        self._parameters = (
            pack(layout.lanes, program.dtype, True),
            pack(layout.lanes64, "float64", True),
            pack(layout.scalars, program.dtype, False),
            pack(layout.scalars64, "float64", False),
            pack(layout.integers, "int64", False),
        )
        self._seconds_per_step = np.inf  # until the first call was measured
        self._measured = False
        self.probe(())

    def probe(self, probes: Sequence[Probe]) -> None:
        self._probes = probes
        lanes = [np.asarray(probe.lanes, dtype=np.int64) for probe in probes]
        ends = np.cumsum([0, *map(len, lanes)])
        self._probe_lanes = np.concatenate([*lanes, np.empty(0, np.int64)])
        self._probe_table = np.array(
            [(p.every, self._rows[p.name], ends[i], ends[i + 1], 0) for i, p in enumerate(probes)],
            dtype=np.int64,
        ).reshape(-1, 5)

    def read(self, name: str) -> np.ndarray:
        return self._state[self._rows[name]].copy()

    def write(self, name: str, values: np.ndarray) -> None:
        self._state[self._rows[name]] = values

    def _chunks(self, n_steps: int) -> list[tuple[int, int]]:
        """Ranges of lanes, whole blocks each; more than one only where threads pay."""
        blocks = -(-self._n // self._block)
        worth = self._seconds_per_step * n_steps / _WORTH_A_THREAD if self._measured else 1.0
        self.threads = int(max(1, min(numba.get_num_threads(), blocks, worth)))
        pieces = min(blocks, self.threads * _CHUNKS_PER_THREAD) if self.threads > 1 else 1
        edges = [self._block * (blocks * i // pieces) for i in range(pieces)] + [self._n]
        return list(pairwise(edges))

    def advance(self, first_step: int, n_steps: int) -> Window:
        if n_steps > MAX_STEPS:
            raise ValueError(f"{n_steps} steps in one call; at most {MAX_STEPS}")
        shapes = []
        offset = 0
        for row, probe in zip(self._probe_table, self._probes, strict=True):
            first = -(-first_step // probe.every)
            count = -(-(first_step + n_steps) // probe.every) - first
            shapes.append((offset, count, len(probe.lanes)))
            row[4] = offset
            offset += count * len(probe.lanes)
        samples = np.empty(offset, dtype=self.program.dtype)

        def run(chunk: tuple[int, int]) -> tuple[int, np.ndarray, np.ndarray]:
            return self._kernel(
                self._state,
                *self._parameters,
                self._probe_table,
                self._probe_lanes,
                samples,
                *chunk,
                first_step,
                n_steps,
            )

        chunks = self._chunks(n_steps)
        start = time.perf_counter()
        results = list(_pool(self.threads).map(run, chunks)) if self.threads > 1 else [run(c) for c in chunks]
        self._seconds_per_step = (time.perf_counter() - start) * self.threads / n_steps
        self._measured = True
        if any(count < 0 for count, _, _ in results):
            self._name_the_bad_value([count for count, _, _ in results], chunks, first_step, n_steps)
        return Window(
            *_merge(results, first_step, ordered=len(results) == 1 and self._n <= self._block),
            [samples[o : o + count * width].reshape(count, width) for o, count, width in shapes],
        )

    def _name_the_bad_value(
        self, counts: list[int], chunks: list[tuple[int, int]], first_step: int, n_steps: int
    ) -> NoReturn:
        """Raise for the earliest bad step, there for the lowest lane, there for the first name of the state.

        So the answer is that of the eager kernel, for any number of threads. The kernel leaves a block that
        became bad as it was, unless it ran a single step: the step is found by halving.
        """
        no_probes, nothing = np.empty((0, 5), np.int64), np.empty(0, self.program.dtype)

        def advance(start: int, stop: int, step: int, n: int) -> int:
            arguments = (*self._parameters, no_probes, self._probe_lanes, nothing, start, stop, step, n)
            return int(self._kernel(self._state, *arguments)[0])

        bad_blocks = []
        for count, (_, stop) in zip(counts, chunks, strict=True):
            while count < 0:
                bad_blocks.append(-1 - count)
                behind = bad_blocks[-1] + self._block
                count = advance(behind, stop, first_step, n_steps) if behind < stop else 0
        worst: tuple[int, int, int, float] | None = None
        for block in bad_blocks:
            stop, begin, end = min(block + self._block, self._n), first_step, first_step + n_steps
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
            values = self._state[:, block:stop].T
            lane, row = np.argwhere(~np.isfinite(values))[0]
            found = (begin, block + int(lane), int(row), float(values[lane, row]))
            worst = found if worst is None else min(worst, found)
        assert worst is not None
        step, lane, row, value = worst
        raise NonFiniteState(self.program.state[row], lane, step, value)


def _merge(
    results: list[tuple[int, np.ndarray, np.ndarray]], first_step: int, *, ordered: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Events of all chunks by step, then by lane. Chunks and blocks come in the order of their lanes."""
    steps = np.concatenate([steps[:count] for count, steps, _ in results])
    lanes = np.concatenate([lanes[:count] for count, _, lanes in results])
    if not ordered:
        order = np.argsort(steps, kind="stable")  # a radix sort for 16 bits
        steps, lanes = steps[order], lanes[order]
    return steps.astype(np.int64) + first_step, lanes
