"""Gradient descent with momentum, as on slides 31 and 38 to 41 of the lecture."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from neurosim.learn.optimizer import FirstOrder, register
from neurosim.learn.options import check_switch
from neurosim.parameters import Floats, param

Array = Any


class Memory(NamedTuple):
    """What is kept between updates."""

    decrement: Array  # (E, P), ΔW(t)
    rate: Array  # (E, 1) or float, η(t)
    value: Array  # (E, 1), E(t)


@register
class GradientDescent(FirstOrder):
    """Steepest descent with momentum and weight decay::

        ΔW(t) = η · (∇E(W) + ρ W) + μ ΔW(t − 1)
        W ← W − ΔW(t)

    η ``learning_rate``, μ ``momentum``, ρ ``l2``. The decay acts on all parameters and is no part of the error that is
    recorded; ``fit(..., l2=…)`` is, and leaves biases alone.

    With ``adaptive`` the step follows the error: where E(t) > ``tolerance`` · E(t − 1) it is multiplied by ``shrink``,
    else by ``grow``, and kept within [``rate_min``, ``rate_max``].

    Sources: Rumelhart, Hinton and Williams (1986), https://doi.org/10.1038/323533a0 (momentum); the lecture, part 2,
    section 4 (the adaptive step and its numbers).

    Parameters
    ----------
    adaptive : bool
        Whether the step adapts itself; ``learning_rate`` is then the first.
    """

    name = "gradient_descent"
    example: ClassVar[dict[str, Any]] = {"learning_rate": 0.1, "momentum": 0.5}

    learning_rate: Floats = param(0.01, doc="η, step per gradient", above=0.0)
    momentum: Floats = param(0.0, doc="μ, share of the last step", at_least=0.0)
    l2: Floats = param(0.0, doc="ρ, decay of the weights", at_least=0.0)
    adaptive: bool = False
    grow: Floats = param(1.01, doc="factor of the step where the error does not rise", above=0.0)
    shrink: Floats = param(0.99, doc="factor of the step where it rises", above=0.0)
    tolerance: Floats = param(1.01, doc="factor by which the error may rise", above=0.0)
    rate_min: Floats = param(0.01, doc="least step, if adaptive", above=0.0)
    rate_max: Floats = param(1.0, doc="largest step, if adaptive", above=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_switch(self, "adaptive")

    def start(self, xp: Any, w: Array, value: Array) -> Memory:
        return Memory(0.0 * w, self.learning_rate, value)

    def update(self, xp: Any, w: Array, value: Array, grad: Array, memory: Memory) -> tuple[Array, Memory]:
        rate = self._adapted(xp, value, memory) if self.adaptive else memory.rate
        decrement = rate * (grad + self.l2 * w) + self.momentum * memory.decrement
        return w - decrement, Memory(decrement, rate, value)

    def _adapted(self, xp: Any, value: Array, memory: Memory) -> Array:
        rose = value > self.tolerance * memory.value
        rate = memory.rate * xp.where(rose, self.shrink + 0.0 * value, self.grow)
        return xp.minimum(xp.maximum(rate, self.rate_min), self.rate_max)

    def rate(self, memory: Memory) -> Array:
        return memory.rate
