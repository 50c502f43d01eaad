"""RMSProp."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from neurosim.learn.optimizer import FirstOrder, register
from neurosim.learn.options import check_below, check_switch
from neurosim.parameters import Floats, param

Array = Any


class Memory(NamedTuple):
    """What is kept between updates."""

    squares: Array  # (E, P), running mean of squared gradients
    mean: Array  # (E, P), running mean of gradients; 0 if not centered
    velocity: Array  # (E, P), scaled gradients with momentum


@register
class RMSProp(FirstOrder):
    """Gradients scaled by their recent size::

        S ← ρ S + (1 − ρ) g²
        V ← μ V + g / (√S + ε)
        W ← W − η V

    g the gradient, ρ ``decay``, μ ``momentum``, ε ``epsilon``, η ``learning_rate``; S and V are 0 at first. With
    ``centered`` the scale is the standard deviation √(S − M²) in place of √S, with M ← ρ M + (1 − ρ) g.

    Sources: Tieleman and Hinton (2012), https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf;
    Graves (2013), https://arxiv.org/abs/1308.0850 (centered).

    Parameters
    ----------
    centered : bool
        Whether the mean gradient is taken off.
    """

    name = "rmsprop"
    example: ClassVar[dict[str, Any]] = {"learning_rate": 0.01}

    learning_rate: Floats = param(0.001, doc="η, step at a gradient of usual size", above=0.0)
    decay: Floats = param(0.9, doc="ρ, decay of squared gradients", at_least=0.0)
    momentum: Floats = param(0.0, doc="μ, share of the last step", at_least=0.0)
    epsilon: Floats = param(1e-8, doc="ε, keeps weights without gradient from 0/0", above=0.0)
    centered: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_below(self, 1.0, "decay")
        check_switch(self, "centered")

    def start(self, xp: Any, w: Array, value: Array) -> Memory:
        nothing = 0.0 * w
        return Memory(nothing, nothing, nothing)

    def update(self, xp: Any, w: Array, value: Array, grad: Array, memory: Memory) -> tuple[Array, Memory]:
        squares = self.decay * memory.squares + (1.0 - self.decay) * (grad * grad)
        mean, scale = memory.mean, squares
        if self.centered:
            mean = self.decay * mean + (1.0 - self.decay) * grad
            scale = xp.maximum(squares - mean * mean, 0.0)  # rounding may make it negative
        velocity = self.momentum * memory.velocity + grad / (xp.sqrt(scale) + self.epsilon)
        return w - self.learning_rate * velocity, Memory(squares, mean, velocity)

    def rate(self, memory: Memory) -> Array:
        return self.learning_rate
