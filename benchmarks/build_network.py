"""Building synapses: seconds and bytes for a hundred million of them.

``python benchmarks/build_network.py [--synapses 100000000] [--rounds 5] [--threads 2] [--out DIR]`` builds networks of
each kind in rotation, in one process, and writes ``benchmarks/results/build_network.json``.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from harness import RESULTS, interleave, machine, print_table, summary, write_json
from numba import njit

from neurosim import Network, Population, connect
from neurosim.backends.row_regenerator import regenerate
from neurosim.distributions import Normal
from neurosim.layout import layout
from neurosim.models import LIF
from neurosim.projection import Projection
from neurosim.receptors import ExponentialCurrent
from neurosim.wiring import synapse_estimate, wire

DT = 0.1
NEURONS = 40_000
BUDGET = 2.0  # s for 1e8 synapses of fixed_probability with one weight and one delay, 2 threads
BYTES = {"one weight": 4.0, "drawn weights": 8.0}  # per synapse
DELAY, DELAYS = 1.5, Normal(1.5, 0.75, low=DT)
WEIGHT, WEIGHTS = 0.1, Normal(0.1, 0.01, low=0.0)


def network(connector: Any, weight: Any, delay: Any, n: int = NEURONS, stored: bool = True) -> Network:
    """One population, connected with itself."""
    cells = Population("cells", LIF(), n, receptors={"excitatory": ExponentialCurrent()})
    return Network((cells,), (Projection("cells", "cells", connector, weight, delay, stored=stored),))


def networks(synapses: int) -> dict[str, Network]:
    """What is built, by name."""
    k = synapses // NEURONS
    p = k / NEURONS
    side = np.arange(math.isqrt(NEURONS)) / math.isqrt(NEURONS)
    plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    # 1/20 of the torus is within reach: with this bound a tenth of the synapses
    near = connect.distance_dependent(plane, connect.box(math.sqrt(0.05 / math.pi), min(1.0, 2 * p)), periodic=1.0)
    return {
        "fixed_probability": network(connect.fixed_probability(p), WEIGHT, DELAY),
        "fixed_probability, many delays": network(connect.fixed_probability(p), WEIGHT, DELAYS),
        "fixed_probability, many weights": network(connect.fixed_probability(p), WEIGHTS, DELAY),
        "fixed_probability, many of both": network(connect.fixed_probability(p), WEIGHTS, DELAYS),
        "fixed_total_number": network(connect.fixed_total_number(synapses), WEIGHT, DELAY),
        "fixed_total_number, many of both": network(connect.fixed_total_number(synapses), WEIGHTS, DELAYS),
        "fixed_total_number, no multapses": network(
            connect.fixed_total_number(synapses, multapses=False), WEIGHT, DELAY
        ),
        "fixed_out_degree": network(connect.fixed_out_degree(k), WEIGHT, DELAY),
        "fixed_in_degree": network(connect.fixed_in_degree(k), WEIGHT, DELAY),
        "fixed_in_degree, no multapses": network(connect.fixed_in_degree(k, multapses=False), WEIGHT, DELAY),
        "all_to_all": network(connect.all_to_all(), WEIGHT, DELAY, math.isqrt(synapses)),
        "distance_dependent, 1/10 as many": network(near, WEIGHT, DELAY),
    }


def timed(net: Network, threads: int, facts: dict[str, Any]) -> Callable[[], float]:
    """Measures the seconds of building; what was built is noted in ``facts``."""
    where = layout(net, threads)

    def measure() -> float:
        begin = time.perf_counter()
        wiring = wire(net, where, DT, 1, "float32", threads=threads)
        seconds = time.perf_counter() - begin
        [rows] = wiring.rows
        facts["synapses"] = len(rows.targets)
        facts["bytes_per_synapse"] = rows.nbytes / len(rows.targets)
        facts["estimate_over_truth"] = synapse_estimate(net, where, DT, "float32") / rows.nbytes
        return seconds

    return measure


@njit
def _draw_all(arguments: Any, n_sources: int, scratch: Any, results: Any) -> int:
    """Synapses of all rows, each drawn and forgotten."""
    synapses = 0
    for source in range(n_sources):
        synapses += regenerate(*arguments, source, *scratch, *results)
    return synapses


def drawing(net: Network, facts: dict[str, Any]) -> Callable[[], float]:
    """Measures the seconds of drawing every row of a network once that does not store it, on one thread."""
    wiring = wire(net, layout(net, 1), DT, 1, "float32")
    [made] = wiring.regenerators
    scratch, results = made.scratch(), made.results()

    def measure() -> float:
        begin = time.perf_counter()
        facts["synapses"] = _draw_all(made.arguments, made.n_sources, scratch, results)
        return time.perf_counter() - begin

    measure()  # warm
    return measure


def draw_cases(synapses: int, rounds: int) -> dict[str, Any]:
    """Synapses that are drawn when a neuron spikes."""
    p = synapses / NEURONS**2
    values = {"": (WEIGHT, DELAY), ", many of both": (WEIGHTS, DELAYS)}
    facts: dict[str, dict[str, Any]] = {}
    contenders = {}
    for suffix, of in values.items():
        connectors = (connect.fixed_probability(p), connect.fixed_out_degree(round(p * NEURONS)))
        for connector in connectors:
            name = connector.name + suffix
            facts[name] = {}
            contenders[name] = drawing(network(connector, *of, stored=False), facts[name])
    cases = {}
    for name, samples in interleave(contenders, rounds).items():
        seconds = summary(samples)
        cases[name] = facts[name] | {
            "seconds": seconds,
            "ns_per_synapse": seconds["median"] * 1e9 / facts[name]["synapses"],
        }
    rows = [(name, f"{case['synapses'] / 1e6:.1f}", f"{case['ns_per_synapse']:.1f}") for name, case in cases.items()]
    print_table("Synapses drawn anew, 1 thread", ("connector", "10⁶ synapses", "ns each"), rows)
    return cases


def main() -> None:
    """Measure, print, write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--synapses", type=int, default=100_000_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--out", type=Path, default=RESULTS)
    chosen = options.parse_args()
    for net in networks(2_000_000).values():  # warm: compiled, loaded
        timed(net, chosen.threads, {})()
    chosen_networks = networks(chosen.synapses)
    facts: dict[str, dict[str, Any]] = {name: {} for name in chosen_networks}
    contenders = {name: timed(net, chosen.threads, facts[name]) for name, net in chosen_networks.items()}
    cases, rows = {}, []
    for name, samples in interleave(contenders, chosen.rounds).items():
        seconds, made = summary(samples), facts[name]
        per = 1e9 / made["synapses"]
        cases[name] = made | {"seconds": seconds, "ns_per_synapse": seconds["median"] * per}
        budget = BYTES["drawn weights" if "weights" in name or "both" in name else "one weight"]
        within = made["bytes_per_synapse"] <= budget
        verdict = f"budget {budget:g} B: {'ok' if within else 'missed'}"
        if name == "fixed_probability":
            limit = BUDGET * chosen.synapses / 1e8
            verdict += f", {limit:g} s: {'ok' if seconds['median'] <= limit else 'missed'}"
        rows.append(
            (
                name,
                f"{made['synapses'] / 1e6:.1f}",
                f"{seconds['median']:.2f}",
                f"{seconds['min']:.2f}",
                f"{seconds['median'] * per:.1f}",
                f"{made['bytes_per_synapse']:.2f}",
                f"{made['estimate_over_truth']:.3f}",
                verdict,
            )
        )
    columns = ("connector", "10⁶ synapses", "s", "best", "ns each", "bytes each", "estimate/truth", "")
    title = f"Building synapses of {NEURONS:,} neurons, {chosen.threads} threads and owners"
    print_table(title, columns, rows)
    content = {
        "machine": machine(),
        "budget_s": BUDGET,
        "budget_bytes": BYTES,
        "threads": chosen.threads,
        "stored": cases,
        "drawn_anew_1_thread": draw_cases(chosen.synapses // 10, chosen.rounds),
    }
    print(write_json("build_network", content, chosen.out))


if __name__ == "__main__":
    main()
