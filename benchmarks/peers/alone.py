"""Time a network in neurosim alone: how long it takes to build, to run, and how much memory at the most."""

import argparse
import json
import resource
import sys
import time
from dataclasses import replace

from _serve import pin


def main() -> None:
    """Build, settle, run in stretches, print one JSON line."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--name", required=True, help="the network, as in microcircuit:1")
    arguments.add_argument("--warm", help="a smaller network that needs the same kernels; built first")
    arguments.add_argument("--keep", type=float, default=1.0, help="part of the synapses")
    arguments.add_argument("--not-stored", action="store_true", help="draw synapses anew in place of storing them")
    arguments.add_argument("--precision", choices=("float32", "float64"), default="float64")
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--settle", type=float, default=200.0, help="ms that are not timed")
    arguments.add_argument("--duration", type=float, default=1000.0, help="ms of each stretch that is timed")
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    pin(options.threads)

    import numba
    from _networks import DT, SEED, method, named

    from neurosim import Network, Record, Simulation, connect
    from neurosim.projection import ends_of

    assert numba.get_num_threads() == options.threads, "set NUMBA_NUM_THREADS"

    def network(name: str) -> Network:
        net = named(name)
        net = Network(net.populations, [replace(p, stored=not options.not_stored) for p in net.projections])
        if options.keep == 1.0:
            return net
        populations = {p.name: p for p in net.populations}
        projections = []
        for p in net.projections:
            fewer = max(1, round(options.keep * p.connect.expected(ends_of(p, populations))))
            projections.append(replace(p, connect=connect.fixed_total_number(fewer)))
        return Network(net.populations, projections)

    def simulation(net: Network) -> Simulation:
        made = Simulation(
            net,
            dt=DT,
            backend="numpy",
            precision=options.precision,
            method=method(options.name),
            fuse="require",
            seed=SEED,
        )
        assert made.kernels  # compiled, and the synapses built
        return made

    def records(net: Network) -> list[Record]:
        return [Record(p.name, "spikes") for p in net.populations]

    if options.warm:
        small = network(options.warm)
        simulation(small).run(2.0, record=records(small), progress=False)
    begin = time.perf_counter()
    net = network(options.name)
    ready = simulation(net)
    build = time.perf_counter() - begin
    populations = {p.name: p for p in net.populations}
    out_degree = dict.fromkeys(populations, 0.0)
    for projection in net.projections:
        expected = projection.connect.expected(ends_of(projection, populations))
        out_degree[projection.source] += expected / populations[projection.source].n
    ready.run(options.settle, record=records(net), progress=False)
    seconds, spikes = [], dict.fromkeys(populations, 0)
    for _ in range(options.rounds):
        begin = time.perf_counter()
        result = ready.run(options.duration, record=records(net), progress=False)
        counts = {name: len(result.spikes[name].t) for name in populations}
        seconds.append(time.perf_counter() - begin)
        spikes = {name: spikes[name] + count for name, count in counts.items()}
    total = options.duration * options.rounds * 1e-3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    about = {
        "name": options.name,
        "kept": options.keep,
        "stored": not options.not_stored,
        "precision": options.precision,
        "threads": options.threads,
        "neurons": sum(int(p.n) for p in net.populations),
        "synapses": round(sum(out_degree[name] * p.n for name, p in populations.items())),
        "build_seconds": build,
        "seconds_per_biological_second": [s / (options.duration * 1e-3) for s in seconds],
        "rates": {name: spikes[name] / p.n / total for name, p in populations.items()},
        "events_per_biological_second": sum(spikes[name] * out_degree[name] for name in populations) / total,
        "synapse_bytes_estimate": ready.memory_estimate.synapses,
        "peak_bytes": peak if sys.platform == "darwin" else peak * 1024,
    }
    print(json.dumps(about))


if __name__ == "__main__":
    main()
