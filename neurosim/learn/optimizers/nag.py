"""Nesterov's accelerated gradient, as on slide 51 of the lecture."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from neurosim.learn.optimizer import FirstOrder, register
from neurosim.learn.options import check_form
from neurosim.parameters import Floats, param

Array = Any


class Memory(NamedTuple):
    """What is kept between updates."""

    decrement: Array  # (E, P), ΔW(t)


@register
class NAG(FirstOrder):
    """Nesterov's accelerated gradient: momentum whose gradient is taken where the momentum leads::

        ΔW(t) = η · ∇E(W − μ ΔW(t − 1)) + μ ΔW(t − 1)
        W ← W − ΔW(t)

    η ``learning_rate``, μ ``momentum``. What is kept, recorded and given back are the weights at which the gradient is
    taken, V = W − μ ΔW, so that a step costs one evaluation; in V the method reads::

        V ← V − η ∇E(V) − μ ΔW(t)

    V and W have the same beginning, since ΔW(0) = 0, and the same limit.

    ``form="lecture"`` looks the other way, as slide 51 prints it: ∇E(W + μ ΔW(t − 1)), though ΔW is subtracted. It
    evaluates where the momentum came from, and diverges at rates at which the standard form converges.

    Sources: Nesterov (1983), Doklady Akademii Nauk SSSR 269, 543; Sutskever, Martens, Dahl and Hinton (2013),
    https://proceedings.mlr.press/v28/sutskever13.html.

    Parameters
    ----------
    form : {"standard", "lecture"}
        Sign of the look-ahead.
    """

    name = "nag"
    example: ClassVar[dict[str, Any]] = {"learning_rate": 0.05}

    learning_rate: Floats = param(0.01, doc="η, step per gradient", above=0.0)
    momentum: Floats = param(0.9, doc="μ, share of the last step", at_least=0.0)
    form: str = "standard"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_form(self)

    def start(self, xp: Any, w: Array, value: Array) -> Memory:
        return Memory(0.0 * w)

    def update(self, xp: Any, w: Array, value: Array, grad: Array, memory: Memory) -> tuple[Array, Memory]:
        step = self.learning_rate * grad
        decrement = step + self.momentum * memory.decrement
        # From V back to W = V ± μ ΔW(t − 1), on to W − ΔW(t), and from there to its V by ∓ μ ΔW(t).
        if self.form == "standard":
            return w - (step + self.momentum * decrement), Memory(decrement)
        return w - (step + self.momentum * (2.0 * memory.decrement - decrement)), Memory(decrement)

    def rate(self, memory: Memory) -> Array:
        return self.learning_rate
