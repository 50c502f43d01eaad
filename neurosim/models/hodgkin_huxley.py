"""The squid axon of Hodgkin and Huxley, 1952."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from neurosim.model import Array, Bool, Floats, NeuronModel, Reference, param, register
from neurosim.rates import linoid


@register(
    reference=Reference(
        equations="""
            dv/dt = (i_syn - g_na*m**3*h*(v - e_na) - g_k*n**4*(v - e_k) - g_l*(v - e_l))/c_m/ms : 1
            dm/dt = (alpha_m*(1 - m) - beta_m*m)/ms : 1
            dh/dt = (alpha_h*(1 - h) - beta_h*h)/ms : 1
            dn/dt = (alpha_n*(1 - n) - beta_n*n)/ms : 1
            alpha_m = phi/exprel((25 - v)/10) : 1
            beta_m = phi*4*exp(-v/18) : 1
            alpha_h = phi*0.07*exp(-v/20) : 1
            beta_h = phi/(exp((30 - v)/10) + 1) : 1
            alpha_n = phi*0.1/exprel((10 - v)/10) : 1
            beta_n = phi*0.125*exp(-v/80) : 1
        """,
        threshold="v > v_spike",
        refractory="v > v_spike",
        drive=10.0,
        dt=0.05,
        tolerance=1e-6,
    ),
    doi="10.1113/jphysiol.1952.sp004764",
)
class HodgkinHuxley(NeuronModel):
    """Squid giant axon, Hodgkin and Huxley 1952, rest at 0 mV.

    The sign convention is today's (depolarisation positive), as in the lecture, slide 9, whose equation lacks
    the leak and has wrong signs (see the scenario ``hh_lecture_errata``). A spike is an upward crossing of
    ``v_spike``.
    """

    current_unit = "µA/cm²"

    class State(NamedTuple):
        v: Annotated[Array, "mV"]  # (n,), from rest
        m: Annotated[Array, "1"]  # (n,), sodium activation
        h: Annotated[Array, "1"]  # (n,), sodium inactivation
        n: Annotated[Array, "1"]  # (n,), potassium activation

    c_m: Floats = param(1.0, "µF/cm²", "membrane capacitance", above=0.0)
    g_na: Floats = param(120.0, "mS/cm²", "peak sodium conductance", at_least=0.0)
    g_k: Floats = param(36.0, "mS/cm²", "peak potassium conductance", at_least=0.0)
    g_l: Floats = param(0.3, "mS/cm²", "leak conductance", at_least=0.0)
    e_na: Floats = param(115.0, "mV", "sodium reversal potential")
    e_k: Floats = param(-12.0, "mV", "potassium reversal potential")
    e_l: Floats = param(10.613, "mV", "leak reversal potential")
    phi: Floats = param(1.0, "1", "temperature factor of the rates, 3^((T − 6.3 °C)/10)", above=0.0)
    v_spike: Floats = param(50.0, "mV", "a spike is an upward crossing of this potential")

    def rates(self, xp: Any, v: Array) -> tuple[Array, ...]:
        """α_m, β_m, α_h, β_h, α_n, β_n in 1/ms at the potentials ``v``."""
        u = 0.1 * v
        return (
            self.phi * linoid(xp, 2.5 - u),
            self.phi * 4.0 * xp.exp(v * (-1.0 / 18.0)),
            self.phi * 0.07 * xp.exp(v * (-1.0 / 20.0)),
            self.phi / (xp.exp(3.0 - u) + 1.0),
            self.phi * 0.1 * linoid(xp, 1.0 - u),
            self.phi * 0.125 * xp.exp(v * (-1.0 / 80.0)),
        )

    def init(self, xp: Any) -> State:
        v = 0.0 * self.c_m
        alpha_m, beta_m, alpha_h, beta_h, alpha_n, beta_n = self.rates(xp, v)
        return self.State(v, alpha_m / (alpha_m + beta_m), alpha_h / (alpha_h + beta_h), alpha_n / (alpha_n + beta_n))

    def derivatives(self, xp: Any, s: State, i_syn: Array) -> State:
        alpha_m, beta_m, alpha_h, beta_h, alpha_n, beta_n = self.rates(xp, s.v)
        i_na = self.g_na * s.m * s.m * s.m * s.h * (s.v - self.e_na)
        n2 = s.n * s.n
        i_k = self.g_k * n2 * n2 * (s.v - self.e_k)
        i_l = self.g_l * (s.v - self.e_l)
        return self.State(
            v=(i_syn - i_na - i_k - i_l) * (1.0 / self.c_m),
            m=alpha_m - (alpha_m + beta_m) * s.m,
            h=alpha_h - (alpha_h + beta_h) * s.h,
            n=alpha_n - (alpha_n + beta_n) * s.n,
        )

    def threshold(self, xp: Any, s: State) -> Bool:
        return s.v > self.v_spike

    def max_dt(self) -> float:
        return 0.1
