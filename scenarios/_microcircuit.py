"""The cortical microcircuit of Potjans and Diesmann (2014): parameters, and the network at any size.

Numbers: https://doi.org/10.1093/cercor/bhs358, table 5, and the public reference implementation
(https://github.com/INM-6/microcircuit-PD14-model) for initial potentials and the rates of the full network.
"""

from __future__ import annotations

import numpy as np

from neurosim import Constant, Network, PoissonInput, Population, Projection, Stimulus, connect
from neurosim.distributions import Normal
from neurosim.models import LIF
from neurosim.receptors import ExponentialCurrent, Receptor

NAMES = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
SIZES = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
RATES = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])  # Hz, of the full network
PROBABILITIES = np.array(  # row: target, column: source
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
        [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
    ]
)
EXTERNAL = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])  # synapses from elsewhere, per neuron
EXTERNAL_RATE = 8.0  # Hz, of each
START_MEAN = np.array([-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43])  # mV
START_SD = np.array([5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48])

TAU_M, C_M, V_REST, V_THRESH, T_REF, TAU_SYN = 10.0, 0.25, -65.0, -50.0, 2.0, 0.5  # ms, nF, mV, mV, ms, ms
PSP, G, RELATIVE_SD = 0.15, -4.0, 0.1  # mV; inhibition in units of excitation; of weights
DELAYS, DELAY_SD = (1.5, 0.75), 0.5  # ms of excitation and inhibition; relative


def peak_current() -> float:
    """Current in nA whose decay with TAU_SYN moves the potential by 1 mV at the most."""
    ratio = TAU_SYN / TAU_M
    at_peak = np.log(ratio) / (ratio - 1.0)  # in units of the membrane's time constant, times ratio
    return float(C_M / TAU_M * (1.0 - ratio) / ratio / (np.exp(-at_peak * ratio) - np.exp(-at_peak)))


def synapses() -> np.ndarray:
    """Number of synapses between each pair of populations of the full network, row: target."""
    pairs = np.outer(SIZES, SIZES)
    return np.log1p(-PROBABILITIES) / np.log1p(-1.0 / pairs)


def network(
    scale: float = 1.0, *, in_degree: float | None = None, drive: str = "poisson", dt: float = 0.1, seed: int = 0
) -> Network:
    """The microcircuit with ``scale`` of its neurons, and ``in_degree`` of the synapses onto each.

    Fewer synapses are made stronger by 1/√in_degree, which keeps the variance of the input, and a constant current
    replaces the mean that is then missing (van Albada, Helias and Diesmann 2015,
    https://doi.org/10.1371/journal.pcbi.1004490).

    Parameters
    ----------
    scale : float
        Of the number of neurons; 1 is the full network.
    in_degree : float, optional
        Of the number of synapses of a neuron; ``scale`` without it.
    drive : {"poisson", "dc"}
        Input from elsewhere as spikes, or as the constant current of their mean.
    dt : float
        ms.
    seed : int
        Of the potentials at the beginning.
    """
    thinned = scale if in_degree is None else in_degree
    sizes = np.maximum(1, np.rint(SIZES * scale)).astype(int)
    excitatory = np.array([name.endswith("E") for name in NAMES])
    psc = PSP * peak_current()
    weights = np.tile(np.where(excitatory, psc, G * psc), (len(NAMES), 1))
    weights[NAMES.index("L23E"), NAMES.index("L4E")] *= 2.0
    full = synapses()
    counts = np.rint(full * thinned * sizes[:, None] / SIZES[:, None]).astype(int)

    missing = TAU_SYN * 1e-3 * (1.0 - np.sqrt(thinned))
    direct = missing * (weights * full / SIZES[:, None] * RATES).sum(axis=1)
    external = psc * EXTERNAL * EXTERNAL_RATE
    direct += missing * external if drive == "poisson" else TAU_SYN * 1e-3 * external

    model = LIF(tau_m=TAU_M, r_m=TAU_M / C_M, v_rest=V_REST, v_thresh=V_THRESH, v_reset=V_REST)
    receptors: dict[str, Receptor] = {
        "excitatory": ExponentialCurrent(TAU_SYN),
        "inhibitory": ExponentialCurrent(TAU_SYN),
    }
    generator = np.random.default_rng(seed)
    populations = []
    for k, name in enumerate(NAMES):
        stimuli: list[Stimulus] = [Constant(direct[k])]
        if drive == "poisson":
            stimuli.append(PoissonInput(EXTERNAL[k] * thinned * EXTERNAL_RATE, psc / np.sqrt(thinned)))
        start = START_MEAN[k] + START_SD[k] * generator.standard_normal(sizes[k])
        populations.append(
            Population(
                name, model, int(sizes[k]), stimuli=tuple(stimuli), t_ref=T_REF, receptors=receptors, init={"v": start}
            )
        )
    projections = []
    for s, source in enumerate(NAMES):
        mean_delay = DELAYS[0 if excitatory[s] else 1]
        delay = Normal(mean_delay, DELAY_SD * mean_delay, low=dt)
        for t, target in enumerate(NAMES):
            if not counts[t, s]:
                continue
            mean = weights[t, s] / np.sqrt(thinned)
            low, high = (0.0, np.inf) if mean > 0 else (-np.inf, 0.0)
            weight = Normal(mean, RELATIVE_SD * abs(mean), low=low, high=high)
            receptor = "excitatory" if excitatory[s] else "inhibitory"
            connector = connect.fixed_total_number(int(counts[t, s]))
            projections.append(Projection(source, target, connector, weight, delay, receptor))
    return Network(tuple(populations), tuple(projections))
