"""A network in neurosim itself."""

import argparse
import time

from _serve import Prepared, main
from _spiking import parser, prepared


def build(options: argparse.Namespace) -> Prepared:
    """Compile by a short run first; every timed run is a new simulation from the same state."""
    import numpy as np
    from _networks import DT, SEED, method, named

    from neurosim import Record, Simulation

    name = options.name
    net = named(name)
    records = [Record(p.name, "spikes") for p in net.populations]
    firsts = np.cumsum([0, *(int(p.n) for p in net.populations)])
    options.n = int(firsts[-1])

    def simulation() -> Simulation:
        return Simulation(
            net,
            dt=DT,
            backend="numpy",
            precision=options.precision,
            method=method(name),
            fuse="require",
            seed=SEED,
        )

    def simulate(steps: int = options.steps) -> tuple[float, np.ndarray, np.ndarray]:
        fresh = simulation()
        assert fresh.kernels  # made ready with its synapses: all are timed without compilation and building
        begin = time.perf_counter()
        result = fresh.run(steps * DT, record=records, progress=False)
        found = [result.spikes[p.name] for p in net.populations]
        seconds = time.perf_counter() - begin
        steps_of = [np.rint(spikes.t / DT).astype(np.int64) for spikes in found]
        neurons = [first + spikes.i.astype(np.int64) for first, spikes in zip(firsts[:-1], found, strict=True)]
        return seconds, np.concatenate(steps_of), np.concatenate(neurons)

    begin = time.perf_counter()
    simulate(20)
    first = time.perf_counter() - begin
    begin = time.perf_counter()
    assert simulation().kernels
    again = time.perf_counter() - begin
    details = {"build_seconds": again, "compile_seconds": max(0.0, first - again)}
    return prepared(simulate, options.spikes, details)


if __name__ == "__main__":
    arguments = parser(__doc__)
    arguments.add_argument("--name", required=True, help="the network, as in coba:4000")
    main("neurosim fused", "neurosim", build, arguments.parse_args())
