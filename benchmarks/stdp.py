"""Plastic synapses: what they cost beside static ones, and brian2's C++ standalone mode on the same network.

``python benchmarks/stdp.py [--n 1000] [--probability 0.1] [--rounds 5] [--out DIR]`` simulates neurons with recurrent
synapses for two seconds: the same connectivity, weights and delay for every contender, on one thread. The time per
plastic event is what plastic synapses take longer than static ones, by the number of arrivals and of spikes of targets
at a synapse. Writes ``benchmarks/results/stdp.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["NUMBA_NUM_THREADS"] = "1"  # before Numba is imported

import numpy as np
from harness import RESULTS, ContenderError, interleave, machine, print_table, ratio, run_script, summary, write_json

from neurosim import Constant, Network, Population, Projection, Record, Simulation, connect
from neurosim.models import LIF
from neurosim.plasticity import STDP, TripletSTDP, TsodyksMarkram
from neurosim.receptors import ExponentialCurrent

DT, DELAY, DURATION = 0.1, 1.0, 2000.0
TAU_M, TAU_SYN, V_REST, V_THRESH, V_RESET, T_REF = 20.0, 5.0, -70.0, -50.0, -60.0, 2.0
PAIR = STDP(tau_plus=20.0, tau_minus=20.0, a_plus=0.005, a_minus=0.00525, w_max=0.01)
RULES = {
    "static": None,
    "STDP": PAIR,
    "STDP, nearest": PAIR.replace(pairing="nearest"),
    "TripletSTDP": TripletSTDP(16.8, 101.0, 33.7, 125.0, 0.001, 0.0062, 0.007, 0.00023, w_max=0.01),
    "TsodyksMarkram": TsodyksMarkram(U=0.5, tau_rec=100.0),
}
BRIAN2 = {
    "static": ("w : 1", "i_syn_post += w", None),
    "STDP": (
        "w : 1\ndr/dt = -r/(20*ms) : 1 (event-driven)\ndo/dt = -o/(20*ms) : 1 (event-driven)",
        "i_syn_post += w; w = clip(w - 0.01*0.00525*o, 0, 0.01); r += 1",
        "w = clip(w + 0.01*0.005*r, 0, 0.01); o += 1",
    ),
}


def given(n: int, probability: float) -> dict[str, np.ndarray]:
    """Connectivity, weights and drive, the same for all."""
    rng = np.random.default_rng(1)
    source, target = np.nonzero(rng.random((n, n)) < probability)
    weight = rng.uniform(0.0, 0.01, len(source)) * 1000 / n
    return {"source": source, "target": target, "weight": weight, "drive": rng.uniform(2.0, 2.6, n)}


def ours(net: dict[str, np.ndarray], rule: Any, precision: str) -> tuple[Callable[[], float], dict[str, Any]]:
    """A run of the network in neurosim, always from the beginning, and what it leaves behind."""
    n, found = len(net["drive"]), {}
    cells = LIF(tau_m=TAU_M, r_m=10.0, v_rest=V_REST, v_thresh=V_THRESH, v_reset=V_RESET)
    receptors = {"excitatory": ExponentialCurrent(TAU_SYN)}
    start = {"v": np.linspace(V_RESET, V_THRESH, n, endpoint=False)}
    population = Population("cells", cells, n, (Constant(net["drive"]),), T_REF, start, receptors)
    joined = connect.from_arrays(net["source"], net["target"])
    projection = Projection("cells", "cells", joined, net["weight"], DELAY, plasticity=rule, name="recurrent")

    def measure() -> float:
        simulation = Simulation(
            Network((population,), (projection,)), dt=DT, backend="numpy", precision=precision, method="exact"
        )
        simulation.weights("recurrent")  # compiled and built outside the measured time
        begin = time.perf_counter()
        result = simulation.run(DURATION, record=Record("cells", "spikes"), progress=False)
        weights = simulation.weights("recurrent").weight if rule is not None else None
        seconds = time.perf_counter() - begin
        found["spikes"], found["weights"] = result.spikes["cells"].i, weights
        return seconds

    measure()
    return measure, found


def events(net: dict[str, np.ndarray], spikes: np.ndarray) -> int:
    """Arrivals and spikes of the target, of all synapses; those in flight at the end are counted, too."""
    counts = np.bincount(spikes, minlength=len(net["drive"]))
    return int(counts[net["source"]].sum() + counts[net["target"]].sum())


def brian2_run(path: Path, name: str) -> dict[str, Any]:
    """The same in brian2's C++ standalone mode: seconds of the loop over the steps, spikes, weights."""
    import brian2 as b

    net = np.load(path)
    folder = tempfile.TemporaryDirectory()
    b.set_device("cpp_standalone", directory=folder.name, build_on_run=False)
    b.prefs.devices.cpp_standalone.openmp_threads = 0
    b.defaultclock.dt = DT * b.ms
    equations = f"""
        dv/dt = ({V_REST} - v + 10*(i_syn + drive))/({TAU_M}*ms) : 1 (unless refractory)
        di_syn/dt = -i_syn/({TAU_SYN}*ms) : 1
        drive : 1 (constant)
    """
    neurons = b.NeuronGroup(
        len(net["drive"]),
        equations,
        threshold=f"v > {V_THRESH}",
        reset=f"v = {V_RESET}",
        refractory=(T_REF + DT) * b.ms,  # R steps hold R − 1 updates there
        method="exact",
    )
    neurons.v, neurons.drive = np.linspace(V_RESET, V_THRESH, len(net["drive"]), endpoint=False), net["drive"]
    model, on_pre, on_post = BRIAN2[name]
    synapses = b.Synapses(neurons, neurons, model, on_pre=on_pre, on_post=on_post)
    synapses.connect(i=net["source"], j=net["target"])
    synapses.w, synapses.delay = net["weight"], DELAY * b.ms
    monitor = b.SpikeMonitor(neurons)
    b.Network(neurons, synapses, monitor).run(DURATION * b.ms)
    b.device.build(directory=folder.name, run=False)
    samples = []
    for _ in range(3):
        b.device.run(directory=folder.name, with_output=False, run_args=[])
        samples.append(b.device._last_run_time)
    np.savez(path.with_name(f"{name}.npz"), spikes=np.array(monitor.i), weights=np.array(synapses.w))
    return {"seconds": samples}


