"""The quasi-Newton method of limited memory, L-BFGS."""

from __future__ import annotations

from typing import Any, NamedTuple

from neurosim.learn.line_search import StrongWolfe, check_whole, first_step, get_line_search
from neurosim.learn.members import dot
from neurosim.learn.objective import Objective
from neurosim.learn.optimizer import Info, Optimizer, register
from neurosim.learn.status import Status
from neurosim.parameters import Floats, param

Array = Any


class Pair(NamedTuple):
    """What one step has taught."""

    s: Array  # (E, P), W(t+1) − W(t)
    y: Array  # (E, P), g(t+1) − g(t)
    rho: Array  # (E, 1), 1 / y·s; 0: nothing

    def where(self, xp: Any, condition: Array, other: Pair) -> Pair:
        """This where the condition holds, else the other."""
        return Pair(*(xp.where(condition, a, b) for a, b in zip(self, other, strict=True)))


class State(NamedTuple):
    """Of L-BFGS."""

    value: Array  # (E, 1)
    grad: Array  # (E, P)
    pairs: tuple[Pair, ...]  # the newest first
    scale: Array  # (E, 1), y·s / y·y of the newest; 0: there is none


@register
class LBFGS(Optimizer):
    """BFGS that remembers the last pairs (s, y) in place of a matrix: for networks of many weights.

    The direction −V g comes of the two-loop recursion, where V is what BFGS would make of the pairs from
    (y·s / y·y) · 1, anew in each step. α is by a strong Wolfe search. A pair with y·s ≤ ``curvature`` · |y| |s| is not
    taken; each network has pairs of its own. Where the error would not fall along −V g, and after a search that failed,
    the pairs are forgotten; a search that fails along −g ends in ``Status.LINE_SEARCH``. With a memory of all steps it
    is BFGS, but for the scale.

    Sources: Nocedal (1980), https://doi.org/10.1090/S0025-5718-1980-0572855-7; Liu and Nocedal (1989),
    https://doi.org/10.1007/BF01589116; Nocedal and Wright, Numerical Optimization (2nd ed. 2006), algorithms 7.4 and
    7.5.

    Parameters
    ----------
    memory : int
        Most pairs.
    line_search : str or LineSearch
        Along a direction.
    """

    name = "lbfgs"
    full_batch = True

    curvature: Floats = param(1e-10, doc="least y·s of a pair, in |y| |s|", at_least=0.0)
    memory: int = 10
    line_search: Any = StrongWolfe(c2=0.9)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "line_search", get_line_search(self.line_search))
        check_whole("LBFGS.memory", self.memory)

    def init(self, xp: Any, objective: Objective, w: Array) -> State:
        objective.check_memory("the pairs of L-BFGS", 2 * self.memory * w.shape[0] * w.shape[1], "a smaller memory=")
        value, grad = objective.value_and_grad(w)
        return State(value, grad, (), 0.0 * value)

    def step(self, xp: Any, objective: Objective, w: Array, state: State) -> tuple[Array, State, Info]:
        known = state.scale > 0.0
        direction = xp.where(known, _direction(xp, state), -state.grad)
        uphill = ~(dot(xp, direction, state.grad) < 0.0)  # or NaN
        if bool(xp.any(uphill)):
            direction, known = xp.where(uphill, -state.grad, direction), known & ~uphill
        first = xp.where(known, 1.0 + 0.0 * state.value, first_step(xp, state.grad))
        found = self.line_search.search(xp, objective, w, state.value, state.grad, direction, first)
        s, y = found.step * direction, found.grad - state.grad
        ys, yy = dot(xp, y, s), dot(xp, y, y)
        learned = found.ok & (ys > self.curvature * xp.sqrt(yy * dot(xp, s, s)))
        pairs, scale = (Pair(s, y, 1.0 / ys), *state.pairs)[: self.memory], ys / yy
        if not bool(xp.all(learned & (known | ~(state.scale > 0.0)))):
            nothing = Pair(0.0 * w, 0.0 * w, 0.0 * state.value)
            forgotten = ~known | ~found.ok
            old = tuple(nothing.where(xp, forgotten, pair) for pair in (*state.pairs, nothing))
            new = (Pair(s, y, 1.0 / ys), *old)
            pairs = tuple(a.where(xp, learned, b) for a, b in zip(new, old, strict=False))[: self.memory]
            scale = xp.where(learned, scale, xp.where(forgotten, 0.0 * scale, state.scale))
        status = int(Status.LINE_SEARCH) * xp.astype(~found.ok & ~known, w.dtype)
        info = Info(found.step, found.evaluations, status)
        return found.w, State(found.value, found.grad, pairs, scale), info


def _direction(xp: Any, state: State) -> Array:
    """−V g by the two-loop recursion; a pair with ρ = 0 changes nothing."""
    q, alphas = -state.grad, []
    for pair in state.pairs:
        alpha = pair.rho * dot(xp, pair.s, q)
        q = q - alpha * pair.y
        alphas.append(alpha)
    q = state.scale * q
    for pair, alpha in zip(state.pairs[::-1], alphas[::-1], strict=True):
        q = q + (alpha - pair.rho * dot(xp, pair.y, q)) * pair.s
    return q
