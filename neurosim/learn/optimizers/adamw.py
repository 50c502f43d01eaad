"""AdamW: Adam with a decay of the weights that is not scaled."""

from __future__ import annotations

from typing import Any, ClassVar

from neurosim.learn.optimizer import register
from neurosim.learn.optimizers.adam import Moments
from neurosim.parameters import Floats, param

Array = Any


@register
class AdamW(Moments):
    """Adam, and weights that shrink by themselves::

        W ← (1 − η λ) W − η · m̂ / (√v̂ + ε)

    λ ``weight_decay``, the rest as in :class:`~neurosim.learn.optimizers.adam.Adam`. An L2 penalty in the error, as
    ``fit(..., l2=…)`` has it, would be scaled like every gradient; this is not. It acts on all parameters and is no
    part of the error that is recorded.

    Source: Loshchilov and Hutter (2019), https://arxiv.org/abs/1711.05101, with η as the schedule of both terms.
    """

    name = "adamw"
    example: ClassVar[dict[str, Any]] = {"learning_rate": 0.02}

    learning_rate: Floats = param(0.001, doc="η, step at a gradient of usual size", above=0.0)
    weight_decay: Floats = param(0.01, doc="λ, decay of the weights", at_least=0.0)
    beta1: Floats = param(0.9, doc="β₁, decay of the mean", at_least=0.0)
    beta2: Floats = param(0.999, doc="β₂, decay of the mean square", at_least=0.0)
    epsilon: Floats = param(1e-8, doc="ε, keeps weights without gradient from 0/0", above=0.0)

    def decayed(self, w: Array) -> Array:
        return (1.0 - self.learning_rate * self.weight_decay) * w
