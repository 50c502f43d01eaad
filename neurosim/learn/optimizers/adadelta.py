"""AdaDelta, as on slide 53 of the lecture."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from neurosim.learn.optimizer import FirstOrder, register
from neurosim.learn.options import check_below, check_form, check_no
from neurosim.parameters import Floats, param

Array = Any


class Memory(NamedTuple):
    """What is kept between updates."""

    squares: Array  # (E, P), running mean of squared gradients
    steps: Array  # (E, P), running mean of squared steps


@register
class AdaDelta(FirstOrder):
    """Steps of the size of the last ones, in units of the weights::

        S ← α S + (1 − α) g²
        Δ = √(D + ε) / √(S + ε) · g
        D ← β D + (1 − β) Δ²
        W ← W − η Δ

    g the gradient, α ``rho``, β ``rho_steps``, ε ``epsilon``, η ``learning_rate``; S and D are 0 at first. Zeiler has
    α = β and no η. It begins slowly: the first step is √ε/√(1 − α), whatever the gradient is.

    ``form="lecture"`` has no ε, as slide 53. Then D = 0 makes Δ = 0, which leaves D = 0: no weight ever moves, and one
    without gradient becomes 0/0, with which the network stops: ``Status.NON_FINITE``.

    Source: Zeiler (2012), https://arxiv.org/abs/1212.5701.

    Parameters
    ----------
    form : {"standard", "lecture"}
        With ε or without.
    """

    name = "adadelta"
    example: ClassVar[dict[str, Any]] = {"epsilon": 1e-3}

    learning_rate: Floats = param(1.0, doc="η, factor of all steps", above=0.0)
    rho: Floats = param(0.95, doc="α, decay of squared gradients", at_least=0.0)
    rho_steps: Floats = param(0.95, doc="β, decay of squared steps", at_least=0.0)
    epsilon: Floats = param(1e-6, doc="ε, makes the first step", above=0.0)
    form: str = "standard"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_form(self)
        check_below(self, 1.0, "rho", "rho_steps")
        if self.form == "lecture":
            check_no(self, "epsilon", "in the lecture's form")

    def start(self, xp: Any, w: Array, value: Array) -> Memory:
        return Memory(0.0 * w, 0.0 * w)

    def update(self, xp: Any, w: Array, value: Array, grad: Array, memory: Memory) -> tuple[Array, Memory]:
        squares = self.rho * memory.squares + (1.0 - self.rho) * (grad * grad)
        steps = memory.steps
        if self.form == "standard":
            delta = xp.sqrt(steps + self.epsilon) / xp.sqrt(squares + self.epsilon) * grad
        else:
            delta = xp.sqrt(steps) / xp.sqrt(squares) * grad
        steps = self.rho_steps * steps + (1.0 - self.rho_steps) * (delta * delta)
        return w - self.learning_rate * delta, Memory(squares, steps)

    def rate(self, memory: Memory) -> Array:
        return self.learning_rate