def compare(net: dict[str, np.ndarray], found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """brian2's times, and how far its weights are from ours."""
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.npz"
        np.savez(path, **net)
        for name in BRIAN2:
            seconds = run_script(Path(__file__), "--brian2", name, "--network", str(path))["seconds"]
            theirs = np.load(path.with_name(f"{name}.npz"))
            mine = found[name]["weights"]
            told[name] = {
                "seconds": summary(seconds),
                "same_spikes": bool(np.array_equal(theirs["spikes"], found[name]["spikes"])),
                "spikes": len(theirs["spikes"]),
            }
            if mine is not None:
                told[name]["largest_difference_of_weights"] = float(np.abs(theirs["weights"] - mine).max())
    return told


def main() -> None:
    """Measure, print, write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--n", type=int, default=1000)
    options.add_argument("--probability", type=float, default=0.1)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--out", type=Path, default=RESULTS)
    options.add_argument("--brian2", choices=BRIAN2, help=argparse.SUPPRESS)
    options.add_argument("--network", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.brian2:
        print(json.dumps(brian2_run(chosen.network, chosen.brian2)))
        return
    net = given(chosen.n, chosen.probability)
    cases, rows = [], []
    peers: dict[str, Any] = {}
    for precision in ("float64", "float32"):
        made = {name: ours(net, rule, precision) for name, rule in RULES.items()}
        samples = interleave({name: measure for name, (measure, _) in made.items()}, chosen.rounds)
        found = {name: of for name, (_, of) in made.items()}
        if precision == "float64":
            try:
                peers = compare(net, found)
            except ContenderError as missing:
                peers = {"missing": str(missing)}
        static = summary(samples["static"])["median"]
        for name, seconds in samples.items():
            count, median = events(net, found[name]["spikes"]), summary(seconds)["median"]
            more = 1e9 * (median - static) / count
            cases.append(
                {
                    "rule": name,
                    "precision": precision,
                    "seconds": summary(seconds),
                    "ratio_to_static": ratio(samples, name, "static"),
                    "events": count,
                    "ns_more_per_event": more,
                    "spikes": len(found[name]["spikes"]),
                }
            )
            rate = 1e3 * len(found[name]["spikes"]) / chosen.n / DURATION
            rows.append(
                (name, precision, f"{median:.3f}", f"{rate:.1f}", count, "" if name == "static" else f"{more:.1f}")
            )
    for name, told in peers.items():
        if name == "missing":
            rows.append((f"brian2: {told}",))
            continue
        rows.append((f"brian2, {name}", "float64", f"{told['seconds']['median']:.3f}", "", "", ""))
    if "STDP" in peers:
        count = events(net, found["STDP"]["spikes"])
        more = 1e9 * (peers["STDP"]["seconds"]["median"] - peers["static"]["seconds"]["median"]) / count
        rows[-1] = (*rows[-1][:4], count, f"{more:.1f}")
        peers["STDP"]["ns_more_per_event"] = more
    columns = ("contender", "precision", "seconds", "rate in Hz", "plastic events", "ns more per event")
    size = f"{chosen.n:,} neurons, {len(net['source']):,} synapses, {DURATION:g} ms, 1 thread"
    print_table(f"Plasticity, {size}", columns, rows)
    content = {"machine": machine(), "n": chosen.n, "synapses": len(net["source"]), "cases": cases, "brian2": peers}
    print(write_json("stdp", content, chosen.out))


if __name__ == "__main__":
    main()
