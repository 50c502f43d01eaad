"""The Hodgkin-Huxley population in neurosim itself, fused into one kernel or run op by op."""

import argparse
import time

from _serve import DT, MAX_CURRENT, Prepared, main, parser


def build(options: argparse.Namespace) -> Prepared:
    """Compile by a short run first; every timed run is a new simulation from rest."""
    import numpy as np

    from neurosim import Constant, Network, Population, Record, Simulation
    from neurosim.models import HodgkinHuxley

    currents = np.linspace(0, MAX_CURRENT, options.n)

    def simulation() -> Simulation:
        population = Population("hh", HodgkinHuxley(), options.n, stimuli=(Constant(currents),))
        return Simulation(
            Network((population,)),
            dt=DT,
            backend=options.backend,
            precision=options.precision,
            method="exponential_euler",
            fuse="require" if options.engine == "fused" else "off",
        )

    def run(steps: int = options.steps) -> tuple[float, int]:
        fresh = simulation()
        assert fresh.kernels  # made ready: every contender is timed without its compilation
        begin = time.perf_counter()
        result = fresh.run(steps * DT, record=(Record("hh", "spikes"),))
        return time.perf_counter() - begin, len(result.spikes["hh"].t)

    run(2)
    return Prepared(run, {"backend": options.backend, "engine": options.engine})


if __name__ == "__main__":
    arguments = parser(__doc__)
    arguments.add_argument("--engine", choices=("fused", "eager"), default="fused")
    arguments.add_argument("--backend", default="numpy")
    parsed = arguments.parse_args()
    main(f"neurosim {parsed.engine}", "neurosim", build, parsed)
