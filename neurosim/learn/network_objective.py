"""The error of a network on its samples: the reference, op by op on any array library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurosim.backends.base import Backend
from neurosim.errors import UsageError
from neurosim.learn.dual import DualSpace
from neurosim.learn.layers import Layer
from neurosim.learn.losses import Loss
from neurosim.learn.objective import Objective
from neurosim.learn.params import ParamVector
from neurosim.learn.samples import Samples

Array = Any
# Elements of a layer's outputs that are computed at a time: what stays in the cache of a core, or fills a GPU.
_ON_CPU, _ON_GPU = 1 << 18, 1 << 27


@dataclass(frozen=True)
class NetworkObjective(Objective):
    """Mean loss of a network over its samples, plus ½ Σ penalty · w².

    Made by :func:`network_objective`; its arrays are the backend's.

    Attributes
    ----------
    backend, precision : Backend, str
        Where, and in which type.
    network : Layer
        Without the activation of its outputs where the loss takes their sums.
    loss : Loss
        Of the network's outputs.
    x, target : array, shape (samples, …) or (E, samples, …)
        What it learns from.
    weight : array, shape (samples, 1) or (E, samples, 1), or None
        Of each sample, with mean 1.
    penalty : array, shape (P,) or (E, P), or None
        Of each parameter.
    """

    backend: Backend
    precision: str
    network: Layer
    loss: Loss
    x: Array
    target: Array
    weight: Array = None
    penalty: Array = None

    @property
    def n_samples(self) -> int:
        """Samples of one network."""
        return self.x.shape[-2]

    @property
    def width(self) -> int:
        return self.n_samples * self.network.widest

    def value(self, w: Array) -> Array:
        return self._in_groups(w, lambda part, rows: (part.value_in(self.xp, rows),))[0]

    def value_and_grad(self, w: Array) -> tuple[Array, Array]:
        value, grad = self._in_groups(w, lambda part, rows: part.value_and_grad_in(self.xp, rows))
        return value, grad

    def _in_groups(self, w: Array, evaluate: Callable[..., tuple[Array, ...]]) -> tuple[Array, ...]:
        """A few networks after the other, so that memory is bounded and the cache is used."""
        n = w.shape[0]
        size = max(1, (_ON_CPU if str(self.backend.device) == "cpu" else _ON_GPU) // self.width)
        if n <= size:
            return evaluate(self, w)
        parts = [evaluate(self._members(k, k + size), w[k : k + size, :]) for k in range(0, n, size)]
        return tuple(self.xp.concat(list(arrays), axis=0) for arrays in zip(*parts, strict=True))

    def _mean(self, xp: Any, losses: Array, w: Array) -> Array:
        if self.weight is not None:
            losses = losses * self.weight
        value = xp.sum(losses, axis=-2) * (1.0 / self.n_samples)
        if self.penalty is not None:
            value = value + 0.5 * xp.sum(w * w * self.penalty, axis=-1, keepdims=True)
        return value

    def value_in(self, xp: Any, w: Array) -> Array:
        y, _ = self.network.forward(xp, w, self.x)
        losses, _ = self.loss.sample_losses(xp, y, self.target)
        return self._mean(xp, losses, w)

    def value_and_grad_in(self, xp: Any, w: Array) -> tuple[Array, Array]:
        y, pullback = self.network.forward(xp, w, self.x)
        losses, dy = self.loss.sample_losses(xp, y, self.target)
        _, grad = pullback(self._weighted(dy), inputs=False)
        if self.penalty is not None:
            grad = grad + w * self.penalty
        return self._mean(xp, losses, w), grad

    def _weighted(self, dy: Array) -> Array:
        dy = dy * (1.0 / self.n_samples)
        return dy if self.weight is None else dy * self.weight

    def gauss_newton_product(self, w: Array, v: Array) -> Array:
        """Gauss-Newton matrix Jᵀ (∂²loss/∂y²) J times a direction: (E, P), (E, P) → (E, P).

        It is positive semidefinite where the loss is convex in the network's outputs, and holds no matrix:
        Schraudolph (2002), https://doi.org/10.1162/08997660260028683.
        """
        space = DualSpace(self.xp)
        y, _ = self.network.forward(space, space.dual(w, v), self.x)
        _, dy = self.loss.sample_losses(space, y, self.target)
        _, pullback = self.network.forward(self.xp, w, self.x)
        _, product = pullback(self._weighted(space.tangent(dy)), inputs=False)
        return product if self.penalty is None else product + self.penalty * v

    def residuals_and_jacobian(self, w: Array) -> tuple[Array, Array]:
        xp = self.xp
        n, size = w.shape
        outputs = self.target.shape[-1]
        rows = outputs * self.n_samples + (0 if self.penalty is None else size)
        self.check_memory("the Jacobian", n * rows * size, "an optimizer that takes gradients, as cg")
        y, pullback = self.network.forward(xp, w, self.x)
        r, slope = self.loss.residuals(xp, y, self.target)
        share: Any = (1.0 / self.n_samples) ** 0.5
        if self.weight is not None:
            share = xp.sqrt(self.weight) * share
        # One unit vector per output: cotangents of shape (outputs, E, samples, outputs).
        units = self.directions(outputs, 0, outputs)[:, None, None, :]
        dy = xp.broadcast_to(units, (outputs, *y.shape)) * (slope * share)
        _, jacobian = pullback(dy, each=True, inputs=False)
        r = xp.reshape(xp.matrix_transpose(r * share), (n, -1))
        jacobian = xp.reshape(xp.permute_dims(jacobian, (1, 0, 2, 3)), (n, -1, size))
        if self.penalty is not None:
            root = xp.sqrt(self.penalty)
            r = xp.concat([r, root * w], axis=-1)
            diagonal = root[..., None, :] * self.directions(size, 0, size)
            jacobian = xp.concat([jacobian, xp.broadcast_to(diagonal, (n, size, size))], axis=-2)
        return r, jacobian

    # -- parts of it

    def select(self, rows: Array) -> NetworkObjective:
        return self._of_members(lambda a: self.xp.take(a, rows, axis=0))

    def _members(self, begin: int, end: int) -> NetworkObjective:
        return self._of_members(lambda a: a[begin:end, ...])

    def _of_members(self, of: Callable[[Array], Array]) -> NetworkObjective:
        axes = {"x": 3, "target": 3, "weight": 3, "penalty": 2}  # with an axis of networks
        own = {name: getattr(self, name) for name in axes}
        changes = {n: of(a) for n, a in own.items() if a is not None and len(a.shape) == axes[n]}
        return replace(self, **changes) if changes else self

    def ordered(self, order: Array) -> NetworkObjective:
        """The same with its samples in another order; ``order``: int64, shape (samples,)."""
        return self._of_samples(lambda a: self.xp.take(a, order, axis=len(a.shape) - 2))

    def part(self, begin: int, end: int) -> NetworkObjective:
        """The mean loss of samples number ``begin`` to ``end`` alone."""
        return self._of_samples(lambda a: a[..., begin:end, :])

    def _of_samples(self, of: Callable[[Array], Array]) -> NetworkObjective:
        weight = None if self.weight is None else of(self.weight)
        # Not `replace`, which takes longer than a small batch: this is done in every iteration.
        return NetworkObjective(
            self.backend, self.precision, self.network, self.loss, of(self.x), of(self.target), weight, self.penalty
        )


def network_objective(
    network: Layer,
    loss: Loss,
    samples: Samples,
    *,
    l2: float | np.ndarray,
    backend: Backend,
    precision: str,
) -> NetworkObjective:
    """The objective of a network.

    Parameters
    ----------
    network : Layer
        That learns.
    loss : Loss
        Of its outputs; a loss of the sums before them takes its place where there is one.
    samples : Samples
        Checked, on the host.
    l2 : float or ndarray, shape (networks,)
        ½ · l2 · Σ weight² is added; biases are left alone.
    backend : Backend
        Where it is computed.
    precision : {"float64", "float32"}
        Of everything.

    Raises
    ------
    UsageError
        When the loss has no meaning for the targets.
    """
    loss.check(samples.target)
    body, activation = network.without_output()
    of_sums = loss.of_sums(activation)
    if of_sums is not None:
        network, loss = body, of_sums
    weight = samples.weight
    if weight is not None:
        weight = backend.asarray((weight / weight.mean(axis=-1, keepdims=True))[..., None], precision)
    l2 = np.asarray(l2, dtype=np.float64)
    if not (np.isfinite(l2).all() and (l2 >= 0.0).all()):
        raise UsageError(f"l2 = {l2}: give a number of at least 0, or one for each network")
    penalty = None
    if l2.any():
        penalty = backend.asarray(l2[..., None] * ParamVector(network.blocks()).decays, precision)
    x, target = (backend.asarray(a, precision) for a in (samples.x, samples.target))
    return NetworkObjective(backend, precision, network, loss, x, target, weight, penalty)
