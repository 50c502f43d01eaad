"""Adam, and the moments that it shares with AdamW."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from neurosim.learn.optimizer import FirstOrder, register
from neurosim.learn.options import check_below
from neurosim.parameters import Floats, param

Array = Any


class Memory(NamedTuple):
    """What is kept between updates."""

    mean: Array  # (E, P), running mean of gradients
    squares: Array  # (E, P), running mean of their squares
    weight1: Array  # (E, 1) or float, β₁ᵗ: share of the first value, 0, in the mean
    weight2: Array  # (E, 1) or float, β₂ᵗ: in the squares


def first_memory(w: Array) -> Memory:
    """Before the first update."""
    return Memory(0.0 * w, 0.0 * w, 1.0, 1.0)


def scaled_mean(
    xp: Any, grad: Array, memory: Memory, beta1: Floats, beta2: Floats, epsilon: Floats
) -> tuple[Array, Memory]:
    """m̂ / (√v̂ + ε) and the memory, after one more gradient.

    Parameters
    ----------
    xp : namespace
        Of the arrays.
    grad : array, shape (E, P)
        The gradient.
    memory : Memory
        From before.
    beta1, beta2, epsilon : float or array, shape (E, 1)
        As in :class:`Adam`.
    """
    mean = beta1 * memory.mean + (1.0 - beta1) * grad
    squares = beta2 * memory.squares + (1.0 - beta2) * (grad * grad)
    weight1, weight2 = memory.weight1 * beta1, memory.weight2 * beta2
    scale = xp.sqrt(squares / (1.0 - weight2)) + epsilon
    return mean / (1.0 - weight1) / scale, Memory(mean, squares, weight1, weight2)


@register
class Adam(FirstOrder):
    """Mean gradient, scaled by its recent size, both freed from the zeros that they begin with::

        m ← β₁ m + (1 − β₁) g,    m̂ = m / (1 − β₁ᵗ)
        v ← β₂ v + (1 − β₂) g²,   v̂ = v / (1 − β₂ᵗ)
        W ← W − η · m̂ / (√v̂ + ε)

    g the gradient, η ``learning_rate``, β₁ ``beta1``, β₂ ``beta2``, ε ``epsilon``; t counts updates from 1. The first
    step is η in every weight that has a gradient.

    Source: Kingma and Ba (2015), https://arxiv.org/abs/1412.6980.
    """

    name = "adam"
    example: ClassVar[dict[str, Any]] = {"learning_rate": 0.02}

    learning_rate: Floats = param(0.001, doc="η, step at a gradient of usual size", above=0.0)
    beta1: Floats = param(0.9, doc="β₁, decay of the mean", at_least=0.0)
    beta2: Floats = param(0.999, doc="β₂, decay of the mean square", at_least=0.0)
    epsilon: Floats = param(1e-8, doc="ε, keeps weights without gradient from 0/0", above=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_below(self, 1.0, "beta1", "beta2")

    def start(self, xp: Any, w: Array, value: Array) -> Memory:
        return first_memory(w)

    def update(self, xp: Any, w: Array, value: Array, grad: Array, memory: Memory) -> tuple[Array, Memory]:
        step, memory = scaled_mean(xp, grad, memory, self.beta1, self.beta2, self.epsilon)
        return w - self.learning_rate * step, memory

    def rate(self, memory: Memory) -> Array:
        return self.learning_rate
