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

PRECISIONS = ("float64", "float32")


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
    for n in _at_least(1, sizes):
        currents = np.linspace(0.0, 20.0, n)  # µA/cm², from silence to fast firing
        net = Network((Population("hh", get_model("HodgkinHuxley").cls(), n, stimuli=(Constant(currents),)),))
        for precision in PRECISIONS:
            found = _Compared(net, seconds, dt=0.01, precision=precision)
            ns = 1e9 / n
            fused, eager = f"{found.fused * ns:.3g}", f"{found.eager * ns:.3g}"
            yield f"{n:,}", precision, str(found.threads), fused, eager, f"{found.ratio:.1f}"


def _coba(sizes: tuple[int, ...], seconds: float) -> Iterator[tuple[str, ...]]:
    """The same of a network that keeps itself active."""
    from neurosim.scenarios import _brette, coba  # which are built on this package

    for n in _at_least(10, sizes):
        net = _brette.network(coba.BENCHMARK, 1, n)
        for precision in PRECISIONS:
            found = _Compared(net, seconds, dt=_brette.DT, precision=precision, method=coba.BENCHMARK.method)
            per_second = 1e3 / _brette.DT  # steps
            fused, eager = f"{found.fused * per_second:.3g}", f"{found.eager * per_second:.3g}"
            rate = f"{found.rate:.1f}"
            yield f"{n:,}", precision, str(found.threads), rate, fused, eager, f"{found.ratio:.1f}"


def _at_least(least: int, sizes: tuple[int, ...]) -> Iterator[int]:
    for n in sizes:
        if n < least:
            raise UsageError(f"n = {n}: must be a whole number of neurons, at least {least}")
        yield n


class _Compared:
    """Medians of three pairs of measurements.

    Attributes
    ----------
    fused, eager : float
        Seconds of a step.
    ratio : float
        Of the second to the first, within a pair.
    threads : int
        Of the fused engine.
    rate : float
        Spikes of a neuron in a second of simulated time.
    """

    def __init__(self, net: Network, seconds: float, **options: Any) -> None:
        runs = {fuse: _Repeated(net, seconds / 3, fuse=fuse, **options) for fuse in ("require", "off")}
        pairs = [(runs["require"].measure(), runs["off"].measure()) for _ in range(3)]
        self.fused, self.eager = (median(pair[i] for pair in pairs) for i in (0, 1))
        self.ratio = median(b / a for a, b in pairs)
        self.threads, self.rate = runs["require"].threads, runs["require"].rate


class _Repeated:
    """A network that is simulated again and again for about the same time."""

    def __init__(self, net: Network, seconds: float, **options: Any) -> None:
        self._simulation = Simulation(net, backend="numpy", **options)
        self._neurons = sum(int(p.n) for p in net.populations)
        self._record = [Record(p.name, SPIKES) for p in net.populations]
        self.threads, self.rate = 1, 0.0
        self._steps = 16
        self._seconds()  # compiled and loaded, before the time counts
        while (spent := self._seconds()) < seconds / 4:
            self._steps *= 2 if spent > seconds / 16 else 4
        self._steps = max(1, round(self._steps * seconds / spent))

    def _seconds(self) -> float:
        duration = self._steps * self._simulation.dt
        begin = time.perf_counter()
        result = self._simulation.run(duration, record=self._record, progress=False)
        spent = time.perf_counter() - begin
        spikes = sum(len(found.t) for found in result.spikes.values())
        self.threads, self.rate = result.provenance["threads"], spikes / self._neurons / (duration * 1e-3)
        return spent

    def measure(self) -> float:
        """Seconds of a step."""
        return self._seconds() / self._steps


BENCHMARKS = {
    "hh": Benchmark(
        "Hodgkin-Huxley populations: fused kernels against op by op with NumPy, ns per neuron and step",
        ("neurons", "precision", "threads", "fused (ns)", "op by op (ns)", "ratio"),
        (1_000, 10_000, 100_000),
        _hodgkin_huxley,
    ),
    "coba": Benchmark(
        "Integrate-and-fire neurons joined by conductances (Brette et al. 2007, benchmark 1; 80 synapses each): fused "
        "kernels against op by op with NumPy, seconds of computing for a second of simulated time",
        ("neurons", "precision", "threads", "rate (Hz)", "fused (s)", "op by op (s)", "ratio"),
        (4_000, 40_000),
        _coba,
    ),
}
