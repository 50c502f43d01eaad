"""Benchmarks that need nothing but neurosim: how fast is it on this machine?

Comparisons with other simulators, which must be installed, are in the folder ``benchmarks`` of the repository.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from neurosim.engine import Simulation
from neurosim.errors import UsageError, nearest
from neurosim.models import get_model
from neurosim.network import Network, Population
from neurosim.record import SPIKES, Record
from neurosim.stimuli import Constant


@dataclass(frozen=True)
class Benchmark:
    """A measurement by name.

    Attributes
    ----------
    title : str
        What it measures.
    columns : sequence of str
        Of its table.
    sizes : tuple of int
        Numbers of neurons where none are given.
    run : callable
        ``run(sizes, seconds)`` yields the rows of the table.
    """

    title: str
    columns: Sequence[str]
    sizes: tuple[int, ...]
    run: Callable[[tuple[int, ...], float], Iterator[tuple[str, ...]]] = field(repr=False)


def get_benchmark(name: str) -> Benchmark:
    """The benchmark of a name.

    Raises
    ------
    UsageError
        When there is none; the message has the nearest name.
    """
    if name not in BENCHMARKS:
        raise UsageError(f"unknown benchmark {name!r}: {nearest(name, BENCHMARKS)}")
    return BENCHMARKS[name]


def _hodgkin_huxley(sizes: tuple[int, ...], seconds: float) -> Iterator[tuple[str, ...]]:
    """Fused against op by op, each pair of measurements side by side in time."""
    for n in sizes:
        if n < 1:
            raise UsageError(f"n = {n}: must be a whole number of neurons, at least 1")
        for precision in ("float64", "float32"):
            runs = {fuse: _Repeated(n, precision, fuse, seconds / 3) for fuse in ("require", "off")}
            pairs = [(runs["require"].measure(), runs["off"].measure()) for _ in range(3)]
            fused, eager = (median(pair[i] for pair in pairs) for i in (0, 1))
            ratio = median(b / a for a, b in pairs)
            threads = str(runs["require"].threads)
            yield f"{n:,}", precision, threads, f"{fused:.3g}", f"{eager:.3g}", f"{ratio:.1f}"


class _Repeated:
    """A population that is simulated again and again for about the same time."""

    def __init__(self, n: int, precision: Any, fuse: Any, seconds: float) -> None:
        currents = np.linspace(0.0, 20.0, n)  # µA/cm², from silence to fast firing
        population = Population("hh", get_model("HodgkinHuxley").cls(), n, stimuli=(Constant(currents),))
        self._simulation = Simulation(
            Network((population,)),
            dt=0.01,
            backend="numpy",
            precision=precision,
            fuse=fuse,
        )
        self._n = n
        self.threads = 1
        self._steps = 16
        self._seconds()  # compiled and loaded, before the time counts
        while (spent := self._seconds()) < seconds / 4:
            self._steps *= 2 if spent > seconds / 16 else 4
        self._steps = max(1, round(self._steps * seconds / spent))

    def _seconds(self) -> float:
        begin = time.perf_counter()
        result = self._simulation.run(self._steps * 0.01, record=Record("hh", SPIKES), progress=False)
        self.threads = result.provenance["threads"]
        return time.perf_counter() - begin

    def measure(self) -> float:
        """ns per neuron and step."""
        return self._seconds() / (self._steps * self._n) * 1e9


BENCHMARKS = {
    "hh": Benchmark(
        "Hodgkin-Huxley populations: fused kernels against op by op with NumPy, ns per neuron and step",
        ("neurons", "precision", "threads", "fused (ns)", "op by op (ns)", "ratio"),
        (1_000, 10_000, 100_000),
        _hodgkin_huxley,
    ),
}
