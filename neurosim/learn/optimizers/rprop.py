"""rProp in its four variants; the first is that of slides 45 to 47 of the lecture."""

from __future__ import annotations

from typing import Any, NamedTuple

from neurosim.learn.optimizer import FirstOrder, register
from neurosim.learn.options import check_below, check_one_of, check_order
from neurosim.parameters import Floats, param

Array = Any
_VARIANTS = ("rprop-", "rprop+", "irprop-", "irprop+")


class Memory(NamedTuple):
    """What is kept between updates."""

    grad: Array  # (E, P), g(t), or 0 where the next comparison is to be none
    size: Array  # (E, P), Δ(t)
    decrement: Array  # (E, P), ΔW(t), what was subtracted
    value: Array  # (E, 1), E(t)


@register
class RProp(FirstOrder):
    """Resilient backpropagation: every weight has a step of its own, and only the sign of its gradient counts::

        Δ(t) = min(Δ_max, η⁺ Δ(t − 1))   where g(t) · g(t − 1) > 0
               max(Δ_min, η⁻ Δ(t − 1))   where g(t) · g(t − 1) < 0, the minimum was jumped over
               Δ(t − 1)                  elsewhere
        ΔW(t) = sign(g(t)) · Δ(t),    W ← W − ΔW(t)

    Δ(0) ``first_step``, η⁺ ``grow``, η⁻ ``shrink``, Δ_min and Δ_max ``step_min`` and ``step_max``. Where the minimum
    was jumped over, the variants do, and keep for the next comparison::

        rprop-    as above                                  g(t) as it is
        rprop+    take ΔW(t − 1) back                       g(t) = 0
        irprop-   stay                                      g(t) = 0
        irprop+   take ΔW(t − 1) back if the error rose,    g(t) = 0
                  E(t) > E(t − 1), else stay

    so that the next step is one of size Δ. All samples must be seen in each step. As only signs count, the path does
    not change when the error is multiplied by a constant.

    Slide 45 is ``"rprop-"``. Sources: Riedmiller and Braun (1993), https://doi.org/10.1109/ICNN.1993.298623 (rprop+);
    Riedmiller (1994), https://doi.org/10.1016/0920-5489(94)90017-5 (rprop−); Igel and Hüsken (2003),
    https://doi.org/10.1016/S0925-2312(01)00700-7 (the names, irprop− and irprop+).

    Parameters
    ----------
    variant : {"irprop-", "irprop+", "rprop-", "rprop+"}
        What happens where a gradient changes its sign.
    """

    name = "rprop"
    full_batch = True

    first_step: Floats = param(0.1, doc="Δ(0), first step of every weight", above=0.0)
    grow: Floats = param(1.2, doc="η⁺, factor while the sign stays", at_least=1.0)
    shrink: Floats = param(0.5, doc="η⁻, factor where it changes", above=0.0)
    step_min: Floats = param(1e-6, doc="Δ_min, least step", at_least=0.0)
    step_max: Floats = param(50.0, doc="Δ_max, largest step", above=0.0)
    variant: str = "irprop-"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_one_of(self, "variant", _VARIANTS)
        check_below(self, 1.0, "shrink")
        check_order(self, "step_min", "step_max")

    def start(self, xp: Any, w: Array, value: Array) -> Memory:
        nothing = 0.0 * w
        return Memory(nothing, nothing + self.first_step, nothing, value)

    def update(self, xp: Any, w: Array, value: Array, grad: Array, memory: Memory) -> tuple[Array, Memory]:
        # signs, because a product of small gradients can be 0
        turn = xp.sign(grad) * xp.sign(memory.grad)
        longer = xp.minimum(memory.size * self.grow, self.step_max)
        shorter = xp.maximum(memory.size * self.shrink, self.step_min)
        size = xp.where(turn > 0.0, longer, xp.where(turn < 0.0, shorter, memory.size))
        decrement = xp.sign(grad) * size
        if self.variant == "rprop-":
            return w - decrement, Memory(grad, size, decrement, value)
        if self.variant == "irprop-":
            instead = 0.0 * grad
        elif self.variant == "rprop+":
            instead = -memory.decrement
        else:
            instead = xp.where(value > memory.value, -memory.decrement, 0.0)
        decrement = xp.where(turn < 0.0, instead, decrement)
        return w - decrement, Memory(xp.where(turn < 0.0, 0.0, grad), size, decrement, value)

    def rate(self, memory: Memory) -> float:
        """NaN: each weight has a step of its own, a network none."""
        return float("nan")
