"""quickProp, as on slides 42 to 44 of the lecture."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from neurosim.learn.optimizer import FirstOrder, register
from neurosim.learn.options import check_form
from neurosim.parameters import Floats, param

Array = Any


class Memory(NamedTuple):
    """What is kept between updates."""

    decrement: Array  # (E, P), ΔW(t)
    slope: Array  # (E, P), S(t)


@register
class QuickProp(FirstOrder):
    """To the minimum of a parabola through the last two slopes, for every weight by itself::

        S = ∇E + ρ W
        β = S(t) / (S(t − 1) − S(t))
        ΔW(t) = η S(t) + μ ΔW(t − 1)
        W ← W − ΔW(t)

        η = η₀      where ΔW(t − 1) = 0 or the slope still falls along it, ΔW(t − 1) · S(t) > 0; else 0
        μ = μ_max   where β > μ_max or the slope has grown, β · ΔW(t − 1) · S(t) < 0; else β

    η₀ ``learning_rate``, μ_max ``growth``, ρ ``l2``: it acts on all parameters and is no part of the error that is
    recorded. ΔW(t − 1) counts as 0 up to ``threshold``, and is then not continued. Two equal slopes make no parabola:
    there μ = μ_max.

    ``form="lecture"`` has the signs of slide 42, −ΔW(t − 1) in both conditions, where ΔW is what is subtracted: steps
    grow where they should end at the minimum, and end where they should grow. It diverges.

    Source: Fahlman (1988), An Empirical Study of Learning Speed in Back-Propagation Networks, CMU-CS-88-162, announced
    at https://mailman.srv.cs.cmu.edu/pipermail/connectionists/1988-July/011353.html. Its decay ρ = 10⁻⁴ is an option
    here; the 0.1 that it adds to the derivative of the sigmoid belongs to the activation and is left out.

    Parameters
    ----------
    form : {"standard", "lecture"}
        Sign of ΔW in the conditions.
    """

    name = "quickprop"
    full_batch = True
    example: ClassVar[dict[str, Any]] = {"learning_rate": 0.1}

    learning_rate: Floats = param(0.01, doc="η₀, step per gradient", above=0.0)
    growth: Floats = param(1.75, doc="μ_max, most growth of a step", above=0.0)
    l2: Floats = param(0.0, doc="ρ, decay of the weights", at_least=0.0)
    threshold: Floats = param(0.0, doc="last step that counts as none", at_least=0.0)
    form: str = "standard"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_form(self)

    def start(self, xp: Any, w: Array, value: Array) -> Memory:
        return Memory(0.0 * w, 0.0 * w)

    def update(self, xp: Any, w: Array, value: Array, grad: Array, memory: Memory) -> tuple[Array, Memory]:
        last = memory.decrement
        slope = grad + self.l2 * w
        ahead = last * slope if self.form == "standard" else -(last * slope)
        change = memory.slope - slope
        flat = change == 0.0
        beta = slope / xp.where(flat, 1.0, change)
        limited = flat | (beta > self.growth) | (ahead * beta < 0.0)
        rest = xp.abs(last) <= self.threshold
        eta = xp.where(rest | (ahead > 0.0), self.learning_rate + 0.0 * slope, 0.0)
        mu = xp.where(rest, 0.0, xp.where(limited, self.growth, beta))
        decrement = eta * slope + mu * last
        return w - decrement, Memory(decrement, slope)

    def rate(self, memory: Memory) -> Array:
        return self.learning_rate
