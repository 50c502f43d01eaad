"""Rules of plasticity, and small networks that have them."""

import numpy as np

from neurosim import Constant, Network, Population, Projection, SpikeSource, connect
from neurosim.distributions import Uniform
from neurosim.models import LIF
from neurosim.plasticity import STDP, TripletSTDP, TsodyksMarkram
from neurosim.receptors import Delta, ExponentialCurrent

DT = 0.1
PAIR = STDP(tau_plus=16.8, tau_minus=33.7, a_plus=0.01, a_minus=0.012, w_max=1.0, w_min=-1.0)
TRIPLET = TripletSTDP(16.8, 101.0, 33.7, 125.0, 0.004, 0.02, 0.007, 0.003, w_max=1.0, w_min=-1.0)
RULES = {
    "additive": PAIR,
    "multiplicative": PAIR.replace(dependence="multiplicative"),
    "nearest": PAIR.replace(pairing="nearest"),
    "triplet": TRIPLET,
    "triplet, nearest": TRIPLET.replace(pairing="nearest"),
    "short-term": TsodyksMarkram(U=0.3, tau_rec=30.0, tau_facil=50.0),
}


def network(rule, seed, *, longest=2.0, n=(20, 250), drive=(1.0, 1.0)):
    """Given spikes, and two populations joined both ways; some targets have no synapse, some pairs several."""
    rng = np.random.default_rng(seed)
    receptors = {"given": Delta(), "other": ExponentialCurrent(3.0)}
    model = LIF(tau_m=20.0, r_m=10.0, v_rest=-70.0, v_thresh=-50.0, v_reset=-60.0)
    duration, sources = 60.0, n[0]
    given = SpikeSource(rng.uniform(DT, duration, 20 * sources), rng.integers(0, sources, 20 * sources))
    populations = [Population("given", given, sources)]
    for name, size, factor in zip("ab", n, drive, strict=True):
        current = (Constant(factor * rng.uniform(1.5, 6.0, size)),)
        populations.append(Population(name, model, size, current, t_ref=0.3, receptors=receptors))
    weight, delay = Uniform(0.0, 1.0), Uniform(DT, longest) if longest > DT else DT
    some = connect.fixed_total_number(4 * sum(n))
    projections = [
        Projection("given", "a", some, weight, delay, "given", rule, name="to a"),
        Projection("a", "b", some, weight, delay, "other", rule, name="learns"),
        Projection("b", "a", some, 0.3, 0.4, "given", rule, name="back"),
        Projection("b", "b", some, 0.3, 0.6, "other"),
    ]
    return Network(populations, projections)
