"""Newton's method, made safe; slides 54 to 56 of the lecture."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from neurosim.errors import UsageError
from neurosim.learn.line_search import StrongWolfe, check_whole, first_step, get_line_search
from neurosim.learn.linear import conjugate_gradients, solve, solve_definite
from neurosim.learn.members import dot
from neurosim.learn.objective import Objective
from neurosim.learn.optimizer import Info, Optimizer, register
from neurosim.learn.options import check_form, check_one_of
from neurosim.learn.status import Status
from neurosim.parameters import Floats, param

Array = Any
_SOLVERS = ("auto", "dense", "cg")
_MATRICES = ("hessian", "gauss_newton")
_DENSE = 512  # parameters; beyond, the eigenvalues take longer than products with the Hessian


class State(NamedTuple):
    """Of Newton's method."""

    value: Array  # (E, 1)
    grad: Array  # (E, P)
    steepest: Array  # (E, 1), 1 where the search along Newton's direction failed and −g is tried


@register
class Newton(Optimizer):
    """Newton's method with exact second derivatives and a line search::

        W ← W − α H⁻¹ g

    so that it goes downhill wherever it is. ``solver="dense"`` holds H, P² numbers for each network, and takes each
    eigenvalue λ as max(|λ|, ``floor`` · max |λ|), with at least √ε of the precision for the floor: where H is positive
    definite the step is Newton's, along negative curvature it leads away from the saddle, and no system is singular.
    ``solver="cg"`` holds no matrix: conjugate gradients on products H v solve H p = −g up to
    |H p + g| ≤ min(½, √|g|) |g|, and end at a direction of negative curvature. By default networks of at most 512
    parameters are dense.

    With ``matrix="gauss_newton"`` the products are of the Gauss-Newton matrix, which has no negative curvature where
    the loss is convex in the outputs: a network learns by it in fewer steps (Hessian-free learning).

    Near a minimum with H positive definite the dense method converges quadratically, the other superlinearly. A search
    that fails is repeated along −g; if that fails too, the network stops with ``Status.LINE_SEARCH``, and with
    ``Status.SINGULAR`` where second derivatives are infinite or NaN.

    ``form="lecture"`` is W ← W − H⁻¹ g as on the slide, with neither search nor safeguard: it goes to saddles and
    maxima as to minima, and far from all of them anywhere. A singular H ends it with ``Status.SINGULAR``.

    Sources: Nocedal and Wright, Numerical Optimization (2nd ed. 2006), section 3.4 (eigenvalues) and algorithm 7.1
    (conjugate gradients, after Dembo and Steihaug 1983, https://doi.org/10.1007/BF02592055); Dauphin et al. (2014),
    https://arxiv.org/abs/1406.2572 (|λ|); Martens (2010), https://www.cs.toronto.edu/~jmartens/docs/Deep_HessianFree.pdf
    (Gauss-Newton); Pearlmutter (1994), https://doi.org/10.1162/neco.1994.6.1.147 (H v).

    Parameters
    ----------
    form : {"standard", "lecture"}
        With or without safeguards.
    solver : {"auto", "dense", "cg"}
        Of the system; ``form="lecture"`` is dense.
    matrix : {"hessian", "gauss_newton"}
        Of the products, with ``solver="cg"``.
    inner : int, optional
        Most steps of the inner conjugate gradients; None: P.
    line_search : str or LineSearch
        Along the direction.
    """

    name = "newton"
    full_batch = True
    extensions: ClassVar[tuple[str, ...]] = ("linalg",)

    example: ClassVar[dict[str, Any]] = {"floor": 0.3}  # directions that hardly matter amplify rounding by 1 / floor

    floor: Floats = param(1e-4, doc="least curvature, in the largest", above=0.0)
    form: str = "standard"
    solver: str = "auto"
    matrix: str = "hessian"
    inner: int | None = None
    line_search: Any = StrongWolfe(c2=0.9)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "line_search", get_line_search(self.line_search))
        check_form(self)
        check_one_of(self, "solver", _SOLVERS)
        check_one_of(self, "matrix", _MATRICES)
        if self.inner is not None:
            check_whole("Newton.inner", self.inner)
        if self.form == "lecture" and self.solver == "cg":
            raise UsageError("Newton: form='lecture' solves the whole system: leave solver='auto'")
        if self.matrix != "hessian" and self.solver != "cg":
            raise UsageError(f"Newton.matrix = {self.matrix!r} is known by products alone: write solver='cg' with it")

    def _dense(self, size: int) -> bool:
        return self.form == "lecture" or self.solver == "dense" or (self.solver == "auto" and size <= _DENSE)

    def init(self, xp: Any, objective: Objective, w: Array) -> State:
        n, size = w.shape
        if self.matrix == "gauss_newton" and not hasattr(objective, "gauss_newton_product"):
            raise UsageError(
                f"Newton.matrix = 'gauss_newton' is of networks, not of {type(objective).__name__}: leave 'hessian'"
            )
        if self._dense(size):
            instead = "an optimizer that takes gradients, as cg" if self.form == "lecture" else "Newton(solver='cg')"
            objective.check_memory("Newton's Hessian", n * size * size, instead)
        value, grad = objective.value_and_grad(w)
        return State(value, grad, 0.0 * value)

    def step(self, xp: Any, objective: Objective, w: Array, state: State) -> tuple[Array, State, Info]:
        if self.form == "lecture":
            return self._undamped(xp, objective, w, state)
        grad, count = state.grad, 0.0 * state.value
        if self._dense(w.shape[-1]):
            direction, ok = solve_definite(xp, objective.hessian(w), -grad, self.floor)
        else:
            direction, ok, count = self._inexact(xp, objective, w, grad)
        direction = xp.where(ok & (dot(xp, direction, grad) < 0.0), direction, -grad)
        steepest = state.steepest > 0.0
        direction = xp.where(steepest, -grad, direction)
        first = xp.where(steepest, first_step(xp, grad), 1.0)
        found = self.line_search.search(xp, objective, w, state.value, grad, direction, first)
        failed = xp.astype(~found.ok, w.dtype)
        status = int(Status.LINE_SEARCH) * failed * state.steepest
        status = xp.where(ok, status, float(Status.SINGULAR))
        # Where there is no second derivative the network stays where it is.
        new, value, new_grad = (
            xp.where(ok, a, b) for a, b in ((found.w, w), (found.value, state.value), (found.grad, grad))
        )
        return new, State(value, new_grad, failed), Info(found.step, found.evaluations + count, status)

    def _inexact(self, xp: Any, objective: Objective, w: Array, grad: Array) -> tuple[Array, Array, Array]:
        norm = xp.sqrt(dot(xp, grad, grad))
        tolerance = xp.minimum(xp.sqrt(norm), 0.5) * norm
        most = w.shape[-1] if self.inner is None else self.inner
        times: Any = getattr(objective, f"{self.matrix}_product")
        return conjugate_gradients(xp, lambda v: times(w, v), -grad, tolerance, most)

    def _undamped(self, xp: Any, objective: Objective, w: Array, state: State) -> tuple[Array, State, Info]:
        direction, ok = solve(xp, objective.hessian(w), -state.grad)
        w = w + direction
        value, grad = objective.value_and_grad(w)
        status = xp.where(ok, 0.0 * value, float(Status.SINGULAR))
        return w, State(value, grad, state.steepest), Info(1.0, 1, status)
