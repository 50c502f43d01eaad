"""The leaky integrate-and-fire neuron."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np

from neurosim.model import Array, Bool, Floats, NeuronModel, Reference, param, register


@register(
    reference=Reference(
        equations="dv/dt = (v_rest - v + r_m*i_syn)/(tau_m*ms) : 1 (unless refractory)",
        threshold="v > v_thresh",
        reset="v = v_reset",
        drive=2.0,
        dt=0.1,
        tolerance=1e-9,
    ),
    doi="10.1016/S0006-3495(65)86709-1",
)
class LIF(NeuronModel):
    """Leaky integrate-and-fire neuron, Stein 1965.

    The potential relaxes with ``tau_m`` to v_rest + r_m·i_syn; above ``v_thresh`` the neuron spikes and the
    potential is set to ``v_reset``. A constant current fires it with the period t_ref + tau_m·ln((v_inf −
    v_reset)/(v_inf − v_thresh)), where v_inf is v_rest + r_m·i_syn and t_ref the population's. Linear, so
    ``method="exact"`` applies.
    """

    class State(NamedTuple):
        v: Annotated[Array, "mV"]  # (n,)

    tau_m: Floats = param(10.0, "ms", "membrane time constant", above=0.0)
    r_m: Floats = param(10.0, "MΩ", "membrane resistance", above=0.0)
    v_rest: Floats = param(-65.0, "mV", "resting potential")
    v_thresh: Floats = param(-50.0, "mV", "threshold")
    v_reset: Floats = param(-65.0, "mV", "potential after a spike")

    def init(self, xp: Any) -> State:
        return self.State(self.v_rest)

    def derivatives(self, xp: Any, s: State, i_syn: Array) -> State:
        return self.State((self.v_rest - s.v + self.r_m * i_syn) * (1.0 / self.tau_m))

    def threshold(self, xp: Any, s: State) -> Bool:
        return s.v > self.v_thresh

    def reset(self, xp: Any, s: State) -> State:
        return self.State(self.v_reset)

    def max_dt(self) -> float:
        return float(np.min(self.tau_m))
