"""Integrate-and-fire neurons: what a step costs when there is little to compute.

``python benchmarks/lif_population.py [--n 100000] [--rounds 5] [--out DIR]`` times the fused kernel, the
op-by-op engine and NumPy by hand in rotation, in one process on one thread, and writes
``benchmarks/results/lif_population.json``.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["NUMBA_NUM_THREADS"] = "1"  # before Numba is imported

import numpy as np
from harness import RESULTS, interleave, machine, print_table, ratio, summary, write_json

from neurosim import Constant, Network, Population, Record, Simulation
from neurosim.models import LIF

DT, STEPS = 0.1, 640
BUDGET = {"float32": 0.5}  # ns per neuron and step


def by_hand(n: int, precision: str) -> Callable[[], Callable[[], int]]:
    """Makes a run of the population as an expert would write it in NumPy; the run returns its spikes."""
    current = np.linspace(1.0, 2.0, n).astype(precision)
    decay = np.asarray(np.exp(-DT / 10.0), precision)

    def run() -> int:
        v = np.full(n, -65.0, precision)
        target = (-65.0 + 10.0 * current).astype(precision)
        spikes = 0
        for _ in range(STEPS):
            v -= target
            v *= decay
            v += target
            fired = v > -50.0
            spikes += int(np.count_nonzero(fired))
            v[fired] = -65.0
        return spikes

    return lambda: run


def ours(n: int, precision: str, fuse: str) -> Callable[[], Callable[[], int]]:
    """Makes a run of the population in neurosim, ready to begin; the run returns its spikes."""
    population = Population("lif", LIF(), n, stimuli=(Constant(np.linspace(1.0, 2.0, n)),))

    def prepare() -> Callable[[], int]:
        simulation = Simulation(
            Network((population,)), dt=DT, backend="numpy", precision=precision, method="exact", fuse=fuse
        )
        assert simulation.kernels  # compiled here, outside the measured time

        def run() -> int:
            result = simulation.run(STEPS * DT, record=Record("lif", "spikes"), progress=False)
            return len(result.spikes["lif"].t)

        return run

    return prepare


def timed(prepare: Callable[[], Callable[[], int]], counts: list[int]) -> Callable[[], float]:
    """Measures the seconds of a run; its spikes are kept for comparison."""

    def measure() -> float:
        run = prepare()
        begin = time.perf_counter()
        counts.append(run())
        return time.perf_counter() - begin

    measure()  # warm: compiled, loaded
    return measure


def measure_case(n: int, precision: str, rounds: int) -> dict[str, Any]:
    """All contenders at one precision."""
    counts: dict[str, list[int]] = {"fused": [], "eager": [], "numpy by hand": []}
    contenders = {
        "fused": timed(ours(n, precision, "require"), counts["fused"]),
        "eager": timed(ours(n, precision, "off"), counts["eager"]),
        "numpy by hand": timed(by_hand(n, precision), counts["numpy by hand"]),
    }
    samples = interleave(contenders, rounds)
    scale = 1e9 / (n * STEPS)
    return {
        "n": n,
        "precision": precision,
        "ns_per_neuron_step": {name: summary(s * scale for s in of) for name, of in samples.items()},
        "ratio_to_fused": {name: ratio(samples, name, "fused") for name in samples},
        "spikes": {name: of[-1] for name, of in counts.items()},
    }


def main() -> None:
    """Measure, print, write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--n", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--out", type=Path, default=RESULTS)
    chosen = options.parse_args()
    cases = [measure_case(chosen.n, precision, chosen.rounds) for precision in ("float64", "float32")]
    rows = []
    for case in cases:
        for name, figures in case["ns_per_neuron_step"].items():
            budget = BUDGET.get(case["precision"]) if name == "fused" else None
            verdict = "" if budget is None else f"budget {budget}: {'ok' if figures['median'] <= budget else 'missed'}"
            row = (case["precision"], name, f"{figures['median']:.3g}", f"{case['ratio_to_fused'][name]:.2f}")
            rows.append((*row, case["spikes"][name], verdict))
    columns = ("precision", "contender", "ns per neuron-step", "ratio to fused", "spikes", "")
    print_table(f"LIF, {chosen.n:,} neurons, 1 thread, dt {DT} ms", columns, rows)
    print(write_json("lif_population", {"machine": machine(), "budget_ns": BUDGET, "cases": cases}, chosen.out))


if __name__ == "__main__":
    main()
