"""Izhikevich's simple model."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from neurosim.model import Array, Bool, Floats, NeuronModel, Reference, param, register


@register(
    reference=Reference(
        equations="""
            dv/dt = (k2*v**2 + k1*v + k0 - u + i_syn)/ms : 1 (unless refractory)
            du/dt = a*(b*(v - v_u) - u)/ms : 1
        """,
        threshold="v >= v_peak",
        reset="""
            v = c
            u = u + d
        """,
        method="euler",  # brian2's exponential Euler refuses the square
        drive=10.0,
        dt=0.1,
        tolerance=1e-9,
    ),
    doi="10.1109/TNN.2003.820440",
)
class Izhikevich(NeuronModel):
    """Simple model of spiking neurons, Izhikevich 2003; regular spiking by default.

    dv/dt = k2·v² + k1·v + k0 − u + i_syn, du/dt = a·(b·(v − v_u) − u); where v reaches ``v_peak``, v is set
    to c and d is added to u. The names a, b, c, d are the paper's. Its input has no capacitance: ``i_syn`` is
    in mV/ms.

    Of the twenty patterns of Izhikevich 2004 (https://doi.org/10.1109/TNN.2004.832719), class 1 excitability
    and the integrator have k1 = 4.1 and k0 = 108; accommodation has v_u = −65 mV, and a recovery without
    decay: small a, large b. The neuron begins at rest; where it has none, at the potential of the slowest
    drift.
    """

    current_unit = "mV/ms"

    class State(NamedTuple):
        v: Annotated[Array, "mV"]  # (n,)
        u: Annotated[Array, "mV/ms"]  # (n,), recovery

    a: Floats = param(0.02, "1/ms", "rate of recovery; negative where inhibition induces spikes")
    b: Floats = param(0.2, "1/ms", "sensitivity of u to v")
    c: Floats = param(-65.0, "mV", "v after a spike")
    d: Floats = param(8.0, "mV/ms", "added to u by a spike")
    k2: Floats = param(0.04, "1/(mV·ms)", "coefficient of v²", above=0.0)
    k1: Floats = param(5.0, "1/ms", "coefficient of v")
    k0: Floats = param(140.0, "mV/ms", "constant part of dv/dt")
    v_u: Floats = param(0.0, "mV", "potential that drives u to 0")
    v_peak: Floats = param(30.0, "mV", "peak of a spike")

    def init(self, xp: Any) -> State:
        # The lower root of dv/dt = 0 at u = b·(v − v_u); without one, the vertex of the parabola.
        slope = self.k1 - self.b
        square = slope * slope - 4.0 * self.k2 * (self.k0 + self.b * self.v_u)
        v = -(slope + xp.sqrt(xp.maximum(square, 0.0 * square))) / (2.0 * self.k2)
        return self.State(v, self.b * (v - self.v_u))

    def derivatives(self, xp: Any, s: State, i_syn: Array) -> State:
        return self.State(
            v=(self.k2 * s.v + self.k1) * s.v + self.k0 - s.u + i_syn,
            u=self.a * (self.b * (s.v - self.v_u) - s.u),
        )

    def threshold(self, xp: Any, s: State) -> Bool:
        return s.v >= self.v_peak

    def reset(self, xp: Any, s: State) -> State:
        return self.State(self.c, s.u + self.d)

    def max_dt(self) -> float:
        return 0.5  # the half steps of v in the paper's program
