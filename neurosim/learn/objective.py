"""What is minimised: an error as a function of the flat weights, with whatever derivatives an optimizer asks for.

One interface serves every optimizer, so that one loop serves them all: gradient descent asks for
:meth:`~Objective.value_and_grad`, Levenberg-Marquardt for :meth:`~Objective.residuals_and_jacobian`, Newton for
:meth:`~Objective.hessian` or :meth:`~Objective.hessian_product`. An objective that gives value and gradient as pure
formulas has the rest from dual numbers.

This is also the seam for speed: a compiled objective is another class with the same methods, made where
:func:`neurosim.learn.network_objective.network_objective` makes the reference.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from neurosim.backends.base import Backend
from neurosim.errors import UsageError
from neurosim.learn.dual import DualSpace

Array = Any
_ELEMENTS = 1 << 22  # of the largest array in a chunk of directions: 32 MiB in float64


class Objective(ABC):
    """Base of objectives; pure functions of the weights.

    Attributes
    ----------
    backend : Backend
        Where it is computed.
    precision : str
        ``"float64"`` or ``"float32"``.
    """

    backend: Backend
    precision: str
    _granted: Mapping[str, int] = MappingProxyType({})  # largest need, in bytes, that each was granted

    @property
    def xp(self) -> Any:
        """Namespace of the arrays."""
        return self.backend.xp

    # -- what a class has to give

    @abstractmethod
    def value_in(self, xp: Any, w: Array) -> Array:
        """The error in any namespace, that of the backend or a DualSpace: (E, P) → (E, 1)."""

    @abstractmethod
    def value_and_grad_in(self, xp: Any, w: Array) -> tuple[Array, Array]:
        """Error (E, 1) and gradient (E, P) in any namespace."""

    @abstractmethod
    def select(self, rows: Array) -> Objective:
        """The objective of some networks; ``rows``: int64, numbers of rows of ``w``."""

    @property
    def width(self) -> int:
        """Elements of the largest array in the evaluation of one network, about."""
        return 1

    # -- what it has from that

    def value(self, w: Array) -> Array:
        """Error of each network.

        Parameters
        ----------
        w : array, shape (E, P)
            Weights.

        Returns
        -------
        array, shape (E, 1)
        """
        return self.value_in(self.xp, w)

    def value_and_grad(self, w: Array) -> tuple[Array, Array]:
        """Error (E, 1) and its gradient (E, P)."""
        return self.value_and_grad_in(self.xp, w)

    def hessian_product(self, w: Array, v: Array) -> Array:
        """Hessian times a direction of each network: (E, P), (E, P) → (E, P), exact.

        Costs about twice a gradient, whatever P is.
        """
        space = DualSpace(self.xp)
        return space.tangent(self.value_and_grad_in(space, space.dual(w, v))[1])

    def hessian(self, w: Array) -> Array:
        """All second derivatives, shape (E, P, P), symmetric.

        Raises
        ------
        UsageError
            When they do not fit into memory.
        """
        n, size = w.shape
        self.check_memory("the Hessian", n * size * size, "an optimizer that takes gradients, as cg")
        xp = self.xp
        chunk = max(1, _ELEMENTS // (n * max(self.width, size)))
        columns = []
        for begin in range(0, size, chunk):
            directions = self.directions(size, begin, min(begin + chunk, size))
            space = DualSpace(xp, directions.shape[:1])
            tangent = xp.broadcast_to(directions[:, None, :], (directions.shape[0], n, size))
            grad = self.value_and_grad_in(space, space.dual(w, tangent))[1]
            columns.append(xp.permute_dims(space.tangent(grad), (1, 0, 2)))
        matrix = columns[0] if len(columns) == 1 else xp.concat(columns, axis=1)
        return 0.5 * (matrix + xp.matrix_transpose(matrix))

    def residuals_and_jacobian(self, w: Array) -> tuple[Array, Array]:
        """Residuals r, shape (E, R), with ½ Σ r² = the error, and their derivatives, shape (E, R, P).

        Raises
        ------
        UsageError
            When the error is no sum of squares, or the Jacobian does not fit into memory.
        """
        raise UsageError(f"{type(self).__name__} is no sum of squares: use an optimizer that takes gradients")

    def least_squares(self, w: Array) -> tuple[Array, Array, Array]:
        """What a step of least squares is made of, in the smaller of two forms.

        Returns
        -------
        grad : array, shape (E, P)
            Jᵀ r.
        matrix : array
            Jᵀ J, shape (E, P, P); or J, shape (E, R, P), where there are fewer residuals than weights.
        residuals : array
            (E, 0); or r, shape (E, R), if so.

        Raises
        ------
        UsageError
            When the error is no sum of squares, or the matrix does not fit into memory.
        """
        xp = self.xp
        r, jacobian = self.residuals_and_jacobian(w)
        grad = xp.matmul(r[..., None, :], jacobian)[..., 0, :]
        n, rows, size = jacobian.shape
        if rows < size:
            return grad, jacobian, r
        self.check_memory("JᵀJ", n * size * size, "optimizer='lbfgs' or 'cg'")
        return grad, xp.matmul(xp.matrix_transpose(jacobian), jacobian), r[..., :0]

    def directions(self, size: int, begin: int, end: int) -> Array:
        """Unit vectors number ``begin`` to ``end``, shape (end − begin, size)."""
        units = np.zeros((end - begin, size))
        units[np.arange(end - begin), np.arange(begin, end)] = 1.0
        return self.backend.asarray(units, self.precision)

    def check_memory(self, what: str, elements: int, instead: str) -> None:
        """Refuse what does not fit into memory, before it is asked for.

        What was granted is not asked again until it is to be larger: optimizers ask in every iteration, and the answer
        of the system takes as long as a small Jacobian.

        Raises
        ------
        UsageError
            The message has both sizes and what to take instead.
        """
        need = elements * np.dtype(self.precision).itemsize
        if need <= self._granted.get(what, -1):
            return
        free = self.backend.memory()[0]
        if 2 * need > free:  # a factorisation or a product needs it once more
            raise UsageError(
                f"{what} takes {need / 2**30:.3g} GiB, and as much to work with, of {free / 2**30:.3g} GiB free: use "
                f"{instead}"
            )
        object.__setattr__(self, "_granted", {**self._granted, what: need})  # objectives are frozen
