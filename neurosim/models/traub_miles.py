"""The Hodgkin-Huxley neuron of simulator benchmarks, after Traub and Miles."""

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
            alpha_m = 0.32*4/exprel((13 - v + v_t)/4) : 1
            beta_m = 0.28*5/exprel((v - v_t - 40)/5) : 1
            alpha_h = 0.128*exp((17 - v + v_t)/18) : 1
            beta_h = 4/(1 + exp((40 - v + v_t)/5)) : 1
            alpha_n = 0.032*5/exprel((15 - v + v_t)/5) : 1
            beta_n = 0.5*exp((10 - v + v_t)/40) : 1
        """,
        threshold="v > v_spike",
        refractory="v > v_spike",
        drive=2.0,
        dt=0.05,
        tolerance=1e-6,
    ),
    doi="10.1007/s10827-007-0038-6",
)
class TraubMiles(NeuronModel):
    """Hippocampal pyramidal cell, Traub and Miles 1991, as one compartment.

    Membrane, rates and peak conductances are those of benchmark 3 (COBAHH) in Brette et al. 2007, per area;
    the benchmark's cell has 20 000 µm², so 1 µA/cm² is 0.2 nA. The leak reverses at −65 mV as in PyNN, which
    gives a rest at −64.8 mV. The benchmark's programs have e_l = −60: the cell then has no rest and fires 14
    times a second. It begins at e_l with settled gates. A spike is an upward crossing of ``v_spike``.
    """

    current_unit = "µA/cm²"

    class State(NamedTuple):
        v: Annotated[Array, "mV"]  # (n,)
        m: Annotated[Array, "1"]  # (n,), sodium activation
        h: Annotated[Array, "1"]  # (n,), sodium inactivation
        n: Annotated[Array, "1"]  # (n,), potassium activation

    c_m: Floats = param(1.0, "µF/cm²", "membrane capacitance", above=0.0)
    g_na: Floats = param(100.0, "mS/cm²", "peak sodium conductance", at_least=0.0)
    g_k: Floats = param(30.0, "mS/cm²", "peak potassium conductance", at_least=0.0)
    g_l: Floats = param(0.05, "mS/cm²", "leak conductance", above=0.0)
    e_na: Floats = param(50.0, "mV", "sodium reversal potential")
    e_k: Floats = param(-90.0, "mV", "potassium reversal potential")
    e_l: Floats = param(-65.0, "mV", "leak reversal potential")
    v_t: Floats = param(-63.0, "mV", "shift of all rates; sets the threshold")
    v_spike: Floats = param(-20.0, "mV", "a spike is an upward crossing of this potential")

    def rates(self, xp: Any, v: Array) -> tuple[Array, ...]:
        """α_m, β_m, α_h, β_h, α_n, β_n in 1/ms at the potentials ``v``."""
        u = v - self.v_t
        return (
            1.28 * linoid(xp, (13.0 - u) * 0.25),
            1.4 * linoid(xp, (u - 40.0) * 0.2),
            0.128 * xp.exp((17.0 - u) * (1.0 / 18.0)),
            4.0 / (1.0 + xp.exp((40.0 - u) * 0.2)),
            0.16 * linoid(xp, (15.0 - u) * 0.2),
            0.5 * xp.exp((10.0 - u) * 0.025),
        )

    def init(self, xp: Any) -> State:
        v = self.e_l
        alpha_m, beta_m, alpha_h, beta_h, alpha_n, beta_n = self.rates(xp, v)
        return self.State(v, alpha_m / (alpha_m + beta_m), alpha_h / (alpha_h + beta_h), alpha_n / (alpha_n + beta_n))

    def derivatives(self, xp: Any, s: State, i_syn: Array) -> State:
        alpha_m, beta_m, alpha_h, beta_h, alpha_n, beta_n = self.rates(xp, s.v)
        i_na = self.g_na * s.m * s.m * s.m * s.h * (s.v - self.e_na)
        i_k = self.g_k * s.n * s.n * s.n * s.n * (s.v - self.e_k)
        i_l = self.g_l * (s.v - self.e_l)
        return self.State(
            v=(i_syn - i_na - i_k - i_l) * (1.0 / self.c_m),
            m=alpha_m * (1.0 - s.m) - beta_m * s.m,
            h=alpha_h * (1.0 - s.h) - beta_h * s.h,
            n=alpha_n * (1.0 - s.n) - beta_n * s.n,
        )

    def threshold(self, xp: Any, s: State) -> Bool:
        return s.v > self.v_spike

    def max_dt(self) -> float:
        return 0.1
