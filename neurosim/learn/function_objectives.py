"""Functions of one's own as objectives, differentiated by dual numbers: for few parameters, as test functions have.

>>> from neurosim.learn import FunctionObjective, minimize
>>> valley = FunctionObjective(lambda xp, w: (w[:, :1] - 1.0) * (w[:, :1] - 1.0) + 3.0 * w[:, 1:] * w[:, 1:])
>>> value, gradient = valley.value_and_grad(valley.backend.asarray([[3.0, 1.0]], "float64"))
>>> value.tolist(), gradient.tolist()
([[7.0]], [[4.0, 6.0]])
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from neurosim.backends import get
from neurosim.learn.dual import Dual, DualSpace
from neurosim.learn.members import select
from neurosim.learn.objective import Objective

Array = Any


def _along_all(objective: Objective, function: Callable[..., Any], xp: Any, w: Any, constants: Any) -> Any:
    """Value and tangent, shape (P, …), of a function along all P directions at once."""
    n, size = w.shape
    space = DualSpace(xp, (size,))
    units = objective.directions(size, 0, size)
    units = objective.xp.broadcast_to(units[:, None, :], (size, n, size))
    y = function(space, Dual(space, w, units), *constants)
    return space.value(y), space.tangent(y)


@dataclass(frozen=True)
class _OfFunction(Objective):
    """Base of objectives that hold a function, where it is computed, and what each network has of its own."""

    function: Callable[..., Any]
    backend: Any = "numpy"
    precision: str = "float64"
    constants: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "backend", get(self.backend))

    def select(self, rows: Array) -> Self:
        return replace(self, constants=select(self.xp, self.constants, rows))


class FunctionObjective(_OfFunction):
    """A function to be minimised.

    Parameters
    ----------
    function : callable
        ``function(xp, w, *constants)``: weights (E, P) → values (E, 1), written with the functions of ``xp``.
    backend : str or Backend
        Where it is computed.
    precision : {"float64", "float32"}
        Of everything.
    constants : tuple of arrays
        Of the backend, with leading axis E: what each network has of its own.
    """

    def value_in(self, xp: Any, w: Array) -> Array:
        return self.function(xp, w, *self.constants)

    def value_and_grad_in(self, xp: Any, w: Array) -> tuple[Array, Array]:
        value, tangent = _along_all(self, self.function, xp, w, self.constants)
        return value, xp.matrix_transpose(tangent[..., 0])  # (P, E, 1) → (E, P)


class ResidualObjective(_OfFunction):
    """Half the sum of squares of a function: ½ Σ r².

    Parameters
    ----------
    function : callable
        ``function(xp, w, *constants)``: weights (E, P) → residuals (E, R), written with the functions of ``xp``.
    backend : str or Backend
        Where it is computed.
    precision : {"float64", "float32"}
        Of everything.
    constants : tuple of arrays
        Of the backend, with leading axis E: what each network has of its own.
    """

    def value_in(self, xp: Any, w: Array) -> Array:
        r = self.function(xp, w, *self.constants)
        return 0.5 * xp.sum(r * r, axis=-1, keepdims=True)

    def value_and_grad_in(self, xp: Any, w: Array) -> tuple[Array, Array]:
        r, jacobian = self._residuals_and_jacobian_in(xp, w)
        grad = xp.sum(r[..., :, None] * jacobian, axis=-2)
        return 0.5 * xp.sum(r * r, axis=-1, keepdims=True), grad

    def residuals_and_jacobian(self, w: Array) -> tuple[Array, Array]:
        return self._residuals_and_jacobian_in(self.xp, w)

    def _residuals_and_jacobian_in(self, xp: Any, w: Array) -> tuple[Array, Array]:
        r, tangent = _along_all(self, self.function, xp, w, self.constants)
        return r, xp.permute_dims(tangent, (1, 2, 0))  # (P, E, R) → (E, R, P)
