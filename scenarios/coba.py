"""Self-sustained activity of 4 000 neurons with synaptic conductances (COBA).

Benchmark 1 of Brette et al., "Simulation of networks of spiking neurons: a review of tools and strategies", J.
Comput. Neurosci. 23:349 (2007), https://doi.org/10.1007/s10827-007-0038-6, after Vogels & Abbott, J. Neurosci.
25:10786 (2005). Leaky integrate-and-fire neurons (200 pF, 10 nS, rest −60 mV, threshold −50 mV, reset −60 mV,
refractory for 5 ms), 80 % of them excitatory, each pair connected with a probability of 2 %. A spike opens 6 nS
(0 mV, 5 ms) where it comes from an excitatory neuron, 67 nS (−80 mV, 10 ms) where from an inhibitory one. Nothing
comes from outside: excitation and inhibition keep each other going, and chaos makes every neuron irregular.

The state at the beginning is that of Brian's program of the benchmark: v of −65 ± 5 mV, conductances of 40 ± 15 and
200 ± 120 nS, all normal, so that a few begin below zero. The paper leaves delays open; here they are one step of
0.1 ms. ``scale`` is of the number of networks that are averaged, ten at 1; a network is never smaller.
"""

from __future__ import annotations

import numpy as np

from neurosim.models import LIF
from neurosim.receptors import ExponentialConductance
from neurosim.scenario import Check, Outcome
from neurosim.scenarios._brette import Benchmark, Reference, checks, run_benchmark

SOURCE = "slide 10 · Brette et al. 2007, benchmark 1"
SECONDS = 5.0
REFERENCE: Reference = {
    "excitatory rate": (18.89, 1.14),
    "inhibitory rate": (19.02, 0.502),
    "CV of intervals": (1.721, 0.0325),
    "correlation of counts": (0.00289, 0.00101),
}
CHECKS = checks(
    REFERENCE,
    Check("CV of intervals", 1.0, 0.0, "Vogels & Abbott 2005: as irregular as a Poisson process, or more", "at least"),
)


def begin(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """State at t = 0; conductances in µS."""
    return {
        "v": -65.0 + 5.0 * rng.standard_normal(n),
        "excitatory_g": 0.01 * (4.0 + 1.5 * rng.standard_normal(n)),
        "inhibitory_g": 0.01 * (20.0 + 12.0 * rng.standard_normal(n)),
    }


BENCHMARK = Benchmark(
    title="COBA: activity that sustains itself, by conductances",
    model=LIF(tau_m=20.0, r_m=100.0, v_rest=-60.0, v_thresh=-50.0, v_reset=-60.0),
    receptors={
        "excitatory": ExponentialConductance(tau=5.0, e_rev=0.0),
        "inhibitory": ExponentialConductance(tau=10.0, e_rev=-80.0),
    },
    weights=(0.006, 0.067),  # µS
    t_ref=5.0,
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
