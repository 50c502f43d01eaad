"""The adaptive exponential integrate-and-fire neuron."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np

from neurosim.model import Array, Bool, Floats, NeuronModel, Reference, param, register


@register(
    reference=Reference(
        equations="""
            dv/dt = (leak + upswing - w + i_syn)/c_m/ms : 1 (unless refractory)
            dw/dt = (a*(v - e_l) - w)/tau_w/ms : 1
            leak = g_l*(e_l - v) : 1
            upswing = g_l*delta_t*exp((v - v_thresh)/delta_t) : 1
        """,
        threshold="v > v_spike",
        reset="""
            v = v_reset
            w = w + b
        """,
        method="euler",  # brian2's exponential Euler refuses the exponential
        drive=1.0,
        dt=0.1,
        tolerance=1e-6,
    ),
    doi="10.1152/jn.00686.2005",
)
class AdEx(NeuronModel):
    """Adaptive exponential integrate-and-fire neuron, Brette and Gerstner 2005.

    Above ``v_thresh`` the exponential carries the potential to infinity in finite time; a spike is cut off,
    and the potential reset, above ``v_spike``. Names are PyNN's (``EIF_cond_exp_isfa_ista``), but for the
    leak, which the paper gives as a conductance.
    """

    class State(NamedTuple):
        v: Annotated[Array, "mV"]  # (n,)
        w: Annotated[Array, "nA"]  # (n,), adaptation current

    c_m: Floats = param(0.281, "nF", "membrane capacitance", above=0.0)
    g_l: Floats = param(0.03, "µS", "leak conductance", above=0.0)
    e_l: Floats = param(-70.6, "mV", "leak reversal potential")
    v_thresh: Floats = param(-50.4, "mV", "potential at which the exponential takes over")
    delta_t: Floats = param(2.0, "mV", "slope factor: sharpness of the threshold", above=0.0)
    tau_w: Floats = param(144.0, "ms", "time constant of adaptation", above=0.0)
    a: Floats = param(0.004, "µS", "subthreshold adaptation")
    b: Floats = param(0.0805, "nA", "added to w by a spike")
    v_spike: Floats = param(20.0, "mV", "cut-off of a spike")
    v_reset: Floats = param(-70.6, "mV", "potential after a spike")

    def init(self, xp: Any) -> State:
        return self.State(self.e_l, 0.0)  # the exponential lifts rest above e_l by 1e-4 mV

    def derivatives(self, xp: Any, s: State, i_syn: Array) -> State:
        # A step never begins above v_spike, but an inner stage of a Runge-Kutta step may land anywhere there:
        # the slopes stay as they are at the cut-off, or exp would overflow and reach w, which is not reset.
        v = xp.minimum(s.v, self.v_spike)
        upswing = self.g_l * self.delta_t * xp.exp((v - self.v_thresh) * (1.0 / self.delta_t))
        return self.State(
            v=(self.g_l * (self.e_l - v) + upswing - s.w + i_syn) * (1.0 / self.c_m),
            w=(self.a * (v - self.e_l) - s.w) * (1.0 / self.tau_w),
        )

    def threshold(self, xp: Any, s: State) -> Bool:
        return s.v > self.v_spike

    def reset(self, xp: Any, s: State) -> State:
        return self.State(self.v_reset, s.w + self.b)

    def max_dt(self) -> float:
        return float(np.min(np.divide(self.c_m, self.g_l))) / 10.0
