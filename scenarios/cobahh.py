"""Self-sustained activity of 4 000 Hodgkin-Huxley neurons (COBAHH).

Benchmark 3 of Brette et al., "Simulation of networks of spiking neurons: a review of tools and strategies", J.
Comput. Neurosci. 23:349 (2007), https://doi.org/10.1007/s10827-007-0038-6. Synapses and probabilities as in ``coba``,
neurons after Traub and Miles 1991 with 20 000 µm² of membrane: per area a synapse opens 0.03 or 0.335 mS/cm². The
leak reverses at −60 mV as in the benchmark's programs: a neuron alone has no rest then, but fires 14 times a second.

Initial potentials and conductances are those of ``coba``, gates begin closed, as in Brian's program of the benchmark;
steps of 0.1 ms by exponential Euler, and delays of one step. A spike is an upward crossing of −20 mV. Brian's program
instead takes what is above −20 mV as a spike every 3 ms, so it counts the few longer ones twice; the numbers compared
with are of a copy with upward crossings.

``scale`` is of the number of networks that are averaged, ten at 1; a network is never smaller.
"""

from __future__ import annotations

import numpy as np

from neurosim.models import TraubMiles
from neurosim.receptors import ExponentialConductance
from neurosim.scenario import Check, Outcome
from neurosim.scenarios._brette import Benchmark, Reference, checks, run_benchmark

SOURCE = "slide 10 · Brette et al. 2007, benchmark 3"
SECONDS = 9.0
REFERENCE: Reference = {
    "excitatory rate": (36.09, 2.72),
    "inhibitory rate": (36.17, 1.38),
    "CV of intervals": (2.254, 0.0673),
    "correlation of counts": (0.00353, 0.00098),
}
CHECKS = checks(
    REFERENCE,
    Check("CV of intervals", 1.0, 0.0, "Vogels & Abbott 2005: as irregular as a Poisson process, or more", "at least"),
)
PER_AREA = 5.0  # mS/cm² of 20 000 µm² in 1 µS


def begin(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """State at t = 0; conductances in mS/cm²."""
    return {
        "v": -65.0 + 5.0 * rng.standard_normal(n),
        "excitatory_g": PER_AREA * 0.01 * (4.0 + 1.5 * rng.standard_normal(n)),
        "inhibitory_g": PER_AREA * 0.01 * (20.0 + 12.0 * rng.standard_normal(n)),
        **{gate: np.zeros(n) for gate in ("m", "h", "n")},
    }


BENCHMARK = Benchmark(
    title="COBAHH: Hodgkin-Huxley neurons that sustain their activity",
    model=TraubMiles(e_l=-60.0),
    receptors={
        "excitatory": ExponentialConductance(tau=5.0, e_rev=0.0),
        "inhibitory": ExponentialConductance(tau=10.0, e_rev=-80.0),
    },
    weights=(PER_AREA * 0.006, PER_AREA * 0.067),
    t_ref=0.0,  # the benchmark's 3 ms follow from upward crossings; a period here would hold v
    method="exponential_euler",
    begin=begin,
    reference=REFERENCE,
)


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """Ten networks of 2 s at scale 1."""
    return run_benchmark(BENCHMARK, backend=backend, scale=scale, seed=seed, precision=precision, fuse=fuse)


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
