"""How the time of a simulation grows with its neurons and its synapses.

Random balanced networks of integrate-and-fire neurons, whose Poisson input sets one rate of about 8 Hz at any size:
wall time per biological second against the number of neurons, with 100 and 1000 synapses each. A fit over all
networks on as many threads gives ns per step, per neuron-step and per synaptic event. A run::

    python benchmarks/scaling.py

writes ``benchmarks/results/scaling.json`` and ``scaling.png``. Sizes that the memory does not hold are left out.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import harness
import numpy as np
import psutil

DT = 0.1  # ms
SETTLE = 50.0  # ms
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
SYNAPSES = (100, 1_000)
# expected of a machine, to choose a duration: ns per neuron-step, per synaptic event; Hz
NOMINAL_NS, NOMINAL_EVENT_NS, NOMINAL_RATE = 4.0, 3.0, 8.0
DURATIONS = (50.0, 2000.0)  # ms
BYTES_PER_SYNAPSE, BYTES_PER_NEURON = 6.0, 1_000.0  # at the most


def duration_for(n: int, k: int, seconds: float) -> float:
    """ms that take about so many seconds, whole tens within limits."""
    wall = n * (NOMINAL_NS * 1e-9 * 1e3 / DT + NOMINAL_EVENT_NS * 1e-9 * NOMINAL_RATE * k)
    return min(max(10.0 * round(100.0 * seconds / wall), DURATIONS[0]), DURATIONS[1])


def measure(n: int, k: int, threads: int, options: argparse.Namespace) -> dict[str, Any]:
    """One network on so many threads, in a process of its own."""
    duration = duration_for(n, k, options.seconds)
    print(f"  {n} neurons, {k} synapses, {threads} threads, {duration:g} ms", file=sys.stderr)
    found = harness.run_script(
        harness.HERE / "peers" / "alone.py",
        *("--name", f"balanced:{n}:{k}", "--warm", "balanced:1000:100", "--precision", options.precision),
        *("--threads", str(threads), "--settle", str(SETTLE)),
        *("--duration", str(duration), "--rounds", str(options.rounds)),
        threads=threads,
    )
    wall = harness.summary(found["seconds_per_biological_second"])
    spikes = sum(found["rates"][name] * part for name, part in (("exc", 0.8), ("inh", 0.2)))
    return {**found, "duration": duration, "n": n, "k": k, "rate": spikes, "wall": wall}


def fit(cases: Sequence[dict[str, Any]]) -> dict[str, float]:
    """ns per step, neuron-step and synaptic event that explain the wall times with the least relative error."""
    from scipy.optimize import nnls

    steps = 1e3 / DT
    wall = np.array([case["wall"]["median"] for case in cases])
    work = np.array([[steps, steps * case["n"], case["events_per_biological_second"]] for case in cases]) * 1e-9
    found, _ = nnls(work / wall[:, None], np.ones(len(cases)))
    off = np.exp(np.abs(np.log(np.maximum(work @ found, 1e-12) / wall)))
    return {
        "ns_per_step": float(found[0]),
        "ns_per_neuron_step": float(found[1]),
        "ns_per_synaptic_event": float(found[2]),
        "typical_factor_off": float(np.median(off)),
        "largest_factor_off": float(off.max()),
    }


def draw(cases: Sequence[dict[str, Any]], fits: dict[str, dict[str, float]], path: Path) -> None:
    """Wall time against neurons, and against synapses: points, and lines of the fit."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.8), sharey=True, layout="constrained")
    kinds = sorted({(case["threads"], case["k"]) for case in cases})
    degrees = sorted({k for _, k in kinds})
    threads_of = sorted({threads for threads, _ in kinds})
    for threads, k in kinds:
        of = sorted((c for c in cases if (c["threads"], c["k"]) == (threads, k)), key=lambda c: c["n"])
        wall = np.array([case["wall"]["median"] for case in of])
        ns = fits[str(threads)]
        steps = 1e3 / DT
        color = f"C{degrees.index(k)}"
        filled = color if threads == threads_of[0] else "white"
        label = f"{k} synapses each, {threads} thread{'s' * (threads > 1)}"
        style = {"color": color, "markerfacecolor": filled, "ls": "none", "marker": "o", "markersize": 5}
        modelled = [
            1e-9 * (ns["ns_per_step"] * steps + ns["ns_per_neuron_step"] * steps * c["n"])
            + 1e-9 * ns["ns_per_synaptic_event"] * c["events_per_biological_second"]
            for c in of
        ]
        for axis, variable in zip(axes, ("n", "synapses"), strict=True):
            x = [case[variable] for case in of]
            axis.plot(x, wall, label=label, zorder=3, **style)
            axis.plot(x, modelled, color=color, lw=1, ls="-" if threads == threads_of[0] else "--", zorder=2)
    for axis, label in zip(axes, ("neurons", "synapses"), strict=True):
        axis.axhline(1.0, color="0.4", lw=1, ls=":")
        axis.set(xscale="log", yscale="log", xlabel=label)
        axis.yaxis.set_major_formatter("{x:g}")
        axis.grid(which="both", alpha=0.25)
    axes[0].set_ylabel("wall time per biological second (s); dotted: real time")
    axes[0].legend(frameon=False)
    texts = [
        f"{count} thread{'s' * (count != '1')}: {f['ns_per_neuron_step']:.2g} ns per neuron-step, "
        f"{f['ns_per_synaptic_event']:.2g} ns per synaptic event, {f['ns_per_step'] / 1e3:.2g} µs per step"
        for count, f in fits.items()
    ]
    figure.suptitle(
        "Balanced integrate-and-fire networks, about 8 Hz, Poisson input, dt 0.1 ms\nlines: " + "; ".join(texts),
        fontsize=9,
        ha="left",
        x=0.01,
    )
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main() -> None:
    """Measure, print, write, draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--k", type=int, nargs="+", default=list(SYNAPSES), help="synapses of a neuron")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--precision", choices=("float32", "float64"), default="float64")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each timing, about")
    parser.add_argument("--out", type=Path, default=harness.RESULTS)
    options = parser.parse_args()
    cases, left_out = [], []
    available = psutil.virtual_memory().available
    for threads, k, n in product(options.threads, options.k, options.n):
        needed = n * (k * BYTES_PER_SYNAPSE + BYTES_PER_NEURON)
        if needed > 0.8 * available:
            left_out.append(f"{n} neurons with {k} synapses: {needed / 1e9:.1f} GB of {available / 1e9:.1f}")
        elif k < n:
            cases.append(measure(n, k, threads, options))
    fits = {
        str(threads): fit([case for case in cases if case["threads"] == threads])
        for threads in sorted({case["threads"] for case in cases})
    }
    rows = [
        (
            f"{c['n']:,}",
            f"{c['k']:,}",
            c["threads"],
            f"{c['rate']:.2f}",
            f"{c['wall']['median']:.3g}",
            f"{c['wall']['min']:.3g} to {c['wall']['max']:.3g}",
            f"{c['wall']['median'] * 1e9 / c['events_per_biological_second']:.3g}",
            f"{c['build_seconds']:.3g}",
            f"{c['peak_bytes'] / 1e9:.2f}",
        )
        for c in cases
    ]
    columns = (
        "neurons",
        "synapses each",
        "threads",
        "Hz",
        "wall s per bio s",
        "spread",
        "ns/event, all",
        "build s",
        "GB",
    )
    harness.print_table(f"Balanced networks, {options.precision}", columns, rows)
    for threads, found in fits.items():
        print(f"fit, {threads} threads: " + ", ".join(f"{name} {value:.3g}" for name, value in found.items()))
    for text in dict.fromkeys(left_out):
        print(f"left out: {text}")
    content = {"cases": cases, "fits": fits, "left_out": left_out, "machine": harness.machine()}
    print(harness.write_json("scaling", content, options.out))
    draw(cases, fits, options.out / "scaling.png")


if __name__ == "__main__":
    main()
