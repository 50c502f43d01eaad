"""The first neurons: McCulloch and Pitts's threshold unit, and Rosenblatt's rule that teaches one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from neurosim.backends import get
from neurosim.backends.base import Backend
from neurosim.checks import check_options
from neurosim.errors import UsageError
from neurosim.learn import draws
from neurosim.learn.members import common_length, lengths
from neurosim.learn.samples import checked_samples
from neurosim.parameters import Floats, Parameters, is_number, param

__all__ = ["McCullochPitts", "PerceptronRule", "PerceptronRun", "with_bias_input"]

Array = Any


def with_bias_input(xp: Any, x: Array, value: float = -1.0) -> Array:
    """Inputs with a constant one before them: (…, n) → (…, 1 + n).

    With x₀ = −1 its weight is the threshold: Σ wᵢ xᵢ − w₀ = ⟨w, x⟩. (Slide 15 writes σ(Σ − w₀) and draws x₀ = 1; one of
    both signs must turn.)
    """
    return xp.concat([value * xp.ones_like(x[..., :1]), x], axis=-1)


@dataclass(frozen=True)
class McCullochPitts:
    """The neuron of McCulloch and Pitts (1943), https://doi.org/10.1007/BF02478259.

    It fires, y = 1, where Σ wᵢ xᵢ ≥ ``threshold`` and no inhibitory input is active; else y = 0. Inputs are 0 or 1.

    Parameters
    ----------
    weights : sequence of float
        One per input.
    threshold : float
        Sum from which it fires.
    inhibitory : sequence of int
        Inputs that forbid it to fire, absolutely; their weights do not count.

    Raises
    ------
    UsageError
        When they cannot be.

    Examples
    --------
    >>> import numpy as np
    >>> from neurosim.learn import McCullochPitts
    >>> both = McCullochPitts((1, 1), threshold=2)
    >>> both.fire(np, np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])).tolist()
    [0.0, 0.0, 0.0, 1.0]
    """

    weights: tuple[float, ...]
    threshold: float
    inhibitory: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        weights = tuple(self.weights)
        if not weights or not all(is_number(v) for v in (*weights, self.threshold)):
            raise UsageError(
                f"McCullochPitts: weights = {weights}, threshold = {self.threshold!r}: give finite numbers"
            )
        inhibitory = tuple(self.inhibitory)
        for k in inhibitory:
            if isinstance(k, bool) or not isinstance(k, int) or not 0 <= k < len(weights):
                raise UsageError(f"McCullochPitts: inhibitory input {k!r}: give 0 to {len(weights) - 1}")
        object.__setattr__(self, "weights", tuple(float(v) for v in weights))
        object.__setattr__(self, "inhibitory", inhibitory)

    def fire(self, xp: Any, x: Array) -> Array:
        """1.0 where it fires, else 0.0: (…, n) → (…)."""
        if x.shape[-1] != len(self.weights):
            raise UsageError(f"McCullochPitts: x has shape {tuple(x.shape)}: give (…, {len(self.weights)})")
        total, free = 0.0 * x[..., 0], 1.0
        for k, weight in enumerate(self.weights):
            if k in self.inhibitory:
                free = free * xp.astype(x[..., k] <= 0.0, x.dtype)
            else:
                total = total + weight * x[..., k]
        return free * xp.astype(total >= self.threshold, x.dtype)


class PerceptronRun(NamedTuple):
    """What :meth:`PerceptronRule.learn` made."""

    w: np.ndarray  # (E, 1 + n): threshold, then weights
    mistakes: np.ndarray  # (epochs, E), int64
    converged: np.ndarray  # (E,), whether the last epoch was without mistake


class PerceptronRule(Parameters):
    """Rosenblatt's learning rule for one threshold unit, targets −1 and 1, one sample after the other::

        where target · ⟨w, x⟩ ≤ 0:    w ← w + η · target · x,    x₀ = −1

    If the classes can be separated with margin γ and no ‖x‖ is above R, it errs at most (R/γ)² times from w = 0 on
    (Novikoff 1962), whatever the order.

    Source: Rosenblatt (1958), https://doi.org/10.1037/h0042519.
    """

    one_per = "network"

    learning_rate: Floats = param(1.0, doc="η", above=0.0)

    def update(self, xp: Any, w: Array, x: Array, target: Array) -> tuple[Array, Array]:
        """After one sample: weights, and 1.0 where the unit was wrong.

        Parameters
        ----------
        xp : namespace
            Of the arrays.
        w : array, shape (E, 1 + n)
            Weights, the threshold first.
        x : array, shape (1 + n,) or (E, 1 + n)
            Inputs with x₀ = −1.
        target : array, shape (1,) or (E, 1)
            −1 or 1.
        """
        wrong = xp.astype(target * xp.sum(w * x, axis=-1, keepdims=True) <= 0.0, w.dtype)
        return w + self.learning_rate * wrong * target * x, wrong

    def learn(
        self,
        data: Any,
        *,
        w0: Any = None,
        epochs: int = 1000,
        shuffle: bool = False,
        seed: int = 0,
        backend: str | Backend = "numpy",
        precision: str = "float64",
    ) -> PerceptronRun:
        """Teach E units until none errs.

        Parameters
        ----------
        data : tuple
            ``(x, target)``; x (samples, n), targets −1 and 1 of shape (samples,), or (E, samples, 1) for each unit's
            own.
        w0 : array_like, shape (1 + n,) or (E, 1 + n), optional
            First weights; by default 0.
        epochs : int
            Most passes through the samples.
        shuffle : bool
            Whether they come in another order in each.
        seed : int
            Of the orders.
        backend, precision : str
            Where, and in which type.

        Raises
        ------
        UsageError
            When an argument cannot be.
        """
        library = get(backend)
        xp = library.xp
        check_options(precision=precision, fuse="off", seed=seed)
        given = np.asarray(data[0]) if isinstance(data, tuple) and data else np.empty(0)
        x, target, weight = checked_samples(data, given.shape[-1] if given.ndim == 2 else 0, 1)
        if weight is not None or x.ndim != 2 or not np.isin(target, (-1.0, 1.0)).all():
            raise UsageError("PerceptronRule.learn: give (x, target), x of shape (samples, n), targets −1 and 1")
        n = 1 + x.shape[1]
        first = np.atleast_2d(np.zeros(n) if w0 is None else np.asarray(w0, dtype=np.float64))
        if first.shape[-1] != n:
            raise UsageError(f"w0 has shape {first.shape}: give (…, {n}), the threshold first")
        rule = self
        units = lengths(self)
        if target.ndim == 3:
            units["target"] = len(target)
        if len(first) > 1:
            units["w0"] = len(first)
        first = np.broadcast_to(first, (common_length(units, 1), n))
        if np.ndim(self.learning_rate):
            rule = self.replace()
            object.__setattr__(rule, "learning_rate", library.asarray(self.learning_rate[:, None], precision))
        w = library.asarray(first, precision)
        rows, signs = with_bias_input(xp, library.asarray(x, precision)), library.asarray(target, precision)
        mistakes: list[np.ndarray] = []
        for epoch in range(epochs):
            order = draws.permutation(seed, "order", len(x), series=epoch) if shuffle else np.arange(len(x))
            total = 0.0 * w[:, :1]
            for k in order.tolist():
                w, wrong = rule.update(xp, w, rows[k, :], signs[..., k, :])
                total = total + wrong
            mistakes.append(library.to_numpy(total)[:, 0].astype(np.int64))
            if not mistakes[-1].any():
                break
        made = np.stack(mistakes) if mistakes else np.zeros((0, len(first)), np.int64)
        converged = np.array(made[-1] == 0) if mistakes else np.zeros(len(first), bool)
        return PerceptronRun(np.array(library.to_numpy(w)), made, converged)
