"""The FitzHugh-Nagumo neuron."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np

from neurosim.model import Array, Bool, Floats, NeuronModel, Reference, param, register


@register(
    reference=Reference(
        equations="""
            dv/dt = (v - v**3/3 - w + i_syn)/tau_v/ms : 1
            dw/dt = (v + a - b*w)/tau_w/ms : 1
        """,
        threshold="v > v_spike",
        refractory="v > v_spike",
        method="rk4",
        drive=0.5,
        dt=0.1,
        tolerance=1e-9,
    ),
    doi="10.1016/S0006-3495(61)86902-6",
)
class FitzHughNagumo(NeuronModel):
    """Two-variable model of excitation, FitzHugh 1961, Nagumo et al. 1962.

    All quantities are without dimension; time is counted in ms by convention. FitzHugh's own form with c = 3
    is this one, with the sign of w turned, at tau_w/tau_v = c² = 9; the textbooks' tau_w = 12.5 is the
    default. With it the neuron fires for constant currents from 0.33 to 1.42. A spike is an upward crossing
    of ``v_spike``.
    """

    current_unit = "1"

    class State(NamedTuple):
        v: Annotated[Array, "1"]  # (n,), excitation
        w: Annotated[Array, "1"]  # (n,), recovery

    a: Floats = param(0.7, "1", "offset of recovery")
    b: Floats = param(0.8, "1", "decay of recovery", above=0.0)
    tau_v: Floats = param(1.0, "ms", "time constant of excitation", above=0.0)
    tau_w: Floats = param(12.5, "ms", "time constant of recovery", above=0.0)
    v_spike: Floats = param(1.0, "1", "a spike is an upward crossing of this value")

    def init(self, xp: Any) -> State:
        v = -1.2
        for _ in range(20):  # Newton's steps to the rest state
            v = v - (v - v * v * v / 3.0 - (v + self.a) / self.b) / (1.0 - v * v - 1.0 / self.b)
        return self.State(v, (v + self.a) / self.b)

    def derivatives(self, xp: Any, s: State, i_syn: Array) -> State:
        return self.State(
            v=(s.v - s.v * s.v * s.v * (1.0 / 3.0) - s.w + i_syn) * (1.0 / self.tau_v),
            w=(s.v + self.a - self.b * s.w) * (1.0 / self.tau_w),
        )

    def threshold(self, xp: Any, s: State) -> Bool:
        return s.v > self.v_spike

    def max_dt(self) -> float:
        return float(np.min(np.minimum(self.tau_v, self.tau_w))) / 4.0
