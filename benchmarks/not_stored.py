"""What it costs not to store synapses: time and memory of networks whose rows are drawn anew for every spike.

COBA (short rows, one delay of one step), a balanced network (rows of 1000 synapses, one weight, one delay), and a tenth
of the neurons of the cortical microcircuit with all synapses of each (drawn weights, many delays), stored and not, in
processes of their own that take turns. The spikes are the same. A run::

    python benchmarks/not_stored.py
"""

import argparse
import sys
from itertools import product
from pathlib import Path
from typing import Any

import harness

NETWORKS = {  # and a smaller one that needs the same kernels
    "coba:4000": "coba:1000",
    "balanced:10000:1000": "balanced:1000:100",
    "microcircuit:0.1:1": "microcircuit:0.02:0.1",
}


def run(name: str, threads: int, options: argparse.Namespace, *more: str) -> dict[str, Any]:
    """One network, in a process of its own."""
    print(f"  {name}, {threads} threads {' '.join(more)}", file=sys.stderr)
    return harness.run_script(
        harness.HERE / "peers" / "alone.py",
        *("--name", name, "--warm", NETWORKS[name], "--threads", str(threads), "--settle", "100", "--rounds", "1"),
        *("--duration", str(options.duration), *more),
        threads=threads,
    )


def case(name: str, threads: int, options: argparse.Namespace) -> dict[str, Any]:
    """One network on so many threads, stored and not."""
    kinds = {"stored": (), "not stored": ("--not-stored",)}
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in kinds}
    for _ in range(options.rounds):
        for kind, more in kinds.items():
            found[kind].append(run(name, threads, options, *more))
    samples = {kind: [one["seconds_per_biological_second"][0] for one in of] for kind, of in found.items()}
    last = {kind: of[-1] for kind, of in found.items()}
    assert last["stored"]["rates"] == last["not stored"]["rates"]  # the same spikes
    events = last["stored"]["events_per_biological_second"]
    result: dict[str, Any] = {key: last["stored"][key] for key in ("name", "neurons", "synapses", "threads", "rates")}
    for kind in kinds:
        wall = harness.summary(samples[kind])
        result[kind] = {
            "wall": wall,
            "ns_of_all_per_synaptic_event": wall["median"] * 1e9 / events,
            "synapse_bytes_estimate": last[kind]["synapse_bytes_estimate"],
            "peak_bytes": max(one["peak_bytes"] for one in found[kind]),
            "build_seconds": harness.summary(one["build_seconds"] for one in found[kind]),
        }
    more_ns = [(b - a) * 1e9 / events for a, b in zip(samples["stored"], samples["not stored"], strict=True)]
    return result | {
        "events_per_biological_second": events,
        "ns_more_per_synaptic_event": harness.summary(more_ns),
        "times_as_long": harness.ratio(samples, "not stored", "stored"),
    }


def print_cases(cases: list[dict[str, Any]]) -> None:
    """A table with two lines for each case."""
    rows = [
        (
            f"{c['name']}, {c['threads']} thread{'s' * (c['threads'] > 1)}, {kind}",
            f"{c[kind]['wall']['median']:.3g}",
            f"{c['times_as_long']:.2f}" if kind == "not stored" else "",
            f"{c['events_per_biological_second'] / 1e6:.4g}",
            f"{c[kind]['ns_of_all_per_synaptic_event']:.3g}",
            f"{c['ns_more_per_synaptic_event']['median']:.3g}" if kind == "not stored" else "",
            f"{c[kind]['synapse_bytes_estimate'] / 1e6:.3g}",
            f"{c[kind]['peak_bytes'] / 1e6:.4g}",
        )
        for c, kind in product(cases, ("stored", "not stored"))
    ]
    columns = ("network", "wall s per bio s", "times", "10⁶ events/s", "ns each", "more", "synapses, MB", "peak, MB")
    harness.print_table("Synapses that are stored, and that are not", columns, rows)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--duration", type=float, default=1000.0, help="ms of each run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=harness.RESULTS)
    options = parser.parse_args()
    machine = harness.machine()
    cases = [case(name, threads, options) for name, threads in product(options.networks, options.threads)]
    print_cases(cases)
    print(harness.write_json("not_stored", {"cases": cases, "machine": machine}, options.out))


if __name__ == "__main__":
    main()
