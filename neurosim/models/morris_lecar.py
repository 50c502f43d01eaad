"""The barnacle muscle fibre of Morris and Lecar."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from neurosim.model import Array, Bool, Floats, NeuronModel, Reference, param, register


@register(
    reference=Reference(
        equations="""
            dv/dt = (i_syn - g_ca*m_inf*(v - e_ca) - g_k*w*(v - e_k) - g_l*(v - e_l))/c_m/ms : 1
            dw/dt = phi*(w_inf - w)*cosh((v - v3)/(2*v4))/ms : 1
            m_inf = (1 + tanh((v - v1)/v2))/2 : 1
            w_inf = (1 + tanh((v - v3)/v4))/2 : 1
        """,
        threshold="v > v_spike",
        refractory="v > v_spike",
        method="rk4",
        drive=100.0,
        dt=0.1,
        tolerance=1e-6,
    ),
    doi="10.1016/S0006-3495(81)84782-0",
)
class MorrisLecar(NeuronModel):
    """Barnacle giant muscle fibre, Morris and Lecar 1981, reduced to two variables.

    Calcium activation follows the potential at once. The default parameters are the "Hopf" set of Rinzel and
    Ermentrout 1989: rest loses stability at 93.9 µA/cm² and regains it at 212 µA/cm². Their "saddle-node"
    set, with firing of any low rate, is g_ca = 4, v3 = 12, v4 = 17.4, phi = 1/15. A spike is an upward
    crossing of ``v_spike``.
    """

    current_unit = "µA/cm²"

    class State(NamedTuple):
        v: Annotated[Array, "mV"]  # (n,)
        w: Annotated[Array, "1"]  # (n,), potassium activation

    c_m: Floats = param(20.0, "µF/cm²", "membrane capacitance", above=0.0)
    g_ca: Floats = param(4.4, "mS/cm²", "peak calcium conductance", at_least=0.0)
    g_k: Floats = param(8.0, "mS/cm²", "peak potassium conductance", at_least=0.0)
    g_l: Floats = param(2.0, "mS/cm²", "leak conductance", above=0.0)
    e_ca: Floats = param(120.0, "mV", "calcium reversal potential")
    e_k: Floats = param(-84.0, "mV", "potassium reversal potential")
    e_l: Floats = param(-60.0, "mV", "leak reversal potential")
    v1: Floats = param(-1.2, "mV", "potential of half activation of calcium")
    v2: Floats = param(18.0, "mV", "width of calcium activation", above=0.0)
    v3: Floats = param(2.0, "mV", "potential of half activation of potassium")
    v4: Floats = param(30.0, "mV", "width of potassium activation", above=0.0)
    phi: Floats = param(0.04, "1/ms", "smallest rate of potassium activation", above=0.0)
    v_spike: Floats = param(0.0, "mV", "a spike is an upward crossing of this potential")

    def activations(self, xp: Any, v: Array) -> tuple[Array, Array]:
        """Steady activation of calcium and of potassium at the potentials ``v``."""
        return (
            0.5 * (1.0 + xp.tanh((v - self.v1) * (1.0 / self.v2))),
            0.5 * (1.0 + xp.tanh((v - self.v3) * (1.0 / self.v4))),
        )

    def init(self, xp: Any) -> State:
        v = self.e_l
        for _ in range(60):  # to the potential at which the currents of the settled gates cancel
            m, w = self.activations(xp, v)
            g_ca, g_k = self.g_ca * m, self.g_k * w
            v = (g_ca * self.e_ca + g_k * self.e_k + self.g_l * self.e_l) / (g_ca + g_k + self.g_l)
        return self.State(v, w)

    def derivatives(self, xp: Any, s: State, i_syn: Array) -> State:
        m, w = self.activations(xp, s.v)
        i_ca = self.g_ca * m * (s.v - self.e_ca)
        i_k = self.g_k * s.w * (s.v - self.e_k)
        i_l = self.g_l * (s.v - self.e_l)
        e = xp.exp((s.v - self.v3) * (0.5 / self.v4))
        rate = 0.5 * self.phi * (e + 1.0 / e)  # φ·cosh((v − v3)/(2·v4))
        return self.State(v=(i_syn - i_ca - i_k - i_l) * (1.0 / self.c_m), w=rate * (w - s.w))

    def threshold(self, xp: Any, s: State) -> Bool:
        return s.v > self.v_spike

    def max_dt(self) -> float:
        return 1.0
