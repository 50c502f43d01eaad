"""The quasi-Newton method BFGS, as on slides 57 to 59 of the lecture."""

from __future__ import annotations

from typing import Any, NamedTuple

from neurosim.learn.line_search import StrongWolfe, first_step, get_line_search
from neurosim.learn.members import dot
from neurosim.learn.objective import Objective
from neurosim.learn.optimizer import Info, Optimizer, register
from neurosim.learn.options import check_form, check_switch
from neurosim.learn.status import Status
from neurosim.parameters import Floats, param

Array = Any


class State(NamedTuple):
    """Of BFGS."""

    value: Array  # (E, 1)
    grad: Array  # (E, P)
    inverse: Array  # (E, P, P), V, of the Hessian
    updates: Array  # (E, 1), of V since it was the identity


@register
class BFGS(Optimizer):
    """Broyden, Fletcher, Goldfarb and Shanno's quasi-Newton method::

        W ← W − α V g,    s = W(t+1) − W(t),    y = g(t+1) − g(t),    ρ = 1 / y·s
        V ← (1 − ρ s yᵀ) V (1 − ρ y sᵀ) + ρ s sᵀ

    V goes towards the inverse of the Hessian, from the identity, which the first update scales by y·s / y·y. α is by a
    strong Wolfe search, which makes y·s positive and keeps V positive definite; where y·s ≤ ``curvature`` · |y| |s|
    after all, V is left as it is. Where the error would not fall along −V g, and after a search that failed, V is the
    identity again; a search that fails along −g ends in ``Status.LINE_SEARCH``.

    ``form="lecture"`` is the update of slide 58, literally, whose r is y and whose s is ΔW = −s::

        V ← V − V s sᵀ V / (sᵀ V s) + y yᵀ / (s·s)

    It is that of the Hessian itself, with s·s in place of y·s, but is taken for the inverse: on quadratics it does not
    end, and networks learn as by a badly scaled gradient descent. The safeguards are the same, but for y·s.

    Takes P² numbers for each network; :class:`~neurosim.learn.optimizers.LBFGS` takes 2 · memory · P.

    Sources: Broyden (1970), https://doi.org/10.1093/imamat/6.1.76; Fletcher (1970),
    https://doi.org/10.1093/comjnl/13.3.317; Goldfarb (1970) and Shanno (1970); Nocedal and Wright, Numerical
    Optimization (2nd ed. 2006), algorithm 6.1, equations 6.17 and 6.20.

    Parameters
    ----------
    form : {"standard", "lecture"}
        Of the update.
    scaled : bool
        Whether the first update scales the identity.
    line_search : str or LineSearch
        Along a direction.
    """

    name = "bfgs"
    full_batch = True

    curvature: Floats = param(1e-10, doc="least y·s of an update, in |y| |s|", at_least=0.0)
    form: str = "standard"
    scaled: bool = True
    line_search: Any = StrongWolfe(c2=0.9)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "line_search", get_line_search(self.line_search))
        check_form(self)
        check_switch(self, "scaled")

    def init(self, xp: Any, objective: Objective, w: Array) -> State:
        n, size = w.shape
        objective.check_memory("BFGS's inverse Hessian", n * size * size, "optimizer='lbfgs' or 'cg'")
        value, grad = objective.value_and_grad(w)
        return State(value, grad, _identity(xp, objective, w), 0.0 * value)

    def step(self, xp: Any, objective: Objective, w: Array, state: State) -> tuple[Array, State, Info]:
        inverse, updates = state.inverse, state.updates
        direction = -_times(xp, inverse, state.grad)
        uphill = ~(dot(xp, direction, state.grad) < 0.0)  # or NaN
        if bool(xp.any(uphill)):
            inverse = xp.where(uphill[..., None], _identity(xp, objective, w), inverse)
            direction, updates = xp.where(uphill, -state.grad, direction), xp.where(uphill, 0.0 * updates, updates)
        first = xp.where(updates > 0.0, 1.0 + 0.0 * updates, first_step(xp, state.grad))
        found = self.line_search.search(xp, objective, w, state.value, state.grad, direction, first)
        s, y = found.step * direction, found.grad - state.grad
        update = self._literal if self.form == "lecture" else self._update
        new, learned = update(xp, inverse, s, y, updates)
        inverse = new if bool(xp.all(learned)) else xp.where(learned[..., None], new, inverse)
        if not bool(xp.all(found.ok)):
            inverse = xp.where(found.ok[..., None], inverse, _identity(xp, objective, w))
        hopeless = ~found.ok & (updates == 0.0)
        updates = xp.where(found.ok, updates + xp.astype(learned, w.dtype), 0.0 * updates)
        status = int(Status.LINE_SEARCH) * xp.astype(hopeless, w.dtype)
        info = Info(found.step, found.evaluations, status)
        return found.w, State(found.value, found.grad, inverse, updates), info

    def _update(self, xp: Any, inverse: Array, s: Array, y: Array, updates: Array) -> tuple[Array, Array]:
        """The next V, and of which networks it may be taken."""
        ys, yy = dot(xp, y, s), dot(xp, y, y)
        learned = ys > self.curvature * xp.sqrt(yy * dot(xp, s, s))
        if self.scaled:
            scale = xp.where(updates == 0.0, ys / yy, 1.0)
            if bool(xp.any(updates == 0.0)):
                inverse = inverse * scale[..., None]
        # Multiplied out: V + s cᵀ + c sᵀ with c = ½ ρ (1 + ρ y·Vy) s − ρ Vy, one product of slender matrices.
        vy = _times(xp, inverse, y)
        rho = 1.0 / ys
        c = (0.5 * rho * (1.0 + rho * dot(xp, y, vy))) * s - rho * vy
        pair = xp.stack([s, c], axis=-1)
        return inverse + xp.matmul(pair, xp.stack([c, s], axis=-2)), learned

    def _literal(self, xp: Any, inverse: Array, s: Array, y: Array, updates: Array) -> tuple[Array, Array]:
        """The lecture's next V, and of which networks it is one."""
        vs = _times(xp, inverse, s)
        svs, ss = dot(xp, s, vs)[..., None], dot(xp, s, s)[..., None]
        new = inverse - vs[..., :, None] * vs[..., None, :] / svs + y[..., :, None] * y[..., None, :] / ss
        return new, xp.all(xp.isfinite(new), axis=(-2, -1))[:, None]


def _times(xp: Any, matrix: Array, v: Array) -> Array:
    """Matrix times vector of each network."""
    return xp.matmul(matrix, v[..., None])[..., 0]


def _identity(xp: Any, objective: Objective, w: Array) -> Array:
    size = w.shape[-1]
    return xp.broadcast_to(objective.directions(size, 0, size), (w.shape[0], size, size))
