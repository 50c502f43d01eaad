"""The Levenberg-Marquardt algorithm, as on slides 60 to 62 of the lecture."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import array_api_compat

from neurosim.learn.linear import solve
from neurosim.learn.objective import Objective
from neurosim.learn.optimizer import Info, Optimizer, register
from neurosim.learn.options import check_one_of
from neurosim.learn.status import Status
from neurosim.parameters import Floats, param

Array = Any
_SCALINGS = ("identity", "marquardt")


class State(NamedTuple):
    """Of Levenberg-Marquardt."""

    value: Array  # (E, 1)
    grad: Array  # (E, P), Jᵀ r
    damping: Array  # (E, 1), μ of the next step
    scale: Array  # (E, P), diagonal of D
    matrix: Array  # (E, P, P), Jᵀ J; or (E, R, P), J, where there are fewer residuals than weights
    residuals: Array  # (E, R), r, if so; else (E, 0)


@register
class LevenbergMarquardt(Optimizer):
    """Between Gauss-Newton's step and a short one down the gradient, for errors ½ Σ r² with J = ∂r/∂W::

        W ← W − (Jᵀ J + μ D)⁻¹ Jᵀ r

    A step that does not lower the error is rejected: the network stays and μ is multiplied by ``grow``. After one that
    does, μ is multiplied by ``shrink``. Each iteration tries one step, so a rejected one is a flat of the staircase
    that slide 62 shows. D is 1 (Levenberg), or the diagonal of Jᵀ J with ``scaling="marquardt"``: then the path does
    not depend on units of the weights, and a weight that nothing depends on has D = 1. The slide writes I for the
    diagonal, and no rule for μ; the lecture's form is ``scaling="marquardt"``.

    Where there are fewer residuals R than weights P the same step is computed from R × R numbers in place of P × P::

        (Jᵀ J + μ D)⁻¹ Jᵀ r = D⁻¹ Jᵀ (J D⁻¹ Jᵀ + μ)⁻¹ r

    so that ten pictures of digits train 136 660 weights. What fits in neither form is refused with the memory that it
    takes. Where μ passes ``damping_max`` no step lowers the error, however short: ``Status.REJECTED``.

    Sources: Levenberg (1944), https://doi.org/10.1090/qam/10666; Marquardt (1963), https://doi.org/10.1137/0111030;
    Hagan and Menhaj (1994), https://doi.org/10.1109/72.329697 (networks); Nocedal and Wright, Numerical Optimization
    (2nd ed. 2006), section 10.3.

    Parameters
    ----------
    scaling : {"identity", "marquardt"}
        D.
    """

    name = "lma"
    full_batch = True
    needs_residuals = True
    extensions: ClassVar[tuple[str, ...]] = ("linalg",)

    damping: Floats = param(1e-2, doc="first μ", above=0.0)
    grow: Floats = param(10.0, doc="factor of μ after a step that is rejected", above=1.0)
    shrink: Floats = param(0.1, doc="factor of μ after one that lowers the error", above=0.0)
    damping_min: Floats = param(1e-15, doc="least μ", above=0.0)
    damping_max: Floats = param(1e10, doc="largest μ", above=0.0)
    scaling: str = "identity"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_one_of(self, "scaling", _SCALINGS)

    def init(self, xp: Any, objective: Objective, w: Array) -> State:
        damping = self.damping + xp.zeros_like(w[:, :1])
        return self._at(xp, objective, w, objective.value(w), damping)

    def step(self, xp: Any, objective: Objective, w: Array, state: State) -> tuple[Array, State, Info]:
        change, ok = self._change(xp, state)
        trial = w - change
        value = objective.value(trial)
        accepted = ok & (value < state.value)
        damping = xp.where(accepted, self.shrink * state.damping, self.grow * state.damping)
        hopeless = damping > self.damping_max
        damping = xp.maximum(damping, self.damping_min)
        finite = xp.all(xp.isfinite(state.scale), axis=-1, keepdims=True)
        status = int(Status.REJECTED) * xp.astype(hopeless, w.dtype)
        status = xp.where(finite, status, float(Status.SINGULAR))
        info = Info(state.damping, 1, status)
        if bool(xp.all(accepted)):
            return trial, self._at(xp, objective, trial, value, damping), info
        if not bool(xp.any(accepted)):
            return w, state._replace(damping=damping), info
        w = xp.where(accepted, trial, w)
        return w, self._at(xp, objective, w, xp.where(accepted, value, state.value), damping), info

    def _at(self, xp: Any, objective: Objective, w: Array, value: Array, damping: Array) -> State:
        """The state at given weights."""
        grad, matrix, r = objective.least_squares(w)
        squares = xp.vecdot(matrix, matrix, axis=-2) if r.shape[-1] else xp.linalg.diagonal(matrix)
        scale = xp.where(squares == 0.0, 1.0, squares)
        if self.scaling == "identity":
            scale = xp.where(xp.isfinite(scale), 1.0, scale)
        return State(value, grad, damping, scale, matrix, r)

    def _change(self, xp: Any, state: State) -> tuple[Array, Array]:
        """What is taken from the weights, and where there is such a change."""
        if not state.residuals.shape[-1]:
            return solve(xp, _plus_diagonal(xp, state.matrix, state.damping * state.scale), state.grad)
        jacobian = state.matrix
        weighted = jacobian if self.scaling == "identity" else jacobian / state.scale[..., None, :]
        small = xp.matmul(weighted, xp.matrix_transpose(jacobian))
        x, ok = solve(xp, _plus_diagonal(xp, small, state.damping), state.residuals)
        return xp.matmul(x[..., None, :], weighted)[..., 0, :], ok


def _plus_diagonal(xp: Any, matrix: Array, diagonal: Array) -> Array:
    """Matrices with (E, n) or (E, 1) numbers added on their diagonals."""
    n = matrix.shape[-1]
    unit = xp.eye(n, dtype=matrix.dtype, device=array_api_compat.device(matrix))
    return matrix + unit * diagonal[..., None, :]
