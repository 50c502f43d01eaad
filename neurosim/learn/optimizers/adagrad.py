"""AdaGrad, as on slide 52 of the lecture."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from neurosim.learn.optimizer import FirstOrder, register
from neurosim.learn.options import check_form, check_no
from neurosim.parameters import Floats, param

Array = Any


class Memory(NamedTuple):
    """What is kept between updates."""

    squares: Array  # (E, P), sum of squared gradients


@register
class AdaGrad(FirstOrder):
    """Gradients scaled by all that came before::

        S ← S + g²
        W ← W − η · g / (√S + ε)

    g the gradient, η ``learning_rate``, ε ``epsilon``, S at first ``initial``. Every weight has a step of its own that
    only falls: η/√t where gradients are of constant size.

    ``form="lecture"`` has no ε, as slide 52: a weight that has had no gradient yet becomes 0/0, and the network stops
    with ``Status.NON_FINITE``.

    Source: Duchi, Hazan and Singer (2011), https://jmlr.org/papers/v12/duchi11a.html.

    Parameters
    ----------
    form : {"standard", "lecture"}
        With ε or without.
    """

    name = "adagrad"
    example: ClassVar[dict[str, Any]] = {"learning_rate": 0.1}

    learning_rate: Floats = param(0.01, doc="η, step at a first gradient of any size", above=0.0)
    epsilon: Floats = param(1e-10, doc="ε, keeps weights without gradient from 0/0", above=0.0)
    initial: Floats = param(0.0, doc="sum of squares to begin with", at_least=0.0)
    form: str = "standard"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_form(self)
        if self.form == "lecture":
            check_no(self, "epsilon", "in the lecture's form")

    def start(self, xp: Any, w: Array, value: Array) -> Memory:
        return Memory(0.0 * w + self.initial)

    def update(self, xp: Any, w: Array, value: Array, grad: Array, memory: Memory) -> tuple[Array, Memory]:
        squares = memory.squares + grad * grad
        scale = xp.sqrt(squares)
        if self.form == "standard":
            scale = scale + self.epsilon
        return w - self.learning_rate * (grad / scale), Memory(squares)

    def rate(self, memory: Memory) -> Array:
        return self.learning_rate
