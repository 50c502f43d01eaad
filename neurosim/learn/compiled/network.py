"""The error of a network on its samples, compiled: what optimizers ask of :class:`NetworkObjective`, faster."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurosim.backends.base import Backend
from neurosim.learn.compiled.evaluate import curvature, evaluate
from neurosim.learn.compiled.plan import Data, Plan, make_data, make_plan
from neurosim.learn.network_objective import NetworkObjective
from neurosim.learn.objective import Objective

Array = Any


@dataclass(frozen=True)
class CompiledObjective(Objective):
    """A :class:`NetworkObjective` whose error and gradient are computed by compiled passes.

    All else is the reference's. Made by :func:`compiled_objective`.

    Attributes
    ----------
    reference : NetworkObjective
        On NumPy.
    plan, data : Plan, Data
        Of its network and its samples.
    members : ndarray of int64
        Which networks of ``data`` the rows of weights are.
    """

    reference: NetworkObjective
    plan: Plan
    data: Data
    members: np.ndarray

    @property
    def backend(self) -> Backend:  # type: ignore[override]
        return self.reference.backend

    @property
    def precision(self) -> str:  # type: ignore[override]
        return self.reference.precision

    @property
    def width(self) -> int:
        return self.reference.width

    def value_in(self, xp: Any, w: Array) -> Array:
        return self.reference.value_in(xp, w)

    def value_and_grad_in(self, xp: Any, w: Array) -> tuple[Array, Array]:
        return self.reference.value_and_grad_in(xp, w)

    def value(self, w: Array) -> Array:
        return evaluate(self.plan, self.data, self.members, w, slopes=False)[0]

    def value_and_grad(self, w: Array) -> tuple[Array, Array]:
        return evaluate(self.plan, self.data, self.members, w, slopes=True)

    def gauss_newton_product(self, w: Array, v: Array) -> Array:
        """As the reference's."""
        return self.reference.gauss_newton_product(w, v)

    def residuals_and_jacobian(self, w: Array) -> tuple[Array, Array]:
        return self.reference.residuals_and_jacobian(w)

    def least_squares(self, w: Array) -> tuple[Array, Array, Array]:
        n, size = w.shape
        outputs = self.reference.target.shape[-1]
        penalties = 0 if self.reference.penalty is None else size
        if outputs * self.reference.n_samples + penalties < size:
            return super().least_squares(w)
        self.check_memory("JᵀJ", 2 * n * size * size, "optimizer='lbfgs' or 'cg'")
        nothing = np.zeros((1, outputs))
        slope = self.reference.loss.residuals(np, nothing, nothing)[1]
        grad = self.value_and_grad(w)[1]
        return grad, curvature(self.plan, self.data, self.members, w, slope * slope), w[:, :0]

    def select(self, rows: Array) -> CompiledObjective:
        return replace(self, reference=self.reference.select(rows), members=self.members[rows])


def compiled_objective(reference: NetworkObjective, networks: int) -> CompiledObjective:
    """The compiled form of an objective on NumPy, for so many networks.

    Raises
    ------
    NotCompiled
        When a part of it has no kernel.
    """
    plan = make_plan(reference.network, reference.loss, reference.precision)
    return CompiledObjective(reference, plan, make_data(reference, plan, tiles=True), np.arange(networks))
