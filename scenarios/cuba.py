"""Self-sustained activity of 4 000 neurons with synaptic currents (CUBA).

Benchmark 2 of Brette et al., "Simulation of networks of spiking neurons: a review of tools and strategies", J.
Comput. Neurosci. 23:349 (2007), https://doi.org/10.1007/s10827-007-0038-6, after Vogels & Abbott, J. Neurosci.
25:10786 (2005). As ``coba``, but a synapse gives a current whatever the potential: 1.62 mV (5 ms) where it comes from
an excitatory neuron, −9 mV (10 ms) where from an inhibitory one, times the conductance of the membrane. Neurons rest
at −49 mV, above their threshold of −50 mV: what keeps them irregular is inhibition. Between spikes the integration
is exact. Potentials begin anywhere between reset and threshold, currents at zero, as in Brian's program of the
benchmark; delays are one step of 0.1 ms.

Rates are lower than those of ``coba``, and intervals more regular. ``scale`` is of the number of networks that are
averaged, ten at 1; a network is never smaller.
"""

from __future__ import annotations

import numpy as np

from neurosim.models import LIF
from neurosim.receptors import ExponentialCurrent
from neurosim.scenario import Check, Outcome
from neurosim.scenarios._brette import Benchmark, Reference, checks, run_benchmark

SOURCE = "slide 10 · Brette et al. 2007, benchmark 2"
SECONDS = 4.0
REFERENCE: Reference = {
    "excitatory rate": (5.502, 0.299),
    "inhibitory rate": (5.558, 0.0697),
    "CV of intervals": (0.6036, 0.00711),
    "correlation of counts": (0.00169, 0.00065),
}
CHECKS = checks(
    REFERENCE,
    Check("CV of intervals", 0.5, 0.0, "irregular: without synapses these neurons are clocks, CV 0", "at least"),
)


def begin(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """State at t = 0."""
    return {"v": rng.uniform(-60.0, -50.0, n)}


BENCHMARK = Benchmark(
    title="CUBA: activity that sustains itself, by currents",
    # 1 MΩ, so that 1 nA of current is 1 mV of potential
    model=LIF(tau_m=20.0, r_m=1.0, v_rest=-49.0, v_thresh=-50.0, v_reset=-60.0),
    receptors={"excitatory": ExponentialCurrent(tau=5.0), "inhibitory": ExponentialCurrent(tau=10.0)},
    weights=(1.62, -9.0),
    t_ref=5.0,
    method="exact",
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
