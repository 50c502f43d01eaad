"""Nonlinear conjugate gradients, as on slides 48 to 50 of the lecture."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from neurosim.errors import UsageError
from neurosim.learn.line_search import Found, StrongWolfe, check_whole, first_step, get_line_search
from neurosim.learn.members import dot
from neurosim.learn.objective import Objective
from neurosim.learn.optimizer import Info, Optimizer, register
from neurosim.learn.options import check_form, check_one_of
from neurosim.learn.status import Status
from neurosim.parameters import Floats, param

Array = Any
_BETAS = ("fletcher_reeves", "polak_ribiere", "hestenes_stiefel")


class State(NamedTuple):
    """Of conjugate gradients."""

    value: Array  # (E, 1)
    grad: Array  # (E, P)
    direction: Array  # (E, P), the next to be searched
    first: Array  # (E, 1), first step to try along it
    since: Array  # (E, 1), steps since the last reset to steepest descent; 0: the direction is it
    change: Array  # (E, P), W(t) − W(t−1)


@register
class ConjugateGradients(Optimizer):
    """Nonlinear conjugate gradients with a line search::

        p(t) = −g(t) + β p(t − 1),    W ← W + α p,    α = argmin E(W + α p)

        Fletcher-Reeves    β = g(t)·g(t) / g(t−1)·g(t−1)
        Polak-Ribière+     β = max(0, g(t)·y / g(t−1)·g(t−1)),    y = g(t) − g(t−1)
        Hestenes-Stiefel   β = max(0, g(t)·y / p(t−1)·y)

    The direction is reset to −g every ``restart`` steps (by default P), where two gradients are far from orthogonal,
    |g(t)·g(t−1)| ≥ ``powell`` · g(t)·g(t), and where the error would not fall along it. A search that fails is repeated
    along −g; if that fails too, the network stops with ``Status.LINE_SEARCH``.

    On a quadratic of P weights it ends after P steps, if ``line_search="exact"``.

    ``form="lecture"`` is the slide's, literally: β is not kept from below 0, resets come every ``restart`` steps alone,
    and decay and momentum are part of the step::

        ΔW(t) = η (p(t) + ρ W) + μ ΔW(t−1),    p(t) = g(t) + β p(t−1),    W ← W − ΔW(t),    η = argmin E(W − ΔW(t))

    They spoil what makes directions conjugate, and with μ the error may rise. (The slide also calls p orthogonal to the
    direction before, where it is conjugate: p(t)ᵀ H p(t−1) = 0.) A search that fails begins anew from −g.

    Sources: Fletcher and Reeves (1964), https://doi.org/10.1093/comjnl/7.2.149; Polak and Ribière (1969); Hestenes and
    Stiefel (1952), https://doi.org/10.6028/jres.049.044; Powell (1977), https://doi.org/10.1007/BF01593790; Nocedal and
    Wright, Numerical Optimization (2nd ed. 2006), section 5.2.

    Parameters
    ----------
    beta : {"polak_ribiere", "fletcher_reeves", "hestenes_stiefel"}
        Formula of β.
    restart : int, optional
        Steps from one reset to the next; None: P.
    line_search : str or LineSearch
        Along a direction.
    form : {"standard", "lecture"}
        Of the step.
    """

    name = "cg"
    full_batch = True

    powell: Floats = param(0.2, doc="share of parallel in two gradients that resets", above=0.0)
    beta: str = "polak_ribiere"
    restart: int | None = None
    line_search: Any = StrongWolfe()
    form: str = "standard"
    momentum: Floats = param(0.0, doc="μ of the lecture's form", at_least=0.0)
    l2: Floats = param(0.0, doc="ρ of the lecture's form", at_least=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "line_search", get_line_search(self.line_search))
        check_one_of(self, "beta", _BETAS)
        check_form(self)
        if self.restart is not None:
            check_whole("ConjugateGradients.restart", self.restart)
        for name in ("momentum", "l2"):
            if self.form == "standard" and np.any(getattr(self, name)):
                raise UsageError(f"ConjugateGradients.{name} spoils conjugate directions: write form='lecture' with it")

    def init(self, xp: Any, objective: Objective, w: Array) -> State:
        value, grad = objective.value_and_grad(w)
        return State(value, grad, -grad, first_step(xp, grad), 0.0 * value, 0.0 * w)

    def step(self, xp: Any, objective: Objective, w: Array, state: State) -> tuple[Array, State, Info]:
        search = self._literal_search if self.form == "lecture" else self._search
        found, evaluations = search(xp, objective, w, state)
        # A failed search loses what was gathered; the next goes along −g.
        hopeless = ~found.ok & (state.since == 0.0)
        conjugate = self._beta(xp, state, found.grad) * state.direction - found.grad
        squared, along = dot(xp, found.grad, found.grad), dot(xp, found.grad, conjugate)
        period = w.shape[-1] if self.restart is None else self.restart
        steepest = ~found.ok | (state.since + 1.0 >= period) | ~(along < 0.0)
        if self.form == "standard":
            steepest = steepest | (xp.abs(dot(xp, found.grad, state.grad)) >= self.powell * squared)
        new = xp.where(steepest, -found.grad, conjugate)
        along = xp.where(steepest, -squared, along)
        # As far as the error would fall as much as in this step, to first order (Nocedal and Wright, section 3.5).
        guess = found.step * dot(xp, state.grad, state.direction) / along
        first = xp.where(found.ok & xp.isfinite(guess), guess, first_step(xp, found.grad))
        since = xp.where(steepest, 0.0 * along, state.since + 1.0)
        status = int(Status.LINE_SEARCH) * xp.astype(hopeless, w.dtype)
        info = Info(found.step, evaluations, status)
        return found.w, State(found.value, found.grad, new, first, since, found.w - w), info

    def _search(self, xp: Any, objective: Objective, w: Array, state: State) -> tuple[Found, Array]:
        found = self.line_search.search(xp, objective, w, state.value, state.grad, state.direction, state.first)
        return found, found.evaluations

    def _literal_search(self, xp: Any, objective: Objective, w: Array, state: State) -> tuple[Found, Array]:
        """Along the line W − μ ΔW(t−1) − η (p + ρ W); where nothing is lower than its beginning, back to W."""
        begin, direction = w + self.momentum * state.change, state.direction - self.l2 * w
        value, grad = objective.value_and_grad(begin)
        finite = xp.isfinite(value)
        begin, value, grad = (xp.where(finite, a, b) for a, b in ((begin, w), (value, state.value), (grad, state.grad)))
        found = self.line_search.search(xp, objective, begin, value, grad, direction, state.first)
        here = Found(w, state.value, state.grad, 0.0 * value, found.evaluations, found.ok)
        found = Found(*(xp.where(found.ok, a, b) for a, b in zip(found, here, strict=True)))
        return found, found.evaluations + 1.0

    def _beta(self, xp: Any, state: State, grad: Array) -> Array:
        """β of the old and the new gradient; 0 where it is none."""
        change = grad - state.grad
        if self.beta == "fletcher_reeves":
            above, below = dot(xp, grad, grad), dot(xp, state.grad, state.grad)
        elif self.beta == "polak_ribiere":
            above, below = dot(xp, grad, change), dot(xp, state.grad, state.grad)
        else:
            above, below = dot(xp, grad, change), dot(xp, state.direction, change)
        beta = above / below
        sound = xp.isfinite(beta)
        return xp.where(sound & (beta > 0.0) if self.form == "standard" else sound, beta, 0.0)
